//! How the servers and their stores are, as the dashboard is told.

use plenary_shared::protocol::{BoardCheck, BoardServer};
use ratatui::text::{Line, Span};

use crate::model::Model;
use crate::text;
use crate::theme::Tone;

/// Columns of what is told of.
const NAME_CELLS: usize = 24;

/// From here on each server is a row of a table.
const TABLE_COLUMNS_MIN: usize = 110;

/// The rows on so many columns.
pub(super) fn rows(model: &Model, columns: usize) -> Vec<Line<'static>> {
    let Some(board) = &model.board else {
        return Vec::new();
    };
    let mut rows: Vec<Line<'static>> = board
        .live
        .checks
        .iter()
        .flat_map(|check| check_rows(model, check, columns))
        .collect();
    rows.push(Line::default());
    if let Some(head) = &board.live.head {
        let lacks = usize::try_from(head.unarchived).unwrap_or(usize::MAX);
        let lacks = text::count(lacks, "event", "events");
        let said = format!(" not archived yet: {lacks}");
        rows.extend([Line::raw(said), Line::default()]);
    }
    let servers = &board.live.servers;
    if columns >= TABLE_COLUMNS_MIN {
        rows.push(table_head(model, columns));
        let row = |one| table_row(model, one, columns);
        rows.extend(servers.iter().map(row));
    } else {
        let told = servers.iter().flat_map(|one| in_words(model, one, columns));
        rows.extend(told);
    }
    rows
}

/// What a table says of a server after its name, and in how many columns.
const FIGURES: [(&str, usize); 9] = [
    ("CONNECTIONS", 13),
    ("FOLLOWS", 9),
    ("KEPT", 10),
    ("p95", 8),
    ("ERR/min", 9),
    ("TOO SLOW", 10),
    ("FENCES", 8),
    ("BEGAN LATE", 12),
    ("ENDED LATE", 12),
];

fn table_head(model: &Model, columns: usize) -> Line<'static> {
    let names = FIGURES.map(|(name, _)| name.to_owned());
    let style = model.theme.style(Tone::Strong);
    Line::styled(in_columns(model, " SERVER", &names, columns), style)
}

fn table_row(model: &Model, server: &BoardServer, columns: usize) -> Line<'static> {
    let glyphs = model.theme.glyphs;
    let late = |late: Option<(i64, i64)>| match late {
        Some((_, most)) => format!("{most} ms"),
        None => glyphs.dash.to_owned(),
    };
    let figures = [
        server.connections.to_string(),
        server.rooms.to_string(),
        kept(server),
        p95(model, server),
        server.errors.to_string(),
        server.too_slow.to_string(),
        server.fences.to_string(),
        late(server.starts_late_ms),
        late(server.ends_late_ms),
    ];
    let name = format!(" {} {}", mark(model, server), text::one_line(&server.name));
    Line::raw(in_columns(model, &name, &figures, columns))
}

fn in_columns(model: &Model, name: &str, figures: &[String], columns: usize) -> String {
    let cut = model.theme.glyphs.cut;
    let taken: usize = FIGURES.iter().map(|(_, cells)| cells).sum();
    let mut row = text::left(name, columns.saturating_sub(taken + 1), cut);
    for (figure, (_, cells)) in figures.iter().zip(FIGURES) {
        row.push_str(&text::right(figure, cells, cut));
    }
    row
}

/// The same in sentences, where a table has no room.
fn in_words(model: &Model, server: &BoardServer, columns: usize) -> Vec<Line<'static>> {
    let late = |did: &str, late: Option<(i64, i64)>| match late {
        Some((last, most)) => format!("the last {did} {last} ms late (at most {most} ms)"),
        None => format!("none {did} yet"),
    };
    let some = |count: u64, one: &str, many: &str| {
        text::count(usize::try_from(count).unwrap_or(usize::MAX), one, many)
    };
    let said = [
        some(server.connections.into(), "connection", "connections"),
        some(server.rooms.into(), "meeting followed", "meetings followed"),
        format!("{} kept for readers", kept(server)),
        format!("delivery p95 {}", p95(model, server)),
        some(server.errors, "error a minute", "errors a minute"),
        format!("{} closed as too slow", server.too_slow),
        some(server.fences, "fence", "fences"),
        late("began", server.starts_late_ms),
        late("ended", server.ends_late_ms),
    ];
    let said = said.join(", ");
    let name = format!(" {} {}", mark(model, server), text::one_line(&server.name));
    let name = text::fit(&name, columns, model.theme.glyphs.cut);
    let said = text::wrap(&said, columns.saturating_sub(4).max(1)).into_iter();
    [Line::styled(name, model.theme.style(Tone::Strong))]
        .into_iter()
        .chain(said.map(|row| Line::raw(format!("   {row}"))))
        .collect()
}

/// The one that tells stands out.
fn mark(model: &Model, server: &BoardServer) -> &'static str {
    let glyphs = model.theme.glyphs;
    if server.own { glyphs.live } else { glyphs.gone }
}

fn kept(server: &BoardServer) -> String {
    format!("{} KiB", server.queue_bytes.div_ceil(1_024))
}

fn p95(model: &Model, server: &BoardServer) -> String {
    match server.delivery_p95_ms {
        Some(ms) => format!("{ms} ms"),
        None => model.theme.glyphs.dash.to_owned(),
    }
}

fn check_rows(model: &Model, check: &BoardCheck, columns: usize) -> Vec<Line<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let (mark, tone, word) = if check.ok {
        (glyphs.done, Tone::Good, "well")
    } else {
        (glyphs.failed, Tone::Bad, "not well")
    };
    let name = format!(" {mark} {}", text::one_line(&check.name));
    let took = match check.latency_ms {
        Some(ms) => format!(", answered in {ms} ms"),
        None => String::new(),
    };
    let mut rows = vec![Line::from(vec![
        Span::styled(text::left(&name, NAME_CELLS, glyphs.cut), theme.style(tone)),
        Span::raw(format!("{word}{took}")),
    ])];
    let detail = check.detail.as_deref().map(text::one_line);
    let detail = detail.unwrap_or_default();
    let wrapped = text::wrap(&detail, columns.saturating_sub(4).max(1));
    let wrapped = wrapped.into_iter().filter(|row| !row.is_empty());
    rows.extend(wrapped.map(|row| Line::styled(format!("   {row}"), theme.style(Tone::Quiet))));
    rows
}
