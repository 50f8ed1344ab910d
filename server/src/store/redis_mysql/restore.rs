//! Bringing the live state up in a Redis that may have forgotten some of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plenary_shared::ids::{Generation, InstanceId};
use tokio::sync::Mutex;

use crate::error::{Error, Fault};
use crate::store::mysql::{Archived, Batch, MysqlStore, Opening, Unfinished};
use crate::store::redis::{NotDone, RedisStore, Refused};

/// How long a server waits for another that brings the live state up.
const WAIT_MS: u64 = 100;

/// How often it waits so: three times as long as the other may hold the right.
const WAITS_MAX: usize = 300;

/// How often what people say meanwhile is brought in before an instance is built anew: each time takes
/// a few milliseconds.
const REBUILDS_MAX: usize = 20;

/// Events that are drained at once.
const DRAIN_EVENTS_MAX: usize = 500;

/// How many such batches: more than a live log may hold un-archived.
const DRAIN_BATCHES_MAX: usize = 1_000;

/// Both stores, for what has to be carried to its end once it is begun.
pub(super) struct Restorer {
    redis: Arc<RedisStore>,
    mysql: MysqlStore,
    /// One restoring at a time in this process.
    one_at_a_time: Mutex<()>,
    /// How often it was done: many find at once that it is to be done.
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

    /// Every active or ending instance gets a new generation built from what lasts, and only then
    /// the scripts are loaded. Servers may race here: the higher generation wins.
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

    /// Whether it is under way here.
    pub(super) fn is_restoring(&self) -> bool {
        self.one_at_a_time.try_lock().is_err()
    }

    async fn restore_once(&self) -> Result<(), Fault> {
        for _ in 0..WAITS_MAX {
            if self.redis.is_up().await? {
                // The same process of Redis as before: only the scripts can be gone.
                self.redis.load_scripts().await?;
                if self.redis.is_up().await? {
                    return Ok(());
                }
                // Another took its place in between.
            }
            if self.redis.take_fencing().await? {
                let result = self.rebuild_all().await;
                self.redis.give_fencing().await?;
                return result;
            }
            self.redis.rest(WAIT_MS).await;
        }
        Err(Fault::unavailable(
            "Redis",
            "another server brings the live state up and does not finish",
        ))
    }

    async fn rebuild_all(&self) -> Result<(), Fault> {
        let run_id = self.redis.run_id().await?;
        let unfinished = self.mysql.unfinished().await.map_err(as_fault)?;
        if !unfinished.is_empty() {
            tracing::warn!(
                instances = unfinished.len(),
                "Redis may have forgotten: rebuilding"
            );
        }
        for one in unfinished {
            // Ours may have taken so long that another server has done it meanwhile: what people
            // said since must not be built away.
            if self.redis.is_up().await? {
                break;
            }
            self.drain(&one).await?;
            self.rebuild(one.instance, true, None).await?;
        }
        self.redis.load_scripts().await?;
        self.redis.mark_up(&run_id).await
    }

    /// Brings what this Redis still has of a log into the archive. It may lack a tail, but what it
    /// has was accepted in this generation and in this order: there is no reason to lose it.
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

    /// Builds one instance's live state anew, in the next generation. `before`: the generation that
    /// is live meanwhile, where it is not the one that what lasts had. What that one accepts until the
    /// new one takes its place is brought into the archive first.
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
                Err(NotDone::Refused(Refused::Behind)) => {
                    torn = !self.bring_in(&opening, before).await?;
                }
                Ok(()) | Err(NotDone::Refused(_)) => return Ok(()),
                Err(NotDone::Fault(fault)) => return Err(fault),
                Err(NotDone::NoScript) => {
                    return Err(Fault::unavailable("Redis", "it forgot its scripts again"));
                }
            }
        }
        Err(Fault::unavailable(
            "Redis",
            "people are faster than what lasts",
        ))
    }

    /// Brings what the generation before has above the floor into the archive, which is in the new one
    /// already. False: its log is torn there, whatever its number says, so there is nothing to bring.
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
                // Another server has raised the generation meanwhile.
                _ => return Ok(true),
            }
        }
        Ok(true)
    }
}

/// A fault of what must not be refused.
fn as_fault(error: Error) -> Fault {
    match error {
        Error::Fault(fault) => fault,
        Error::Reject(reject) => Fault::broken("a step that nobody may refuse", reject),
    }
}
