//! Draws the dashboard: totals, the table of meetings, and the detail of the selected one.

use plenary_shared::protocol::DashboardTotals;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::Dashboard;
use super::figures::{
    Figure, NO_MATCH, breadcrumb, figures, loading, reconnecting_label, spark, view_state,
};
use super::meeting_detail;
use super::table::Table;
use crate::model::Model;
use crate::theme::Tone;
use crate::widget::{put, spread, whole};

/// Rows above the table: the title, the totals and the headings.
const HEAD_ROWS: u16 = 3;

/// Draws the dashboard on the whole screen.
pub fn draw(model: &Model, dashboard: &Dashboard, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(2));
    frame.render_widget(Clear, screen);
    table(model, dashboard, frame, body);
}

/// Draws the table, and on a large screen the detail of the selected meeting below it.
fn table(model: &Model, dashboard: &Dashboard, frame: &mut Frame<'_>, body: Rect) {
    let columns = usize::from(body.width);
    let mut lines = vec![
        title(model, dashboard, columns),
        totals(model, dashboard, columns),
    ];
    let table = Table::new(columns);
    lines.push(table.head(model, dashboard));
    let rows = dashboard.rows(model.now);
    let at = dashboard.selected_index(&rows);
    let mut height = usize::from(body.height.saturating_sub(HEAD_ROWS)).max(1);
    if let Some(row) = rows
        .get(at)
        .filter(|row| model.detail_needed() == Some(row.instance))
    {
        height = height.min(
            rows.len()
                .clamp(1, usize::from(body.height / 2 - HEAD_ROWS)),
        );
        let taken = u16::try_from(height)
            .unwrap_or(u16::MAX)
            .saturating_add(HEAD_ROWS);
        let area = Rect {
            y: taken,
            height: body.height.saturating_sub(taken),
            ..body
        };
        meeting_detail::view::below(model, dashboard, row, frame, area);
    }
    // Scrolls by whole screens, to the one with the selected row.
    let skipped = at - at % height;
    for (nth, row) in rows.iter().enumerate().skip(skipped).take(height) {
        let line = table.row(model, dashboard, row, nth == at);
        lines.push(if nth == at {
            whole(line, columns, model.theme.style(Tone::Reversed))
        } else {
            line
        });
    }
    if rows.is_empty() {
        let text = match &dashboard.snapshot().head {
            None => loading(model),
            Some(_) if dashboard.filter.is_empty() => {
                " No meetings running or starting soon".to_owned()
            }
            Some(_) => NO_MATCH.to_owned(),
        };
        lines.push(Line::styled(text, model.theme.style(Tone::Quiet)));
    }
    put(frame, body, lines);
    let row = u16::try_from(at - skipped).unwrap_or_default();
    let y = (HEAD_ROWS + row).min(body.height.saturating_sub(1));
    frame.set_cursor_position(Position::new(0, y));
}

fn title(model: &Model, dashboard: &Dashboard, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let name = breadcrumb(model, "meetings", columns);
    let left = vec![Span::styled(name, theme.style(Tone::Strong))];
    let sort = (dashboard.sort.title(), dashboard.reversed);
    let right = view_state(model, dashboard, &dashboard.filter, sort, columns);
    spread(columns, left, right, glyphs.cut)
}

fn totals(model: &Model, dashboard: &Dashboard, columns: usize) -> Line<'static> {
    let Some(head) = &dashboard.snapshot().head else {
        return Line::default();
    };
    let glyphs = model.theme.glyphs;
    let DashboardTotals {
        live,
        upcoming: soon,
        overrun,
        participants: here,
        peak,
        reconnecting,
        messages_per_minute: minute,
        delivery_p95_ms,
        errors,
        ..
    } = head;
    let lag = match delivery_p95_ms {
        Some(ms) => format!("{ms} ms"),
        None => glyphs.dash.to_owned(),
    };
    let (participants, peak, chart) = if columns >= 80 {
        let chart = format!(" {}", spark(&head.activity, 10, glyphs));
        ("PARTICIPANTS", format!(" (peak {peak})"), chart)
    } else {
        ("HERE", String::new(), String::new())
    };
    let messages = if columns < 60 { "MSG" } else { "MSG/min" };
    let lost = u64::from(*reconnecting);
    let parts = vec![
        Figure::new("LIVE", live),
        Figure::new("SOON", soon),
        Figure::new(participants, here).with(peak),
        Figure::new(messages, minute).with(chart),
        Figure::new(reconnecting_label(columns), &lost).warn(lost),
        Figure::new("OVERRUN", overrun).warn((*overrun).into()),
        Figure::new("LAG p95", &lag),
        Figure::new("ERRORS", errors).warn(*errors),
    ];
    figures(model, parts, columns)
}
