//! Waiting rooms: requests for who is waiting, and reporting that this user is.

use std::collections::BTreeMap;

use plenary_shared::domain::{InstanceState, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::FOLLOWED_MAX;
use plenary_shared::protocol::{Verb, Wait};

use super::Step;
use super::rooms::may_pass;
use crate::model::waiting::AGAIN_MS;
use crate::model::{Asked, Link};

/// Meetings for which waiting is reported. Others are joined automatically all the same.
const WAITED_FOR_MAX: usize = FOLLOWED_MAX / 2;

impl Step<'_> {
    /// Requests the waiting rooms of the meeting on screen and of those to join automatically.
    pub(super) fn look_who_waits(&mut self) {
        if !matches!(self.model.link, Link::Ready) {
            self.model.waiting.forget();
            return;
        }
        let wanted = self.wanted_of_waiting();
        let now = self.model.now;
        let (to_ask, gone) = self.model.waiting.differences(&wanted, now);
        for id in gone {
            // A started meeting may be open, and its waiting room is gone anyway.
            if self.is_scheduled(id) {
                self.ask(Verb::Close(id), Asked::Close);
            }
        }
        for (instance, waits) in to_ask {
            let wait = Verb::Wait(Wait { instance, waits });
            if self.ask(wait, Asked::Wait(instance))
                && let Some(room) = self.model.waiting.get_mut(instance)
            {
                room.asked = Some(waits);
            }
        }
    }

    /// Returns the waiting rooms to watch, and whether the user waits there.
    fn wanted_of_waiting(&self) -> BTreeMap<InstanceId, bool> {
        let meetings = &self.model.meetings;
        let scheduled = meetings
            .iter()
            .filter(|instance| instance.state == InstanceState::Scheduled);
        let shown = self.model.shown.filter(|_| !self.model.shows_dashboard());
        let mut wanted: BTreeMap<InstanceId, bool> = scheduled
            .map(|instance| (instance.id, meetings.is_waited_for(instance.id)))
            .filter(|(_, waits)| *waits)
            .take(WAITED_FOR_MAX)
            .collect();
        if let Some(id) = shown.filter(|id| self.is_scheduled(*id)) {
            wanted.entry(id).or_insert(false);
        }
        wanted
    }

    fn is_scheduled(&self, id: InstanceId) -> bool {
        let instance = self.model.instance(id);
        instance.is_some_and(|instance| instance.state == InstanceState::Scheduled)
    }

    /// Schedules another request if the rejection is temporary.
    pub(super) fn wait_refused(&mut self, id: InstanceId, reject: &Reject) {
        let again_at = self.model.now.plus_ms(AGAIN_MS);
        if let Some(room) = self.model.waiting.get_mut(id) {
            room.again_at = may_pass(reject.code).then_some(again_at);
        }
    }

    /// Requests a waiting room again after an incomplete push. Returns false if the meeting has
    /// none.
    pub(super) fn look_again_who_waits(&mut self, id: InstanceId) -> bool {
        let room = self.model.waiting.get_mut(id);
        room.map(|room| room.asked = None).is_some()
    }
}
