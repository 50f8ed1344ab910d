//! The hub's task: applies the store's feed to the rooms, and repairs what the feed lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use plenary_shared::ids::{InstanceId, OrderId};
use plenary_shared::limits::ID_MAX;
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::room::Room;
use super::{Hub, lock};
use crate::metrics::Stage;
use crate::store::{AccessChange, Feed};

/// Events per read when a gap is filled from the log.
const FILL_EVENTS_MAX: usize = 500;

impl Hub {
    /// Applies the feed until `stop` is cancelled. Notifies `schedule_changed` when a schedule changes.
    pub async fn run(
        self: Arc<Self>,
        feed: &mut mpsc::Receiver<Feed>,
        schedule_changed: Arc<Notify>,
        stop: CancellationToken,
    ) {
        let mut check = interval(Duration::from_millis(self.check_ms));
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Nothing is followed yet, so the first check can wait.
        check.reset();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                item = feed.recv() => match item {
                    Some(item) => {
                        if matches!(item, Feed::Changed) {
                            schedule_changed.notify_one();
                        }
                        self.apply(item);
                    }
                    None => return,
                },
                _ = check.tick() => self.clone().check_heads(),
            }
        }
    }

    fn apply(self: &Arc<Self>, item: Feed) {
        match item {
            Feed::Event(event) => {
                let took_ms = (self.clock)().ms_since(event.timestamp);
                let took = Duration::from_millis(u64::try_from(took_ms).unwrap_or(0));
                self.metrics.observe_stage(Stage::Feed, took);
                // A full channel loses nothing: the archiver scans all instances every second.
                let _ = self.new_events.try_send(event.instance);
                if let Some(room) = self.room(event.instance)
                    && !room.push(&event)
                {
                    self.clone().fill(room);
                }
            }
            Feed::Durable {
                instance,
                generation,
                seq,
            } => self.with_room(instance, |room| room.set_durable(generation, seq)),
            Feed::Fence {
                instance,
                generation,
                base,
            } => {
                self.fences.fetch_add(1, Ordering::Relaxed);
                self.with_room(instance, |room| {
                    self.metrics.fences.inc();
                    room.fence(generation, base);
                });
            }
            Feed::Read(position) => self.publish_read(position),
            Feed::Denied(denial) => self.record_denial(*denial),
            Feed::Server(server) => self.servers.record(*server),
            Feed::Typing { instance, user } => {
                self.with_room(instance, |room| room.broadcast_typing(user));
            }
            Feed::Presence(update) => {
                self.with_room(update.instance, |room| room.broadcast_presence(update));
            }
            Feed::Waiting(update) => {
                self.with_room(update.instance, |room| room.broadcast_waiting(&update));
            }
            Feed::Gap => {
                for room in lock(&self.rooms).values() {
                    room.request_participants();
                }
                self.apply_access_change(AccessChange::Any);
                self.clone().check_heads();
            }
            Feed::Changed => {
                self.list_changes.fetch_add(1, Ordering::Relaxed);
                for subscriber in lock(&self.subscribers).values() {
                    subscriber.notify_list_changed();
                }
            }
            Feed::Access(change) => self.apply_access_change(change),
            Feed::SignedOut(session) => {
                for subscriber in lock(&self.subscribers).values() {
                    if subscriber.session == session {
                        subscriber.notify_signed_out();
                    }
                }
            }
        }
    }

    /// Asks the connections that a change of permissions may affect to check them.
    fn apply_access_change(&self, change: AccessChange) {
        match change {
            AccessChange::User(user) => {
                let subscribers = lock(&self.subscribers);
                for (_, subscriber) in subscribers.range((user, 0)..=(user, u64::MAX)) {
                    subscriber.notify_access_changed();
                }
            }
            AccessChange::Meeting(meeting) => {
                let (first, last) = (OrderId::default(), OrderId::new(ID_MAX).unwrap_or_default());
                let instances = InstanceId::new(meeting, first)..=InstanceId::new(meeting, last);
                for (_, room) in lock(&self.rooms).range(instances) {
                    room.broadcast_access_changed();
                }
            }
            AccessChange::Any => {
                for subscriber in lock(&self.subscribers).values() {
                    subscriber.notify_access_changed();
                }
            }
        }
    }

    fn with_room(&self, id: InstanceId, apply: impl FnOnce(&Room)) {
        if let Some(room) = self.room(id) {
            apply(&room);
        }
    }

    /// Reads the missing events of a room from the log, in a task of its own. A room has at most one
    /// such task.
    pub(super) fn fill(self: Arc<Self>, room: Arc<Room>) {
        if !room.start_filling() {
            return;
        }
        tokio::spawn(async move {
            // A panic must not leave the room marked as being filled.
            let _filling = Filling(&room);
            loop {
                let after = room.seq();
                let read = self.store.backfill(room.id(), after, FILL_EVENTS_MAX);
                let is_complete = match read.await {
                    Ok(events) => {
                        for event in &events {
                            room.push(event);
                        }
                        events.len() < FILL_EVENTS_MAX
                    }
                    Err(error) => {
                        tracing::warn!(instance = %room.id(), %error, "filling a gap failed, retrying at the next check");
                        break;
                    }
                };
                if room.seq() == after || (is_complete && !room.has_gap()) {
                    break;
                }
            }
        });
    }

    /// Compares every room with the head of its log, and drops rooms without followers.
    fn check_heads(self: Arc<Self>) {
        tokio::spawn(async move {
            self.unfollow_unused().await;
            let rooms: Vec<Arc<Room>> = lock(&self.rooms)
                .values()
                // An instance that has not started has no log.
                .filter(|room| room.is_ready())
                .cloned()
                .collect();
            let ids: Vec<InstanceId> = rooms.iter().map(|room| room.id()).collect();
            if ids.is_empty() {
                return;
            }
            let heads = match self.store.heads(&ids).await {
                Ok(heads) => heads,
                Err(error) => {
                    tracing::debug!(%error, "reading the heads failed, retrying at the next check");
                    return;
                }
            };
            for (room, head) in rooms.into_iter().zip(heads) {
                let is_behind = match head {
                    Some(head) => room.update_head(head),
                    // The instance has ended, and the archive has its last events.
                    None => room.awaits_end(),
                };
                if is_behind {
                    self.clone().fill(room);
                }
            }
        });
    }

    async fn unfollow_unused(&self) {
        let unused: Vec<InstanceId> = lock(&self.rooms)
            .values()
            .filter(|room| Arc::strong_count(room) == 1)
            .map(|room| room.id())
            .collect();
        for id in unused {
            let _one_at_a_time = self.lock_following(id).await;
            {
                let mut rooms = lock(&self.rooms);
                // A follower may have arrived since.
                if rooms
                    .get(&id)
                    .is_none_or(|room| Arc::strong_count(room) > 1)
                {
                    continue;
                }
                rooms.remove(&id);
            }
            if let Err(error) = self.store.unfollow(id).await {
                tracing::debug!(instance = %id, %error, "unfollow failed, its events are ignored");
            }
        }
    }
}

/// A fill of a room, which is finished when this is dropped.
struct Filling<'a>(&'a Room);

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        self.0.finish_filling();
    }
}
