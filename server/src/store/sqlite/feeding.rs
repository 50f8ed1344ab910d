//! Publishing to the hub: the events of each commit, and changes by other processes.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use plenary_shared::ids::{Generation, InstanceId, Seq};
use tokio::sync::mpsc;

use crate::error::Fault;
use crate::store::Feed;

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
                | Feed::Access(_)
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
