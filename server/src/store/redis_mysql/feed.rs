//! The hub's feed by sharded pub/sub, and the event log behind it.

use async_trait::async_trait;
use plenary_shared::domain::Event;
use plenary_shared::ids::{InstanceId, Seq};
use tokio::sync::mpsc;

use crate::error::{Answer, Fault};
use crate::store::redis::Subscriber;
use crate::store::{Feed, FeedStore, Head, Page};

use super::RedisMysqlStore;

#[async_trait]
impl FeedStore for RedisMysqlStore {
    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault> {
        let (subscriber, feed) = self.redis.subscribe();
        self.subscriber
            .set(subscriber)
            .map_err(|error| Fault::broken("a second feed of one store", error.to_string()))?;
        Ok(feed)
    }

    async fn follow(&self, instance: InstanceId) -> Answer<()> {
        Ok(self.subscriber()?.follow(instance).await?)
    }

    async fn unfollow(&self, instance: InstanceId) -> Answer<()> {
        Ok(self.subscriber()?.unfollow(instance).await?)
    }

    async fn heads(&self, instances: &[InstanceId]) -> Answer<Vec<Option<Head>>> {
        Ok(self.redis.heads(instances).await?)
    }

    async fn backfill(&self, id: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>> {
        let live = self.redis.log(id, after, limit).await?;
        let begins_at = live.first().map(|event| event.seq);
        if begins_at == Some(after.next()) {
            return Ok(live);
        }
        // The archive has the events between, or the instance is not live.
        let archived = self
            .mysql
            .events(id, Page::After(after), limit, begins_at)
            .await?;
        let mut events = archived.events;
        if let Some(generation) = live.first().map(|event| event.generation) {
            for event in &mut events {
                event.generation = generation;
            }
        }
        let mut next = events.last().map_or(after, |event| event.seq).next();
        for event in live {
            if event.seq != next || events.len() >= limit {
                break;
            }
            next = next.next();
            events.push(event);
        }
        Ok(events)
    }
}

impl RedisMysqlStore {
    fn subscriber(&self) -> Result<&Subscriber, Fault> {
        self.subscriber
            .get()
            .ok_or_else(|| Fault::broken("following", "the store has no feed yet"))
    }
}
