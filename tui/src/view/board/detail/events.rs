//! What happens in a meeting, the newest first, without what is said.

use plenary_shared::protocol::{Trace, TraceWhat};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::super::super::{put, whole};
use crate::model::Model;
use crate::model::board::{Drill, Looked, Pane, word};
use crate::text;
use crate::theme::Tone;

/// Columns of the word that says what it is.
const WORD: usize = 7;

/// Draws it; where the selected one stands.
pub(super) fn draw(
    model: &Model,
    looked: &Looked,
    drill: &Drill,
    focus: bool,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let columns = usize::from(area.width);
    let traces = drill.traces(looked);
    let at = drill.trace_at(&traces);
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let skipped = at - at % height;
    let follows = if drill.trace.is_none() {
        "EVENTS (newest first, live)"
    } else {
        "EVENTS"
    };
    let head = text::fit(&format!(" {follows}"), columns, model.theme.glyphs.cut);
    let mut lines = vec![Line::styled(head, model.theme.style(Tone::Quiet))];
    for (nth, trace) in traces.iter().enumerate().skip(skipped).take(height) {
        let selected = focus && drill.pane == Pane::Events && nth == at;
        let line = row(model, trace, selected, columns);
        lines.push(if selected {
            whole(line, columns, model.theme.style(Tone::Reversed))
        } else {
            line
        });
    }
    put(frame, area, lines);
    let row = u16::try_from(at - skipped).unwrap_or_default() + 1;
    let last = area.bottom().saturating_sub(1);
    Position::new(area.x, (area.y + row).min(last))
}

fn row(model: &Model, trace: &Trace, selected: bool, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let bar = if selected { glyphs.bar } else { " " };
    let tone = match trace.what {
        TraceWhat::Denied { .. } => Tone::Bad,
        TraceWhat::Moderated { .. } | TraceWhat::Lost => Tone::Soon,
        TraceWhat::Opened
        | TraceWhat::Join
        | TraceWhat::Leave { .. }
        | TraceWhat::Message { .. }
        | TraceWhat::Edited { .. }
        | TraceWhat::Deleted { .. }
        | TraceWhat::Closed { .. }
        | TraceWhat::Back => Tone::Plain,
    };
    let time = format!("{bar}{} ", model.zone.hms(trace.at));
    let word = text::left(word(&trace.what), WORD, glyphs.cut);
    let room = columns.saturating_sub(text::width(&time) + WORD);
    Line::from(vec![
        Span::raw(time),
        Span::styled(word, theme.style(tone)),
        Span::raw(text::fit(&said(model, trace), room, glyphs.cut)),
    ])
}

fn said(model: &Model, trace: &Trace) -> String {
    let glyphs = model.theme.glyphs;
    let name = match (&*trace.name, trace.user) {
        ("", Some(user)) => format!("#{user}"),
        (name, _) => text::one_line(name),
    };
    let plain = |word: &str| word.replace('_', " ");
    match &trace.what {
        TraceWhat::Opened => String::new(),
        TraceWhat::Join | TraceWhat::Back => name,
        TraceWhat::Leave { reason } => format!("{name}: {}", plain(reason.as_str())),
        TraceWhat::Message { bytes } => format!("{name} {} {bytes} B", glyphs.came),
        TraceWhat::Edited { target, bytes } => {
            format!("{name} {} {bytes} B, message {target}", glyphs.came)
        }
        TraceWhat::Deleted { target } => format!("{name}, message {target}"),
        TraceWhat::Moderated { done } => {
            let sentence = done.sentence(|user| format!("#{user}"), |at| model.zone.hm(at));
            format!("{name} {}", text::one_line(&sentence))
        }
        TraceWhat::Closed { reason } => plain(reason.as_str()),
        TraceWhat::Denied { code } => format!("{name}: {}", plain(code.as_str())),
        TraceWhat::Lost => format!("{name} may come back"),
    }
}
