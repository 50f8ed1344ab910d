//! Draws the dashboard: totals, the table of meetings, and the detail of the selected one.

pub(super) mod detail;
pub(super) mod dialog;
mod table;

use plenary_shared::protocol::DashboardTotals;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::{put, spread, whole};
use crate::command::{Command, MeetingAction};
use crate::model::Model;
use crate::model::dashboard::{Dashboard, STALE_MS};
use crate::model::editor::Editor;
use crate::model::filter::Filter;
use crate::text;
use crate::theme::{Glyphs, Tone};
use table::Table;

/// Rows above the table: the title, the totals and the headings.
const HEAD_ROWS: u16 = 3;
/// Below this width, breadcrumbs are shortened.
const NARROW_COLUMNS: usize = 60;
/// The text of a table whose rows are all filtered out.
pub(super) const NO_MATCH: &str = " No match for the filter";

/// Draws the dashboard on the whole screen.
pub(super) fn draw(model: &Model, dashboard: &Dashboard, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(2));
    frame.render_widget(Clear, screen);
    table(model, dashboard, frame, body);
    foot(model, &dashboard.filter, frame);
}

/// Draws the status line, or the filter while it has the focus, and the hints.
pub(super) fn foot(model: &Model, filter: &Filter, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let line = |y: u16| Rect::new(0, y, screen.width, 1);
    super::status::hints(model, frame, line(screen.height.saturating_sub(1)));
    let status = line(screen.height.saturating_sub(2));
    if filter.has_focus {
        filter_line(model, &filter.editor, frame, status);
    } else {
        super::status::draw(model, frame, status);
    }
}

/// The title of a page of the dashboard; on a narrow screen only `DASHBOARD`.
pub(super) fn breadcrumb(model: &Model, page: &str, columns: usize) -> String {
    if columns < NARROW_COLUMNS {
        return " DASHBOARD".to_owned();
    }
    format!(" DASHBOARD {} {page}", model.theme.glyphs.prompt)
}

/// The text of a table before the server has answered.
pub(super) fn loading(model: &Model) -> String {
    let glyphs = model.theme.glyphs;
    format!(" {} loading{}", glyphs.busy, glyphs.cut)
}

fn filter_line(model: &Model, filter: &Editor, frame: &mut Frame<'_>, area: Rect) {
    let layout = filter.layout(usize::from(area.width).saturating_sub(12).max(2));
    let written = layout.rows.get(layout.row).cloned().unwrap_or_default();
    let x = u16::try_from(layout.column + 9).unwrap_or(u16::MAX);
    frame.render_widget(Clear, area);
    let spans = vec![
        Span::styled(" filter: ", model.theme.style(Tone::Strong)),
        Span::raw(written),
    ];
    put(frame, area, vec![Line::from(spans)]);
    frame.set_cursor_position(Position::new(x.min(area.width - 1), area.y));
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
        detail::below(model, dashboard, row, frame, area);
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

/// The filter, the sort order, whether the snapshot is live, and its time.
fn view_state(
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

/// The label of the lost connections, shortened on a narrow screen.
const fn reconnecting_label(columns: usize) -> &'static str {
    if columns < 110 {
        "RECON"
    } else {
        "RECONNECTING"
    }
}

/// A figure with its label.
struct Figure {
    label: &'static str,
    value: String,
    /// What follows it in plain text, such as a chart.
    note: String,
    tone: Tone,
}

impl Figure {
    fn new(label: &'static str, value: &impl ToString) -> Self {
        Self {
            label,
            value: value.to_string(),
            note: String::new(),
            tone: Tone::Strong,
        }
    }

    fn with(self, note: String) -> Self {
        Self { note, ..self }
    }

    /// Highlights the figure if `n` is not 0.
    fn warn(self, n: u64) -> Self {
        let tone = if n > 0 { Tone::Soon } else { self.tone };
        Self { tone, ..self }
    }
}

/// Labels with figures, as many as there is room for.
fn figures(model: &Model, parts: Vec<Figure>, columns: usize) -> Line<'static> {
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
fn spark(figures: &[u64], cells: usize, glyphs: &Glyphs) -> String {
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
