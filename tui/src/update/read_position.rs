//! Read positions, on this terminal and others, and typing notices.

use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::limits::{ID_MAX, TYPING_EVERY_MS, TYPING_SHOWN_MS};
use plenary_shared::protocol::{MarkRead, ReadPositionChange, Typing, Unread, Verb};
use plenary_shared::text::mentions;

use super::Step;
use crate::model::next_tick::READ_REPORT_MS;
use crate::model::room::Room;
use crate::model::scroll::Place;
use crate::model::{Asked, Model};

impl Step<'_> {
    /// Advances the read position to the last visible row while scrolled up.
    pub(super) fn advance_read(&mut self) {
        let model = &*self.model;
        let looked = model.shown.filter(|id| model.is_viewing(*id));
        let Some(id) = looked.filter(|_| model.room().is_some_and(|room| room.unread > 0)) else {
            return;
        };
        let lowest = model.chat_places().into_iter().flatten().next_back();
        let up_to = match lowest {
            Some(Place::Event(seq)) => seq,
            Some(Place::Tail) => model.room().map_or(Seq::default(), Room::last),
            None => return,
        };
        if model.room().is_some_and(|room| up_to > room.seen) {
            self.read_to(id, up_to, true);
        }
    }

    /// Reports the read positions to the server, rate-limited.
    pub(super) fn report_read(&mut self) {
        let now = self.model.now;
        let is_due = |at| now.ms_since(at) >= READ_REPORT_MS;
        let due: Vec<(InstanceId, Seq)> = self
            .model
            .rooms
            .values()
            .filter(|room| room.read_unreported && room.read_reported_at.is_none_or(is_due))
            .map(|room| (room.id, room.seen))
            .collect();
        for (instance, seq) in due {
            let asked = self.ask(
                Verb::Read(MarkRead { instance, seq }),
                Asked::Read(instance),
            );
            if let Some(room) = self.model.rooms.get_mut(&instance).filter(|_| asked) {
                room.read_unreported = false;
                room.read_reported_at = Some(now);
            }
        }
    }

    /// Applies a read position from another terminal.
    pub(super) fn read_elsewhere(&mut self, read: ReadPositionChange) {
        let Some(room) = self.model.rooms.get_mut(&read.instance) else {
            return;
        };
        if read.read <= room.seen {
            return;
        }
        room.marked_unread = false;
        self.read_to(read.instance, read.read, false);
        if let Some(room) = self.model.rooms.get_mut(&read.instance)
            && room.unread == 0
        {
            room.divider = None;
        }
    }

    /// Applies the server's unread counts.
    pub(super) fn set_unread_counts(&mut self, unread: Vec<Unread>) {
        for left in &unread {
            self.refresh_unread(left.instance, Some(*left));
        }
        self.model.meetings.set_unread(unread);
    }

    /// Counts the unread messages of an open meeting, or takes the server's counts if the log is
    /// incomplete.
    pub(super) fn refresh_unread(&mut self, id: InstanceId, left: Option<Unread>) {
        let is_mention = is_mention(self.model);
        let me = self.model.my_id();
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        let Some(left) = left.filter(|_| room.is_loaded()) else {
            return;
        };
        let before = room.seen;
        if !room.marked_unread {
            room.seen = room.seen.max(left.read.min(room.last()));
        }
        if !room.recount(me, is_mention) && room.seen <= left.read && !room.marked_unread {
            room.unread = usize::try_from(left.unread).unwrap_or(usize::MAX);
            room.mentions = usize::try_from(left.mentions).unwrap_or(usize::MAX);
        }
        if room.seen > before && room.unread == 0 {
            room.divider = None;
        }
    }

    /// Counts again after an unread message was edited or deleted.
    pub(super) fn recount(&mut self, id: InstanceId) {
        let (me, is_mention) = (self.model.my_id(), is_mention(self.model));
        let room = self.model.rooms.get_mut(&id);
        if room.is_some_and(|room| !room.recount(me, is_mention)) {
            self.ask_meetings();
        }
    }

    /// `/read`: marks the meeting on screen as read, or with `all` every meeting.
    pub(super) fn read(&mut self, argument: &str) {
        let (now, shown) = (self.model.now, self.model.shown);
        for room in self.model.rooms.values_mut() {
            if argument == "all" || Some(room.id) == shown {
                room.marked_unread = false;
                room.divider = None;
                room.mark_read(now);
            }
        }
        let listed = self.model.meetings.iter().map(|instance| instance.id);
        let unopened: Vec<InstanceId> = listed
            .filter(|id| argument == "all" || Some(*id) == shown)
            .filter(|id| {
                self.model
                    .rooms
                    .get(id)
                    .is_none_or(|room| !room.is_loaded())
            })
            .filter(|id| self.model.unread_of(*id).0 > 0)
            .collect();
        for instance in unopened {
            // The server limits it to the last event.
            let seq = Seq::new(ID_MAX).unwrap_or_default();
            let read = Verb::Read(MarkRead { instance, seq });
            if self.ask_or_tell(read, Asked::Read(instance)) {
                self.model.meetings.set_read(instance);
            }
        }
    }

    /// Another user is typing.
    pub(super) fn typing(&mut self, typing: Typing) {
        let until = self.model.now.plus_ms(TYPING_SHOWN_MS);
        let me = self.model.my_id();
        if let Some(room) = self.model.rooms.get_mut(&typing.instance)
            && Some(typing.user) != me
            && room.has(Some(typing.user))
        {
            room.typing.insert(typing.user, until);
        }
    }

    /// Reports typing to the server, rate-limited. Commands are not reported.
    pub(super) fn report_typing(&mut self) {
        let (now, me) = (self.model.now, self.model.my_id());
        let Some(composer) = self.model.composer() else {
            return;
        };
        let text = composer.editor.text();
        let is_word =
            text.starts_with('/') && !text.starts_with("//") && !composer.target().is_change();
        if is_word || text.trim().is_empty() {
            return;
        }
        let recent = |at| now.ms_since(at) < TYPING_EVERY_MS;
        let room = self.model.room();
        let room = room.filter(|room| room.following && room.has(me));
        let Some(id) = room
            .filter(|room| !room.typing_reported_at.is_some_and(recent))
            .map(|room| room.id)
        else {
            return;
        };
        if self.ask(Verb::Typing(id), Asked::Typing)
            && let Some(room) = self.model.rooms.get_mut(&id)
        {
            room.typing_reported_at = Some(now);
        }
    }

    fn read_to(&mut self, id: InstanceId, seq: Seq, is_here: bool) {
        let (me, is_mention) = (self.model.my_id(), is_mention(self.model));
        let Some(room) = self.model.rooms.get_mut(&id) else {
            return;
        };
        room.read_unreported |= is_here;
        if !room.read_to(seq, me, is_mention) {
            // Only the server can count the rest.
            self.ask_meetings();
        }
    }
}

/// Returns a test for mentions of the signed-in user.
fn is_mention(model: &Model) -> impl Fn(&str) -> bool + use<> {
    let name = model
        .session
        .me
        .as_ref()
        .map_or_else(String::new, |me| me.name.clone());
    move |body| mentions(body, &name)
}
