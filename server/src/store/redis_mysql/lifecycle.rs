//! An instance's start, the steps of its end, and the sweep that resumes what a crash left half
//! done.
//!
//! ```text
//! start   MySQL  scheduled → active             then Redis activate
//! end  A  MySQL  active → ending                somebody else may have done it
//!      B  Redis  end until closed               joins and posts stop; one leave a participant
//!      C  archive until archived = seq
//!      D  MySQL  ending → ended, last seq
//!      E  Redis  destroy                        only the tombstone stays
//! ```

use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use plenary_shared::domain::{InstanceState, Reason};
use plenary_shared::ids::{Generation, InstanceId};
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Fault};
use crate::store::mysql::Unfinished;
use crate::store::redis::{Closing, LiveEnd, Refused};
use crate::store::{Agenda, EndStep, LifecycleStore, Stepped};

use super::{AGENDA_MS, RedisMysqlStore};

/// An end that is so much later by the live store, in milliseconds, was moved: clocks differ by less.
const MOVED_MS_MIN: i64 = 5_000;

#[async_trait]
impl LifecycleStore for RedisMysqlStore {
    async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda> {
        self.within(AGENDA_MS, self.mysql.agenda(now, horizon_ms))
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
            .tried(|| self.redis.activate(&opening, false, None))
            .await?
        {
            Ok(()) => tracing::info!(instance = %id, "started"),
            Err(refused) => {
                tracing::warn!(instance = %id, ?refused, "started, but it is over already");
            }
        }
        self.notice_changed().await;
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
                if reason == Reason::Scheduled && self.goes_on(id).await {
                    return Ok(Stepped::NotYet);
                }
                let ending = self.brief(self.mysql.begin_end(id, reason, now)).await?;
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
        // Without its scripts, Redis may have forgotten more: bring it up before looking.
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
            // Another server may be about to activate it, and people to join it: only what was
            // missing in the same generation one sweep ago is built anew.
            if !self.was_missing(one.instance, one.generation) {
                continue;
            }
            tracing::warn!(instance = %one.instance, "not live but should be: building it anew");
            self.rebuild(one.instance, *before).await?;
        }
        self.remember_missing(&missing);
        self.tell_plans(None).await?;
        self.forget_ended().await
    }
}

impl RedisMysqlStore {
    /// Whether by the live store its time is not over: its end was moved, and what lasts is told that
    /// later, by the archiver.
    async fn goes_on(&self, id: InstanceId) -> bool {
        let asking = async {
            (
                self.redis.store_now().await,
                self.redis.end_by_clock(id).await,
            )
        };
        let asked = tokio::time::timeout(Duration::from_millis(super::BRIEF_MS), asking).await;
        let Ok((Ok(now_ms), Ok(Some(end)))) = asked else {
            return false;
        };
        // By less than this both clocks may differ: then the end itself waits.
        if end.as_ms() <= now_ms + MOVED_MS_MIN {
            return false;
        }
        // Whoever marked it as ending may have known another reason than the clock.
        let stored = self.brief(self.mysql.stored(id)).await;
        !matches!(stored, Ok(Some(stored)) if stored.state == InstanceState::Ending)
    }

    async fn close(&self, id: InstanceId, reason: Reason) -> Answer<Stepped> {
        // Whoever marked it knows why; without what lasts, the clock does.
        let reason = match self.brief(self.mysql.stored(id)).await {
            Ok(Some(stored)) => stored.reason.unwrap_or(reason),
            Ok(None) | Err(_) => reason,
        };
        match self.tried(|| self.redis.close(id, reason)).await? {
            Ok(Closing::Closed(seq)) => {
                tracing::info!(instance = %id, %seq, "closed");
                self.notice_changed().await;
                Ok(Stepped::Done)
            }
            // The store's clock rules: ours is ahead.
            Ok(Closing::Early(_)) => Ok(Stepped::NotYet),
            Err(Refused::Gone) => {
                // Whether it was destroyed after its end, or forgotten before, what lasts knows.
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
        let (generation, last, at) = match self.redis.end_of(id).await? {
            LiveEnd::Closed {
                generation,
                last,
                at,
            } => (generation, last, at),
            // It was closed in a generation that is over, and its closing was lost with it.
            LiveEnd::Open => return Ok(Stepped::NotYet),
            // Nothing is destroyed before it is recorded, unless Redis forgot.
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
            .tried(|| self.redis.destroy(id, head.generation))
            .await?
        {
            Ok(()) => {
                tracing::info!(instance = %id, "ended");
                self.notice_changed().await;
                Ok(Stepped::Done)
            }
            Err(Refused::Unarchived) => Ok(Stepped::NotYet),
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

    /// Those that are missing, and those that live in an older generation than what lasts says: a
    /// server died before it could build them. With that generation.
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

    /// Destroys what is live by the index though what lasts says that it has ended: a server died
    /// between the last two steps.
    async fn forget_ended(&self) -> Answer<()> {
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
