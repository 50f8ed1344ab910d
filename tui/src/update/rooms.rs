//! Open meetings: opening, events, gaps and fences.

use plenary_shared::domain::{
    Code, EndChange, Event, EventKind, InstanceState, Moderation, ModerationAction, ModerationKind,
    Reason, Reject,
};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::limits;
use plenary_shared::protocol::{Events, EventsOk, Fence, Open, OpenOk, Verb};
use plenary_shared::replica::{Applied, Replica};
use plenary_shared::text::mentions;

use super::Step;
use crate::model::Asked;
use crate::model::room::Room;
use crate::theme::Tone;

/// Events read on opening a meeting: a few screens.
const OPENED_EVENTS: usize = 200;

impl Step<'_> {
    /// Opens a meeting. The room exists at once, its log follows.
    pub(crate) fn open(&mut self, id: InstanceId) {
        let now = self.model.now;
        self.evict_room();
        let room = self
            .model
            .rooms
            .entry(id)
            .or_insert_with(|| Room::new(id, now));
        if !room.is_loaded() || !(room.following || room.is_closed()) {
            self.ask_open(id);
        }
    }

    /// Requests to open a meeting, unless that is pending.
    pub(super) fn ask_open(&mut self, instance: InstanceId) {
        if !self.is_asked(&Asked::Open(instance)) {
            let open = Open {
                instance,
                limit: OPENED_EVENTS,
            };
            self.ask(Verb::Open(open), Asked::Open(instance));
        }
    }

    /// Applies an opened meeting, which is subscribed from now on.
    pub(super) fn opened(&mut self, id: InstanceId, ok: OpenOk) {
        let (left, absent, people) = (ok.unread, ok.absent.clone(), ok.roster.clone());
        let me = self.model.my_id();
        let has_ended = matches!(
            ok.instance.state,
            InstanceState::Ending | InstanceState::Ended
        );
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        room.following = !has_ended;
        room.restrictions = ok.restrictions;
        room.set_attendance(&people, absent);
        room.requested_older = None;
        room.requested_newer = false;
        let mut after = room.last();
        let is_in_cache = room.cached_at.take().is_some();
        if let Some(log) = room.log.as_mut().filter(|_| !is_in_cache) {
            let common = log.durable();
            let is_anew = log.position().generation != ok.generation;
            log.reopen(ok);
            if is_anew {
                after = after.min(common);
                room.void_above(common);
            }
            self.apply_page(id, after);
        } else {
            room.log = Some(Replica::new(ok));
            match left {
                Some(left) => room.set_read_position(&left),
                None => room.seen = room.last(),
            }
        }
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.derive_left();
        }
        self.refresh_unread(id, left);
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        room.retry_at = None;
        if has_ended {
            room.wants_to_join = false;
            room.cancel_retry();
        } else if room.has(me) {
            room.wants_to_join = true;
            room.cancel_retry();
        } else if room.wants_to_join {
            self.ask_join(id);
        } else {
            room.cancel_retry();
        }
        self.reconcile_outbox(id);
        if has_ended {
            self.model.outbox.reject_unsent(id, Code::Ended.sentence());
        }
        self.update_list_entry(id);
        self.send_next(id);
        self.arrive(id);
    }

    /// Handles a rejected open: retries a temporary error, otherwise removes the meeting.
    pub(super) fn open_rejected(&mut self, id: InstanceId, reject: &Reject) {
        self.show_rejection_of(id, reject);
        let room = self.model.rooms.get(&id);
        let is_loaded = room.is_some_and(Room::is_loaded);
        let is_deleted = matches!(
            reject.code,
            Code::NotFound | Code::NotAllowed | Code::NotStarted
        );
        if is_temporary(reject.code) {
            self.retry_later(id, reject);
        } else if !is_loaded {
            self.model.rooms.remove(&id);
            self.show_known(id);
        } else if is_deleted && !room.is_some_and(Room::is_closed) {
            self.remove_unreadable(id);
        }
        // Still ask for the outcome of messages sent there.
        self.send_next(id);
    }

    /// Schedules a retry after a temporary error.
    pub(super) fn retry_later(&mut self, id: InstanceId, reject: &Reject) {
        let (now, (_, dice)) = (self.model.now, self.spare.0.as_u64_pair());
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.retry_later(now, reject.retry_after_s, dice);
        }
    }

    /// Applies an event of a subscribed meeting.
    pub(super) fn event(&mut self, event: &Event) {
        let id = event.instance;
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        let Some(log) = &mut room.log else {
            return;
        };
        let is_new = event.seq > log.position().seq;
        if let EventKind::Leave { user, .. } = &event.kind
            && is_new
        {
            let member = log.members().into_iter().find(|member| member.id == *user);
            let joined = member.map(|member| member.joined);
            room.left.insert(*user, (joined, event.timestamp));
        }
        match log.apply(event.clone()) {
            Applied::Applied => self.applied(id, event),
            Applied::Known => {}
            Applied::Gap { .. } => self.ask_newer(id),
            Applied::OtherGeneration => self.ask_open(id),
        }
    }

    /// Requests the events after the last one, unless that is pending.
    pub(super) fn ask_newer(&mut self, id: InstanceId) {
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        if room.requested_newer {
            return;
        }
        let after = Some(room.last());
        room.requested_newer = true;
        let events = Events {
            instance: id,
            after,
            before: None,
            limit: limits::PAGE_MAX,
        };
        if !self.ask(Verb::Events(events), Asked::Newer(id))
            && let Some(room) = self.model.rooms.get_mut(&id)
        {
            room.requested_newer = false;
        }
    }

    /// Applies the events after the last one.
    pub(super) fn newer(&mut self, id: InstanceId, ok: EventsOk) {
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        room.requested_newer = false;
        let (after, more) = (room.last(), ok.more);
        if let Some(log) = &mut room.log {
            log.add_page(ok, None);
            room.derive_left();
        }
        let advanced = room.last() > after;
        self.apply_page(id, after);
        self.reconcile_outbox(id);
        // An empty page would be followed by another empty page.
        if more && advanced {
            self.ask_newer(id);
        }
    }

    /// Applies a fence: events above its base are void, and the user's own ones among them are sent
    /// again under their ids.
    pub(super) fn fence(&mut self, fence: Fence) {
        let (me, now) = (self.model.my_id(), self.model.now);
        let Some(room) = self.model.rooms.get_mut(&fence.instance) else {
            return;
        };
        let Some(log) = &mut room.log else {
            return;
        };
        let Some(void) = log.fence(fence) else {
            return;
        };
        let outbox = &mut self.model.outbox;
        outbox.apply_fence(fence.instance, fence.base, &void, me, now);
        room.following = false;
        room.void_above(fence.base);
        self.ask_open(fence.instance);
    }

    /// Updates the model after an event was added to its log.
    fn applied(&mut self, id: InstanceId, event: &Event) {
        let me = self.model.session.me.clone();
        let my_id = me.as_ref().map(|me| me.id);
        let is_viewing = self.model.is_viewing_end(id);
        let is_mention = match (&event.kind, &me) {
            (EventKind::Message { body, .. }, Some(me)) => mentions(body.as_str(), &me.name),
            _ => false,
        };
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        room.event_applied(event, my_id, is_viewing, is_mention);
        if let EventKind::Join { user, .. } | EventKind::Leave { user, .. } = &event.kind {
            room.reset_presence(*user);
        }
        self.collect_notification(id, event, is_mention);
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        let generation = room.log.as_ref().map(|log| log.position().generation);
        match &event.kind {
            EventKind::Message { user, cmid, .. }
            | EventKind::Edited { user, cmid, .. }
            | EventKind::Deleted { user, cmid, .. }
                if Some(*user) == my_id =>
            {
                let generation = generation.unwrap_or_default();
                let outbox = &mut self.model.outbox;
                outbox.event_received(*cmid, event.seq, generation);
                self.send_next(id);
            }
            EventKind::Join { user, .. } if Some(*user) == my_id => {
                room.wants_to_join = true;
                self.update_list_entry(id);
                self.send_next(id);
            }
            EventKind::Leave { user, reason } if Some(*user) == my_id => {
                let is_away = matches!(reason, Reason::ConnectionLost | Reason::Suspended);
                room.wants_to_join &= is_away;
                self.has_left(id);
            }
            EventKind::Closed { .. } => {
                room.wants_to_join = false;
                room.following = false;
                self.model.outbox.reject_unsent(id, Code::Ended.sentence());
                self.send_next(id);
                self.update_list_entry(id);
                self.ask_meetings();
            }
            EventKind::Leave { .. } | EventKind::Join { .. } => self.update_list_entry(id),
            EventKind::Edited { target, .. } | EventKind::Deleted { target, .. }
                if *target > room.seen =>
            {
                self.recount(id);
            }
            EventKind::Moderated(done) => self.moderated(id, done),
            EventKind::Opened
            | EventKind::Message { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. } => {}
        }
    }

    /// Handles the user's leave: joins again if they did not want to leave.
    fn has_left(&mut self, id: InstanceId) {
        let room = self.model.rooms.get(&id);
        if room.is_some_and(|room| room.wants_to_join) {
            // The reconnect grace period ended before the connection was back.
            self.ask_join(id);
        } else {
            let outbox = &mut self.model.outbox;
            outbox.reject_unsent(id, Code::NotParticipant.sentence());
            self.send_next(id);
        }
        self.update_list_entry(id);
    }

    /// Handles a moderation action: the end may have moved, or it concerns this user.
    fn moderated(&mut self, id: InstanceId, done: &Moderation) {
        if let ModerationAction::Extend(EndChange { todatetime, .. }) = done.action {
            self.model.meetings.set_end(id, todatetime);
        }
        let me = self.model.my_id();
        if let Some(room) = self.model.rooms.get_mut(&id) {
            room.restrictions.apply(&done.action, me);
        }
        if done.action.target().is_none_or(|whom| Some(whom.id) != me) {
            return;
        }
        if matches!(
            done.action,
            ModerationAction::Remove(_) | ModerationAction::Ban(_)
        ) && let Some(room) = self.model.rooms.get_mut(&id)
        {
            // Do not join again automatically.
            room.wants_to_join = false;
        }
        let zone = self.model.zone;
        let sentence = done.sentence(|_| "you".to_owned(), |at| zone.hm(at));
        let text = format!("{}: {} {sentence}", self.title_of(id), done.name);
        let tone = match done.action.kind() {
            ModerationKind::Mute | ModerationKind::Remove | ModerationKind::Ban => Tone::Bad,
            ModerationKind::Unmute
            | ModerationKind::Unban
            | ModerationKind::Extend
            | ModerationKind::End
            | ModerationKind::Lock
            | ModerationKind::Unlock
            | ModerationKind::ReadOnly
            | ModerationKind::Writable
            | ModerationKind::Announce => Tone::Good,
        };
        self.model.tell(tone, crate::text::one_line(&text));
    }

    /// Handles the events above `after`, which came in a page.
    fn apply_page(&mut self, id: InstanceId, after: Seq) {
        let Some(room) = self.model.rooms.get(&id) else {
            return;
        };
        let events: Vec<Event> = room
            .log
            .iter()
            .flat_map(|log| log.events_after(after))
            .cloned()
            .collect();
        for event in events {
            self.applied(id, &event);
        }
    }

    /// Updates the outbox from the log.
    fn reconcile_outbox(&mut self, id: InstanceId) {
        let log = self.model.rooms.get(&id).and_then(|room| room.log.as_ref());
        if let Some(log) = log {
            self.model.outbox.reconcile(log);
        }
        self.send_next(id);
    }

    /// Opens ended meetings again whose last messages are not known to be durable.
    pub(super) fn recheck_ended(&mut self) {
        let rooms = self.model.rooms.values();
        let ids: Vec<InstanceId> = rooms
            .filter(|room| room.is_closed() && self.model.outbox.has_acknowledged(room.id))
            .map(|room| room.id)
            .collect();
        for id in ids {
            self.ask_open(id);
        }
    }

    /// Updates the meeting list from the log.
    fn update_list_entry(&mut self, id: InstanceId) {
        let Some(room) = self.model.rooms.get(&id) else {
            return;
        };
        let Some(log) = &room.log else {
            return;
        };
        let me = self.model.my_id();
        let members = log.members();
        let joined = members
            .iter()
            .find(|member| Some(member.id) == me)
            .map(|m| m.joined);
        let count = members.len();
        self.model.meetings.set_joined(id, joined);
        self.model.meetings.set_participants(id, count);
    }

    /// Closes the least recently viewed meeting if the limit of subscriptions is reached.
    fn evict_room(&mut self) {
        if self.model.rooms.len() < limits::FOLLOWED_MAX {
            return;
        }
        let shown = self.model.shown;
        let rooms = self.model.rooms.values();
        let idle = rooms.filter(|room| !room.wants_to_join && Some(room.id) != shown);
        let Some(oldest) = idle.min_by_key(|room| room.viewed_at).map(|room| room.id) else {
            return;
        };
        self.model.rooms.remove(&oldest);
        self.ask(Verb::Close(oldest), Asked::Close);
    }
}

/// Returns whether a rejection is temporary.
pub(super) const fn is_temporary(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::ArchiveBehind
            | Code::DiskReserve
            | Code::TooManyRequests
            | Code::RateLimited
            | Code::Internal
    )
}
