//! The sign-in form in the middle of the screen. The rows for an error or the progress are always
//! reserved, so that nothing moves.

use plenary_shared::time::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Field, SignIn};
use crate::command::{AppCommand, Command, Nav};
use crate::model::Model;
use crate::text;
use crate::theme::Tone;
use crate::widget::{boxed, put, spread};

/// The columns and rows of the form.
const COLUMNS: u16 = 58;
const ROWS: u16 = 13;
/// The columns before the text of a field.
const LABEL: usize = 13;
/// The rows of an error or the progress.
const MESSAGE_ROWS: usize = 4;
/// The smallest width with a frame.
const FRAMED_MIN: u16 = 60;

pub fn draw(model: &Model, form: &SignIn, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let (width, height) = (screen.width.min(COLUMNS), screen.height.min(ROWS));
    let area = Rect::new(
        (screen.width - width) / 2,
        (screen.height - height) / 2,
        width,
        height,
    );
    let framed = screen.width >= FRAMED_MIN && screen.height >= ROWS;
    let inside = if framed {
        boxed(model.theme, frame, area, "Plenary · Sign in", "")
    } else {
        area
    };
    let columns = usize::from(inside.width);
    let mut lines: Vec<Line<'static>> = Vec::new();
    // On few rows only the field with the cursor is certain to be visible.
    if inside.height >= 10 {
        lines.push(Line::default());
    }
    if !framed && screen.height >= ROWS {
        lines.push(Line::styled(
            " Plenary · Sign in",
            model.theme.style(Tone::Strong),
        ));
    }
    let fields: Vec<Field> = if inside.height < 3 {
        vec![form.field]
    } else {
        Field::ALL.to_vec()
    };
    let mut cursor = Position::new(inside.x, inside.y);
    for field in fields {
        let (line, column) = field_line(model, form, field, columns);
        if field == form.field {
            let y = u16::try_from(lines.len()).unwrap_or_default();
            let x = u16::try_from(column)
                .unwrap_or_default()
                .min(inside.width.saturating_sub(1));
            cursor = Position::new(inside.x + x, inside.y + y);
        }
        lines.push(line);
    }
    if inside.height >= 10 {
        lines.push(Line::default());
    }
    let mut message = error_lines(model, form, columns);
    let progress = form.since.map(|since| progress_line(model, since, columns));
    message.extend(progress);
    message.resize(MESSAGE_ROWS, Line::default());
    lines.extend(message);
    let button = format!("[ Sign in  {} ]", model.theme.glyphs.keys[3]);
    let indent = columns.saturating_sub(text::width(&button)) / 2;
    let button = format!("{}{button}", " ".repeat(indent));
    lines.push(Line::styled(button, model.theme.style(Tone::Strong)));
    put(frame, inside, lines);
    if screen.height > ROWS {
        draw_hints(model, framed, frame);
    }
    if cursor.y < screen.height && cursor.x < screen.width {
        frame.set_cursor_position(cursor);
    }
}

/// Draws the line of keys at the bottom.
fn draw_hints(model: &Model, framed: bool, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let foot = Rect::new(0, screen.height - 1, screen.width, 1);
    let hints = [
        (Command::Nav(Nav::NextField), "next"),
        (Command::Nav(Nav::Enter), "sign in"),
        (Command::App(AppCommand::Help), "help"),
        (Command::App(AppCommand::ClearOrQuit), "quit"),
    ];
    let hints = hints.map(|(command, text)| format!(" {} {text} ", model.key(command)));
    let left = hints.concat();
    let right = if framed {
        vec![Span::styled("plenary ", model.theme.style(Tone::Quiet))]
    } else {
        Vec::new()
    };
    let line = spread(
        usize::from(screen.width),
        vec![Span::styled(left, model.theme.style(Tone::Quiet))],
        right,
        model.theme.glyphs.cut,
    );
    put(frame, foot, vec![line]);
}

/// Returns the line of a field, and the column of the cursor in it.
fn field_line(
    model: &Model,
    form: &SignIn,
    field: Field,
    columns: usize,
) -> (Line<'static>, usize) {
    let label = if columns > 30 { LABEL } else { 0 };
    let cells = columns.saturating_sub(label + 5).max(2);
    let editor = form.editor(field);
    let layout = editor.layout(cells);
    let (mut shown, mut column) = (
        layout.rows.get(layout.row).cloned().unwrap_or_default(),
        layout.column,
    );
    if field == Field::Password {
        // Only the number of characters is shown.
        let dots = |text: &str| text.chars().count();
        let (all, before) = (dots(editor.text()), dots(editor.before()));
        let skipped = (before + 1).saturating_sub(cells);
        shown = model
            .theme
            .glyphs
            .hidden
            .repeat(all.saturating_sub(skipped).min(cells - 1));
        column = before - skipped;
    }
    let here = field == form.field;
    let name = if label > 0 {
        text::left(&format!("  {}", field.title()), LABEL, "")
    } else {
        String::new()
    };
    let style = model
        .theme
        .style(if here { Tone::Strong } else { Tone::Quiet });
    let line = Line::from(vec![
        Span::styled(name, style),
        Span::styled("[ ", style),
        Span::raw(text::left(&shown, cells, "")),
        Span::styled(" ]", style),
    ]);
    (line, label + 2 + column)
}

fn error_lines(model: &Model, form: &SignIn, columns: usize) -> Vec<Line<'static>> {
    let Some((at, why)) = &form.error else {
        return Vec::new();
    };
    let (glyphs, at) = (model.theme.glyphs, model.zone.hm(*at));
    let text = format!("{} {at} {}", glyphs.failed, text::one_line(why));
    let rows = text::wrap(&text, columns.saturating_sub(4).max(1));
    let style = model.theme.style(Tone::Bad);
    let rows = rows.into_iter().enumerate().map(|(nth, row)| {
        let indent = if nth == 0 { "  " } else { "    " };
        Line::styled(format!("{indent}{row}"), style)
    });
    rows.collect()
}

fn progress_line(model: &Model, since: Timestamp, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let seconds = model.now.ms_since(since).max(0) / 1_000;
    let text = format!(
        "  {} Signing in{} ({seconds} s) · Esc cancels",
        glyphs.busy, glyphs.cut
    );
    Line::styled(
        text::fit(&text, columns, glyphs.cut),
        model.theme.style(Tone::Quiet),
    )
}
