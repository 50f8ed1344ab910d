//! The page about the health of the servers and their stores.

use plenary_shared::protocol::{HealthCheck, ServerStatus};
use ratatui::text::{Line, Span};

use crate::model::Model;
use crate::model::layer::dashboard::Dashboard;
use crate::text;
use crate::theme::Tone;

/// Columns of the name of a store.
const NAME_CELLS: usize = 24;

/// The width from which servers are shown as a table.
const TABLE_COLUMNS_MIN: usize = 110;

/// The rows, wrapped to `columns`.
pub(super) fn rows(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let Some(dashboard) = model.layers.get::<Dashboard>() else {
        return Vec::new();
    };
    let mut rows: Vec<Line<'static>> = dashboard
        .live
        .checks
        .iter()
        .flat_map(|check| check_rows(model, check, columns))
        .collect();
    rows.push(Line::default());
    if let Some(head) = &dashboard.live.head {
        let text = format!(" Events not in the database yet: {}", head.unarchived);
        rows.extend([Line::raw(text), Line::default()]);
    }
    let servers = &dashboard.live.servers;
    if columns >= TABLE_COLUMNS_MIN {
        rows.push(table_head(model, columns));
        rows.extend(servers.iter().map(|one| table_row(model, one, columns)));
    } else {
        rows.extend(
            servers
                .iter()
                .flat_map(|one| list_rows(model, one, columns)),
        );
    }
    rows
}

/// The headings after the name of a server, with the widths of their columns.
const COLUMNS: [(&str, usize); 9] = [
    ("CONNECTIONS", 12),
    ("MEETINGS", 9),
    ("BUFFER", 9),
    ("LAG p95", 9),
    ("ERRORS/min", 11),
    ("DROPPED", 8),
    ("RESETS", 7),
    ("START DELAY", 12),
    ("END DELAY", 10),
];

fn table_head(model: &Model, columns: usize) -> Line<'static> {
    let headings = COLUMNS.map(|(heading, _)| heading.to_owned());
    let style = model.theme.style(Tone::Strong);
    Line::styled(table_line(model, " SERVER", &headings, columns), style)
}

fn table_row(model: &Model, server: &ServerStatus, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let longest = |delay_ms: Option<(i64, i64)>| match delay_ms {
        Some((_, longest)) => format!("{longest} ms"),
        None => glyphs.dash.to_owned(),
    };
    let figures = [
        server.connections.to_string(),
        server.rooms.to_string(),
        buffer(server),
        p95(model, server),
        server.errors.to_string(),
        server.too_slow.to_string(),
        server.fences.to_string(),
        longest(server.starts_late_ms),
        longest(server.ends_late_ms),
    ];
    let name = format!(" {} {}", mark(model, server), text::one_line(&server.name));
    Line::raw(table_line(model, &name, &figures, columns))
}

fn table_line(model: &Model, name: &str, figures: &[String], columns: usize) -> String {
    let cut = model.theme.glyphs.cut;
    let taken: usize = COLUMNS.iter().map(|(_, cells)| cells).sum();
    let mut row = text::left(name, columns.saturating_sub(taken + 1), cut);
    for (figure, (_, cells)) in figures.iter().zip(COLUMNS) {
        row.push_str(&text::right(figure, cells, cut));
    }
    row
}

/// A server as a list of figures, where a table does not fit.
fn list_rows(model: &Model, server: &ServerStatus, columns: usize) -> Vec<Line<'static>> {
    let dash = model.theme.glyphs.dash;
    let delay = |delay_ms: Option<(i64, i64)>| match delay_ms {
        Some((last, longest)) => format!("{last} ms (max {longest} ms)"),
        None => dash.to_owned(),
    };
    let count = |count: u64, one: &str, many: &str| {
        text::count(usize::try_from(count).unwrap_or(usize::MAX), one, many)
    };
    let figures = [
        count(server.connections.into(), "connection", "connections"),
        count(server.rooms.into(), "meeting", "meetings"),
        format!("buffer {}", buffer(server)),
        format!("lag p95 {}", p95(model, server)),
        count(server.errors, "error/min", "errors/min"),
        format!("{} dropped (slow)", server.too_slow),
        count(server.fences, "reset", "resets"),
        format!("start delay {}", delay(server.starts_late_ms)),
        format!("end delay {}", delay(server.ends_late_ms)),
    ];
    let name = format!(" {} {}", mark(model, server), text::one_line(&server.name));
    let name = text::fit(&name, columns, model.theme.glyphs.cut);
    let wrapped = text::wrap(&figures.join(", "), columns.saturating_sub(4).max(1));
    [Line::styled(name, model.theme.style(Tone::Strong))]
        .into_iter()
        .chain(
            wrapped
                .into_iter()
                .map(|row| Line::raw(format!("   {row}"))),
        )
        .collect()
}

/// Marks the server that this client is connected to.
fn mark(model: &Model, server: &ServerStatus) -> &'static str {
    let glyphs = model.theme.glyphs;
    if server.is_this_server {
        glyphs.live
    } else {
        glyphs.gone
    }
}

fn buffer(server: &ServerStatus) -> String {
    format!("{} KiB", server.queue_bytes.div_ceil(1_024))
}

fn p95(model: &Model, server: &ServerStatus) -> String {
    match server.delivery_p95_ms {
        Some(ms) => format!("{ms} ms"),
        None => model.theme.glyphs.dash.to_owned(),
    }
}

fn check_rows(model: &Model, check: &HealthCheck, columns: usize) -> Vec<Line<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let (mark, tone, health) = if check.ok {
        (glyphs.done, Tone::Good, "OK")
    } else {
        (glyphs.failed, Tone::Bad, "unhealthy")
    };
    let name = format!(" {mark} {}", text::one_line(&check.name));
    let latency = match check.latency_ms {
        Some(ms) => format!(", {ms} ms"),
        None => String::new(),
    };
    let mut rows = vec![Line::from(vec![
        Span::styled(text::left(&name, NAME_CELLS, glyphs.cut), theme.style(tone)),
        Span::raw(format!("{health}{latency}")),
    ])];
    let detail = check.detail.as_deref().map(text::one_line);
    let detail = detail.unwrap_or_default();
    let wrapped = text::wrap(&detail, columns.saturating_sub(4).max(1));
    let wrapped = wrapped.into_iter().filter(|row| !row.is_empty());
    rows.extend(wrapped.map(|row| Line::styled(format!("   {row}"), theme.style(Tone::Quiet))));
    rows
}
