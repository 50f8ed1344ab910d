//! Draws the model. Drawing changes nothing.

mod chat;
mod choices;
mod foot;
mod input;
mod list;
mod people;
mod status;
mod title;

use ratatui::Frame;
use ratatui::text::Line;
use ratatui::widgets::Clear;

use crate::layout::{Form, Panes};
use crate::link::Links;
use crate::model::Model;
use crate::model::layer::dashboard::{meeting_detail, moderation_dialog};
use crate::model::layer::meeting_list::MeetingList;
use crate::model::layer::{
    Layer, dashboard, finder, page, password, schedule, search, sessions, sign_in,
};
use crate::theme::Tone;
use crate::widget::{boxed, put, select, spread, whole};

/// Draws the visible layers, and places the cursor. Returns the targets of the links whose cells are
/// marked by [`crate::link::mark`].
pub fn view(model: &Model, frame: &mut Frame<'_>) -> Links {
    let screen = frame.area();
    if screen.is_empty() || (screen.width, screen.height) != model.terminal.size {
        // The terminal was resized, and the event is on its way to the model.
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
            Layer::Page(page) => page::view::draw(model, page, frame, panes.over()),
            Layer::Finder(finder) => finder::view::draw(model, finder, frame, panes.over()),
            Layer::Search(search) => search::view::draw(model, search, frame, panes.over()),
            Layer::Dashboard(dashboard) => {
                dashboard::view::draw(model, dashboard, frame);
                foot::draw(model, &dashboard.filter, frame);
            }
            Layer::MeetingDetail(view) => {
                meeting_detail::view::draw(model, view, frame);
                foot::draw(model, &view.filter, frame);
            }
            Layer::ModerationDialog(dialog) => moderation_dialog::view::draw(model, dialog, frame),
            Layer::Schedule(schedule) => {
                schedule::view::draw(model, schedule, frame);
                foot::draw(model, &schedule.filter, frame);
            }
            Layer::ScheduleForm(form) => schedule::form::view::draw(model, form, frame),
            Layer::Password(dialog) => password::view::draw(model, dialog, frame, panes.over()),
            Layer::Sessions(list) => sessions::view::draw(model, list, frame, panes.over()),
            Layer::SignIn(form) => sign_in::view::draw(model, form, frame),
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
    chat::marker(model, frame, panes.marker);
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

/// Draws the vertical rules between the panes, and the horizontal one below them.
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
    for y in panes.chat.top()..panes.chat.bottom() + panes.marker.height {
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
