//! Draws the table of the dashboard: one row per meeting, with the columns that fit.

use plenary_shared::domain::InstanceState;
use plenary_shared::protocol::DashboardRow;
use ratatui::text::{Line, Span};

use super::figures::spark;
use super::{Dashboard, Sort};
use crate::clock::{self, minutes, minutes_left};
use crate::model::Model;
use crate::text;
use crate::theme::{Glyphs, Tone};
use crate::widget::gauge;

/// The width from which all columns are shown. Below it, the least needed are hidden first.
const ALL_COLUMNS: usize = 110;
const RECON_COLUMNS: usize = 64;
const MINUTE_COLUMNS: usize = 56;

/// The visible columns and their widths.
pub(super) struct Table {
    title: usize,
    left: usize,
    gauge: usize,
    all: bool,
    minute: bool,
    recon: bool,
}

const HERE: usize = 10;
const SMALL: usize = 6;
const MINUTE: usize = 6;
const SPARK: usize = 10;
const LAST: usize = 5;

impl Table {
    pub(super) fn new(columns: usize) -> Self {
        let all = columns >= ALL_COLUMNS;
        let minute = columns >= MINUTE_COLUMNS;
        let recon = columns >= RECON_COLUMNS;
        let gauge = if all { 12 } else { 0 };
        let left = if columns >= MINUTE_COLUMNS { 14 } else { 10 };
        let sparks = if columns >= 80 { SPARK + 1 } else { 0 };
        let mut taken = 4 + left + gauge + HERE;
        taken += if minute { MINUTE + 1 + sparks } else { 0 };
        taken += if recon { SMALL + LAST + 1 } else { 0 };
        taken += if all { 2 * SMALL } else { 0 };
        Self {
            title: columns.saturating_sub(taken).max(6),
            left,
            gauge,
            all,
            minute,
            recon,
        }
    }

    fn has_spark(&self) -> bool {
        self.minute && self.recon && self.title + self.left > 26
    }

    /// The row of headings.
    pub(super) fn head(&self, model: &Model, dashboard: &Dashboard) -> Line<'static> {
        let glyphs = model.theme.glyphs;
        let name = |sort: Sort, cells: usize, right: bool| {
            let arrow = match (dashboard.sort == sort, dashboard.reversed) {
                (false, _) => "",
                (true, true) => glyphs.below,
                (true, false) => glyphs.above,
            };
            let text = format!("{}{arrow}", sort.title());
            if right {
                text::right(&text, cells, glyphs.cut)
            } else {
                text::left(&text, cells, glyphs.cut)
            }
        };
        let mut text = format!("    {}", name(Sort::Name, self.title, false));
        text.push_str(&name(Sort::Left, self.left + self.gauge, false));
        text.push_str(&name(Sort::Here, HERE, false));
        if self.all {
            text.push_str(&name(Sort::Late, SMALL, false));
            text.push_str(&name(Sort::Early, SMALL, false));
        }
        if self.minute {
            text.push_str(&name(Sort::Minute, MINUTE + 1 + self.spark_cells(), false));
        }
        if self.recon {
            text.push_str(&name(Sort::Lost, SMALL, false));
            text.push_str(&name(Sort::Last, LAST, true));
        }
        Line::styled(text, model.theme.style(Tone::Quiet))
    }

    fn spark_cells(&self) -> usize {
        if self.has_spark() { SPARK + 1 } else { 0 }
    }

    /// The row of a meeting.
    pub(super) fn row(
        &self,
        model: &Model,
        dashboard: &Dashboard,
        row: &DashboardRow,
        selected: bool,
    ) -> Line<'static> {
        let (theme, glyphs) = (model.theme, model.theme.glyphs);
        let bar = if selected { glyphs.bar } else { " " };
        let marked = dashboard.marked.contains(&row.instance);
        let mark = if marked { "*" } else { " " };
        let (state, tone) = state(row, model);
        let name = self.name(row, glyphs);
        let live = matches!(row.state, InstanceState::Active | InstanceState::Ending);
        let mut spans = vec![
            Span::raw(format!("{bar}{mark}")),
            Span::styled(format!("{state} "), theme.style(tone)),
            Span::raw(text::left(&name, self.title, glyphs.cut)),
        ];
        let (left, tone) = left(model, row, self.left.saturating_sub(1));
        spans.push(Span::styled(
            text::left(&left, self.left, glyphs.cut),
            theme.style(tone),
        ));
        if self.gauge > 0 {
            let total = row.todatetime.ms_since(row.fromdatetime).max(1);
            let elapsed = model.now.ms_since(row.fromdatetime).clamp(0, total);
            let bar = if live && elapsed < total {
                gauge(theme, 8, elapsed, total)
            } else {
                String::new()
            };
            spans.push(Span::raw(text::left(&bar, self.gauge, "")));
        }
        self.participants(model, row, &mut spans);
        self.messages(model, row, &mut spans);
        self.connections(model, row, &mut spans);
        Line::from(spans)
    }

    /// How many participants are here, were late, and left early.
    fn participants(&self, model: &Model, row: &DashboardRow, spans: &mut Vec<Span<'static>>) {
        let glyphs = model.theme.glyphs;
        let dash = glyphs.dash;
        let here = match (row.state, row.invited) {
            _ if row.cancelled => dash.to_owned(),
            (InstanceState::Scheduled, _) if row.waiting > 0 => format!("{} wait", row.waiting),
            (InstanceState::Scheduled, Some(invited)) => format!("{dash}/{invited}"),
            (InstanceState::Scheduled, None) => dash.to_owned(),
            (InstanceState::Ended, Some(invited)) => {
                format!("{}/{invited}", row.total_participants)
            }
            (InstanceState::Ended, None) => row.total_participants.to_string(),
            (_, Some(invited)) => format!("{}/{invited}", row.participants),
            (_, None) => row.participants.to_string(),
        };
        spans.push(Span::raw(text::left(&here, HERE, glyphs.cut)));
        if self.all {
            spans.push(Span::raw(text::left(
                &figure(row.late, glyphs),
                SMALL,
                glyphs.cut,
            )));
            spans.push(Span::raw(text::left(
                &figure(row.left_early, glyphs),
                SMALL,
                glyphs.cut,
            )));
        }
    }

    /// Messages in the last minute, with a chart; of ended meetings, the total.
    fn messages(&self, model: &Model, row: &DashboardRow, spans: &mut Vec<Span<'static>>) {
        let glyphs = model.theme.glyphs;
        if self.minute {
            let (text, chart) = match row.state {
                InstanceState::Ended if row.cancelled => (glyphs.dash.to_owned(), String::new()),
                InstanceState::Ended => (format!("{} total", row.messages), String::new()),
                InstanceState::Scheduled => (glyphs.dash.to_owned(), String::new()),
                InstanceState::Active | InstanceState::Ending => (
                    row.messages_per_minute.to_string(),
                    spark(&row.activity, SPARK, glyphs),
                ),
            };
            let cells = self.spark_cells();
            if chart.is_empty() || cells == 0 {
                spans.push(Span::raw(text::left(&text, MINUTE + 1 + cells, glyphs.cut)));
            } else {
                spans.push(Span::raw(text::left(&text, MINUTE, glyphs.cut)));
                spans.push(Span::raw(text::left(&chart, cells + 1, "")));
            }
        }
    }

    /// Lost connections, and the age of the last message.
    fn connections(&self, model: &Model, row: &DashboardRow, spans: &mut Vec<Span<'static>>) {
        let (theme, glyphs) = (model.theme, model.theme.glyphs);
        if self.recon {
            let tone = if row.reconnecting > 0 {
                Tone::Soon
            } else {
                Tone::Plain
            };
            let lost = text::left(&figure(row.reconnecting, glyphs), SMALL, glyphs.cut);
            spans.push(Span::styled(lost, theme.style(tone)));
            let age = match row.last_message {
                Some(at) => ago(model.now.ms_since(at)),
                None => glyphs.dash.to_owned(),
            };
            spans.push(Span::raw(text::right(&age, LAST, glyphs.cut)));
        }
    }

    /// The title, cut so that the number and the restrictions fit.
    fn name(&self, row: &DashboardRow, glyphs: &Glyphs) -> String {
        let mut suffix = format!(" {}", row.instance);
        if !row.is_public {
            suffix = format!("{suffix} {}", glyphs.private);
        }
        let (locked, read_only) = if self.all {
            ("locked", "read-only")
        } else {
            ("L", "R")
        };
        for (is_set, word) in [(row.locked, locked), (row.read_only, read_only)] {
            if is_set {
                suffix = format!("{suffix} [{word}]");
            }
        }
        let cells = self.title.saturating_sub(1);
        let room = cells.saturating_sub(text::width(&suffix)).max(6);
        let title = text::fit(&text::one_line(&row.title), room, glyphs.cut);
        text::fit(&format!("{title}{suffix}"), cells, glyphs.cut)
    }
}

