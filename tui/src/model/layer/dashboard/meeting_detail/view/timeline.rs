//! Draws the timeline of a meeting, newest first, without the text of messages.

use plenary_shared::ids::UserId;
use plenary_shared::protocol::{TimelineEntry, TimelineKind};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::model::Model;
use crate::model::layer::dashboard::meeting_detail::{DetailView, MeetingDetail, Pane, keyword};
use crate::text;
use crate::theme::Tone;
use crate::widget::{put, whole};

/// Columns of the keyword.
const KEYWORD: usize = 7;

/// Draws the timeline. Returns the position of the selected row.
pub(super) fn draw(
    model: &Model,
    detail: &MeetingDetail,
    view: &DetailView,
    focus: bool,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let columns = usize::from(area.width);
    let entries = view.timeline(detail);
    let at = view.entry_index(&entries);
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let skipped = at - at % height;
    let head = if view.entry.is_none() {
        " TIMELINE (newest first, live)"
    } else {
        " TIMELINE"
    };
    let head = text::fit(head, columns, model.theme.glyphs.cut);
    let mut lines = vec![Line::styled(head, model.theme.style(Tone::Quiet))];
    for (nth, entry) in entries.iter().enumerate().skip(skipped).take(height) {
        let selected = focus && view.pane == Pane::Timeline && nth == at;
        let line = row(model, detail, entry, selected, columns);
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

fn row(
    model: &Model,
    detail: &MeetingDetail,
    entry: &TimelineEntry,
    selected: bool,
    columns: usize,
) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let bar = if selected { glyphs.bar } else { " " };
    let tone = match entry.kind {
        TimelineKind::Denied { .. } => Tone::Bad,
        TimelineKind::Moderated { .. } | TimelineKind::ConnectionLost => Tone::Soon,
        TimelineKind::Opened
        | TimelineKind::Join
        | TimelineKind::Leave { .. }
        | TimelineKind::Message { .. }
        | TimelineKind::Edited { .. }
        | TimelineKind::Deleted { .. }
        | TimelineKind::Closed { .. }
        | TimelineKind::Reconnected => Tone::Plain,
    };
    let time = format!("{bar}{} ", model.zone.hms(entry.at));
    let keyword = text::left(keyword(&entry.kind), KEYWORD, glyphs.cut);
    let room = columns.saturating_sub(text::width(&time) + KEYWORD);
    Line::from(vec![
        Span::raw(time),
        Span::styled(keyword, theme.style(tone)),
        Span::raw(text::fit(
            &description(model, detail, entry),
            room,
            glyphs.cut,
        )),
    ])
}

/// What the entry says after its keyword.
fn description(model: &Model, detail: &MeetingDetail, entry: &TimelineEntry) -> String {
    let glyphs = model.theme.glyphs;
    let name_of = |user: UserId| match detail.participants.get(&user) {
        Some(one) => text::one_line(&one.name),
        None => format!("#{user}"),
    };
    let name = match (&*entry.name, entry.user) {
        ("", Some(user)) => name_of(user),
        (name, _) => text::one_line(name),
    };
    let plain = |code: &str| code.replace('_', " ");
    match &entry.kind {
        TimelineKind::Opened => String::new(),
        TimelineKind::Join | TimelineKind::Reconnected => name,
        TimelineKind::Leave { reason } => format!("{name}: {}", plain(reason.as_str())),
        TimelineKind::Message { bytes } => format!("{name} {} {bytes} B", glyphs.came),
        TimelineKind::Edited { target, bytes } => {
            format!("{name} {} {bytes} B, message {target}", glyphs.came)
        }
        TimelineKind::Deleted { target } => format!("{name}, message {target}"),
        TimelineKind::Moderated { moderation: done } => {
            let target = done.action.target().filter(|user| !user.name.is_empty());
            let target_name = |user| match target {
                Some(target) if target.id == user => target.name.clone(),
                _ => name_of(user),
            };
            let sentence = done.sentence(target_name, |at| model.zone.hm(at));
            format!("{name} {}", text::one_line(&sentence))
        }
        TimelineKind::Closed { reason } => plain(reason.as_str()),
        TimelineKind::Denied { code } => format!("{name}: {}", plain(code.as_str())),
        TimelineKind::ConnectionLost => format!("{name} reconnecting"),
    }
}
