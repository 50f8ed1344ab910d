//! Draws the schedule: the table of meetings and their instances.

use plenary_shared::domain::InstanceState;
use plenary_shared::protocol::{PlannedInstance, PlannedMeeting};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::{Row, Schedule};
use crate::model::Model;
use crate::model::layer::dashboard::figures::{NO_MATCH, breadcrumb, loading};
use crate::text;
use crate::theme::Tone;
use crate::widget::{put, spread, whole};

/// Rows above the table: the title and the headings.
const HEAD_ROWS: u16 = 2;
/// Columns of the state of an instance.
const STATE: usize = 12;
/// Columns of a time or an audience, full and short.
const TIME: usize = 30;
const TIME_SHORT: usize = 20;

/// Draws the schedule on the whole screen.
pub fn draw(model: &Model, schedule: &Schedule, frame: &mut Frame<'_>) {
    let screen = frame.area();
    let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(2));
    frame.render_widget(Clear, screen);
    let columns = usize::from(body.width);
    let table = Table::new(columns);
    let mut lines = vec![title(model, schedule, columns), table.head(model)];
    let rows = schedule.rows();
    let at = schedule.selected_index(&rows);
    let height = usize::from(body.height.saturating_sub(HEAD_ROWS)).max(1);
    // Scrolls by whole screens, to the one with the selected row.
    let skipped = at - at % height;
    for (nth, row) in rows.iter().enumerate().skip(skipped).take(height) {
        let line = table.row(model, row, nth == at);
        lines.push(if nth == at {
            whole(line, columns, model.theme.style(Tone::Reversed))
        } else {
            line
        });
    }
    if rows.is_empty() {
        let text = if !schedule.complete {
            loading(model)
        } else if schedule.filter.is_empty() {
            " No meetings yet".to_owned()
        } else {
            NO_MATCH.to_owned()
        };
        lines.push(Line::styled(text, model.theme.style(Tone::Quiet)));
    }
    put(frame, body, lines);
    let row = u16::try_from(at - skipped).unwrap_or_default();
    let y = (HEAD_ROWS + row).min(body.height.saturating_sub(1));
    frame.set_cursor_position(Position::new(0, y));
}

fn title(model: &Model, schedule: &Schedule, columns: usize) -> Line<'static> {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let name = if columns >= 60 {
        breadcrumb(model, "schedule", columns)
    } else {
        " SCHEDULE".to_owned()
    };
    let left = vec![Span::styled(name, theme.style(Tone::Strong))];
    let mut right = Vec::new();
    if !schedule.filter.is_empty() && columns >= 60 {
        let filter = text::fit(schedule.filter.editor.text(), 20, glyphs.cut);
        let text = format!("filter: {filter}  ");
        right.push(Span::styled(text, theme.style(Tone::Strong)));
    }
    if !schedule.complete {
        let text = format!("{} loading  ", glyphs.busy);
        right.push(Span::styled(text, theme.style(Tone::Quiet)));
    }
    let count = text::count(schedule.meetings.len(), "meeting", "meetings");
    right.push(Span::raw(format!("{count}  ")));
    right.push(Span::raw(format!("{} ", model.zone.hm(model.now))));
    spread(columns, left, right, glyphs.cut)
}

/// The widths of the columns.
struct Table {
    name: usize,
    time: usize,
    state: usize,
}

impl Table {
    fn new(columns: usize) -> Self {
        let time = if columns >= 90 { TIME } else { TIME_SHORT };
        let state = if columns >= 60 { STATE } else { 2 };
        Self {
            name: columns.saturating_sub(time + state + 1).max(6),
            time,
            state,
        }
    }

    fn head(&self, model: &Model) -> Line<'static> {
        let cut = model.theme.glyphs.cut;
        let state = if self.state == STATE { "STATE" } else { "" };
        let text = format!(
            " {}{}{state}",
            text::left(" MEETING", self.name, cut),
            text::left("TIME / AUDIENCE", self.time, cut),
        );
        Line::styled(text, model.theme.style(Tone::Quiet))
    }

    fn row(&self, model: &Model, row: &Row<'_>, selected: bool) -> Line<'static> {
        let glyphs = model.theme.glyphs;
        let bar = if selected { glyphs.bar } else { " " };
        let mut spans = vec![Span::raw(bar)];
        match row {
            Row::Meeting(planned) => self.meeting(model, planned, &mut spans),
            Row::Instance(instance) => self.instance(model, instance, &mut spans),
        }
        Line::from(spans)
    }

    fn meeting(&self, model: &Model, planned: &PlannedMeeting, spans: &mut Vec<Span<'static>>) {
        let (theme, glyphs) = (model.theme, model.theme.glyphs);
        let meeting = &planned.meeting;
        let id = format!(" {}", meeting.id);
        let room = self.name.saturating_sub(text::width(&id) + 2).max(4);
        let title = text::fit(&text::one_line(&meeting.title), room, glyphs.cut);
        let name = text::left(&format!(" {title}{id}"), self.name, glyphs.cut);
        spans.push(Span::styled(name, theme.style(Tone::Strong)));
        let audience = if meeting.is_public {
            "public".to_owned()
        } else {
            let users = text::count(planned.audience.len(), "user", "users");
            format!("{} {users}", glyphs.private)
        };
        let audience = text::left(&audience, self.time, glyphs.cut);
        spans.push(Span::styled(audience, theme.style(Tone::Quiet)));
    }

    fn instance(&self, model: &Model, instance: &PlannedInstance, spans: &mut Vec<Span<'static>>) {
        let (theme, glyphs) = (model.theme, model.theme.glyphs);
        let (mark, tone) = match instance.state {
            InstanceState::Scheduled => (glyphs.busy, Tone::Plain),
            InstanceState::Active | InstanceState::Ending => (glyphs.live, Tone::Good),
            InstanceState::Ended => (glyphs.done, Tone::Quiet),
        };
        spans.push(Span::styled(format!("   {mark} "), theme.style(tone)));
        let cells = self.name.saturating_sub(5);
        let id = text::left(&instance.id.to_string(), cells, glyphs.cut);
        spans.push(Span::raw(id));
        let (zone, from, to) = (model.zone, instance.fromdatetime, instance.end());
        let day = if self.time == TIME {
            zone.day_title(from)
        } else {
            zone.day_month(from)
        };
        let until = if zone.day(from) == zone.day(to) {
            zone.hm(to)
        } else {
            format!("{} {}", zone.day_month(to), zone.hm(to))
        };
        let time = format!("{day} {}-{until}", zone.hm(from));
        spans.push(Span::raw(text::left(&time, self.time, glyphs.cut)));
        let state = match (self.state, &instance.reason) {
            (STATE, Some(reason)) => text::one_line(reason),
            (STATE, None) => instance.state.to_string(),
            _ => String::new(),
        };
        let state = text::fit(&state, self.state, glyphs.cut);
        spans.push(Span::styled(state, theme.style(tone)));
    }
}
