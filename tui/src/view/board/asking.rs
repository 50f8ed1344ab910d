//! The question before something is done from the dashboard.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line;

use super::super::over::boxed;
use super::super::{put, whole};
use crate::model::Model;
use crate::model::board::{Asking, Field};
use crate::text;
use crate::theme::Tone;

/// Columns of the question at most.
const ASKING_COLUMNS: u16 = 76;
/// People that are offered at once.
const OFFERED_MAX: usize = 6;

/// Draws the question over the lower part of the table.
pub(super) fn ask(model: &Model, asking: &Asking, frame: &mut Frame<'_>, body: Rect) {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let offered = asking.matches();
    let offers = match asking.field {
        Field::Person => offered.len().clamp(1, OFFERED_MAX),
        Field::Minutes | Field::Text | Field::Reason => 0,
    };
    let rows = u16::try_from(offers).unwrap_or_default() + 4;
    let (width, height) = (body.width.min(ASKING_COLUMNS), body.height.min(rows));
    let x = (body.width - width) / 2;
    let area = Rect::new(x, body.bottom() - height, width, height);
    let enter = glyphs.keys[3];
    let does = match asking.field {
        Field::Person | Field::Minutes => "goes on",
        Field::Text | Field::Reason => "does it",
    };
    let note = format!("{enter} {does}  Esc leaves it");
    let inside = boxed(
        model,
        frame,
        area,
        &format!("{}?", asking.sentence()),
        &note,
    );
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let question = text::fit(
        asking.field.question(),
        columns.saturating_sub(1),
        glyphs.cut,
    );
    let laid = asking.editor.laid(columns.saturating_sub(4).max(2));
    let written = laid.rows.get(laid.row).cloned().unwrap_or_default();
    let mut lines = vec![
        Line::styled(format!(" {question}"), theme.style(Tone::Quiet)),
        Line::raw(format!(" {} {written}", glyphs.prompt)),
    ];
    let picked = asking.picked.min(offered.len().saturating_sub(1));
    let skipped = (picked + 1).saturating_sub(OFFERED_MAX);
    for (nth, one) in offered.iter().enumerate().skip(skipped).take(offers) {
        let bar = if nth == picked { glyphs.bar } else { " " };
        let said = format!(
            "{bar}{}  {}",
            text::one_line(&one.name),
            text::one_line(&one.email)
        );
        let line = Line::raw(text::fit(&said, columns, glyphs.cut));
        let style = if nth == picked {
            theme.style(Tone::Reversed)
        } else {
            Style::new()
        };
        lines.push(whole(line, columns, style));
    }
    if offers > 0 && offered.is_empty() {
        let said = " nobody here is called so: write a whole address";
        lines.push(Line::styled(said, theme.style(Tone::Quiet)));
    }
    put(frame, inside, lines);
    let x = u16::try_from(laid.column + 3).unwrap_or(u16::MAX);
    let x = inside
        .x
        .saturating_add(x)
        .min(inside.right().saturating_sub(1));
    let y = (inside.y + 1).min(inside.bottom().saturating_sub(1));
    frame.set_cursor_position(Position::new(x, y));
}
