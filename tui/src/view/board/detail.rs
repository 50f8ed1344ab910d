//! One meeting in detail: its figures, its people, and what happens in it.

mod events;
mod people;

use plenary_shared::protocol::BoardRow;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::super::{put, spread};
use super::{spark, state_of};
use crate::clock::minutes;
use crate::model::Model;
use crate::model::board::{Dashboard, Drill, Looked, Pane};
use crate::text;
use crate::theme::Tone;

/// From so many columns on people and events stand side by side.
const BESIDE_COLUMNS: u16 = 100;

/// Below so many columns only the meeting is named.
const NARROW_COLUMNS: usize = 60;

/// Columns of the rule between them, and its blanks.
const RULE_COLUMNS: u16 = 2;

/// Rows above both: where one is, and two of figures.
const HEAD_ROWS: u16 = 3;

/// Draws one meeting on the whole body.
pub(super) fn page(
    model: &Model,
    board: &Dashboard,
    drill: &Drill,
    frame: &mut Frame<'_>,
    body: Rect,
) {
    let looked = board.looked(drill.instance);
    let columns = usize::from(body.width);
    let row = board.picture().rows.get(&drill.instance);
    let lines = vec![
        crumbs(model, board, drill, columns),
        sums(model, row, looked, columns),
        curves(model, row, looked, columns),
    ];
    put(frame, body, lines);
    let head = HEAD_ROWS.min(body.height);
    let rest = Rect::new(body.x, body.y + head, body.width, body.height - head);
    let cursor = panes(model, looked, drill, true, frame, rest);
    frame.set_cursor_position(cursor);
}

/// Draws one meeting below the table.
pub(super) fn below(
    model: &Model,
    board: &Dashboard,
    row: &BoardRow,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let drill = Drill::new(row.instance);
    let looked = board.looked(row.instance);
    let columns = usize::from(area.width);
    let glyphs = model.theme.glyphs;
    let title = text::fit(&text::one_line(&row.title), columns / 2, glyphs.cut);
    let lines = vec![
        rule(model, &format!("{title} {}", row.instance), columns),
        sums(model, Some(row), looked, columns),
        curves(model, Some(row), looked, columns),
    ];
    put(frame, area, lines);
    let head = HEAD_ROWS.min(area.height);
    let rest = Rect::new(area.x, area.y + head, area.width, area.height - head);
    panes(model, looked, &drill, false, frame, rest);
}

/// People and events; where the selected one of them stands.
fn panes(
    model: &Model,
    looked: Option<&Looked>,
    drill: &Drill,
    focus: bool,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let why_not = looked.and_then(|looked| looked.refused.clone());
    let columns = usize::from(area.width).saturating_sub(2).max(1);
    let Some(looked) = looked.filter(|looked| looked.known) else {
        let refused = why_not.map(|why| text::wrap(&text::one_line(&why), columns));
        let said = refused.unwrap_or_else(|| vec![format!("{} asking{}", glyphs.busy, glyphs.cut)]);
        let said = said.into_iter().map(|row| format!(" {row}"));
        let rows = said.map(|row| Line::styled(row, theme.style(Tone::Quiet)));
        put(frame, area, rows.collect());
        return Position::new(area.x, area.y);
    };
    let (of_people, of_events) = if area.width >= BESIDE_COLUMNS {
        let left = area.width * 6 / 10;
        for y in area.top()..area.bottom() {
            let style = theme.style(Tone::Quiet);
            frame
                .buffer_mut()
                .set_string(left, y, glyphs.standing, style);
        }
        (
            Rect {
                width: left,
                ..area
            },
            Rect {
                x: area.x + left + RULE_COLUMNS,
                width: area.width - left - RULE_COLUMNS,
                ..area
            },
        )
    } else {
        let upper = (area.height * 6 / 10).min(area.height);
        let lower = area.height - upper;
        (
            Rect {
                height: upper,
                ..area
            },
            Rect {
                y: area.y + upper,
                height: lower,
                ..area
            },
        )
    };
    let in_people = people::draw(model, looked, drill, focus, frame, of_people);
    let in_events = events::draw(model, looked, drill, focus, frame, of_events);
    match drill.pane {
        Pane::People => in_people,
        Pane::Events => in_events,
    }
}

/// Where one is.
fn crumbs(model: &Model, board: &Dashboard, drill: &Drill, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let row = board.picture().rows.get(&drill.instance);
    let title = row
        .map(|row| text::one_line(&row.title))
        .unwrap_or_default();
    let sort = (drill.sort.title(), drill.reversed);
    let right = state_of(model, board, &drill.filter, sort, columns);
    let pane = match drill.pane {
        Pane::People => "people",
        Pane::Events => "events",
    };
    let step = format!(" {} ", glyphs.prompt);
    // On a narrow screen the step back is what Esc is for.
    let first = if columns >= NARROW_COLUMNS {
        format!(" meetings{step}")
    } else {
        " ".to_owned()
    };
    let mut id = format!(" {}", drill.instance);
    for (holds, word) in [
        (row.is_some_and(|row| row.locked), " [locked]"),
        (row.is_some_and(|row| row.read_only), " [read-only]"),
    ] {
        if holds {
            id.push_str(word);
        }
    }
    let wide = |text: &str| text::width(text);
    let taken: usize = right.iter().map(|span| wide(&span.content)).sum();
    let taken = taken + wide(&first) + wide(&step) + wide(&id) + wide(pane) + 1;
    let room = columns.saturating_sub(taken).max(6);
    let left = vec![
        Span::styled(first, theme.style(Tone::Quiet)),
        Span::styled(
            format!("{}{id}", text::fit(&title, room, glyphs.cut)),
            theme.style(Tone::Strong),
        ),
        Span::styled(step, theme.style(Tone::Quiet)),
        Span::raw(pane),
    ];
    spread(columns, left, right, glyphs.cut)
}

