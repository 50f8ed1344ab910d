//! Rebuilding the live state in a Redis that may have lost data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plenary_shared::ids::{Generation, InstanceId};
use tokio::sync::Mutex;

use crate::error::{Error, Fault};
use crate::store::mysql::{Archived, Batch, MysqlStore, Opening, Unfinished};
use crate::store::redis::{RedisStore, Refusal, ScriptError};

/// How long a server waits for another that rebuilds the live state, in milliseconds.
const WAIT_MS: u64 = 100;

/// How often it waits: three times as long as the right to rebuild lasts.
const WAITS_MAX: usize = 300;

/// How often new events are archived before an instance is rebuilt. Each attempt takes a few milliseconds.
const REBUILDS_MAX: usize = 20;

/// Events per batch.
const DRAIN_EVENTS_MAX: usize = 500;

/// Batches of one instance: more than a live log may hold unarchived.
const DRAIN_BATCHES_MAX: usize = 1_000;

/// Both stores, shared with tasks that must complete.
pub(super) struct Restorer {
    redis: Arc<RedisStore>,
    mysql: MysqlStore,
    /// Allows one rebuild at a time in this process.
    one_at_a_time: Mutex<()>,
    /// The number of completed rebuilds: many callers find at once that one is needed.
    done: AtomicU64,
}

impl Restorer {
    pub(super) fn new(redis: Arc<RedisStore>, mysql: MysqlStore) -> Self {
        Self {
            redis,
            mysql,
            one_at_a_time: Mutex::new(()),
            done: AtomicU64::new(0),
        }
    }

    /// Rebuilds every active or ending instance from MySQL in a new generation, and loads the scripts after
    /// that. Servers may race here: the higher generation wins.
    pub(super) async fn restore(&self) -> Result<(), Fault> {
        let before = self.done.load(Ordering::Acquire);
        let _one_at_a_time = self.one_at_a_time.lock().await;
        if self.done.load(Ordering::Acquire) != before {
            return Ok(());
        }
        self.restore_once().await?;
        self.done.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// Returns whether a rebuild is running in this process.
    pub(super) fn is_restoring(&self) -> bool {
        self.one_at_a_time.try_lock().is_err()
    }

    async fn restore_once(&self) -> Result<(), Fault> {
        for _ in 0..WAITS_MAX {
            if self.redis.is_up().await? {
                // The same Redis process as before: only scripts can be missing.
                self.redis.load_scripts().await?;
                if self.redis.is_up().await? {
                    return Ok(());
                }
                // Another process took its place in between.
            }
            if self.redis.acquire_rebuilding().await? {
                let result = self.rebuild_all().await;
                self.redis.release_rebuilding().await?;
                return result;
            }
            self.redis.rest(WAIT_MS).await;
        }
        Err(Fault::unavailable(
            "Redis",
            "another server rebuilds the live state and does not finish",
        ))
    }

    async fn rebuild_all(&self) -> Result<(), Fault> {
        let run_id = self.redis.run_id().await?;
        let unfinished = self.mysql.unfinished().await.map_err(as_fault)?;
        if !unfinished.is_empty() {
            tracing::warn!(
                instances = unfinished.len(),
                "Redis may have lost data, rebuilding"
            );
        }
        for one in unfinished {
            // This rebuild may be so slow that another server has completed it. A second one would drop what was
            // posted since.
            if self.redis.is_up().await? {
                break;
            }
            self.drain(&one).await?;
            self.rebuild(one.instance, true, None).await?;
        }
        self.redis.load_scripts().await?;
        self.redis.mark_up(&run_id).await
    }

    /// Archives what Redis still has of a log. It may lack a tail, but what it has was accepted in this
    /// generation and order.
    async fn drain(&self, one: &Unfinished) -> Result<(), Fault> {
        let mut after = one.archived;
        for _ in 0..DRAIN_BATCHES_MAX {
            let heads = self.redis.heads(&[one.instance]).await?;
            let generation = heads
                .into_iter()
                .next()
                .flatten()
                .map(|head| head.generation);
            if generation != Some(one.generation) {
                return Ok(());
            }
            let events = self
                .redis
                .log(one.instance, after, DRAIN_EVENTS_MAX)
                .await?;
            if events.first().is_none_or(|first| first.seq != after.next()) {
                return Ok(());
            }
            let batch = Batch {
                instance: one.instance,
                generation: one.generation,
                after,
                events,
            };
            let batches = [batch];
            match self
                .mysql
                .archive(&batches)
                .await
                .map_err(as_fault)?
                .as_slice()
            {
                [Archived::Done { last, .. }] => after = *last,
                // Another server archives or rebuilds it.
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Rebuilds one instance in the next generation. `before`: the live generation, if it is not the one in
    /// MySQL. What that accepts until the new one is live is archived first.
    pub(super) async fn rebuild(
        &self,
        id: InstanceId,
        before_scripts: bool,
        before: Option<Generation>,
    ) -> Result<(), Fault> {
        let mut before = before;
        let mut torn = false;
        for _ in 0..REBUILDS_MAX {
            let Some(opening) = self.mysql.raise(id).await.map_err(as_fault)? else {
                return Ok(());
            };
            if before.is_none() {
                before = Generation::new(opening.generation.get().saturating_sub(1)).ok();
            }
            let guarded = before.filter(|_| !torn);
            match self.redis.activate(&opening, before_scripts, guarded).await {
                Err(ScriptError::Refused(Refusal::NewerEvents)) => {
                    torn = !self.bring_in(&opening, before).await?;
                }
                Ok(()) | Err(ScriptError::Refused(_)) => return Ok(()),
                Err(ScriptError::Fault(fault)) => return Err(fault),
                Err(ScriptError::NoScript) => {
                    return Err(Fault::unavailable("Redis", "the scripts are missing again"));
                }
            }
        }
        Err(Fault::unavailable(
            "Redis",
            "events arrive faster than they can be archived",
        ))
    }

    /// Archives events above the floor of the generation before. False: its log has a gap there, so there is
    /// nothing to archive.
    async fn bring_in(&self, opening: &Opening, before: Option<Generation>) -> Result<bool, Fault> {
        let mut after = opening.floor;
        for _ in 0..DRAIN_BATCHES_MAX {
            let events = self
                .redis
                .log(opening.instance, after, DRAIN_EVENTS_MAX)
                .await?;
            let Some(first) = events.first() else {
                return Ok(after != opening.floor);
            };
            if Some(first.generation) != before {
                return Ok(true);
            }
            if first.seq != after.next() {
                return Ok(after != opening.floor);
            }
            let batch = Batch {
                instance: opening.instance,
                generation: opening.generation,
                after,
                events,
            };
            match self
                .mysql
                .archive(&[batch])
                .await
                .map_err(as_fault)?
                .as_slice()
            {
                [Archived::Done { last, .. }] => after = *last,
                // Another server has started a newer generation.
                _ => return Ok(true),
            }
        }
        Ok(true)
    }
}

/// Converts the error of a step that cannot be rejected.
fn as_fault(error: Error) -> Fault {
    match error {
        Error::Fault(fault) => fault,
        Error::Reject(reject) => Fault::broken("a step that cannot be rejected", reject),
    }
}
