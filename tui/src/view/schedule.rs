//! Draws the schedule: the table of meetings and instances, and the form over it.

use plenary_shared::domain::InstanceState;
use plenary_shared::protocol::{Planned, PlannedInstance};
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::dashboard::{NO_MATCH, breadcrumb, filter_line, loading};
use super::over::boxed;
use super::{put, spread, whole};
use crate::model::Model;
use crate::model::schedule::{Form, Row, Schedule};
use crate::text;
use crate::theme::Tone;

/// Rows above the table: the title and the headings.
const HEAD_ROWS: u16 = 2;
/// The most columns of a form.
const FORM_COLUMNS_MAX: u16 = 76;
/// Columns of the label before an input.
const LABEL: usize = 12;
/// Columns of the state of an instance.
const STATE: usize = 12;
/// Columns of a time or an audience, full and short.
const TIME: usize = 30;
const TIME_SHORT: usize = 20;

/// Draws the schedule in place of the chat.
pub(super) fn draw(model: &Model, schedule: &Schedule, frame: &mut Frame<'_>) {
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
    let line = |y: u16| Rect::new(0, y, screen.width, 1);
    super::status::draw(model, frame, line(screen.height.saturating_sub(2)));
    super::status::hints(model, frame, line(screen.height.saturating_sub(1)));
    if let Some(form) = &schedule.form {
        draw_form(model, form, frame, body);
    } else if schedule.filtering {
        let area = line(screen.height.saturating_sub(2));
        filter_line(model, &schedule.filter, frame, area);
    }
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
        let filter = text::fit(schedule.filter.text(), 20, glyphs.cut);
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

    fn meeting(&self, model: &Model, planned: &Planned, spans: &mut Vec<Span<'static>>) {
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
        let (zone, from, to) = (model.zone, instance.fromdatetime, instance.todatetime);
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

/// Draws the form over the lower part of the table.
fn draw_form(model: &Model, form: &Form, frame: &mut Frame<'_>, body: Rect) {
    let (theme, glyphs) = (model.theme, model.theme.glyphs);
    let rows = u16::try_from(form.fields.len()).unwrap_or_default() + 4;
    let (width, height) = (body.width.min(FORM_COLUMNS_MAX), body.height.min(rows));
    let x = (body.width - width) / 2;
    let area = Rect::new(x, body.bottom() - height, width, height);
    let enter = glyphs.keys[3];
    let note = if form.sent {
        format!("{} sending{}  Esc Cancel", glyphs.busy, glyphs.cut)
    } else if form.at + 1 < form.fields.len() {
        format!("{enter} Next  Esc Cancel")
    } else {
        format!("{enter} OK  Esc Cancel")
    };
    let inside = boxed(model, frame, area, &form.title(), &note);
    if inside.is_empty() {
        return;
    }
    let columns = usize::from(inside.width);
    let label = if columns > 30 { LABEL } else { 0 };
    let cells = columns.saturating_sub(label + 2).max(2);
    let mut lines = Vec::new();
    let mut cursor = Position::new(inside.x, inside.y);
    // If not all fields fit, the one with the focus is the last shown.
    let skipped = (form.at + 1).saturating_sub(usize::from(inside.height));
    for (nth, (field, editor)) in form.fields.iter().enumerate().skip(skipped) {
        let has_focus = nth == form.at;
        let layout = editor.layout(cells);
        let input = layout.rows.get(layout.row).cloned().unwrap_or_default();
        if has_focus {
            let x = u16::try_from(label + 1 + layout.column).unwrap_or(u16::MAX);
            let y = u16::try_from(lines.len()).unwrap_or_default();
            cursor = Position::new(
                inside.x.saturating_add(x).min(inside.right() - 1),
                (inside.y + y).min(inside.bottom() - 1),
            );
        }
        let tone = if has_focus { Tone::Strong } else { Tone::Quiet };
        let name = text::left(&format!(" {}", field.label()), label, "");
        let style = if has_focus {
            theme.style(Tone::Strong)
        } else {
            Style::new()
        };
        lines.push(Line::from(vec![
            Span::styled(name, theme.style(tone)),
            Span::raw(" "),
            Span::styled(text::left(&input, cells, ""), style),
        ]));
    }
    let field = form.fields.get(form.at).map(|(field, _)| *field);
    let hint = field.map_or("", |field| field.hint(form.kind));
    let hint = text::fit(&format!(" {hint}"), columns, glyphs.cut);
    lines.push(Line::styled(hint, theme.style(Tone::Quiet)));
    if let Some(error) = &form.error {
        let error = format!(" {} {}", glyphs.failed, text::one_line(error));
        let error = text::fit(&error, columns, glyphs.cut);
        lines.push(Line::styled(error, theme.style(Tone::Bad)));
    }
    put(frame, inside, lines);
    frame.set_cursor_position(cursor);
}
