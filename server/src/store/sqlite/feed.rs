//! Publishing to the hub: the events of each commit, and changes by other processes.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

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

/// Queued entries between the writer and the hub. When the queue is full, entries are dropped and the hub
/// reads them from the log, so a slow hub does not block the writer.
const FEED_MAX: usize = 16_384;

/// The queue to the hub, and the followed instances.
#[derive(Default)]
pub(super) struct Feeding {
    hub: OnceLock<mpsc::Sender<Feed>>,
    followed: Mutex<HashSet<InstanceId>>,
    /// Whether entries were dropped since the last `Gap`.
    dropped: AtomicBool,
}

#[async_trait]
impl FeedStore for SqliteStore {
    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault> {
        let fed = self.feeding.begin()?;
        tokio::spawn(watch::watch(self.link.downgrade(), self.feeding.clone()));
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

impl Feeding {
    /// Starts the feed. A store has one.
    pub(super) fn begin(&self) -> Result<mpsc::Receiver<Feed>, Fault> {
        let (hub, fed) = mpsc::channel(FEED_MAX);
        self.hub
            .set(hub)
            .map_err(|_| Fault::broken("feeding", "a second feed of one store"))?;
        Ok(fed)
    }

    pub(super) fn follow(&self, id: InstanceId) {
        self.followed().insert(id);
    }

    pub(super) fn unfollow(&self, id: InstanceId) {
        self.followed().remove(&id);
    }

    /// Publishes the entries of a commit in their order. Committed events are durable.
    pub(super) fn publish(&self, news: Vec<Feed>) {
        let Some(hub) = self.hub.get() else { return };
        let mut durable: BTreeMap<InstanceId, (Generation, Seq)> = BTreeMap::new();
        for one in news {
            match &one {
                Feed::Event(event) => {
                    if !self.followed().contains(&event.instance) {
                        continue;
                    }
                    durable.insert(event.instance, (event.generation, event.seq));
                }
                Feed::Durable { instance, .. }
                | Feed::Fence { instance, .. }
                | Feed::Typing { instance, .. } => {
                    if !self.followed().contains(instance) {
                        continue;
                    }
                }
                Feed::Presence(told) => {
                    if !self.followed().contains(&told.instance) {
                        continue;
                    }
                }
                Feed::Waiting(told) => {
                    if !self.followed().contains(&told.instance) {
                        continue;
                    }
                }
                Feed::Gap
                | Feed::Changed
                | Feed::SignedOut(_)
                | Feed::Read(_)
                | Feed::Denied(_)
                | Feed::Server(_) => {}
            }
            self.send(hub, one);
        }
        for (instance, (generation, seq)) in durable {
            self.send(
                hub,
                Feed::Durable {
                    instance,
                    generation,
                    seq,
                },
            );
        }
    }

    /// Publishes a `Gap` if entries were dropped.
    pub(super) fn confess(&self) {
        if let Some(hub) = self.hub.get()
            && self.dropped.swap(false, Ordering::Relaxed)
        {
            self.send(hub, Feed::Gap);
        }
    }

    /// Whether the hub has closed the feed.
    pub(super) fn is_over(&self) -> bool {
        self.hub.get().is_none_or(mpsc::Sender::is_closed)
    }

    fn send(&self, hub: &mpsc::Sender<Feed>, news: Feed) {
        if hub.try_send(news).is_err() {
            self.dropped.store(true, Ordering::Relaxed);
        }
    }

    fn followed(&self) -> MutexGuard<'_, HashSet<InstanceId>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
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
