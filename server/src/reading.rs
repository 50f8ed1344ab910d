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
const EVERY_MS: u64 = 1_000;

/// Positions in one statement.
const WRITTEN_AT_ONCE_MAX: usize = 500;

/// Positions that may wait while the durable store is unavailable. Beyond that, new ones are
/// dropped.
const WAITING_MAX: usize = 100_000;

/// Positions that are not written yet.
#[derive(Debug, Default)]
pub struct Reading {
    waiting: Mutex<HashMap<(UserId, InstanceId), Waiting>>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    seq: Seq,
    told: bool,
}

impl Reading {
    /// Sets a read position.
    pub fn note(&self, user: UserId, instance: InstanceId, seq: Seq) {
        let mut waiting = self.waiting();
        if waiting.len() >= WAITING_MAX && !waiting.contains_key(&(user, instance)) {
            return;
        }
        let position = waiting.entry((user, instance)).or_insert(Waiting {
            seq: Seq::default(),
            told: true,
        });
        if seq > position.seq {
            *position = Waiting { seq, told: false };
        }
    }

    /// The position, if it is not written yet.
    pub fn position(&self, user: UserId, instance: InstanceId) -> Seq {
        self.waiting()
            .get(&(user, instance))
            .map_or(Seq::default(), |position| position.seq)
    }

    /// Positions that were not published.
    fn untold(&self) -> Vec<ReadPosition> {
        let mut waiting = self.waiting();
        let untold = waiting.iter_mut().filter(|(_, position)| !position.told);
        untold
            .take(WRITTEN_AT_ONCE_MAX)
            .map(|(key, position)| {
                position.told = true;
                of(*key, *position)
            })
            .collect()
    }

    fn some(&self) -> Vec<ReadPosition> {
        let waiting = self.waiting();
        waiting
            .iter()
            .take(WRITTEN_AT_ONCE_MAX)
            .map(|(key, position)| of(*key, *position))
            .collect()
    }

    /// Removes the written positions.
    fn written(&self, positions: &[ReadPosition]) {
        let mut waiting = self.waiting();
        for one in positions {
            let key = (one.user, one.instance);
            if waiting.get(&key).is_some_and(|now| now.seq == one.seq) {
                waiting.remove(&key);
            }
        }
    }

    // The guarded value is consistent after every statement, so a panic elsewhere does no harm.
    fn waiting(&self) -> MutexGuard<'_, HashMap<(UserId, InstanceId), Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of((user, instance): (UserId, InstanceId), position: Waiting) -> ReadPosition {
    ReadPosition {
        user,
        instance,
        seq: position.seq,
    }
}

/// Publishes and writes positions until `stop` is cancelled, and once more at the end.
pub async fn run(reading: Arc<Reading>, store: Arc<dyn Store>, stop: CancellationToken) {
    let mut tick = interval(Duration::from_millis(EVERY_MS));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => flush(&reading, &*store).await,
        }
    }
    flush(&reading, &*store).await;
}

async fn flush(reading: &Reading, store: &dyn Store) {
    loop {
        let untold = reading.untold();
        if untold.is_empty() {
            break;
        }
        if let Err(error) = store.publish_read(&untold).await {
            // The next change is published again.
            tracing::debug!(%error, "other terminals do not hear what was read");
        }
    }
    loop {
        let some = reading.some();
        if some.is_empty() {
            return;
        }
        if let Err(error) = store.save_positions(&some).await {
            tracing::debug!(%error, "what was read is written later");
            return;
        }
        reading.written(&some);
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
        let reading = Reading::default();
        let ada = UserId::new(7).expect("small");
        let here: InstanceId = "1/4".parse().expect("an instance");
        for n in [3, 5, 4] {
            reading.note(ada, here, seq(n));
        }
        assert_eq!(reading.position(ada, here), seq(5));
        let told = reading.untold();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].seq, seq(5));
        assert!(reading.untold().is_empty());
        let some = reading.some();
        reading.note(ada, here, seq(6));
        reading.written(&some);
        assert_eq!(
            reading.position(ada, here),
            seq(6),
            "it is newer than what was written"
        );
        reading.written(&reading.some());
        assert_eq!(reading.position(ada, here), Seq::default());
    }
}