/// A rule with a name in it.
fn rule(model: &Model, name: &str, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let name = text::fit(name, columns.saturating_sub(6), glyphs.cut);
    let rest = columns.saturating_sub(text::width(&name) + 4);
    Line::from(vec![
        Span::styled(glyphs.rule.repeat(2), theme.style(Tone::Quiet)),
        Span::styled(format!(" {name} "), theme.style(Tone::Strong)),
        Span::styled(glyphs.rule.repeat(rest), theme.style(Tone::Quiet)),
    ])
}

/// The figures, as many as there is room for.
fn sums(
    model: &Model,
    row: Option<&BoardRow>,
    looked: Option<&Looked>,
    columns: usize,
) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let Some(looked) = looked.filter(|looked| looked.known) else {
        return Line::default();
    };
    let (here, left, lost) = looked.counts();
    let invited = row.and_then(|row| row.invited);
    let invited = invited.map(|n| format!("/{n}")).unwrap_or_default();
    let peak_at = looked.sums.peak_at.map(|at| model.zone.hm(at));
    let peak_at = peak_at.map(|at| format!(" at {at}")).unwrap_or_default();
    let average = looked.average_stay_ms(model.now);
    let average = average.map_or(glyphs.dash.to_owned(), |ms| minutes(ms / 60_000));
    let alarming = |n: u64| if n > 0 { Tone::Soon } else { Tone::Strong };
    let late = row.map_or(0, |row| row.late);
    let recon = if columns < 100 {
        "RECON"
    } else {
        "RECONNECTING"
    };
    let parts = [
        ("HERE", format!("{here}{invited}"), Tone::Strong),
        ("LEFT", left.to_string(), Tone::Strong),
        (recon, lost.to_string(), alarming(lost as u64)),
        (
            "DENIED",
            looked.sums.denied.to_string(),
            alarming(looked.sums.denied),
        ),
        (
            "PEAK",
            format!("{}{peak_at}", looked.sums.peak),
            Tone::Strong,
        ),
        ("AVG STAY", average, Tone::Strong),
        ("LATE", late.to_string(), Tone::Strong),
    ];
    figures(model, parts, columns)
}

/// Names and figures, as many as there is room for.
fn figures<const N: usize>(
    model: &Model,
    parts: [(&'static str, String, Tone); N],
    columns: usize,
) -> Line<'static> {
    let mut spans = Vec::new();
    let mut room = columns;
    for (name, figure, tone) in parts {
        let cells = text::width(name) + text::width(&figure) + 3;
        if cells > room {
            break;
        }
        room -= cells;
        let quiet = model.theme.style(Tone::Quiet);
        spans.push(Span::styled(format!(" {name} "), quiet));
        spans.push(Span::styled(format!("{figure} "), model.theme.style(tone)));
    }
    Line::from(spans)
}

/// When people came, and how much is said.
fn curves(
    model: &Model,
    row: Option<&BoardRow>,
    looked: Option<&Looked>,
    columns: usize,
) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let Some(looked) = looked.filter(|looked| looked.known) else {
        return Line::default();
    };
    let arrivals = &looked.sums.arrivals;
    let steps: Vec<u64> = arrivals.steps.iter().map(|n| u64::from(*n)).collect();
    let came = if steps.is_empty() {
        glyphs.dash.to_owned()
    } else {
        let end = i64::try_from(steps.len()).unwrap_or(0) * arrivals.step_ms;
        let (from, to) = (arrivals.begin, arrivals.begin.plus_ms(end));
        format!(
            "{} {} {}",
            model.zone.hm(from),
            spark(&steps, steps.len(), glyphs),
            model.zone.hm(to)
        )
    };
    let mut parts = vec![("ARRIVALS", came)];
    if let Some(row) = row {
        let curve = spark(&row.spark, 10, glyphs);
        parts.push(("MSG/min", format!("{} {curve}", row.minute)));
        parts.push(("IN ALL", row.messages.to_string()));
    }
    let mut spans = Vec::new();
    let mut room = columns;
    for (name, said) in parts {
        let cells = text::width(name) + text::width(&said) + 3;
        if cells > room {
            break;
        }
        room -= cells;
        spans.push(Span::styled(format!(" {name} "), theme.style(Tone::Quiet)));
        spans.push(Span::raw(format!("{said} ")));
    }
    Line::from(spans)
}
