//! Users who wait for scheduled instances: in memory, because the store has one server.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use plenary_shared::domain::{InstanceState, User, UserRef};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::limits::{WAITING_MAX, WAITING_MS};
use plenary_shared::protocol::{WaitOk, WaitingChange};
use plenary_shared::time::Timestamp;
use rusqlite::Connection;

use crate::error::Answer;
use crate::store::{Feed, Waiting, WaitingStore, refusal};

use super::SqliteStore;
use super::live::{may_read_stored, stored, why_not_open};

/// Waiting users by instance.
#[derive(Default)]
pub(super) struct Waiters(Mutex<BTreeMap<InstanceId, People>>);

/// Names of users, and until when they count as waiting.
type People = BTreeMap<UserId, (String, Timestamp)>;

#[async_trait]
impl WaitingStore for SqliteStore {
    async fn wait(&self, id: InstanceId, user: &User, what: Waiting) -> Answer<WaitOk> {
        let now = self.now();
        if what != Waiting::Stop {
            let who = user.clone();
            self.link
                .read(move |conn| may_wait(conn, id, &who, now))
                .await?;
        }
        let (answer, told) = self.waiters.wait(id, user, what, now);
        self.feeding.publish(told);
        Ok(answer)
    }

    async fn waiting(&self, instances: &[InstanceId]) -> Answer<Vec<u32>> {
        Ok(self.waiters.count(instances))
    }
}

impl Waiters {
    /// The number of waiting users of each instance.
    pub(super) fn count(&self, instances: &[InstanceId]) -> Vec<u32> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |id| all.get(id).map_or(0, BTreeMap::len);
        let counts = instances.iter().map(count);
        counts
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX))
            .collect()
    }

    /// Starts, refreshes, reads or ends waiting. Returns who waits, and the changes to publish.
    fn wait(
        &self,
        instance: InstanceId,
        user: &User,
        what: Waiting,
        now: Timestamp,
    ) -> (WaitOk, Vec<Feed>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let people = all.entry(instance).or_default();
        let mut changes = Vec::new();
        let late = people.extract_if(.., |_, (_, until)| *until <= now);
        changes.extend(late.map(|(id, (name, _))| (id, name, false)));
        match what {
            Waiting::Look => {}
            Waiting::Wait => {
                let until = now.plus_ms(WAITING_MS);
                if people.insert(user.id, (user.name.clone(), until)).is_none() {
                    changes.push((user.id, user.name.clone(), true));
                }
            }
            Waiting::Stop => {
                if let Some((name, _)) = people.remove(&user.id) {
                    changes.push((user.id, name, false));
                }
            }
        }
        let count = people.len();
        let some = people.iter().take(WAITING_MAX);
        let some = some.map(|(id, (name, _))| UserRef {
            id: *id,
            name: name.clone(),
        });
        let answer = WaitOk {
            count,
            users: some.collect(),
        };
        if people.is_empty() {
            all.remove(&instance);
        }
        drop(all);
        let told = changes.into_iter().map(|(user, name, waits)| {
            Feed::Waiting(WaitingChange {
                instance,
                user,
                name,
                is_waiting: waits,
                count,
            })
        });
        (answer, told.collect())
    }
}

/// Checks that a user may wait for an instance, and see who waits.
fn may_wait(conn: &Connection, id: InstanceId, viewer: &User, now: Timestamp) -> Answer<()> {
    let refused = || why_not_open(conn, id, viewer, now);
    let found = stored(conn, id)?.ok_or_else(refused)?;
    if !may_read_stored(conn, id, &found, viewer)? {
        return Err(refused());
    }
    match found.state {
        InstanceState::Scheduled => Ok(()),
        InstanceState::Active => Err(refusal::started(id).into()),
        InstanceState::Ending | InstanceState::Ended => Err(refused()),
    }
}
