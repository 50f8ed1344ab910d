//! Figures, charts and headings that the admin screens share.

use ratatui::text::{Line, Span};

use super::{Dashboard, STALE_MS};
use crate::command::{Command, MeetingAction};
use crate::model::Model;
use crate::model::filter::Filter;
use crate::text;
use crate::theme::{Glyphs, Tone};

/// Below this width, breadcrumbs are shortened.
pub(super) const NARROW_COLUMNS: usize = 60;
/// The text of a table whose rows are all filtered out.
pub const NO_MATCH: &str = " No match for the filter";

/// A figure with its label.
pub(super) struct Figure {
    label: &'static str,
    value: String,
    /// What follows it in plain text, such as a chart.
    note: String,
    tone: Tone,
}

impl Figure {
    pub(super) fn new(label: &'static str, value: &impl ToString) -> Self {
        Self {
            label,
            value: value.to_string(),
            note: String::new(),
            tone: Tone::Strong,
        }
    }

    pub(super) fn with(self, note: String) -> Self {
        Self { note, ..self }
    }

    /// Highlights the figure if `n` is not 0.
    pub(super) fn warn(self, n: u64) -> Self {
        let tone = if n > 0 { Tone::Soon } else { self.tone };
        Self { tone, ..self }
    }
}

/// The title of a page of the dashboard; on a narrow screen only `DASHBOARD`.
pub fn breadcrumb(model: &Model, page: &str, columns: usize) -> String {
    if columns < NARROW_COLUMNS {
        return " DASHBOARD".to_owned();
    }
    format!(" DASHBOARD {} {page}", model.theme.glyphs.prompt)
}

/// The text of a table before the server has answered.
pub fn loading(model: &Model) -> String {
    let glyphs = model.theme.glyphs;
    format!(" {} loading{}", glyphs.busy, glyphs.cut)
}

/// The filter, the sort order, whether the snapshot is live, and its time.
pub(super) fn view_state(
    model: &Model,
    dashboard: &Dashboard,
    filter: &Filter,
    (sort, reversed): (&str, bool),
    columns: usize,
) -> Vec<Span<'static>> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let mut right = Vec::new();
    if !filter.is_empty() && columns >= 60 {
        let filter = text::fit(filter.editor.text(), 20, glyphs.cut);
        right.push(Span::styled(
            format!("filter: {filter}  "),
            theme.style(Tone::Strong),
        ));
    }
    if columns >= 80 {
        let arrow = if reversed { glyphs.below } else { glyphs.above };
        right.push(Span::raw(format!("sort: {sort}{arrow}  ")));
    }
    let head = dashboard.snapshot().head.as_ref();
    let (tone, text) = match head {
        _ if dashboard.paused.is_some() => {
            let key = model.key(Command::MeetingAction(MeetingAction::Pause));
            (Tone::Soon, format!("PAUSED ({key} resumes)  "))
        }
        Some(head) if model.now.ms_since(head.now) > STALE_MS => {
            (Tone::Bad, format!("{} stale  ", glyphs.warning))
        }
        Some(_) => (Tone::Good, format!("{} live  ", glyphs.live)),
        None => (Tone::Quiet, String::new()),
    };
    right.push(Span::styled(text, theme.style(tone)));
    if let Some(head) = head {
        right.push(Span::raw(format!("{} ", model.zone.hms(head.now))));
    }
    right
}

/// The label of the lost connections, shortened on a narrow screen.
pub(super) const fn reconnecting_label(columns: usize) -> &'static str {
    if columns < 110 {
        "RECON"
    } else {
        "RECONNECTING"
    }
}

/// Labels with figures, as many as there is room for.
pub(super) fn figures(model: &Model, parts: Vec<Figure>, columns: usize) -> Line<'static> {
    let mut spans = Vec::new();
    let mut room = columns;
    for part in parts {
        let Figure {
            label,
            value,
            note,
            tone,
        } = part;
        let cells = text::width(label) + text::width(&value) + text::width(&note) + 3;
        if cells > room {
            break;
        }
        room -= cells;
        let quiet = model.theme.style(Tone::Quiet);
        spans.push(Span::styled(format!(" {label} "), quiet));
        spans.push(Span::styled(value, model.theme.style(tone)));
        spans.push(Span::raw(format!("{note} ")));
    }
    Line::from(spans)
}

/// A bar for each of the last figures, scaled to the highest.
pub(super) fn spark(figures: &[u64], cells: usize, glyphs: &Glyphs) -> String {
    let figures = &figures[figures.len().saturating_sub(cells)..];
    let most = figures.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let steps = glyphs.spark.len() as u64 - 1;
    let glyph = |figure: &u64| {
        // Rounds up: anything above 0 is visible.
        let step = (figure * steps).div_ceil(most);
        glyphs.spark[usize::try_from(step).unwrap_or_default()]
    };
    figures.iter().map(glyph).collect()
}
