//! The finder: the text field, and the matches below it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Finder, FinderKind};
use crate::model::Model;
use crate::text;
use crate::theme::Tone;
use crate::widget::{boxed, put, select};

/// The width of the finder in columns.
const COLUMNS_MAX: u16 = 100;
/// Matches that are shown at once.
const ROWS_MAX: u16 = 12;

pub fn draw(model: &Model, finder: &Finder, frame: &mut Frame<'_>, area: Rect) {
    let glyphs = model.theme.glyphs;
    let found = finder.hits(model);
    let rows = u16::try_from(found.len()).unwrap_or(u16::MAX);
    let rows = rows.clamp(1, ROWS_MAX) + 3;
    let (width, height) = (area.width.min(COLUMNS_MAX), area.height.min(rows));
    let area = Rect::new(area.x + (area.width - width) / 2, area.y, width, height);
    let (title, note) = match finder.kind {
        FinderKind::All => ("Find", "@ users  / commands  Esc closes"),
        FinderKind::History => ("Sent messages", "Esc closes"),
    };
    let inside = boxed(model.theme, frame, area, title, note);
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let layout = finder.query.layout(columns.saturating_sub(4).max(2));
    let shown = layout.rows.get(layout.row).cloned().unwrap_or_default();
    let mut lines = vec![Line::raw(format!(" {} {shown}", glyphs.prompt))];
    let x = u16::try_from(layout.column + 3).unwrap_or(u16::MAX);
    let x = inside.x.saturating_add(x).min(inside.right() - 1);
    frame.set_cursor_position(Position::new(x, inside.y));
    let space = usize::from(inside.height).saturating_sub(1);
    let selected = finder.selected.min(found.len().saturating_sub(1));
    let skipped = (selected + 1).saturating_sub(space);
    // The names get the columns that the longest needs, and the notes at least a third.
    let names = found.iter().skip(skipped).take(space);
    let widest = names.map(|hit| text::width(&hit.name)).max();
    let cells = match finder.kind {
        FinderKind::All => (widest.unwrap_or_default() + 3).min(columns * 2 / 3),
        FinderKind::History => columns,
    };
    for (index, hit) in found.iter().enumerate().skip(skipped).take(space) {
        let bar = if index == selected { glyphs.bar } else { " " };
        let name = text::fit(
            &format!("{bar}{}", hit.name),
            cells.saturating_sub(1),
            glyphs.cut,
        );
        let name = text::left(&name, cells, "");
        let note = text::left(&hit.note, columns.saturating_sub(cells), glyphs.cut);
        let line = Line::from(vec![
            Span::raw(name),
            Span::styled(note, model.theme.style(Tone::Quiet)),
        ]);
        let style = model.theme.style(Tone::Reversed);
        lines.push(if index == selected {
            select(line, style)
        } else {
            line
        });
    }
    if found.is_empty() {
        lines.push(Line::styled(" No match", model.theme.style(Tone::Quiet)));
    }
    put(frame, inside, lines);
}
