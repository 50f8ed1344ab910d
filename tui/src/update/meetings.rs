//! Going from meeting to meeting: selecting, joining, leaving.

use plenary_shared::domain::{InstanceState, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{MeetingsOk, Posted, Verb};

use super::Step;
use super::rooms::may_pass;
use crate::clock::{minutes, minutes_left};
use crate::layout::{Drawer, Form};
use crate::model::{Asked, Focus};
use crate::text;
use crate::theme::Tone;

impl Step<'_> {
    /// The list of meetings came.
    pub(super) fn listed(&mut self, ok: MeetingsOk) {
        let first = !self.model.meetings.loaded;
        self.model.meetings.set(ok.meetings);
        self.left_unread(ok.unread);
        if self.model.meetings.stale {
            self.ask_meetings();
        }
        if first {
            // Whoever came back is where they were.
            let joined: Vec<InstanceId> = self
                .model
                .meetings
                .iter()
                .filter(|instance| {
                    instance.joined.is_some() && instance.state == InstanceState::Active
                })
                .map(|instance| instance.id)
                .collect();
            for id in &joined {
                self.open(*id);
            }
        }
        if let Some(id) = self.model.meetings.called_off() {
            let title = self.title_of(id);
            self.model.tell(
                Tone::Bad,
                format!("{title} was cancelled: it does not take place"),
            );
        }
        for id in self.model.meetings.take_begun() {
            let title = self.title_of(id);
            self.model
                .tell(Tone::Good, format!("{title} has begun: you join it"));
            self.join(id);
        }
        self.confirm_closed();
        let known = self.model.shown.is_some_and(|id| {
            self.model.instance(id).is_some() || self.model.rooms.contains_key(&id)
        });
        if !known {
            let entries = self.model.meetings.entries(self.model.now, self.model.zone);
            let joined = entries.iter().find(|entry| entry.instance.joined.is_some());
            let first = joined.or(entries.first()).map(|entry| entry.instance.id);
            self.model.shown = first;
        }
    }

    /// Shows a meeting, and selects its row.
    pub(super) fn show(&mut self, id: InstanceId) {
        if self.model.shown != Some(id) {
            self.end_select();
            self.model.shown_before = self.model.shown;
            self.model.shown = Some(id);
            // Who goes elsewhere does not want to be taken there any more.
            self.model.jump = self.model.jump.filter(|(to, _)| *to == id);
            self.model.leaving = false;
            self.model.confirming = None;
            if let Some(room) = self.model.rooms.get_mut(&id) {
                room.kept_unread = false;
            }
        }
    }

    /// Steps through the list.
    pub(super) fn step_meeting(&mut self, forward: bool) {
        let ids = self.listed_ids();
        if ids.is_empty() {
            return;
        }
        let at = ids.iter().position(|id| Some(*id) == self.model.shown);
        let next = match at {
            None => 0,
            Some(at) if forward => (at + 1) % ids.len(),
            Some(at) => (at + ids.len() - 1) % ids.len(),
        };
        self.show(ids[next]);
    }

    /// The row of this number.
    pub(super) fn nth_meeting(&mut self, nth: usize) {
        match self.listed_ids().get(nth) {
            Some(id) => self.show(*id),
            None => self
                .model
                .tell(Tone::Plain, format!("there is no meeting {}", nth + 1)),
        }
    }

    /// The next with unread messages, those that speak of the reader first.
    pub(super) fn next_unread(&mut self) {
        match self.model.next_unread() {
            Some(id) => self.show(id),
            None => self.model.tell(Tone::Plain, "nothing is unread"),
        }
    }

    /// Joins what runs, reads what has ended, waits for the rest, or no more.
    pub(super) fn enter_meeting(&mut self, id: InstanceId) {
        self.show(id);
        self.model.focus = Focus::Input;
        if self.model.drawer == Some(Drawer::Meetings) {
            self.model.drawer = None;
        }
        let Some(instance) = self.model.instance(id) else {
            // Long over, or named by its number: reading it says what it is.
            self.open(id);
            if !self.is_ready() {
                let why = "not connected: it is read when the connection is back";
                self.model.tell(Tone::Bad, why);
            }
            return;
        };
        match instance.state {
            // Whoever is in has nothing to do but to be shown it.
            InstanceState::Active if self.model.rooms.get(&id).is_some_and(|r| r.wants_in) => {}
            InstanceState::Active => self.join(id),
            InstanceState::Ending | InstanceState::Ended => self.open(id),
            InstanceState::Scheduled => {
                let begins = self.model.zone.weekday_hm(instance.fromdatetime);
                let left = minutes(minutes_left(self.model.now, instance.fromdatetime));
                let title = self.title_of(id);
                let text = if self.model.meetings.toggle_wait(id) {
                    format!("{title} begins {begins}, in {left}: you join it then")
                } else {
                    format!("you do not wait for {title} any more")
                };
                self.model.tell(Tone::Plain, text);
            }
        }
    }

    /// Means to be in, and asks for it.
    pub(super) fn join(&mut self, id: InstanceId) {
        if !self.is_ready() {
            self.model.tell(
                Tone::Bad,
                "not connected: you join as soon as the connection is back",
            );
        }
        // Joined before it is read, so that what is read has oneself in it.
        self.ask_join(id);
        self.open(id);
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.wants_in = true;
        }
    }

    /// Asks to join, unless that is under way.
    pub(super) fn ask_join(&mut self, id: InstanceId) {
        if !self.is_asked(&Asked::Join(id)) {
            self.ask(Verb::Join(id), Asked::Join(id));
        }
    }

    /// One is in.
    pub(super) fn joined(&mut self, id: InstanceId, posted: Option<Posted>) {
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.wants_in = true;
            if room.following {
                room.settled();
            }
        }
        if let Some(posted) = posted {
            self.model.meetings.set_joined(id, Some(posted.timestamp));
        }
        self.flush(id);
    }

    /// One is not let in; or not yet, and means to be in all the same.
    pub(super) fn join_refused(&mut self, id: InstanceId, reject: &Reject) {
        let meant = self.model.rooms.get(&id).is_some_and(|room| room.wants_in);
        if meant && may_pass(reject.code) {
            self.again_later(id, reject);
            return self.tell_no_of(id, reject);
        }
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.wants_in = false;
        }
        self.model.outbox.fail(id, &reject.detail);
        self.flush(id);
        self.tell_no_of(id, reject);
    }

    /// Asks to leave the shown meeting.
    pub(super) fn leave(&mut self) {
        let Some(id) = self
            .model
            .room()
            .filter(|room| room.wants_in)
            .map(|room| room.id)
        else {
            return self.model.tell(Tone::Bad, "you are not in this meeting");
        };
        self.ask_or_tell(Verb::Leave(id), Asked::Leave(id));
    }

    /// One has left.
    pub(super) fn left(&mut self, id: InstanceId) {
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.wants_in = false;
        }
        self.model.outbox.fail(id, "you left the meeting");
        self.flush(id);
        self.model.meetings.set_joined(id, None);
        let title = self.title_of(id);
        self.model.tell(Tone::Plain, format!("you left {title}"));
        let under_way = self
            .model
            .asks
            .values()
            .any(|asked| matches!(asked, Asked::Leave(_)));
        if self.model.quit_at.is_some() && !under_way {
            self.model.quit_at = None;
            self.quit_now();
        }
    }

    /// Into the list, or out of it.
    pub(super) fn toggle_meetings(&mut self) {
        let beside = matches!(self.model.panes().form, Form::Three | Form::Two);
        if self.model.focus == Focus::List {
            self.model.focus = Focus::Input;
            self.model.drawer = None;
        } else {
            self.end_select();
            self.model.focus = Focus::List;
            self.model.overlay = None;
            self.model.drawer = (!beside).then_some(Drawer::Meetings);
        }
    }

    /// The people, where they are not beside the chat.
    pub(super) fn toggle_people(&mut self) {
        if self.model.panes().form == Form::Three {
            return self
                .model
                .tell(Tone::Plain, "the people stand at the right; /who says more");
        }
        let open = self.model.drawer == Some(Drawer::People);
        self.model.drawer = (!open).then_some(Drawer::People);
        self.model.focus = Focus::Input;
        self.model.overlay = None;
    }

    /// A meeting's title, to speak of it.
    pub(super) fn title_of(&self, id: InstanceId) -> String {
        let title = self
            .model
            .instance(id)
            .map(|instance| text::one_line(&instance.title));
        title.unwrap_or_else(|| format!("meeting {id}"))
    }

    fn listed_ids(&self) -> Vec<InstanceId> {
        let entries = self.model.meetings.entries(self.model.now, self.model.zone);
        entries.into_iter().map(|entry| entry.instance.id).collect()
    }
}
