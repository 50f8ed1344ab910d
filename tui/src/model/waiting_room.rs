//! The waiting rooms of meetings that have not started: the user's own waiting and that of others.

use std::collections::BTreeMap;

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{WaitOk, WaitingChange};
use plenary_shared::time::Timestamp;
use plenary_shared::unicode::fold;

use crate::model::Model;
use crate::text;

/// Delay before a failed request for a waiting room is repeated.
pub const RETRY_MS: i64 = 5_000;

/// Names listed beside the countdown. More are only counted.
const NAMES_MAX: usize = 12;

/// The waiting room of one meeting.
#[derive(Clone, Debug, Default)]
pub struct WaitingRoom {
    /// The last request: whether the user waits or only watches.
    pub requested: Option<bool>,
    /// When to repeat a failed request.
    pub retry_at: Option<Timestamp>,
    /// The number of waiting users, if known.
    pub count: Option<usize>,
    people: BTreeMap<UserId, String>,
}

/// The waiting rooms that the client watches.
#[derive(Clone, Debug, Default)]
pub struct WaitingRooms(BTreeMap<InstanceId, WaitingRoom>);

impl WaitingRoom {
    fn apply(&mut self, told: WaitingChange) {
        self.count = Some(told.count);
        if told.is_waiting {
            self.people.insert(told.user, told.name);
        } else {
            self.people.remove(&told.user);
        }
    }

    /// Returns the known waiting users: this user first, then by name.
    pub fn people(&self, me: Option<UserId>) -> Vec<(UserId, &str)> {
        let people = self.people.iter();
        let mut people: Vec<_> = people.map(|(id, name)| (*id, name.as_str())).collect();
        people.sort_by_key(|(id, name)| (Some(*id) != me, fold(name), *id));
        people
    }
}

impl WaitingRooms {
    /// Returns the waiting room of a meeting.
    pub fn get(&self, id: InstanceId) -> Option<&WaitingRoom> {
        self.0.get(&id)
    }

    /// Returns the waiting room of a meeting for changes.
    pub fn get_mut(&mut self, id: InstanceId) -> Option<&mut WaitingRoom> {
        self.0.get_mut(&id)
    }

    /// Compares the wanted waiting rooms with the watched ones. Returns those to request, with
    /// whether the user waits there, and those to close.
    pub fn changes_to(
        &mut self,
        wanted: &BTreeMap<InstanceId, bool>,
        now: Timestamp,
    ) -> (Vec<(InstanceId, bool)>, Vec<InstanceId>) {
        let gone = self.0.extract_if(.., |id, _| !wanted.contains_key(id));
        let gone = gone.filter(|(_, room)| room.requested.is_some());
        let gone = gone.map(|(id, _)| id).collect();
        let mut to_ask = Vec::new();
        for (id, waits) in wanted {
            let room = self.0.entry(*id).or_default();
            let again = room.retry_at.take_if(|at| *at <= now).is_some();
            if room.requested != Some(*waits) || again {
                to_ask.push((*id, *waits));
            }
        }
        (to_ask, gone)
    }

    /// Forgets everything, since the connection was lost.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// Applies a reply.
    pub fn set(&mut self, id: InstanceId, ok: WaitOk) {
        if let Some(room) = self.0.get_mut(&id) {
            room.count = Some(ok.count);
            let people = ok.users.into_iter();
            room.people = people.map(|one| (one.id, one.name)).collect();
        }
    }

    /// Applies a push.
    pub fn apply(&mut self, told: WaitingChange) {
        if let Some(room) = self.0.get_mut(&told.instance) {
            room.apply(told);
        }
    }

    /// Returns when requests are to be repeated.
    pub fn retry_at(&self) -> impl Iterator<Item = Timestamp> {
        self.0.values().filter_map(|room| room.retry_at)
    }
}

impl Model {
    /// Describes who is waiting for a meeting, if known.
    pub fn describe_waiting(&self, id: InstanceId) -> Option<String> {
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
            return Some("No one waiting".to_owned());
        }
        if count > names.len() {
            names.push(format!("{} more", count - names.len()));
        }
        Some(format!("{count} waiting: {}", names.join(", ")))
    }
}
