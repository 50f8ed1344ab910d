//! The limits on writing. The writing thread counts in memory, and restores its counts from the log after a restart.

use std::collections::HashMap;
use std::sync::Arc;

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::rate_limits::{Quota, SharedLimits, WriteKind, WriteLimits, wait_ms};

use super::disk::Disk;
use super::statement;

/// Buckets after which the full ones are removed for the first time.
const BUCKETS_MIN: usize = 1_024;

/// A bucket in which writes are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Bucket {
    /// The writes of one kind of a user in an instance.
    Instance(InstanceId, UserId, WriteKind),
    /// All writes of a user.
    Account(UserId),
}

/// The counts of all users.
pub(super) struct Rates {
    limits: SharedLimits,
    disk: Arc<Disk>,
    /// When each bucket is full again, in microseconds since 1970. Missing buckets are full.
    full_us: HashMap<Bucket, i64>,
    /// Whether the counts of the previous process were restored.
    is_restored: bool,
    /// The number of buckets at which the full ones are removed.
    sweep_at: usize,
}

impl Rates {
    pub(super) fn new(limits: SharedLimits, disk: Arc<Disk>) -> Self {
        Self {
            limits,
            disk,
            full_us: HashMap::new(),
            is_restored: false,
            sweep_at: BUCKETS_MIN,
        }
    }

    /// Checks that this user may write now: `rate_limited`. Counts nothing.
    pub(super) fn check(
        &mut self,
        conn: &Connection,
        now: Timestamp,
        (id, user, kind): (InstanceId, UserId, WriteKind),
    ) -> Answer<()> {
        let limits = self.limits.get();
        let quotas = quotas(&limits, id, user, kind);
        if quotas.iter().any(Option::is_some) && !self.is_restored {
            self.restore(conn, now, &limits)?;
        }
        let waits = quotas.into_iter().flatten().filter_map(|(bucket, quota)| {
            let full_us = self.full_us.get(&bucket).copied().unwrap_or_default();
            quota.count(full_us, now_us(now)).err()
        });
        match waits.max() {
            Some(wait_us) => Err(Reject::rate_limited(wait_ms(wait_us)).into()),
            None => Ok(()),
        }
    }

    /// Counts a write of this user.
    pub(super) fn count(
        &mut self,
        now: Timestamp,
        (id, user, kind): (InstanceId, UserId, WriteKind),
    ) {
        let limits = self.limits.get();
        for (bucket, quota) in quotas(&limits, id, user, kind).into_iter().flatten() {
            let full_us = self.full_us.entry(bucket).or_default();
            if let Ok(next) = quota.count(*full_us, now_us(now)) {
                *full_us = next;
            }
        }
        if self.full_us.len() >= self.sweep_at {
            self.full_us.retain(|_, full_us| *full_us > now_us(now));
            self.sweep_at = BUCKETS_MIN.max(self.full_us.len() * 2);
        }
    }

    /// Counts what the log has of the time in which a bucket fills.
    fn restore(
        &mut self,
        conn: &Connection,
        now: Timestamp,
        limits: &WriteLimits,
    ) -> Result<(), Fault> {
        let filling_ms = [limits.post, limits.join, limits.account]
            .into_iter()
            .flatten()
            .map(|quota| quota.interval_us() * i64::from(quota.burst) / 1_000)
            .max()
            .unwrap_or_default();
        let mut writes = Vec::new();
        for id in live_instances(conn)? {
            recent_writes(conn, id, now.plus_ms(-filling_ms), &mut writes)?;
        }
        writes.sort_by_key(|(at, _)| *at);
        for (at, write) in writes {
            self.count(at, write);
        }
        self.is_restored = true;
        Ok(())
    }

    /// Checks that the disk has space for messages: `disk_reserve`.
    pub(super) fn check_disk(&self, now: Timestamp) -> Answer<()> {
        let reserve = self.limits.get().disk_reserve_bytes;
        if reserve > 0 && self.disk.free_bytes(now).is_some_and(|free| free < reserve) {
            return Err(Code::DiskReserve.into());
        }
        Ok(())
    }
}

/// The buckets of a write, with their quotas.
fn quotas(
    limits: &WriteLimits,
    id: InstanceId,
    user: UserId,
    kind: WriteKind,
) -> [Option<(Bucket, Quota)>; 2] {
    let here = limits.of(kind);
    [
        here.map(|quota| (Bucket::Instance(id, user, kind), quota)),
        limits.account.map(|quota| (Bucket::Account(user), quota)),
    ]
}

fn now_us(now: Timestamp) -> i64 {
    now.as_ms().saturating_mul(1_000)
}

fn live_instances(conn: &Connection) -> Result<Vec<InstanceId>, Fault> {
    Ok(statement::select_all(
        conn,
        "live_instance",
        "SELECT meetingID, orderID
         FROM live_instance",
        [],
        |row| row.instance_id(),
    )?)
}

type Write = (Timestamp, (InstanceId, UserId, WriteKind));

/// Collects the writes in an instance since then. Reads only the end of its log.
fn recent_writes(
    conn: &Connection,
    id: InstanceId,
    since: Timestamp,
    writes: &mut Vec<Write>,
) -> Result<(), Fault> {
    const MESSAGES: &str = "SELECT userID, timestamp, 'message' AS kind
         FROM message
         WHERE meetingID = :meeting
           AND orderID = :order
         ORDER BY seq DESC";
    const OTHERS: &str = "SELECT userID, timestamp, COALESCE(action, eventType) AS kind
         FROM event_log
         WHERE meetingID = :meeting
           AND orderID = :order
         ORDER BY seq DESC";
    for sql in [MESSAGES, OTHERS] {
        let mut statement = conn.prepare_cached(sql)?;
        let (meeting, order) = (id.meeting.get(), id.order.get());
        let mut rows = statement.query(named_params! { ":meeting": meeting, ":order": order })?;
        while let Some(row) = rows.next()? {
            let at = Timestamp::from_ms(row.get("timestamp")?);
            if at < since {
                break;
            }
            let kind: String = row.get("kind")?;
            let user: Option<u64> = row.get("userID")?;
            let (Some(kind), Some(Ok(user))) = (kind_of(&kind), user.map(UserId::new)) else {
                continue;
            };
            writes.push((at, (id, user, kind)));
        }
    }
    Ok(())
}

/// The kind of an event of the log, if it is limited.
fn kind_of(word: &str) -> Option<WriteKind> {
    match word {
        "message" | "edited" | "deleted" | "announce" => Some(WriteKind::Post),
        "join" => Some(WriteKind::Join),
        _ => None,
    }
}
