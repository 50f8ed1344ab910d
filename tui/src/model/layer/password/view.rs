//! The password dialog over the middle of the screen. The row for errors and progress is always
//! reserved, so that nothing moves.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Field, PasswordDialog};
use crate::model::Model;
use crate::text;
use crate::theme::Tone;
use crate::widget::{boxed, put};

/// The columns and rows of the dialog.
const COLUMNS: u16 = 58;
const ROWS: u16 = 8;
/// The columns before the text of a field.
const LABEL: usize = 16;

/// Draws the dialog.
pub fn draw(model: &Model, dialog: &PasswordDialog, frame: &mut Frame<'_>, area: Rect) {
    let (width, height) = (area.width.min(COLUMNS), area.height.min(ROWS));
    let area = Rect::new(
        area.x + (area.width - width) / 2,
        area.y + (area.height - height) / 2,
        width,
        height,
    );
    let note = format!("{} Change  Esc Cancel", model.theme.glyphs.keys[3]);
    let inside = boxed(model.theme, frame, area, "Change password", &note);
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    // On few rows only the field with the cursor is certain to be visible.
    let fields = if inside.height < 4 {
        vec![dialog.field]
    } else {
        Field::ALL.to_vec()
    };
    let mut lines = Vec::new();
    if inside.height > 5 {
        lines.push(Line::default());
    }
    for field in fields {
        let (line, column) = field_line(model, dialog, field, columns);
        if field == dialog.field {
            let x = u16::try_from(column).unwrap_or_default();
            let y = u16::try_from(lines.len()).unwrap_or_default();
            let x = (inside.x + x).min(inside.right() - 1);
            let y = (inside.y + y).min(inside.bottom() - 1);
            frame.set_cursor_position(Position::new(x, y));
        }
        lines.push(line);
    }
    if inside.height > 5 {
        lines.push(Line::default());
    }
    lines.push(state_line(model, dialog, columns));
    put(frame, inside, lines);
}

/// Returns the line of a field, and the column of the cursor in it. Only the number of characters is
/// shown.
fn field_line(
    model: &Model,
    dialog: &PasswordDialog,
    field: Field,
    columns: usize,
) -> (Line<'static>, usize) {
    let label = if columns > 30 { LABEL } else { 0 };
    let cells = columns.saturating_sub(label + 5).max(2);
    let editor = dialog.editor(field);
    let dots = |text: &str| text.chars().count();
    let (all, before) = (dots(editor.text()), dots(editor.before()));
    let skipped = (before + 1).saturating_sub(cells);
    let hidden = model.theme.glyphs.hidden;
    let shown = hidden.repeat(all.saturating_sub(skipped).min(cells - 1));
    let name = if label > 0 {
        text::left(&format!("  {}", field.title()), LABEL, "")
    } else {
        String::new()
    };
    let tone = if field == dialog.field {
        Tone::Strong
    } else {
        Tone::Quiet
    };
    let style = model.theme.style(tone);
    let line = Line::from(vec![
        Span::styled(name, style),
        Span::styled("[ ", style),
        Span::raw(text::left(&shown, cells, "")),
        Span::styled(" ]", style),
    ]);
    (line, label + 2 + before - skipped)
}

fn state_line(model: &Model, dialog: &PasswordDialog, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let (tone, text) = match &dialog.error {
        _ if dialog.is_sending => (
            Tone::Quiet,
            format!("  {} Changing{}", glyphs.busy, glyphs.cut),
        ),
        Some(why) => (
            Tone::Bad,
            format!("  {} {}", glyphs.failed, text::one_line(why)),
        ),
        None => (
            Tone::Quiet,
            "  Ends all your sessions but this one".to_owned(),
        ),
    };
    Line::styled(
        text::fit(&text, columns, glyphs.cut),
        model.theme.style(tone),
    )
}
