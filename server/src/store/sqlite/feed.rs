//! What the hub is told: the news of each commit, and what other processes changed in the file.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use plenary_shared::ids::{Generation, InstanceId, Seq};
use tokio::sync::mpsc;

use crate::error::Fault;
use crate::store::Feed;

/// What may wait between the writer and the hub. What does not fit is dropped and read from the
/// log: memory stays bounded and the writer goes on, however slow the hub is.
const FEED_MAX: usize = 16_384;

/// The way to the hub, and the instances that are followed.
#[derive(Default)]
pub(super) struct Feeding {
    hub: OnceLock<mpsc::Sender<Feed>>,
    followed: Mutex<HashSet<InstanceId>>,
    /// Whether something did not fit since the last `Gap`.
    dropped: AtomicBool,
}

impl Feeding {
    /// Begins; a store has one feed.
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

    /// Tells what a commit made true, in its order. What is committed is durable.
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

    /// Says that events were dropped, if some were.
    pub(super) fn confess(&self) {
        if let Some(hub) = self.hub.get()
            && self.dropped.swap(false, Ordering::Relaxed)
        {
            self.send(hub, Feed::Gap);
        }
    }

    /// Whether nobody listens any more.
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
