//! Before everything comes here from another home: whether this Redis is free for it, and what the
//! first server is told that the record does not say.

use plenary_shared::ids::{InstanceId, Seq, UserId};

use crate::error::Fault;

use super::RedisStore;
use super::keys::{self, Keys};

/// Keys that are looked at in one round trip.
const SCAN_KEYS: usize = 1_000;

/// Keys in the way that are told.
const TOLD_MAX: usize = 5;

/// Fields that are written in one round trip.
const FIELDS_MAX: usize = 1_000;

impl RedisStore {
    /// Some of the keys that servers of ours have left here; empty: none. `but_stays`: not counting
    /// what [`RedisStore::announce_stays`] leaves.
    pub async fn traces(&self, but_stays: bool) -> Result<Vec<String>, Fault> {
        let mut traces = Vec::new();
        let mut cursor = 0_u64;
        // Redis ends this: a cursor comes back to 0 once every key was seen.
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("COUNT").arg(SCAN_KEYS);
            let (next, found): (u64, Vec<Vec<u8>>) = self.ask(&mut scan).await?;
            let ours = found
                .into_iter()
                .filter_map(|key| String::from_utf8(key).ok())
                .filter(|key| keys::is_ours(key) && !(but_stays && keys::is_owners(key)));
            traces.extend(ours);
            if next == 0 || traces.len() >= TOLD_MAX {
                traces.truncate(TOLD_MAX);
                return Ok(traces);
            }
            cursor = next;
        }
    }

    /// Says of these stays, by their joins' numbers, that they are held otherwise than by a
    /// connection. Nothing is live here yet: whoever builds the live state finds it as what an older
    /// one has left. Saying it again changes nothing.
    pub async fn announce_stays(&self, stays: &[(InstanceId, UserId, Seq)]) -> Result<(), Fault> {
        for some in stays.chunks(FIELDS_MAX) {
            let mut pipeline = redis::pipe();
            for (instance, user, seq) in some {
                pipeline
                    .cmd("HSET")
                    .arg(Keys(*instance).owners())
                    .arg(format!("#{user}:{seq}"))
                    .arg(1)
                    .ignore();
            }
            self.ask_all::<()>(&pipeline).await?;
        }
        Ok(())
    }
}