fn state(row: &DashboardRow, model: &Model) -> (&'static str, Tone) {
    let glyphs = model.theme.glyphs;
    match row.state {
        InstanceState::Scheduled => (glyphs.busy, Tone::Quiet),
        InstanceState::Active | InstanceState::Ending if row.todatetime <= model.now => {
            (glyphs.warning, Tone::Bad)
        }
        InstanceState::Active | InstanceState::Ending => (glyphs.live, Tone::Good),
        InstanceState::Ended if row.cancelled => (glyphs.failed, Tone::Quiet),
        InstanceState::Ended => (glyphs.done, Tone::Quiet),
    }
}

fn left(model: &Model, row: &DashboardRow, cells: usize) -> (String, Tone) {
    let now = model.now;
    let short = cells < 12;
    match row.state {
        InstanceState::Scheduled => {
            let starts = clock::left(now, row.fromdatetime);
            let prefix = if short { "in" } else { "starts in" };
            (format!("{prefix} {starts}"), Tone::Plain)
        }
        InstanceState::Active | InstanceState::Ending => {
            let left = clock::left(now, row.todatetime);
            match minutes_left(now, row.todatetime) {
                _ if now >= row.todatetime => {
                    let overrun = now.ms_since(row.todatetime) / 60_000;
                    let word = if short { "" } else { " OVERRUN" };
                    (format!("+{}{word}", minutes(overrun)), Tone::Bad)
                }
                ..=5 => (left, Tone::Soon),
                _ => (left, Tone::Plain),
            }
        }
        InstanceState::Ended => {
            let at = model.zone.short_time(row.todatetime, now);
            let text = match (short, row.cancelled) {
                (_, true) => "cancelled".to_owned(),
                (true, false) => at,
                (false, false) => format!("ended {at}"),
            };
            (text, Tone::Quiet)
        }
    }
}

fn ago(ms: i64) -> String {
    match ms.max(0) / 1_000 {
        seconds @ ..=59 => format!("{seconds}s"),
        seconds => minutes(seconds / 60),
    }
}

fn figure(n: u32, glyphs: &Glyphs) -> String {
    match n {
        0 => glyphs.dash.to_owned(),
        n => n.to_string(),
    }
}
