//! Copies the live logs into the event log in MySQL, in batches without gaps.

use std::collections::HashMap;

use async_trait::async_trait;
use plenary_shared::ids::InstanceId;

use crate::error::Answer;
use crate::store::mysql::{Archived, Batch};
use crate::store::{ArchiveStore, Backlog, Head};

use super::RedisMysqlStore;

/// Events per transaction: what MySQL takes in a few milliseconds.
const BATCH_EVENTS_MAX: usize = 500;

/// Instances whose logs are not completely archived.
pub(super) struct Left {
    /// Those that can continue at once.
    pub(super) more: Vec<InstanceId>,
    /// Those that cannot continue now: retrying at once would fail.
    pub(super) stuck: Vec<InstanceId>,
}

#[async_trait]
impl ArchiveStore for RedisMysqlStore {
    async fn archive_lag(&self) -> Answer<Vec<InstanceId>> {
        let active = self.redis.active().await?;
        let heads = self.redis.heads(&active).await?;
        Ok(active
            .into_iter()
            .zip(heads)
            .filter(|(_, head)| head.is_some_and(|head| head.durable < head.seq))
            .map(|(id, _)| id)
            .collect())
    }

    async fn backlog(&self) -> Answer<Backlog> {
        let lag = self.redis.lag().await?;
        Ok(Backlog {
            events: lag.events,
            oldest_ms: lag.oldest_ms,
        })
    }

    async fn archive(&self, instances: &[InstanceId]) -> Answer<Vec<InstanceId>> {
        Ok(self.archive_some(instances).await?.more)
    }
}

impl RedisMysqlStore {
    pub(super) async fn archive_some(&self, ids: &[InstanceId]) -> Answer<Left> {
        let heads = self.redis.heads(ids).await?;
        let mut stuck = Vec::new();
        let mut heads_by_id: HashMap<InstanceId, Head> = HashMap::new();
        let mut batches = Vec::new();
        let mut room = BATCH_EVENTS_MAX;
        for (id, head) in ids.iter().zip(heads) {
            let Some(head) = head else { continue };
            heads_by_id.insert(*id, head);
            if head.durable >= head.seq || room == 0 {
                continue;
            }
            let events = self.redis.log(*id, head.durable, room).await?;
            if events
                .first()
                .is_none_or(|first| first.generation != head.generation)
            {
                // The generation has changed since the head was read.
                stuck.push(*id);
                continue;
            }
            room -= events.len().min(room);
            batches.push(Batch {
                instance: *id,
                generation: head.generation,
                after: head.durable,
                events,
            });
        }
        let archived = self.mysql.archive(&batches).await?;
        for (batch, archived) in batches.iter().zip(archived) {
            let seq = match archived {
                Archived::Done { last, .. } => last,
                Archived::Stale { .. } => match self.mysql.stored(batch.instance).await? {
                    // A server died between its commit and its acknowledgement to Redis.
                    Some(stored)
                        if stored.generation == batch.generation
                            && stored.archived > batch.after =>
                    {
                        stored.archived
                    }
                    // A new generation is about to be built. Its own archiver continues.
                    _ => {
                        stuck.push(batch.instance);
                        continue;
                    }
                },
                Archived::Broken { instance, fault } => {
                    // Never skipped: archiving of this instance stops until the fault is repaired.
                    tracing::error!(%instance, %fault, "log cannot be archived");
                    stuck.push(instance);
                    continue;
                }
            };
            // A refusal means that a newer generation exists, which has its own archiver.
            let _ = self
                .with_recovery(|| self.redis.ack(batch.instance, batch.generation, seq))
                .await?;
            if let Some(head) = heads_by_id.get_mut(&batch.instance) {
                head.durable = head.durable.max(seq);
            }
        }
        let more = heads_by_id
            .into_iter()
            .filter(|(id, head)| head.durable < head.seq && !stuck.contains(id))
            .map(|(id, _)| id)
            .collect();
        Ok(Left { more, stuck })
    }
}
