//! Draws everyone who has joined a meeting: their stays, state, connections and messages.

use plenary_shared::domain::Reason;
use plenary_shared::protocol::Attendee;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::clock::minutes;
use crate::model::Model;
use crate::model::layer::dashboard::figures::NO_MATCH;
use crate::model::layer::dashboard::meeting_detail::{
    DetailView, MeetingDetail, Pane, ParticipantSort, is_reconnecting, stay_ms, total_stay_ms,
};
use crate::text;
use crate::theme::{Glyphs, Tone};
use crate::widget::{put, whole};

/// Widths of the columns other than the name, and the width from which all are shown.
const JOINED: usize = 9;
const STAYED: usize = 11;
const STATE: usize = 17;
const CONNECTIONS: usize = 5;
const RTT: usize = 7;
const MESSAGES: usize = 5;
const ALL_COLUMNS: usize = 64;

/// Draws the table. Returns the position of the selected row.
pub(super) fn draw(
    model: &Model,
    detail: &MeetingDetail,
    view: &DetailView,
    focus: bool,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let columns = usize::from(area.width);
    let participants = view.participants(detail, model.now);
    let at = view.participant_index(&participants);
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let skipped = at - at % height;
    let mut lines = vec![head(model, view, columns)];
    for (nth, one) in participants.iter().enumerate().skip(skipped).take(height) {
        let selected = focus && view.pane == Pane::Participants && nth == at;
        let line = row(model, one, selected, columns);
        lines.push(if selected {
            whole(line, columns, model.theme.style(Tone::Reversed))
        } else {
            line
        });
    }
    if participants.is_empty() {
        let text = if detail.participants.is_empty() {
            " No participants yet"
        } else {
            NO_MATCH
        };
        lines.push(Line::styled(text, model.theme.style(Tone::Quiet)));
    }
    put(frame, area, lines);
    let row = u16::try_from(at - skipped).unwrap_or_default() + 1;
    let last = area.bottom().saturating_sub(1);
    Position::new(area.x, (area.y + row).min(last))
}

/// Columns of the name. A narrow screen hides some other columns in favor of it.
fn name_cells(columns: usize) -> usize {
    let taken = 2 + STAYED + STATE + MESSAGES;
    let more = if columns >= ALL_COLUMNS {
        JOINED + CONNECTIONS + RTT
    } else {
        0
    };
    columns.saturating_sub(taken + more).clamp(6, 24)
}

fn head(model: &Model, view: &DetailView, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let name = |sort: ParticipantSort, cells: usize| {
        let arrow = match (view.sort == sort, view.reversed) {
            (false, _) => "",
            (true, true) => glyphs.below,
            (true, false) => glyphs.above,
        };
        text::left(&format!("{}{arrow}", sort.title()), cells, glyphs.cut)
    };
    let all = columns >= ALL_COLUMNS;
    let mut text = format!("  {}", name(ParticipantSort::Name, name_cells(columns)));
    if all {
        text.push_str(&name(ParticipantSort::Joined, JOINED));
    }
    text.push_str(&name(ParticipantSort::Stayed, STAYED));
    text.push_str(&text::left("STATE", STATE, glyphs.cut));
    if all {
        text.push_str(&text::left("CONN", CONNECTIONS, glyphs.cut));
        text.push_str(&text::left("RTT", RTT, glyphs.cut));
    }
    text.push_str(&name(ParticipantSort::Messages, MESSAGES));
    Line::styled(text, model.theme.style(Tone::Quiet))
}

fn row(model: &Model, one: &Attendee, selected: bool, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let bar = if selected { glyphs.bar } else { " " };
    let name = text::one_line(&one.name);
    let all = columns >= ALL_COLUMNS;
    let cell = |text: &str, cells| Span::raw(text::left(text, cells, glyphs.cut));
    let mut spans = vec![
        Span::raw(format!("{bar} ")),
        cell(
            &with_blank(&name, name_cells(columns), glyphs),
            name_cells(columns),
        ),
    ];
    if all {
        let first = one.stays.first().map(|stay| model.zone.hms(stay.from));
        spans.push(cell(&first.unwrap_or_default(), JOINED));
    }
    spans.push(cell(&stayed(model, one), STAYED));
    let (state, tone) = state(model, one);
    spans.push(Span::styled(
        text::left(&with_blank(&state, STATE, glyphs), STATE, glyphs.cut),
        theme.style(tone),
    ));
    if all {
        let connections = match (one.connections, one.servers) {
            (0, _) => glyphs.dash.to_owned(),
            (n, servers @ 2..) => format!("{n}/{servers}"),
            (n, _) => n.to_string(),
        };
        spans.push(cell(&connections, CONNECTIONS));
        let rtt = one.rtt_ms.map(|ms| format!("{ms}ms"));
        spans.push(cell(&rtt.unwrap_or_else(|| glyphs.dash.to_owned()), RTT));
    }
    spans.push(cell(&one.messages.to_string(), MESSAGES));
    Line::from(spans)
}

/// Cuts a text so that it leaves a blank before the next column.
fn with_blank(text: &str, cells: usize, glyphs: &Glyphs) -> String {
    text::fit(text, cells.saturating_sub(1), glyphs.cut)
}

/// The length of each stay; if there are many, their sum and number: `1h52 (10x)`.
fn stayed(model: &Model, one: &Attendee) -> String {
    let each: Vec<String> = one
        .stays
        .iter()
        .map(|stay| minutes(stay_ms(stay, model.now) / 60_000))
        .collect();
    let text = each.join("+");
    if one.earlier_stays == 0 && text::width(&text) < STAYED {
        return text;
    }
    let stays = one.stays.len() + usize::try_from(one.earlier_stays).unwrap_or(usize::MAX);
    let all = minutes(total_stay_ms(one, model.now) / 60_000);
    format!("{all} ({stays}x)")
}

fn state(model: &Model, one: &Attendee) -> (String, Tone) {
    let glyphs = model.theme.glyphs;
    let stays = one.stays.len() as u64 + u64::from(one.earlier_stays);
    let Some(stay) = one.stays.last() else {
        return (glyphs.dash.to_owned(), Tone::Quiet);
    };
    let Some(to) = stay.to else {
        return if is_reconnecting(one) {
            (format!("{} reconnecting", glyphs.busy), Tone::Soon)
        } else if stays > 1 {
            (format!("{} here (stay {stays})", glyphs.live), Tone::Good)
        } else {
            (format!("{} here", glyphs.live), Tone::Good)
        };
    };
    let at = model.zone.hm(to);
    let text = match stay.reason {
        None | Some(Reason::Left) => format!("left {at}"),
        Some(Reason::ConnectionLost) => format!("lost {at}"),
        Some(Reason::Suspended) => format!("suspended {at}"),
        Some(Reason::Removed) => format!("removed {at}"),
        Some(Reason::Scheduled | Reason::Ended | Reason::Missed | Reason::Cancelled) => {
            format!("to end {at}")
        }
    };
    (format!("{} {text}", glyphs.gone), Tone::Quiet)
}
