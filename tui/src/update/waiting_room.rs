//! Waiting rooms: requests for who is waiting, and reporting that this user is.

use std::collections::BTreeMap;

use plenary_shared::domain::{InstanceState, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::FOLLOWED_MAX;
use plenary_shared::protocol::{Verb, Wait, WaitOk, WaitingChange};

use super::Step;
use super::rooms::is_temporary;
use crate::model::waiting_room::RETRY_MS;
use crate::model::{Asked, Link};
use crate::theme::Tone;

/// Meetings for which waiting is reported. Others are joined automatically all the same.
const AUTO_JOIN_MAX: usize = FOLLOWED_MAX / 2;

impl Step<'_> {
    /// Requests the waiting rooms of the meeting on screen and of those to join automatically.
    pub(super) fn request_waiting_rooms(&mut self) {
        if !matches!(self.model.connection.link, Link::Ready) {
            self.model.waiting.forget();
            return;
        }
        let wanted = self.wanted_waiting_rooms();
        let now = self.model.now;
        let (to_ask, gone) = self.model.waiting.changes_to(&wanted, now);
        for id in gone {
            // A started meeting may be open, and its waiting room is gone anyway.
            if self.is_scheduled(id) {
                self.ask(Verb::Close(id), Asked::Close);
            }
        }
        for (instance, waits) in to_ask {
            let wait = Verb::Wait(Wait {
                instance,
                waiting: waits,
            });
            if self.ask(wait, Asked::Wait(instance))
                && let Some(room) = self.model.waiting.get_mut(instance)
            {
                room.requested = Some(waits);
            }
        }
    }

    /// Returns the waiting rooms to watch, and whether the user waits there.
    fn wanted_waiting_rooms(&self) -> BTreeMap<InstanceId, bool> {
        let meetings = &self.model.meetings;
        let scheduled = meetings
            .iter()
            .filter(|instance| instance.state == InstanceState::Scheduled);
        let shown = self.model.shown.filter(|_| !self.model.shows_dashboard());
        let mut wanted: BTreeMap<InstanceId, bool> = scheduled
            .map(|instance| (instance.id, meetings.joins_automatically(instance.id)))
            .filter(|(_, waits)| *waits)
            .take(AUTO_JOIN_MAX)
            .collect();
        if let Some(id) = shown.filter(|id| self.is_scheduled(*id)) {
            wanted.entry(id).or_insert(false);
        }
        wanted
    }

    /// Applies who waits. If the user waits on another terminal, this one joins automatically too.
    pub(super) fn waiting_known(&mut self, id: InstanceId, ok: WaitOk) {
        let me = self.model.my_id();
        if ok.users.iter().any(|one| Some(one.id) == me) {
            self.share_auto_join(id, true);
        }
        self.model.waiting.set(id, ok);
    }

    /// Applies a change of who waits, which may come from another terminal of the user.
    pub(super) fn waiting_changed(&mut self, told: WaitingChange) {
        if Some(told.user) == self.model.my_id() {
            self.share_auto_join(told.instance, told.is_waiting);
        }
        self.model.waiting.apply(told);
    }

    fn share_auto_join(&mut self, id: InstanceId, joins: bool) {
        let now = self.model.now;
        let is_new = self.model.meetings.share_auto_join(id, joins, now);
        if is_new && self.model.shown == Some(id) {
            let state = if joins { "on" } else { "off" };
            let text = format!("Auto-join turned {state} on another terminal");
            self.model.tell(Tone::Plain, text);
        }
    }

    fn is_scheduled(&self, id: InstanceId) -> bool {
        let instance = self.model.instance(id);
        instance.is_some_and(|instance| instance.state == InstanceState::Scheduled)
    }

    /// Schedules another request if the rejection is temporary.
    pub(super) fn wait_rejected(&mut self, id: InstanceId, reject: &Reject) {
        let retry_at = self.model.now.plus_ms(RETRY_MS);
        if let Some(room) = self.model.waiting.get_mut(id) {
            room.retry_at = is_temporary(reject.code).then_some(retry_at);
        }
    }

    /// Requests a waiting room again after an incomplete push. Returns false if the meeting has
    /// none.
    pub(super) fn refresh_waiting_room(&mut self, id: InstanceId) -> bool {
        let room = self.model.waiting.get_mut(id);
        room.map(|room| room.requested = None).is_some()
    }
}
