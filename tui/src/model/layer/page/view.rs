//! A page in its frame.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::Page;
use crate::command::{Command, Nav};
use crate::model::Model;
use crate::text;
use crate::widget::{boxed, put};

pub fn draw(model: &Model, page: &Page, frame: &mut Frame<'_>, area: Rect) {
    let note = if page.is_help() {
        "type to filter  Esc closes"
    } else {
        "Esc closes"
    };
    let mut inside = boxed(model.theme, frame, area, &page.title(model), note);
    if page.is_help() && !inside.is_empty() {
        filter_row(model, page, frame, inside);
        inside = Rect {
            y: inside.y + 1,
            height: inside.height - 1,
            ..inside
        };
    }
    let rows = page.rows(model, usize::from(inside.width));
    let height = usize::from(inside.height);
    let most = rows.len().saturating_sub(height);
    let first = page.scroll.min(most);
    let more = rows.len().saturating_sub(first + height);
    put(frame, inside, rows.into_iter().skip(first).collect());
    if more > 0 && area.height > 1 && area.width > 20 {
        let key = model.key(Command::Nav(Nav::PageDown));
        let note = format!(" {} {more} more: {key} ", model.theme.glyphs.below);
        let width = u16::try_from(text::width(&note)).unwrap_or_default();
        let at = Rect::new(
            area.right().saturating_sub(width + 2),
            area.bottom() - 1,
            width,
            1,
        );
        frame.render_widget(Line::raw(note), at.intersection(area));
    }
}

/// Draws the words that the help is filtered by, with the cursor.
fn filter_row(model: &Model, page: &Page, frame: &mut Frame<'_>, inside: Rect) {
    let columns = usize::from(inside.width);
    let layout = page.filter.layout(columns.saturating_sub(4).max(2));
    let words = layout.rows.get(layout.row).cloned().unwrap_or_default();
    let line = Line::raw(format!(" {} {words}", model.theme.glyphs.prompt));
    put(
        frame,
        Rect {
            height: 1,
            ..inside
        },
        vec![line],
    );
    let x = u16::try_from(layout.column + 3).unwrap_or(u16::MAX);
    let x = inside.x.saturating_add(x).min(inside.right() - 1);
    frame.set_cursor_position(Position::new(x, inside.y));
}
