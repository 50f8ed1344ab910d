//! Who waits for meetings that have not begun: one's own waiting, and that of others.

use std::collections::BTreeMap;

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{WaitOk, WaitTold};
use plenary_shared::time::Timestamp;

use crate::model::Model;
use crate::text;

/// After so long the server is asked again that did not know, in milliseconds.
pub const AGAIN_MS: i64 = 5_000;

/// Names of those who wait that are said beside the countdown; of more, only how many.
const NAMES_MAX: usize = 12;

/// One meeting that has not begun, as the server tells of it.
#[derive(Clone, Debug, Default)]
pub struct WaitingRoom {
    /// What the server was asked last: whether one waits, or only looks.
    pub asked: Option<bool>,
    /// When it is asked again.
    pub again_at: Option<Timestamp>,
    /// How many wait, once that is known.
    pub count: Option<usize>,
    /// Those whose names are known.
    people: BTreeMap<UserId, String>,
}

/// What the server tells of.
#[derive(Clone, Debug, Default)]
pub struct WaitingRooms(BTreeMap<InstanceId, WaitingRoom>);

impl WaitingRoom {
    fn told(&mut self, told: WaitTold) {
        self.count = Some(told.count);
        if told.waits {
            self.people.insert(told.user, told.name);
        } else {
            self.people.remove(&told.user);
        }
    }

    /// Those who wait whose names are known: oneself first, then by name.
    pub fn people(&self, me: Option<UserId>) -> Vec<(UserId, &str)> {
        let people = self.people.iter();
        let mut people: Vec<_> = people.map(|(id, name)| (*id, name.as_str())).collect();
        people.sort_by_key(|(id, name)| (Some(*id) != me, name.to_lowercase(), *id));
        people
    }
}

impl WaitingRooms {
    /// What is known of one.
    pub fn get(&self, id: InstanceId) -> Option<&WaitingRoom> {
        self.0.get(&id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: InstanceId) -> Option<&mut WaitingRoom> {
        self.0.get_mut(&id)
    }

    /// What the server must be asked so that it tells of these, and whether one waits there: what is
    /// new or other than before, and what is not wanted any more.
    pub fn differences(
        &mut self,
        wanted: &BTreeMap<InstanceId, bool>,
        now: Timestamp,
    ) -> (Vec<(InstanceId, bool)>, Vec<InstanceId>) {
        let gone = self.0.extract_if(.., |id, _| !wanted.contains_key(id));
        let gone = gone.filter(|(_, room)| room.asked.is_some());
        let gone = gone.map(|(id, _)| id).collect();
        let mut to_ask = Vec::new();
        for (id, waits) in wanted {
            let room = self.0.entry(*id).or_default();
            let again = room.again_at.take_if(|at| *at <= now).is_some();
            if room.asked != Some(*waits) || again {
                to_ask.push((*id, *waits));
            }
        }
        (to_ask, gone)
    }

    /// The server knows nothing any more of what it was asked.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// What the server answered.
    pub fn answered(&mut self, id: InstanceId, ok: WaitOk) {
        if let Some(room) = self.0.get_mut(&id) {
            room.count = Some(ok.count);
            let people = ok.people.into_iter();
            room.people = people.map(|one| (one.id, one.name)).collect();
        }
    }

    /// What the server tells.
    pub fn told(&mut self, told: WaitTold) {
        if let Some(room) = self.0.get_mut(&told.instance) {
            room.told(told);
        }
    }

    /// When one is asked again next.
    pub fn again_at(&self) -> impl Iterator<Item = Timestamp> {
        self.0.values().filter_map(|room| room.again_at)
    }
}

impl Model {
    /// Who waits for a meeting that has not begun, in words, as far as that is known.
    pub fn who_waits(&self, id: InstanceId) -> Option<String> {
        let room = self.waiting.get(id)?;
        let (count, me) = (room.count?, self.my_id());
        let mut names: Vec<String> = room
            .people(me)
            .into_iter()
            .map(|(id, name)| {
                if Some(id) == me {
                    "you".to_owned()
                } else {
                    text::one_line(name)
                }
            })
            .take(NAMES_MAX)
            .collect();
        let count = count.max(names.len());
        if count == 0 {
            return Some("nobody waits yet".to_owned());
        }
        if count > names.len() {
            names.push(format!("{} more", count - names.len()));
        }
        Some(format!("{count} waiting: {}", names.join(", ")))
    }
}
