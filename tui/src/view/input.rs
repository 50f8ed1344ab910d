//! The input: its text, or a hint for what Enter does when it is empty.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{put, spread};
use crate::journal::ComposeTarget;
use crate::layout::{Form, PROMPT};
use crate::model::composer::Composer;
use crate::model::layer::Chat;
use crate::model::layer::selection::Selection;
use crate::model::{EnterDoes, Model};
use crate::text;
use crate::theme::Tone;

/// Draws the input, with the cursor if it has the focus.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let panes = model.panes();
    let cells = panes.input_columns();
    let restricted = model.restricted();
    let query = model.query().map(|query| &query.editor);
    let glyph = match (query, restricted) {
        (Some(_), _) => "/",
        (None, Some(_)) => model.theme.glyphs.failed,
        (None, None) => model.theme.glyphs.prompt,
    };
    let prompt = if area.width > PROMPT {
        format!(" {glyph} ")
    } else {
        String::new()
    };
    let indent = u16::try_from(text::width(&prompt)).unwrap_or_default();
    let written = model.composer().map(|composer| &composer.editor);
    let layout = query.or(written).map(|editor| editor.layout(cells));
    let (rows, row, column) = match layout {
        Some(layout) => (layout.rows, layout.row, layout.column),
        None => (vec![String::new()], 0, 0),
    };
    let prompt_tone = match restricted {
        Some(_) if query.is_none() => Tone::Bad,
        Some(_) | None => Tone::Strong,
    };
    let height = usize::from(area.height);
    let skipped = (row + 1).saturating_sub(height);
    let empty = rows.iter().all(String::is_empty) && rows.len() == 1;
    let mut lines: Vec<Line<'static>> = Vec::new();
    let (glyphs, last) = (model.theme.glyphs, rows.len().saturating_sub(1));
    let has_marks = height > 1 && indent == PROMPT;
    for (index, shown) in rows.into_iter().enumerate().skip(skipped).take(height) {
        let head = if has_marks && index == skipped && skipped > 0 {
            format!(" {} ", glyphs.above)
        } else if has_marks && index + 1 == skipped + height && index < last {
            format!(" {} ", glyphs.below)
        } else if index == 0 {
            prompt.clone()
        } else {
            " ".repeat(usize::from(indent))
        };
        lines.push(Line::from(vec![
            Span::styled(head, model.theme.style(prompt_tone)),
            Span::raw(shown),
        ]));
    }
    if empty && let Some(line) = lines.first_mut() {
        let said = match query {
            Some(_) => "Search backwards".to_owned(),
            None => placeholder(model),
        };
        let said = text::fit(&said, cells, model.theme.glyphs.cut);
        line.push_span(Span::styled(said, model.theme.style(Tone::Quiet)));
    }
    put(frame, area, lines);
    // A screen that is too small shows nothing but the input.
    let has_keys = panes.form == Form::Tiny
        || model.layers.is_top::<Chat>()
        || (model.layers.is_top::<Selection>() && query.is_some());
    if has_keys {
        let x = area.x + indent + u16::try_from(column).unwrap_or(u16::MAX).min(area.width);
        let y = area.y + u16::try_from(row - skipped).unwrap_or_default();
        let right = area.right() - 1;
        frame.set_cursor_position(Position::new(x.min(right), y));
    }
}

/// Draws the line above the input with the message being replied to or edited.
pub(super) fn target(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let target = model.composer().map(Composer::target).unwrap_or_default();
    let (Some(room), Some(message)) = (model.room(), target.message()) else {
        return;
    };
    if area.is_empty() {
        return;
    }
    let glyphs = model.theme.glyphs;
    let log = room.log.as_ref();
    let seq = model.outbox.seq_of(message, log).unwrap_or(message.seq);
    let at = log.and_then(|log| log.event(seq));
    let at = at.map_or_else(String::new, |event| {
        format!("{} ", model.zone.hm(event.timestamp))
    });
    let said = match target {
        ComposeTarget::Reply(_) => format!(
            " {} Replying to {}",
            glyphs.mention,
            model.room_view(room).quoted(seq)
        ),
        ComposeTarget::New | ComposeTarget::Edit(_) | ComposeTarget::Delete(_) => {
            format!(" {} Editing your {at}message", glyphs.mention)
        }
    };
    let escape = format!("  {} cancels ", model.back_key());
    let line = spread(
        usize::from(area.width),
        vec![Span::styled(said, model.theme.style(Tone::Strong))],
        vec![Span::styled(escape, model.theme.style(Tone::Quiet))],
        glyphs.cut,
    );
    put(frame, area, vec![line]);
}

/// Returns the hint for an empty input.
fn placeholder(model: &Model) -> String {
    let enter = model.theme.glyphs.keys[3];
    match model.enter_does() {
        EnterDoes::Send => String::new(),
        EnterDoes::Retry => format!("{enter} retry failed messages"),
        EnterDoes::Join => format!("{enter} join this meeting"),
        EnterDoes::Read => format!("Meeting ended. {enter} read messages"),
        EnterDoes::Wait if waits(model) => {
            format!("You'll join at the start. {enter} to cancel")
        }
        EnterDoes::Wait => format!("{enter} join automatically when it starts"),
        EnterDoes::Restricted(restricted) => restricted.sentence().to_owned(),
        EnterDoes::Nothing => "Meeting ended. You can still read its messages".to_owned(),
    }
}

/// Returns whether the meeting on screen is joined automatically when it starts.
fn waits(model: &Model) -> bool {
    model
        .shown
        .is_some_and(|id| model.meetings.joins_automatically(id))
}
