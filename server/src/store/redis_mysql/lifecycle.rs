//! The start of an instance, the steps of its end, and the sweep that completes what a crash
//! interrupted.
//!
//! ```text
//! start   MySQL  scheduled → active             then activate in Redis
//! end  A  MySQL  active → ending                another server may have done it
//!      B  Redis  close until closed             joins and posts stop; one leave per participant
//!      C  archive until archived = seq
//!      D  MySQL  ending → ended, last seq
//!      E  Redis  destroy                        the tombstone stays
//! ```

use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use plenary_shared::domain::{InstanceState, Reason};
use plenary_shared::ids::{Generation, InstanceId};
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Fault};
use crate::store::mysql::Unfinished;
use crate::store::redis::{Closing, LiveEnd, Refusal};
use crate::store::{Agenda, EndStep, LifecycleStore, Stepped};

use super::{AGENDA_MS, RedisMysqlStore};

/// An end that is later in Redis by this much was moved. Clocks differ by less. In milliseconds.
const MOVED_MS_MIN: i64 = 5_000;

#[async_trait]
impl LifecycleStore for RedisMysqlStore {
    async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda> {
        self.with_timeout(AGENDA_MS, self.mysql.agenda(now, horizon_ms))
            .await
    }

    async fn live_ends(&self, until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>> {
        Ok(self.redis.ends(until).await?)
    }

    async fn start(&self, id: InstanceId, now: Timestamp) -> Answer<Option<Timestamp>> {
        let Some(opening) = self.mysql.begin(id, now).await? else {
            return Ok(None);
        };
        match self
            .with_recovery(|| self.redis.activate(&opening, false, None))
            .await?
        {
            Ok(()) => tracing::info!(instance = %id, "started"),
            Err(refused) => {
                tracing::warn!(instance = %id, ?refused, "started, but refused by Redis");
            }
        }
        self.publish_changed().await;
        self.catch_up(id.meeting, opening.revision).await;
        Ok(Some(opening.to))
    }

    async fn end_step(
        &self,
        id: InstanceId,
        reason: Reason,
        step: EndStep,
        now: Timestamp,
    ) -> Answer<Stepped> {
        match step {
            EndStep::Marked => {
                if reason == Reason::Scheduled && self.is_extended(id).await {
                    return Ok(Stepped::NotYet);
                }
                let ending = self
                    .with_short_timeout(self.mysql.begin_end(id, reason, now))
                    .await?;
                Ok(if ending {
                    Stepped::Done
                } else {
                    Stepped::NotYet
                })
            }
            EndStep::Closed => self.close(id, reason).await,
            EndStep::Archived => self.archive_whole(id).await,
            EndStep::Recorded => self.record(id).await,
            EndStep::Destroyed => self.destroy(id).await,
        }
    }

    async fn sweep(&self) -> Answer<()> {
        // Without its scripts Redis may have lost data: rebuild it before comparing.
        if !self.redis.is_up().await? {
            self.restore().await?;
        }
        let unfinished = self.mysql.unfinished().await?;
        let expected: Vec<(InstanceId, i64)> = unfinished
            .iter()
            .map(|one| (one.instance, one.to.as_ms()))
            .collect();
        let missing = self.redis.repair_index(&expected).await?;
        let missing = self.not_live(&unfinished, &missing).await?;
        for (one, before) in &missing {
            // Another server may be about to activate it. Only what was missing in the same generation in the
            // last sweep is rebuilt.
            if !self.was_missing(one.instance, one.generation) {
                continue;
            }
            tracing::warn!(instance = %one.instance, "instance is not live, rebuilding it");
            self.rebuild(one.instance, *before).await?;
        }
        self.remember_missing(&missing);
        self.update_live_meetings(None).await?;
        self.destroy_ended().await
    }
}

impl RedisMysqlStore {
    /// Returns whether the end was moved in Redis. The archiver will record that in MySQL.
    async fn is_extended(&self, id: InstanceId) -> bool {
        let asking = async {
            (
                self.redis.store_now().await,
                self.redis.end_by_clock(id).await,
            )
        };
        let asked =
            tokio::time::timeout(Duration::from_millis(super::SHORT_TIMEOUT_MS), asking).await;
        let Ok((Ok(now_ms), Ok(Some(end)))) = asked else {
            return false;
        };
        // The clocks may differ by less than this. Then closing waits.
        if end.as_ms() <= now_ms + MOVED_MS_MIN {
            return false;
        }
        // The end may have been marked for another reason than the clock.
        let stored = self.with_short_timeout(self.mysql.stored(id)).await;
        !matches!(stored, Ok(Some(stored)) if stored.state == InstanceState::Ending)
    }

