//! Switching between meetings, joining and leaving.

use plenary_shared::domain::{Code, InstanceState, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{MeetingsOk, Posted, Verb};

use super::Step;
use super::rooms::is_temporary;
use crate::clock;
use crate::layout::Form;
use crate::model::layer::meeting_list::MeetingList;
use crate::model::{Asked, Cause};
use crate::text;
use crate::theme::Tone;

impl Step<'_> {
    /// Applies the list of meetings.
    pub(super) fn meetings_received(&mut self, ok: MeetingsOk) {
        let first = !self.model.meetings.loaded;
        self.model.meetings.set(ok.meetings);
        self.set_unread_counts(ok.unread);
        if self.model.meetings.stale {
            self.ask_meetings();
        }
        if first {
            // After a restart, reopen the joined meetings.
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
        if let Some(id) = self.model.meetings.cancelled_auto_join() {
            let title = self.title_of(id);
            self.model.tell(Tone::Bad, format!("{title} was cancelled"));
        }
        for id in self.model.meetings.take_started() {
            let title = self.title_of(id);
            self.model
                .tell(Tone::Good, format!("{title} has started; joining"));
            self.join(id);
        }
        self.recheck_ended();
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

    /// Shows a meeting.
    pub(crate) fn show(&mut self, id: InstanceId) {
        if self.model.shown != Some(id) {
            self.close_selection();
            self.model.shown_before = self.model.shown;
            self.model.shown = Some(id);
            // Switching elsewhere cancels a pending jump.
            self.model.jump = self.model.jump.filter(|(to, _)| *to == id);
            self.model.confirming = None;
            if let Some(room) = self.model.rooms.get_mut(&id) {
                room.marked_unread = false;
            }
        }
    }

    /// Switches to the next or previous meeting in the list.
    pub(crate) fn step_meeting(&mut self, forward: bool) {
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

    /// Switches to the meeting with this number.
    pub(super) fn nth_meeting(&mut self, nth: usize) {
        match self.model.meetings.numbered(nth + 1) {
            Some(id) => self.show(id),
            None => self
                .model
                .tell(Tone::Plain, format!("No meeting {}", nth + 1)),
        }
    }

    /// Switches to the next meeting with unread messages, those with mentions first.
    pub(super) fn next_unread(&mut self) {
        match self.model.next_unread() {
            Some(id) => {
                self.show(id);
                let divider = self.model.room().and_then(|room| room.divider);
                if divider.is_some_and(|divider| divider.count > 0) {
                    self.scroll_first_unread();
                }
            }
            None => self.model.tell(Tone::Plain, "No unread messages"),
        }
    }

    /// Joins a live meeting, opens an ended one, or toggles automatic joining.
    pub(crate) fn enter_meeting(&mut self, id: InstanceId) {
        self.show(id);
        self.model.layers.remove::<MeetingList>();
        let Some(instance) = self.model.instance(id) else {
            // Not listed: reading it tells what it is.
            self.open(id);
            if !self.is_ready() {
                let why = "Not connected. The meeting opens once the connection is back";
                self.model.tell_until(Cause::Connection, Tone::Bad, why);
            }
            return;
        };
        match instance.state {
            // Already joined.
            InstanceState::Active if self.model.rooms.get(&id).is_some_and(|r| r.wants_to_join) => {
            }
            InstanceState::Active => self.join(id),
            InstanceState::Ending | InstanceState::Ended => self.open(id),
            InstanceState::Scheduled => {
                let starts = self.model.zone.weekday_hm(instance.fromdatetime);
                let left = clock::left(self.model.now, instance.fromdatetime);
                let title = self.title_of(id);
                let text = if self.model.meetings.toggle_auto_join(id, self.model.now) {
                    format!("You'll join {title} {starts} (in {left})")
                } else {
                    format!("Auto-join off for {title}")
                };
                self.model.tell(Tone::Plain, text);
            }
        }
    }

    /// Joins a meeting.
    pub(super) fn join(&mut self, id: InstanceId) {
        if !self.is_ready() {
            let text = "Not connected. You'll join once the connection is back";
            self.model.tell_until(Cause::Connection, Tone::Bad, text);
        }
        // Join before opening, so that the user is among the participants read.
        self.ask_join(id);
        self.open(id);
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.wants_to_join = true;
        }
    }

    /// Requests to join, unless that is pending.
    pub(super) fn ask_join(&mut self, id: InstanceId) {
        if !self.is_asked(&Asked::Join(id)) {
            self.ask(Verb::Join(id), Asked::Join(id));
        }
    }

    /// Handles a successful join.
    pub(super) fn joined(&mut self, id: InstanceId, posted: Option<Posted>) {
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.wants_to_join = true;
            if room.following {
                room.cancel_retry();
            }
        }
        if let Some(posted) = posted {
            self.model.meetings.set_joined(id, Some(posted.timestamp));
        }
        self.send_next(id);
    }

    /// Handles a rejected join, with a retry if the reason is temporary.
    pub(super) fn join_rejected(&mut self, id: InstanceId, reject: &Reject) {
        let wants_to_join = self
            .model
            .rooms
            .get(&id)
            .is_some_and(|room| room.wants_to_join);
        if wants_to_join && is_temporary(reject.code) {
            self.retry_later(id, reject);
            return self.show_rejection_of(id, reject);
        }
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.wants_to_join = false;
            room.restrictions.locked |= reject.code == Code::Locked;
        }
        self.model.outbox.reject_unsent(id, &reject.detail);
        self.send_next(id);
        self.show_rejection_of(id, reject);
    }

    /// Requests to leave the meeting on screen.
    pub(super) fn leave(&mut self) {
        let Some(id) = self
            .model
            .room()
            .filter(|room| room.wants_to_join)
            .map(|room| room.id)
        else {
            return self.model.tell(Tone::Bad, "You are not in this meeting");
        };
        self.ask_or_tell(Verb::Leave(id), Asked::Leave(id));
    }

    /// Handles a successful leave.
    pub(super) fn left(&mut self, id: InstanceId) {
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.wants_to_join = false;
        }
        self.model.outbox.reject_unsent(id, "you left the meeting");
        self.send_next(id);
        self.model.meetings.set_joined(id, None);
        let title = self.title_of(id);
        self.model.tell(Tone::Plain, format!("You left {title}"));
        let under_way = self
            .model
            .connection
            .requests
            .values()
            .any(|asked| matches!(asked, Asked::Leave(_)));
        if self.model.quitting.forced_at.is_some() && !under_way {
            self.model.quitting.forced_at = None;
            self.quit_now();
        }
    }

    /// Shows or hides the meetings beside the chat.
    pub(super) fn hide_meetings(&mut self) {
        self.model.hidden.meetings = !self.model.hidden.meetings;
    }

    /// Shows or hides the participants, beside the chat or over it.
    pub(super) fn toggle_people(&mut self) {
        if self.model.panes().form == Form::Three {
            self.model.hidden.people = !self.model.hidden.people;
            return;
        }
        self.model.people_open = !self.model.people_open;
        self.model.layers.remove::<MeetingList>();
    }

    /// Returns a meeting's title for a notice.
    pub(crate) fn title_of(&self, id: InstanceId) -> String {
        let title = self
            .model
            .instance(id)
            .map(|instance| text::one_line(&instance.title));
        title.unwrap_or_else(|| format!("meeting {id}"))
    }

    pub(crate) fn listed_ids(&self) -> Vec<InstanceId> {
        let entries = self.model.meetings.entries(self.model.now, self.model.zone);
        entries.into_iter().map(|entry| entry.instance.id).collect()
    }
}
