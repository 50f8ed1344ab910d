//! What lies over the chat: a page in its frame, and the search for a meeting.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::{put, select};
use crate::command::{Command, Nav};
use crate::model::Model;
use crate::model::find::Find;
use crate::model::overlay::Overlay;
use crate::text;
use crate::theme::Tone;

/// Columns of the search.
const FIND_COLUMNS: u16 = 76;
/// What it shows at once.
const FIND_ROWS_MAX: u16 = 12;
/// Columns of the names in it.
const NAME_CELLS: usize = 26;

/// Draws the page.
pub(super) fn page(model: &Model, overlay: &Overlay, frame: &mut Frame<'_>, area: Rect) {
    let inside = boxed(model, frame, area, &overlay.title(model), "Esc closes");
    let rows = overlay.rows(model, usize::from(inside.width));
    let height = usize::from(inside.height);
    let most = rows.len().saturating_sub(height);
    let first = overlay.scroll.min(most);
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

/// Draws the search: what is searched for, and what is found.
pub(super) fn find(model: &Model, find: &Find, frame: &mut Frame<'_>, area: Rect) {
    let glyphs = model.theme.glyphs;
    let found = find.hits(model);
    let rows = u16::try_from(found.len()).unwrap_or(u16::MAX);
    let rows = rows.clamp(1, FIND_ROWS_MAX) + 3;
    let (width, height) = (area.width.min(FIND_COLUMNS), area.height.min(rows));
    let area = Rect::new(area.x + (area.width - width) / 2, area.y, width, height);
    let inside = boxed(
        model,
        frame,
        area,
        "find",
        "@ users  / commands  Esc closes",
    );
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let layout = find.query.layout(columns.saturating_sub(4).max(2));
    let shown = layout.rows.get(layout.row).cloned().unwrap_or_default();
    let mut lines = vec![Line::raw(format!(" {} {shown}", glyphs.prompt))];
    let x = u16::try_from(layout.column + 3).unwrap_or(u16::MAX);
    let x = inside.x.saturating_add(x).min(inside.right() - 1);
    frame.set_cursor_position(Position::new(x, inside.y));
    let space = usize::from(inside.height).saturating_sub(1);
    let selected = find.selected.min(found.len().saturating_sub(1));
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

/// Clears an area and draws a frame around it; gives what is inside.
pub(super) fn boxed(
    model: &Model,
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    note: &str,
) -> Rect {
    frame.render_widget(Clear, area);
    if area.width < 3 || area.height < 3 {
        return area;
    }
    let glyphs = model.theme.glyphs;
    let style = model.theme.style(Tone::Quiet);
    let [upper_left, upper_right, lower_right, lower_left] = glyphs.corners;
    let inner = usize::from(area.width - 2);
    let title = text::fit(&format!(" {title} "), inner.saturating_sub(1), glyphs.cut);
    let room = inner.saturating_sub(text::width(&title) + 1);
    let note = if note.is_empty() {
        String::new()
    } else {
        format!(" {note} ")
    };
    let (note, rest) = if !note.is_empty() && text::width(&note) < room {
        let rest = room - text::width(&note) - 1;
        (note, rest)
    } else {
        (String::new(), room)
    };
    let end = if note.is_empty() {
        String::new()
    } else {
        glyphs.rule.to_owned()
    };
    let top = Line::from(vec![
        Span::styled(format!("{upper_left}{}", glyphs.rule), style),
        Span::styled(title, model.theme.style(Tone::Strong)),
        Span::styled(
            format!("{}{note}{end}{upper_right}", glyphs.rule.repeat(rest)),
            style,
        ),
    ]);
    let bottom = Line::styled(
        format!("{lower_left}{}{lower_right}", glyphs.rule.repeat(inner)),
        style,
    );
    put(frame, area, vec![top]);
    put(
        frame,
        Rect::new(area.x, area.bottom() - 1, area.width, 1),
        vec![bottom],
    );
    let side = Line::styled(glyphs.standing, style);
    for y in area.top() + 1..area.bottom() - 1 {
        frame.render_widget(&side, Rect::new(area.x, y, 1, 1));
        frame.render_widget(&side, Rect::new(area.right() - 1, y, 1, 1));
    }
    Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
}
