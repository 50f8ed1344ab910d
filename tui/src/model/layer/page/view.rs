//! A page in its frame.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Page;
use crate::command::{Command, Nav};
use crate::model::Model;
use crate::text;
use crate::widget::{boxed, put};

pub fn draw(model: &Model, page: &Page, frame: &mut Frame<'_>, area: Rect) {
    let inside = boxed(model.theme, frame, area, &page.title(model), "Esc closes");
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
