//! Everybody who was ever in a meeting: since when, how long, and how they are there.

use plenary_shared::domain::Reason;
use plenary_shared::protocol::DetailPerson;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::super::super::{put, whole};
use crate::clock::minutes;
use crate::model::Model;
use crate::model::board::{Drill, Looked, Pane, PeopleSort, is_lost, stay_ms, stayed_ms};
use crate::text;
use crate::theme::{Glyphs, Tone};

/// Columns of everything but the name, and from which width on they are shown.
const JOINED: usize = 9;
const STAYED: usize = 11;
const STATE: usize = 17;
const CONNECTIONS: usize = 5;
const RTT: usize = 7;
const SAID: usize = 5;
const ALL_COLUMNS: usize = 64;

/// Draws them; where the selected one stands.
pub(super) fn draw(
    model: &Model,
    looked: &Looked,
    drill: &Drill,
    focus: bool,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let columns = usize::from(area.width);
    let people = drill.people(looked, model.now);
    let at = drill.person_at(&people);
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let skipped = at - at % height;
    let mut lines = vec![head(model, drill, columns)];
    for (nth, one) in people.iter().enumerate().skip(skipped).take(height) {
        let selected = focus && drill.pane == Pane::People && nth == at;
        let line = row(model, one, selected, columns);
        lines.push(if selected {
            whole(line, columns, model.theme.style(Tone::Reversed))
        } else {
            line
        });
    }
    if people.is_empty() {
        let said = if looked.people.is_empty() {
            " nobody was in yet"
        } else {
            " the filter lets nobody through"
        };
        lines.push(Line::styled(said, model.theme.style(Tone::Quiet)));
    }
    put(frame, area, lines);
    let row = u16::try_from(at - skipped).unwrap_or_default() + 1;
    let last = area.bottom().saturating_sub(1);
    Position::new(area.x, (area.y + row).min(last))
}

/// Columns of the name; on a narrow screen some figures give way to it.
fn name_cells(columns: usize) -> usize {
    let taken = 2 + STAYED + STATE + SAID;
    let more = if columns >= ALL_COLUMNS {
        JOINED + CONNECTIONS + RTT
    } else {
        0
    };
    columns.saturating_sub(taken + more).clamp(6, 24)
}

fn head(model: &Model, drill: &Drill, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let name = |sort: PeopleSort, cells: usize| {
        let way = match (drill.sort == sort, drill.reversed) {
            (false, _) => "",
            (true, true) => glyphs.below,
            (true, false) => glyphs.above,
        };
        text::left(&format!("{}{way}", sort.title()), cells, glyphs.cut)
    };
    let all = columns >= ALL_COLUMNS;
    let mut said = format!("  {}", name(PeopleSort::Name, name_cells(columns)));
    if all {
        said.push_str(&name(PeopleSort::Joined, JOINED));
    }
    said.push_str(&name(PeopleSort::Stayed, STAYED));
    said.push_str(&text::left("STATE", STATE, glyphs.cut));
    if all {
        said.push_str(&text::left("CONN", CONNECTIONS, glyphs.cut));
        said.push_str(&text::left("RTT", RTT, glyphs.cut));
    }
    said.push_str(&name(PeopleSort::Said, SAID));
    Line::styled(said, model.theme.style(Tone::Quiet))
}

fn row(model: &Model, one: &DetailPerson, selected: bool, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let bar = if selected { glyphs.bar } else { " " };
    let name = text::one_line(&one.name);
    let all = columns >= ALL_COLUMNS;
    let cell = |said: &str, cells| Span::raw(text::left(said, cells, glyphs.cut));
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
    spans.push(cell(&one.messages.to_string(), SAID));
    Line::from(spans)
}

/// Cut so that a blank is left before the next column.
fn with_blank(said: &str, cells: usize, glyphs: &Glyphs) -> String {
    text::fit(said, cells.saturating_sub(1), glyphs.cut)
}

/// Each stay's length; of many, all of them and how many.
fn stayed(model: &Model, one: &DetailPerson) -> String {
    let each: Vec<String> = one
        .stays
        .iter()
        .map(|stay| minutes(stay_ms(stay, model.now) / 60_000))
        .collect();
    let said = each.join("+");
    if one.earlier == 0 && text::width(&said) < STAYED {
        return said;
    }
    let stays = one.stays.len() + usize::try_from(one.earlier).unwrap_or(usize::MAX);
    let all = minutes(stayed_ms(one, model.now) / 60_000);
    format!("{all} in {stays}")
}

fn state(model: &Model, one: &DetailPerson) -> (String, Tone) {
    let glyphs = model.theme.glyphs;
    let stays = one.stays.len() as u64 + u64::from(one.earlier);
    let Some(stay) = one.stays.last() else {
        return (glyphs.dash.to_owned(), Tone::Quiet);
    };
    let Some(to) = stay.to else {
        return if is_lost(one) {
            (format!("{} reconnecting", glyphs.busy), Tone::Soon)
        } else if stays > 1 {
            (format!("{} here (stay {stays})", glyphs.live), Tone::Good)
        } else {
            (format!("{} here", glyphs.live), Tone::Good)
        };
    };
    let at = model.zone.hm(to);
    let said = match stay.reason {
        None | Some(Reason::Left) => format!("left {at}"),
        Some(Reason::ConnectionLost) => format!("lost {at}"),
        Some(Reason::Removed) => format!("removed {at}"),
        Some(Reason::Scheduled | Reason::Ended | Reason::Missed | Reason::Cancelled) => {
            format!("to the end {at}")
        }
    };
    (format!("{} {said}", glyphs.gone), Tone::Quiet)
}
