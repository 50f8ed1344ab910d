//! The feed of the hub: following instances, and reading their logs.

use async_trait::async_trait;
use plenary_shared::domain::Event;
use plenary_shared::ids::{Generation, InstanceId, Seq};
use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::error::{Answer, Fault};
use crate::store::{Feed, FeedStore, Head, Page};

use super::live::live;
use super::log::log;
use super::{SqliteStore, watch};

#[async_trait]
impl FeedStore for SqliteStore {
    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault> {
        let fed = self.feeding.begin()?;
        tokio::spawn(watch::supervise(
            self.link.downgrade(),
            self.feeding.clone(),
        ));
        Ok(fed)
    }

    async fn follow(&self, instance: InstanceId) -> Answer<()> {
        self.feeding.follow(instance);
        Ok(())
    }

    async fn unfollow(&self, instance: InstanceId) -> Answer<()> {
        self.feeding.unfollow(instance);
        Ok(())
    }

    async fn heads(&self, instances: &[InstanceId]) -> Answer<Vec<Option<Head>>> {
        let instances = instances.to_vec();
        self.link.read(move |conn| heads(conn, &instances)).await
    }

    async fn backfill(&self, instance: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>> {
        self.link
            .read(move |conn| backfill(conn, instance, after, limit))
            .await
    }
}

/// The heads of these instances' logs; `None`: not live.
fn heads(conn: &Connection, ids: &[InstanceId]) -> Answer<Vec<Option<Head>>> {
    ids.iter()
        .map(|id| {
            Ok(live(conn, *id)?.map(|found| Head {
                generation: found.generation,
                seq: found.seq,
                durable: found.seq,
            }))
        })
        .collect()
}

/// Events above `after`, without a permission check.
fn backfill(conn: &Connection, id: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>> {
    let generation = live(conn, id)?.map_or(Generation::default(), |found| found.generation);
    Ok(log(conn, id, generation, Page::After(after), limit)?.events)
}
