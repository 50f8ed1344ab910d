//! How the server and its stores are, as the dashboard is told.

use plenary_shared::protocol::BoardCheck;
use ratatui::text::{Line, Span};

use crate::model::Model;
use crate::text;
use crate::theme::Tone;

/// Columns of what is told of.
const NAME_CELLS: usize = 24;

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
        let unknown = || model.theme.glyphs.dash.to_owned();
        let ms = |ms: u32| format!("{ms} ms");
        let late = |late: Option<(i64, i64)>| match late {
            Some((last, most)) => format!("{last} ms the last, {most} ms at most"),
            None => unknown(),
        };
        let figures = [
            ("events not archived", head.unarchived.to_string()),
            ("meetings began late", late(head.starts_late_ms)),
            ("meetings ended late", late(head.ends_late_ms)),
            (
                "delivery, 95 of 100",
                head.delivery_p95_ms.map_or_else(unknown, ms),
            ),
            ("errors in a minute", head.errors.to_string()),
            ("connections here", head.connections.to_string()),
            ("meetings followed here", head.rooms.to_string()),
            (
                "kept for readers",
                format!("{} KiB", head.queue_bytes.div_ceil(1_024)),
            ),
            ("closed as too slow", head.too_slow.to_string()),
            ("begun anew (fences)", head.fences.to_string()),
        ];
        rows.extend(figures.into_iter().map(|(name, figure)| {
            let name = text::left(&format!(" {name}"), NAME_CELLS, model.theme.glyphs.cut);
            Line::from(vec![
                Span::raw(name),
                Span::styled(figure, model.theme.style(Tone::Strong)),
            ])
        }));
    }
    rows
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
