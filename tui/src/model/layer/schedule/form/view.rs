//! Draws the form of a schedule change.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Form;
use crate::model::Model;
use crate::text;
use crate::theme::Tone;
use crate::widget::{boxed, put};

/// The most columns of the form.
const COLUMNS_MAX: u16 = 76;
/// Columns of the label before an input.
const LABEL: usize = 12;

/// Draws the form over the lower part of the table.
pub fn draw(model: &Model, form: &Form, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(2));
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let rows = u16::try_from(form.fields.len()).unwrap_or_default() + 4;
    let (width, height) = (body.width.min(COLUMNS_MAX), body.height.min(rows));
    let x = (body.width - width) / 2;
    let area = Rect::new(x, body.bottom() - height, width, height);
    let enter = glyphs.keys[3];
    let note = if form.sent {
        format!("{} sending{}  Esc Cancel", glyphs.busy, glyphs.cut)
    } else if form.at + 1 < form.fields.len() {
        format!("{enter} Next  Esc Cancel")
    } else {
        format!("{enter} OK  Esc Cancel")
    };
    let inside = boxed(model.theme, frame, area, &form.title(), &note);
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let label = if columns > 30 { LABEL } else { 0 };
    let cells = columns.saturating_sub(label + 2).max(2);
    let mut lines = Vec::new();
    let mut cursor = Position::new(inside.x, inside.y);
    // If not all fields fit, the one with the focus is the last shown.
    let skipped = (form.at + 1).saturating_sub(usize::from(inside.height));
    for (nth, (field, editor)) in form.fields.iter().enumerate().skip(skipped) {
        let has_focus = nth == form.at;
        let layout = editor.layout(cells);
        let input = layout.rows.get(layout.row).cloned().unwrap_or_default();
        if has_focus {
            let x = u16::try_from(label + 1 + layout.column).unwrap_or(u16::MAX);
            let y = u16::try_from(lines.len()).unwrap_or_default();
            cursor = Position::new(
                inside.x.saturating_add(x).min(inside.right() - 1),
                (inside.y + y).min(inside.bottom() - 1),
            );
        }
        let tone = if has_focus { Tone::Strong } else { Tone::Quiet };
        let name = text::left(&format!(" {}", field.label()), label, "");
        let style = if has_focus {
            theme.style(Tone::Strong)
        } else {
            Style::new()
        };
        lines.push(Line::from(vec![
            Span::styled(name, theme.style(tone)),
            Span::raw(" "),
            Span::styled(text::left(&input, cells, ""), style),
        ]));
    }
    let field = form.fields.get(form.at).map(|(field, _)| *field);
    let hint = field.map_or("", |field| field.hint(form.kind));
    let hint = text::fit(&format!(" {hint}"), columns, glyphs.cut);
    lines.push(Line::styled(hint, theme.style(Tone::Quiet)));
    if let Some(error) = &form.error {
        let error = format!(" {} {}", glyphs.failed, text::one_line(error));
        let error = text::fit(&error, columns, glyphs.cut);
        lines.push(Line::styled(error, theme.style(Tone::Bad)));
    }
    put(frame, inside, lines);
    frame.set_cursor_position(cursor);
}
