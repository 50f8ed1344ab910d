//! Applies an event to the model and returns the effects. Pure and synchronous: time and ids come
//! with the event.

mod asking;
mod cache;
mod completing;
mod connection;
mod editing;
mod gaps;
mod keys;
mod meetings;
mod message_actions;
mod mouse;
mod notifications;
mod read_position;
mod rooms;
mod scrolling;
mod sending;
mod server_replies;
mod slash_commands;
mod tick;
mod waiting_room;

use crate::effect::Effect;
use crate::keymap::Keymap;
use crate::model::Model;
use crate::model::step::Step;
use crate::msg::{AppEvent, Msg};
use crate::net::LinkEvent;
use crate::theme::{Theme, Tone};

/// A wake-up that is late by more than this means that the machine slept or the program was stopped.
const OVERSLEPT_MS: i64 = 3_000;

/// Applies an event to the model. Returns the effects in order.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let (before, expected) = (model.now, model.next_tick_at());
    model.now = msg.now.plus_ms(model.skew_ms);
    let mut step = Step {
        model,
        out: Vec::new(),
        notifications: Vec::new(),
        spare: msg.spare,
    };
    if step.model.now.ms_since(expected) > OVERSLEPT_MS {
        step.model.connection.slept = Some((before, step.model.now));
    }
    step.mark_looked(false);
    if let AppEvent::Link(LinkEvent::Line(_)) = &msg.event {
        step.schedule_cache();
    }
    if matches!(
        msg.event,
        AppEvent::Key(_) | AppEvent::Pasted(_) | AppEvent::Mouse(_)
    ) {
        let now = step.model.now;
        step.model.idle.key_pressed(now);
    }
    match msg.event {
        AppEvent::Started => step.begin(),
        AppEvent::Key(key) => step.key(key),
        AppEvent::Pasted(pasted) => step.pasted(&pasted),
        AppEvent::Resized(columns, rows) => step.model.terminal.size = (columns, rows),
        AppEvent::Focused(focused) => {
            step.model.terminal.focused = focused;
            step.model.terminal.reports_focus = true;
        }
        AppEvent::Mouse(mouse) => step.mouse(mouse),
        AppEvent::Tick => {}
        AppEvent::Link(event) => step.link(event),
        AppEvent::SignedIn(answer) => step.signed_in(answer),
        AppEvent::PasswordChanged(answer) => step.password_changed(answer),
        AppEvent::Sessions(answer) => step.sessions_listed(answer),
        AppEvent::Edited { at, text } => step.editor_closed(at, &text),
        AppEvent::Configured {
            keymap,
            theme,
            wrong,
        } => step.configured(keymap, *theme, &wrong),
        AppEvent::Journal(owner, lines) => step.journal(&owner, lines),
        AppEvent::Recorded(cmids) => step.recorded(&cmids),
        AppEvent::Exported(said) => step.exported(said),
        AppEvent::ListRead {
            meeting,
            replace,
            read,
        } => step.list_read(meeting, replace, read),
        AppEvent::Done(what) => step.model.tell(Tone::Plain, what),
        AppEvent::Failed(why) => step.model.tell(Tone::Bad, why),
        AppEvent::Terminated => step.quit_now(),
    }
    step.tick(before);
    step.follow_up();
    step.out
}

impl Step<'_> {
    /// Does what follows from the change, whatever the event was.
    fn follow_up(&mut self) {
        if self.model.selected().is_none() {
            // No message is selected, or the selected one is gone.
            self.close_selection();
        }
        self.forget_search();
        self.request_detail();
        self.request_waiting_rooms();
        self.mark_looked(true);
        self.report_read();
        self.send_notification();
        self.set_title();
        self.record();
    }

    fn begin(&mut self) {
        self.out.push(Effect::Mouse(self.model.terminal.mouse));
        if let Some(owner) = self.model.session.outbox_owner.clone() {
            self.out.push(Effect::OpenJournal(owner));
        }
        if self.model.session.token.is_some() {
            let server = self.model.session.server.clone();
            self.out.push(Effect::Connect { server });
        }
    }

    /// Notes at the start of a step that the shown log is visible, and marks it as seen at the end.
    fn mark_looked(&mut self, seen: bool) {
        let now = self.model.now;
        let Some(id) = self.model.shown.filter(|id| self.model.is_viewing_end(*id)) else {
            if seen {
                self.advance_read();
            }
            return;
        };
        if let Some(room) = self.model.rooms.get_mut(&id) {
            if seen {
                room.mark_read(now);
            } else {
                room.viewed_at = now;
            }
        }
    }

    /// Applies changed key bindings and a changed theme, and reports errors in their files.
    fn configured(&mut self, keymap: Keymap, theme: Theme, wrong: &[String]) {
        self.model.keymap = keymap;
        self.model.theme = theme;
        self.model.config_errors = wrong.to_vec();
        let text = match wrong {
            [] => return,
            [only] => only.clone(),
            [first, more @ ..] => format!("{first} (and {} more: /config)", more.len()),
        };
        self.model.tell(Tone::Bad, text);
    }

    fn set_title(&mut self) {
        let title = self.model.window_title();
        if title != self.model.terminal.title {
            self.out.push(Effect::Title(title.clone()));
            self.model.terminal.title = title;
        }
    }

    /// Writes the changes of the outbox to the journal.
    fn record(&mut self) {
        let records = self.model.outbox.take_records();
        if !records.is_empty() {
            self.out.push(Effect::Record(records));
        }
    }

    fn save_drafts(&mut self) {
        self.model.inputs.drafts_due = None;
        let written = self
            .model
            .inputs
            .composers
            .iter()
            .filter_map(|(id, composer)| {
                let text = composer.draft();
                id.filter(|_| !text.is_empty())
                    .map(|id| (id, text.to_owned()))
            });
        let mut drafts: Vec<_> = written.collect();
        drafts.sort_by_key(|(id, _)| *id);
        self.out.push(Effect::SaveDrafts(drafts));
    }

    pub(crate) fn quit_now(&mut self) {
        self.save_drafts();
        self.save_cache();
        self.out.push(Effect::Quit);
    }
}