    async fn close(&self, id: InstanceId, reason: Reason) -> Answer<Stepped> {
        // The reason was recorded when the end was marked. Without MySQL, the caller's reason holds.
        let reason = match self.with_short_timeout(self.mysql.stored(id)).await {
            Ok(Some(stored)) => stored.reason.unwrap_or(reason),
            Ok(None) | Err(_) => reason,
        };
        match self.with_recovery(|| self.redis.close(id, reason)).await? {
            Ok(Closing::Closed(seq)) => {
                tracing::info!(instance = %id, %seq, "closed");
                self.publish_changed().await;
                Ok(Stepped::Done)
            }
            // Redis' clock decides, and ours is ahead.
            Ok(Closing::Early(_)) => Ok(Stepped::NotYet),
            Err(Refusal::Gone) => {
                // MySQL knows whether it was destroyed after its end or lost before.
                match self.mysql.stored(id).await? {
                    Some(stored) if stored.state == InstanceState::Ending => {
                        self.rebuild(id, None).await?;
                        Ok(Stepped::NotYet)
                    }
                    _ => Ok(Stepped::Done),
                }
            }
            Err(refused) => Err(Fault::broken("closing", format!("{refused:?}")).into()),
        }
    }

    async fn archive_whole(&self, id: InstanceId) -> Answer<Stepped> {
        let left = self.archive_some(&[id]).await?;
        Ok(if left.more.is_empty() && left.stuck.is_empty() {
            Stepped::Done
        } else {
            Stepped::NotYet
        })
    }

    async fn record(&self, id: InstanceId) -> Answer<Stepped> {
        let (generation, last, at) = match self.redis.live_end(id).await? {
            LiveEnd::Closed {
                generation,
                last,
                at,
            } => (generation, last, at),
            // It was closed in an older generation, and the closing was lost with that.
            LiveEnd::Open => return Ok(Stepped::NotYet),
            // Nothing is destroyed before it is recorded, unless Redis lost it.
            LiveEnd::Gone => {
                return match self.mysql.stored(id).await? {
                    Some(stored) if stored.state == InstanceState::Ending => {
                        self.rebuild(id, None).await?;
                        Ok(Stepped::NotYet)
                    }
                    _ => Ok(Stepped::Done),
                };
            }
        };
        let recorded = self.mysql.finish(id, generation, last, at).await?;
        Ok(if recorded {
            Stepped::Done
        } else {
            Stepped::NotYet
        })
    }

    async fn destroy(&self, id: InstanceId) -> Answer<Stepped> {
        let Some(head) = self.redis.heads(&[id]).await?.into_iter().next().flatten() else {
            return Ok(Stepped::Done);
        };
        match self
            .with_recovery(|| self.redis.destroy(id, head.generation))
            .await?
        {
            Ok(()) => {
                tracing::info!(instance = %id, "ended");
                self.publish_changed().await;
                Ok(Stepped::Done)
            }
            Err(Refusal::Unarchived) => Ok(Stepped::NotYet),
            Err(refused) => Err(Fault::broken("destroying", format!("{refused:?}")).into()),
        }
    }

    fn was_missing(&self, id: InstanceId, generation: Generation) -> bool {
        self.missing
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            == Some(&generation)
    }

    /// Returns the instances that are missing in Redis or live in an older generation than in MySQL, because
    /// a server died before it could rebuild them. With that generation.
    async fn not_live(
        &self,
        unfinished: &[Unfinished],
        missing: &[InstanceId],
    ) -> Answer<Vec<(Unfinished, Option<Generation>)>> {
        let ids: Vec<InstanceId> = unfinished.iter().map(|one| one.instance).collect();
        let heads = self.redis.heads(&ids).await?;
        let found = unfinished.iter().zip(heads).filter_map(|(one, head)| {
            let older = head.filter(|head| head.generation < one.generation);
            let is_missing = missing.contains(&one.instance) || older.is_some();
            is_missing.then(|| (*one, older.map(|head| head.generation)))
        });
        Ok(found.collect())
    }

    fn remember_missing(&self, missing: &[(Unfinished, Option<Generation>)]) {
        let now_missing = missing
            .iter()
            .map(|(one, _)| (one.instance, one.generation))
            .collect();
        *self.missing.lock().unwrap_or_else(PoisonError::into_inner) = now_missing;
    }

    /// Destroys instances in the index that have ended according to MySQL: a server died between the last two
    /// steps.
    async fn destroy_ended(&self) -> Answer<()> {
        for id in self.redis.active().await? {
            if let Some(stored) = self.mysql.stored(id).await?
                && stored.state == InstanceState::Ended
            {
                self.destroy(id).await?;
            }
        }
        Ok(())
    }
}
