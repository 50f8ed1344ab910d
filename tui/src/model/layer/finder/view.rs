//! The finder: the text field, and the matches below it.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::Finder;
use crate::model::Model;
use crate::text;
use crate::theme::Tone;
use crate::widget::{boxed, put, select};

/// The width of the finder in columns.
const COLUMNS_MAX: u16 = 76;
/// Matches that are shown at once.
const ROWS_MAX: u16 = 12;
/// Columns of the names.
const NAME_CELLS: usize = 26;

pub fn draw(model: &Model, finder: &Finder, frame: &mut Frame<'_>, area: Rect) {
    let glyphs = model.theme.glyphs;
    let found = finder.hits(model);
    let rows = u16::try_from(found.len()).unwrap_or(u16::MAX);
    let rows = rows.clamp(1, ROWS_MAX) + 3;
    let (width, height) = (area.width.min(COLUMNS_MAX), area.height.min(rows));
    let area = Rect::new(area.x + (area.width - width) / 2, area.y, width, height);
    let inside = boxed(
        model.theme,
        frame,
        area,
        "Find",
        "@ users  / commands  Esc closes",
    );
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
    let cells = (columns / 2).min(NAME_CELLS);
    for (index, hit) in found.iter().enumerate().skip(skipped).take(space) {
        let bar = if index == selected { glyphs.bar } else { " " };
        let name = text::left(&format!("{bar}{}", hit.name), cells, glyphs.cut);
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
