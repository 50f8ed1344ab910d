//! The model as a screen. It only looks: nothing changes by being drawn.

mod chat;
mod choices;
mod dashboard;
mod form;
mod input;
mod list;
mod over;
mod people;
mod schedule;
mod seek;
mod status;
mod title;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use crate::layout::{Form, Panes};
use crate::link::Links;
use crate::model::Model;
use crate::model::layer::{Layer, MeetingList};
use crate::text;
use crate::theme::Tone;

/// Draws everything, and puts the cursor where the keys go. Says where the links lead whose cells are
/// marked by [`crate::link::mark`].
pub fn view(model: &Model, frame: &mut Frame<'_>) -> Links {
    let screen = frame.area();
    if screen.is_empty() || (screen.width, screen.height) != model.size {
        // The terminal has another size already, and the model is about to be told.
        return Links::new();
    }
    let panes = model.panes();
    let visible = model.layers.visible();
    if panes.form == Form::Tiny && !matches!(visible, [Layer::SignIn(_), ..]) {
        let what = format!("{}x{} is too small", screen.width, screen.height);
        put(frame, panes.status, vec![Line::raw(what)]);
        input::draw(model, frame, panes.input);
        return Links::new();
    }
    let mut links = Links::new();
    for layer in visible {
        match layer {
            Layer::Chat(_) => links = chat(model, frame, &panes),
            Layer::Page(page) => over::page(model, page, frame, panes.over()),
            Layer::Finder(finder) => over::find(model, finder, frame, panes.over()),
            Layer::Search(search) => seek::draw(model, search, frame, panes.over()),
            Layer::Dashboard(dashboard) => dashboard::draw(model, dashboard, frame),
            Layer::MeetingDetail(view) => dashboard::detail::draw(model, view, frame),
            Layer::ModerationDialog(dialog) => dashboard::dialog::draw(model, dialog, frame),
            Layer::Schedule(schedule) => schedule::draw(model, schedule, frame),
            Layer::ScheduleForm(form) => schedule::form::draw(model, form, frame),
            Layer::SignIn(form) => form::draw(model, form, frame),
            // Drawn with the chat below.
            Layer::MeetingList(_) | Layer::Selection(_) | Layer::Quit(_) => {}
        }
    }
    links
}

/// Draws the chat with the lists beside it, the status line and the input.
fn chat(model: &Model, frame: &mut Frame<'_>, panes: &Panes) -> Links {
    list::tabs(model, frame, panes.tabs);
    title::draw(model, frame, panes.title);
    let links = chat::draw(model, frame, panes.chat);
    lists(model, frame, panes);
    rules(model, frame, panes);
    choices::draw(model, frame, panes.over());
    status::draw(model, frame, panes.status);
    input::target(model, frame, panes.target);
    input::draw(model, frame, panes.input);
    status::hints(model, frame, panes.hints);
    links
}

fn lists(model: &Model, frame: &mut Frame<'_>, panes: &Panes) {
    if !panes.meetings.is_empty() {
        if panes.meetings_over_chat() {
            frame.render_widget(Clear, panes.meetings);
        }
        let cursor = list::draw(model, frame, panes.meetings);
        let has_keys = model.layers.is_top::<MeetingList>();
        if let Some(cursor) = cursor.filter(|_| has_keys) {
            frame.set_cursor_position(cursor);
        }
    }
    if !panes.people.is_empty() {
        if panes.people_over_chat() {
            frame.render_widget(Clear, panes.people);
        }
        people::draw(model, frame, panes.people);
    }
}

/// The standing rules between the panes, and the lying one under them.
fn rules(model: &Model, frame: &mut Frame<'_>, panes: &Panes) {
    let glyphs = model.theme.glyphs;
    let style = model.theme.style(Tone::Quiet);
    let screen = frame.area();
    let mut columns = Vec::new();
    if !panes.meetings.is_empty() {
        columns.push(panes.meetings.right());
    }
    if !panes.people.is_empty() && panes.people.x > 0 {
        columns.push(panes.people.x - 1);
    }
    let buffer = frame.buffer_mut();
    for y in panes.chat.top()..panes.chat.bottom() {
        for x in columns.iter().copied().filter(|x| *x < screen.width) {
            buffer.set_string(x, y, glyphs.standing, style);
        }
    }
    for y in panes.rule.top()..panes.rule.bottom() {
        for x in 0..screen.width {
            let glyph = if columns.contains(&x) {
                glyphs.foot
            } else {
                glyphs.rule
            };
            buffer.set_string(x, y, glyph, style);
        }
    }
}

/// Draws lines into an area, as many as it has rows.
fn put(frame: &mut Frame<'_>, area: Rect, lines: Vec<Line<'static>>) {
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        frame.render_widget(line, Rect::new(area.x, y, area.width, 1));
    }
}

/// One line with something at its left and something at its right; the left gives way.
fn spread(
    columns: usize,
    left: Vec<Span<'static>>,
    right: Vec<Span<'static>>,
    cut: &str,
) -> Line<'static> {
    let wide =
        |spans: &[Span<'_>]| -> usize { spans.iter().map(|s| text::width(&s.content)).sum() };
    let kept = wide(&right);
    let mut spans = Vec::new();
    let mut room = columns.saturating_sub(kept);
    for span in left {
        let shown = text::fit(&span.content, room, cut);
        room -= text::width(&shown).min(room);
        let full = shown == span.content;
        spans.push(Span::styled(shown, span.style));
        if !full {
            break;
        }
    }
    spans.push(Span::raw(" ".repeat(room)));
    spans.extend(right);
    Line::from(spans)
}

/// The style of a whole row that is selected.
fn select(line: Line<'static>, style: Style) -> Line<'static> {
    line.patch_style(style)
}

/// A selected row, to its right end.
fn whole(mut line: Line<'static>, columns: usize, style: Style) -> Line<'static> {
    let free = columns.saturating_sub(line.width());
    line.push_span(Span::raw(" ".repeat(free)));
    select(line, style)
}
