//! Draws the dialog before a moderation action.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use super::{Dialog, DialogField, DialogKind};
use crate::model::Model;
use crate::model::answer::is_yes;
use crate::text;
use crate::theme::Tone;
use crate::widget::{boxed, put, whole};

/// The most columns of the dialog.
const COLUMNS_MAX: u16 = 76;
/// The most participants that are offered at once.
const OFFERED_MAX: usize = 6;

/// Draws the dialog over the lower part of the table.
pub fn draw(model: &Model, dialog: &Dialog, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(2));
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let offered = dialog.matches();
    let offers = match dialog.field {
        DialogField::Participant => offered.len().clamp(1, OFFERED_MAX),
        DialogField::Confirmation
        | DialogField::Minutes
        | DialogField::Text
        | DialogField::Reason => 0,
    };
    let rows = u16::try_from(offers).unwrap_or_default() + 4;
    let (width, height) = (body.width.min(COLUMNS_MAX), body.height.min(rows));
    let x = (body.width - width) / 2;
    let area = Rect::new(x, body.bottom() - height, width, height);
    let note = note(dialog, glyphs.keys[3]);
    let inside = boxed(model.theme, frame, area, &dialog.title(), &note);
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let label = match dialog.kind {
        DialogKind::Explain => "Name of a participant, or email of any account",
        DialogKind::Moderate(_) => dialog.field.label(),
    };
    let label = text::fit(label, columns.saturating_sub(1), glyphs.cut);
    let layout = dialog.editor.layout(columns.saturating_sub(4).max(2));
    let input = layout.rows.get(layout.row).cloned().unwrap_or_default();
    let mut lines = vec![
        Line::styled(format!(" {label}"), theme.style(Tone::Quiet)),
        Line::raw(format!(" {} {input}", glyphs.prompt)),
    ];
    let highlighted = dialog.highlighted.min(offered.len().saturating_sub(1));
    let skipped = (highlighted + 1).saturating_sub(OFFERED_MAX);
    for (nth, one) in offered.iter().enumerate().skip(skipped).take(offers) {
        let is_highlighted = nth == highlighted;
        let bar = if is_highlighted { glyphs.bar } else { " " };
        let email = one.email.as_deref().unwrap_or_default();
        let (name, email) = (text::one_line(&one.name), text::one_line(email));
        let text = text::fit(&format!("{bar}{name}  {email}"), columns, glyphs.cut);
        let style = if is_highlighted {
            theme.style(Tone::Reversed)
        } else {
            Style::new()
        };
        lines.push(whole(Line::raw(text), columns, style));
    }
    if offers > 0 && offered.is_empty() {
        let text = " No match. Type the full email";
        lines.push(Line::styled(text, theme.style(Tone::Quiet)));
    }
    put(frame, inside, lines);
    let x = u16::try_from(layout.column + 3).unwrap_or(u16::MAX);
    let x = inside
        .x
        .saturating_add(x)
        .min(inside.right().saturating_sub(1));
    let y = (inside.y + 1).min(inside.bottom().saturating_sub(1));
    frame.set_cursor_position(Position::new(x, y));
}

/// Returns what the keys do in the current field.
fn note(dialog: &Dialog, enter: &str) -> String {
    match dialog.field {
        DialogField::Participant if dialog.kind == DialogKind::Explain => {
            format!("{enter} OK  Esc Cancel")
        }
        DialogField::Confirmation if !is_yes(dialog.editor.text().trim()) => {
            format!("{enter} Cancel")
        }
        DialogField::Participant | DialogField::Confirmation | DialogField::Minutes => {
            format!("{enter} Next  Esc Cancel")
        }
        DialogField::Text | DialogField::Reason => format!("{enter} OK  Esc Cancel"),
    }
}
