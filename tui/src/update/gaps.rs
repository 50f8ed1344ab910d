//! Requests for missing parts of a log, ahead of scrolling or when selected.

use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::{Events, EventsOk, Verb};

use super::Step;
use crate::model::Asked;
use crate::model::layer::selection::Selection;
use crate::model::scroll::{self, Place};
use crate::theme::Tone;

const PAGE_EVENTS: u64 = 200;
/// Events read on either side of a jump target: a few screens.
const AROUND_EVENTS: u64 = 60;

impl Step<'_> {
    /// Requests the events right before this one.
    pub(super) fn ask_older(&mut self, id: InstanceId, before: Seq) {
        let events = page(id, None, Some(before), PAGE_EVENTS);
        self.ask_missing(id, before, events, Asked::Older(id, before));
    }

    /// Requests the first of the events missing before this one.
    pub(super) fn ask_between(&mut self, id: InstanceId, event: Seq) {
        let log = self.model.rooms.get(&id).and_then(|room| room.log.as_ref());
        let Some(after) = log.and_then(|log| log.missing_before(event)) else {
            return;
        };
        // Only the missing ones: known events are not read again.
        let missing = event.get().saturating_sub(after.get() + 1);
        let events = page(id, Some(after), None, missing.min(PAGE_EVENTS));
        self.ask_missing(id, event, events, Asked::Between(id));
    }

    /// Applies the events before the first one or before a gap.
    pub(super) fn older(&mut self, id: InstanceId, before: Seq, ok: EventsOk) {
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        room.requested_older = None;
        // After a fence the log may start elsewhere.
        if let Some(log) = &mut room.log
            && (log.older_than() == Some(before) || log.event(before).is_some())
        {
            log.add_page(ok, Some(before));
            room.derive_left();
        }
    }

    /// Applies the first events of a gap.
    pub(super) fn between(&mut self, id: InstanceId, ok: EventsOk) {
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        room.requested_older = None;
        if let Some(log) = &mut room.log {
            log.add_page(ok, None);
            room.derive_left();
        }
    }

    /// Applies the events around a jump target.
    pub(super) fn around(&mut self, id: InstanceId, before: Seq, ok: EventsOk) {
        self.older_unless_known(id, before, ok);
        let Some((to, seq)) = self.model.jump.filter(|(to, _)| *to == id) else {
            return;
        };
        let log = self.model.rooms.get(&to).and_then(|room| room.log.as_ref());
        if log.is_some_and(|log| log.event(seq).is_none()) {
            self.model.jump = None;
            let text = format!("Message {seq} no longer exists");
            self.model.tell(Tone::Bad, text);
        }
        self.arrive(id);
    }

    /// Jumps to the requested message in this meeting: selects it in the middle of the screen,
    /// after requesting the events around it if needed.
    pub(crate) fn arrive(&mut self, id: InstanceId) {
        let Some((_, seq)) = self.model.jump.filter(|(to, _)| *to == id) else {
            return;
        };
        let Some(room) = self.model.rooms.get(&id) else {
            return;
        };
        let Some(log) = &room.log else {
            return;
        };
        if log.event(seq).is_some() && self.model.shown == Some(id) {
            self.model.jump = None;
            let height = self.model.chat_rows();
            let middle = (height / 2).max(1);
            let room = &self.model.rooms[&id];
            let scroll = scroll::reaching(&self.model.room_view(room), middle, Place::Event(seq));
            self.centre(scroll);
            self.select(seq);
        } else if log.event(seq).is_none() && !self.is_asked_around(id) {
            let last = log.position().seq.get();
            let before = (seq.get() + AROUND_EVENTS).min(last + 1);
            let before = Seq::new(before).unwrap_or(seq.next());
            let events = page(id, None, Some(before), 2 * AROUND_EVENTS);
            self.ask_or_tell(Verb::Events(events), Asked::Around(id, before));
        }
    }

    /// Requests the events missing before this one, starting from the side of the selected message.
    pub(crate) fn fill_before(&mut self, event: Seq) {
        let Some(id) = self.model.shown else {
            return;
        };
        let above = self
            .model
            .layers
            .get::<Selection>()
            .is_some_and(|select| select.at < event);
        if above {
            self.ask_between(id, event);
        } else {
            self.ask_older(id, event);
        }
    }

    /// Requests the events before the first message.
    pub(crate) fn fill_older(&mut self) {
        let room = self.model.room();
        let more = room.and_then(|room| Some((room.id, room.log.as_ref()?.older_than()?)));
        match more {
            Some((id, before)) => self.ask_older(id, before),
            None => self.model.tell(Tone::Plain, "This is the first message"),
        }
    }

    /// Returns the event nearest to `from` with events missing before it, on the way to `to`.
    pub(crate) fn gap_between(&self, from: Seq, to: Seq) -> Option<Seq> {
        let log = self.model.room()?.log.as_ref()?;
        let lacks = |event: &&plenary_shared::domain::Event| {
            log.missing_before(event.seq)
                .is_some_and(|after| after >= from.min(to))
        };
        let found = if to < from {
            let mut upwards = log.events_before(from.next()).rev();
            upwards.find(|event| event.seq <= to || lacks(event))
        } else {
            let mut downwards = log.events_after(from);
            downwards.find(|event| lacks(event) || event.seq >= to)
        };
        found.filter(lacks).map(|event| event.seq)
    }

    fn older_unless_known(&mut self, id: InstanceId, before: Seq, ok: EventsOk) {
        if let Some(room) = self.model.rooms.get_mut(&id)
            && let Some(log) = &mut room.log
        {
            log.add_page(ok, Some(before));
            room.derive_left();
        }
    }

    fn is_asked_around(&self, id: InstanceId) -> bool {
        let mut asks = self.model.connection.requests.values();
        asks.any(|asked| matches!(asked, Asked::Around(of, _) if *of == id))
    }

    /// Sends at most one such request per meeting.
    fn ask_missing(&mut self, id: InstanceId, event: Seq, events: Events, asked: Asked) {
        let is_free = |room: &crate::model::room::Room| room.requested_older.is_none();
        if self.model.rooms.get(&id).is_some_and(is_free)
            && self.ask(Verb::Events(events), asked)
            && let Some(room) = self.model.rooms.get_mut(&id)
        {
            room.requested_older = Some(event);
        }
    }
}

fn page(instance: InstanceId, after: Option<Seq>, before: Option<Seq>, limit: u64) -> Events {
    Events {
        instance,
        after,
        before,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
    }
}
