//! Preparing Redis for data that is moved here: checks that it is unused and records stays without a
//! connection.

use plenary_shared::ids::{InstanceId, Seq, UserId};

use crate::error::Fault;

use super::RedisStore;
use super::keys::{self, Keys};

/// Keys that are checked in one round trip.
const SCAN_KEYS: usize = 1_000;

/// Keys that are reported at most.
const TOLD_MAX: usize = 5;

/// Fields that are written in one round trip.
const FIELDS_MAX: usize = 1_000;

impl RedisStore {
    /// Returns some of the keys that Plenary has left here, if any. `but_stays`: ignores what
    /// [`RedisStore::announce_stays`] writes.
    pub async fn traces(&self, but_stays: bool) -> Result<Vec<String>, Fault> {
        let mut traces = Vec::new();
        let mut cursor = 0_u64;
        // SCAN returns cursor 0 once it has seen every key.
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("COUNT").arg(SCAN_KEYS);
            let (next, found): (u64, Vec<Vec<u8>>) = self.ask(&mut scan).await?;
            let ours = found
                .into_iter()
                .filter_map(|key| String::from_utf8(key).ok())
                .filter(|key| keys::is_ours(key) && !(but_stays && keys::is_bindings(key)));
            traces.extend(ours);
            if next == 0 || traces.len() >= TOLD_MAX {
                traces.truncate(TOLD_MAX);
                return Ok(traces);
            }
            cursor = next;
        }
    }

    /// Records that these stays, given by the seq of their join, are held without a connection. The first
    /// rebuild reads this like the remains of an older generation. Idempotent.
    pub async fn announce_stays(&self, stays: &[(InstanceId, UserId, Seq)]) -> Result<(), Fault> {
        for some in stays.chunks(FIELDS_MAX) {
            let mut pipeline = redis::pipe();
            for (instance, user, seq) in some {
                pipeline
                    .cmd("HSET")
                    .arg(Keys(*instance).bindings())
                    .arg(format!("#{user}:{seq}"))
                    .arg(1)
                    .ignore();
            }
            self.ask_all::<()>(&pipeline).await?;
        }
        Ok(())
    }
}
