//! Draws the detail of one meeting: its totals, participants and timeline.

mod participants;
mod timeline;

use plenary_shared::protocol::DashboardRow;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::{DetailView, MeetingDetail, Pane};
use crate::clock::minutes;
use crate::model::Model;
use crate::model::layer::dashboard::Dashboard;
use crate::model::layer::dashboard::figures::{
    Figure, NARROW_COLUMNS, breadcrumb, figures, loading, reconnecting_label, spark, view_state,
};
use crate::text;
use crate::theme::Tone;
use crate::widget::{put, spread};

/// From this width on, the panes are side by side.
const SIDE_BY_SIDE_COLUMNS: u16 = 100;

/// Columns of the rule between the panes, with its blanks.
const RULE_COLUMNS: u16 = 2;

/// Rows above the panes: the breadcrumb, the totals and the charts.
const HEAD_ROWS: u16 = 3;

/// Draws the meeting on the whole screen.
pub fn draw(model: &Model, view: &DetailView, frame: &mut Frame<'_>) {
    let Some(dashboard) = model.layers.get::<Dashboard>() else {
        return;
    };
    let screen = frame.area();
    let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(2));
    frame.render_widget(Clear, screen);
    let detail = dashboard.detail_of(view.instance);
    let columns = usize::from(body.width);
    let row = dashboard.snapshot().rows.get(&view.instance);
    let lines = vec![
        title(model, dashboard, view, columns),
        totals(model, row, detail, columns),
        charts(model, row, detail, columns),
    ];
    put(frame, body, lines);
    let head = HEAD_ROWS.min(body.height);
    let rest = Rect::new(body.x, body.y + head, body.width, body.height - head);
    let cursor = panes(model, detail, view, true, frame, rest);
    frame.set_cursor_position(cursor);
}

/// Draws the meeting below the table.
pub fn below(
    model: &Model,
    dashboard: &Dashboard,
    row: &DashboardRow,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let view = DetailView::new(row.instance);
    let detail = dashboard.detail_of(row.instance);
    let columns = usize::from(area.width);
    let glyphs = model.theme.glyphs;
    let title = text::fit(&text::one_line(&row.title), columns / 2, glyphs.cut);
    let lines = vec![
        rule(model, &format!("{title} {}", row.instance), columns),
        totals(model, Some(row), detail, columns),
        charts(model, Some(row), detail, columns),
    ];
    put(frame, area, lines);
    let head = HEAD_ROWS.min(area.height);
    let rest = Rect::new(area.x, area.y + head, area.width, area.height - head);
    panes(model, detail, &view, false, frame, rest);
}

/// Draws both panes. Returns the position of the selected row.
fn panes(
    model: &Model,
    detail: Option<&MeetingDetail>,
    view: &DetailView,
    focus: bool,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let Some(detail) = detail.filter(|detail| detail.known) else {
        let columns = usize::from(area.width).saturating_sub(2).max(1);
        let lines = match detail.and_then(|detail| detail.refused.as_ref()) {
            Some(error) => text::wrap(&text::one_line(error), columns)
                .into_iter()
                .map(|line| format!(" {line}"))
                .collect(),
            None => vec![loading(model)],
        };
        let lines = lines.into_iter();
        let lines = lines.map(|line| Line::styled(line, theme.style(Tone::Quiet)));
        put(frame, area, lines.collect());
        return Position::new(area.x, area.y);
    };
    let (left_pane, right_pane) = if area.width >= SIDE_BY_SIDE_COLUMNS {
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
    let in_participants = participants::draw(model, detail, view, focus, frame, left_pane);
    let in_timeline = timeline::draw(model, detail, view, focus, frame, right_pane);
    match view.pane {
        Pane::Participants => in_participants,
        Pane::Timeline => in_timeline,
    }
}

/// The breadcrumb, and the state of the view.
fn title(model: &Model, dashboard: &Dashboard, view: &DetailView, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let row = dashboard.snapshot().rows.get(&view.instance);
    let title = row
        .map(|row| text::one_line(&row.title))
        .unwrap_or_default();
    let sort = (view.sort.title(), view.reversed);
    let right = view_state(model, dashboard, &view.filter, sort, columns);
    let pane = view.pane.title();
    let step = format!(" {} ", glyphs.prompt);
    // A narrow screen has room for the meeting only.
    let first = if columns >= NARROW_COLUMNS {
        breadcrumb(model, "", columns)
    } else {
        " ".to_owned()
    };
    let mut id = format!(" {}", view.instance);
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

/// The totals, as many as there is room for.
fn totals(
    model: &Model,
    row: Option<&DashboardRow>,
    detail: Option<&MeetingDetail>,
    columns: usize,
) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let Some(detail) = detail.filter(|detail| detail.known) else {
        return Line::default();
    };
    let (here, left, lost) = detail.counts();
    let invited = row.and_then(|row| row.invited);
    let invited = invited.map(|n| format!("/{n}")).unwrap_or_default();
    let peak_at = detail.totals.peak_at.map(|at| model.zone.hm(at));
    let peak_at = peak_at.map(|at| format!(" at {at}")).unwrap_or_default();
    let average = detail.average_stay_ms(model.now);
    let average = average.map_or(glyphs.dash.to_owned(), |ms| minutes(ms / 60_000));
    let late = row.map_or(0, |row| row.late);
    let (lost, denied) = (lost as u64, detail.totals.denied);
    let parts = vec![
        Figure::new("HERE", &format!("{here}{invited}")),
        Figure::new("LEFT", &left),
        Figure::new(reconnecting_label(columns), &lost).warn(lost),
        Figure::new("DENIED", &denied).warn(denied),
        Figure::new("PEAK", &format!("{}{peak_at}", detail.totals.peak)),
        Figure::new("AVG STAY", &average),
        Figure::new("LATE", &late),
    ];
    figures(model, parts, columns)
}

/// The joins and messages over time.
fn charts(
    model: &Model,
    row: Option<&DashboardRow>,
    detail: Option<&MeetingDetail>,
    columns: usize,
) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let Some(detail) = detail.filter(|detail| detail.known) else {
        return Line::default();
    };
    let arrivals = &detail.totals.arrivals;
    let steps: Vec<u64> = arrivals.counts.iter().map(|n| u64::from(*n)).collect();
    let joins = if steps.is_empty() {
        glyphs.dash.to_owned()
    } else {
        let end = i64::try_from(steps.len()).unwrap_or(0) * arrivals.step_ms;
        let (from, to) = (arrivals.start, arrivals.start.plus_ms(end));
        format!(
            "{} {} {}",
            model.zone.hm(from),
            spark(&steps, steps.len(), glyphs),
            model.zone.hm(to)
        )
    };
    let chart = |label, text: String| Figure::new(label, &"").with(text);
    let mut parts = vec![chart("JOINS", joins)];
    if let Some(row) = row {
        let messages = spark(&row.activity, 10, glyphs);
        parts.push(chart(
            "MSG/min",
            format!("{} {messages}", row.messages_per_minute),
        ));
        parts.push(chart("TOTAL", row.messages.to_string()));
    }
    figures(model, parts, columns)
}
