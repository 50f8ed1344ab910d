//! Read positions: kept in memory for a moment, then published and written together.
//!
//! Writing or publishing a position twice is harmless, because only the highest counts. A crash
//! loses some seconds of positions, and nothing waits while the durable store is unavailable.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plenary_shared::ids::{InstanceId, Seq, UserId};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::store::{ReadPosition, Store};

/// Time between two writes: the rate limit for one user and instance, and what a crash can lose.
const WRITE_EVERY_MS: u64 = 1_000;

/// Positions in one statement.
const BATCH_MAX: usize = 500;

/// Positions that may wait while the durable store is unavailable. Beyond that, new ones are
/// dropped.
const PENDING_MAX: usize = 100_000;

/// Positions that are not written yet.
#[derive(Debug, Default)]
pub struct ReadPositions {
    pending: Mutex<HashMap<(UserId, InstanceId), Pending>>,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    seq: Seq,
    published: bool,
}

impl ReadPositions {
    /// Sets a read position.
    pub fn note(&self, user: UserId, instance: InstanceId, seq: Seq) {
        let mut pending = self.pending();
        if pending.len() >= PENDING_MAX && !pending.contains_key(&(user, instance)) {
            return;
        }
        let position = pending.entry((user, instance)).or_insert(Pending {
            seq: Seq::default(),
            published: true,
        });
        if seq > position.seq {
            *position = Pending {
                seq,
                published: false,
            };
        }
    }

    /// The position, if it is not written yet.
    pub fn position(&self, user: UserId, instance: InstanceId) -> Seq {
        self.pending()
            .get(&(user, instance))
            .map_or(Seq::default(), |position| position.seq)
    }

    /// Positions that were not published.
    fn unpublished(&self) -> Vec<ReadPosition> {
        let mut pending = self.pending();
        let unpublished = pending
            .iter_mut()
            .filter(|(_, position)| !position.published);
        unpublished
            .take(BATCH_MAX)
            .map(|(key, position)| {
                position.published = true;
                of(*key, *position)
            })
            .collect()
    }

    fn next_batch(&self) -> Vec<ReadPosition> {
        let pending = self.pending();
        pending
            .iter()
            .take(BATCH_MAX)
            .map(|(key, position)| of(*key, *position))
            .collect()
    }

    /// Removes the written positions.
    fn written(&self, positions: &[ReadPosition]) {
        let mut pending = self.pending();
        for one in positions {
            let key = (one.user, one.instance);
            if pending.get(&key).is_some_and(|now| now.seq == one.seq) {
                pending.remove(&key);
            }
        }
    }

    // The guarded value is consistent after every statement, so a panic elsewhere does no harm.
    fn pending(&self) -> MutexGuard<'_, HashMap<(UserId, InstanceId), Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of((user, instance): (UserId, InstanceId), position: Pending) -> ReadPosition {
    ReadPosition {
        user,
        instance,
        seq: position.seq,
    }
}

/// Publishes and writes positions until `stop` is cancelled, and once more at the end.
pub async fn run(positions: Arc<ReadPositions>, store: Arc<dyn Store>, stop: CancellationToken) {
    let mut tick = interval(Duration::from_millis(WRITE_EVERY_MS));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => flush(&positions, &*store).await,
        }
    }
    flush(&positions, &*store).await;
}

async fn flush(positions: &ReadPositions, store: &dyn Store) {
    loop {
        let unpublished = positions.unpublished();
        if unpublished.is_empty() {
            break;
        }
        if let Err(error) = store.publish_read(&unpublished).await {
            // The next change is published again.
            tracing::debug!(%error, "publishing read positions failed");
        }
    }
    loop {
        let batch = positions.next_batch();
        if batch.is_empty() {
            return;
        }
        if let Err(error) = store.save_positions(&batch).await {
            tracing::debug!(%error, "writing read positions failed, retrying");
            return;
        }
        positions.written(&batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u64) -> Seq {
        Seq::new(n).expect("small")
    }

    #[test]
    fn a_position_goes_forwards_only_and_is_told_and_written_once() {
        let positions = ReadPositions::default();
        let ada = UserId::new(7).expect("small");
        let here: InstanceId = "1/4".parse().expect("an instance");
        for n in [3, 5, 4] {
            positions.note(ada, here, seq(n));
        }
        assert_eq!(positions.position(ada, here), seq(5));
        let published = positions.unpublished();
        assert_eq!(published.len(), 1);
        assert_eq!(published[0].seq, seq(5));
        assert!(positions.unpublished().is_empty());
        let batch = positions.next_batch();
        positions.note(ada, here, seq(6));
        positions.written(&batch);
        assert_eq!(
            positions.position(ada, here),
            seq(6),
            "it is newer than what was written"
        );
        positions.written(&positions.next_batch());
        assert_eq!(positions.position(ada, here), Seq::default());
    }
}
