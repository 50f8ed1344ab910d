//! Fan-out: the instances that are followed on this server, and the connections that follow them.
//!
//! Each event is serialised once per server. A connection has no event queue: it holds a cursor in
//! each room it follows and pulls from there at its own speed. A slow reader therefore costs a number
//! instead of memory and never delays another. What has left the room's ring is read from the log.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::ServerStatus;
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::error::Answer;
use crate::metrics::Metrics;
use crate::store::dashboard::Denial;
use crate::store::{ReadPosition, Store, TokenHash};

mod cursor;
mod feed;
mod room;
mod servers;
mod subscriber;
#[cfg(test)]
mod tests;

pub use cursor::{Cursor, Pull};
pub use subscriber::{Subscriber, Updates};

use room::Room;
use servers::Servers;

/// Interval between two comparisons of the rooms with the heads of their logs. It bounds the delay of
/// an event that pub/sub lost.
const CHECK_MS: u64 = 2_000;

/// Connections of one user to one server: enough for scripts, and too few to take all places.
const USER_CONNECTIONS_MAX: usize = 128;
/// Locks for following: the instances are spread over them, so that one slow follow delays few others.
const FOLLOWING_LOCKS: usize = 64;

/// Rejected joins that are queued for the dashboard. When the queue is full, the oldest is dropped.
const DENIALS_MAX: usize = 256;

/// The rooms that are followed on this server, and the connections of signed-in users.
pub struct Hub {
    store: Arc<dyn Store>,
    rooms: Mutex<BTreeMap<InstanceId, Arc<Room>>>,
    /// Serialises following and unfollowing of an instance, so that the store sees them in order.
    following: [tokio::sync::Mutex<()>; FOLLOWING_LOCKS],
    /// By user, then by connection number.
    subscribers: Mutex<BTreeMap<(UserId, u64), Arc<Subscriber>>>,
    /// Instances with new events, for the archiver. If the channel is full, the archiver's own scan
    /// finds them.
    new_events: mpsc::Sender<InstanceId>,
    check_ms: u64,
    clock: Clock,
    metrics: Arc<Metrics>,
    list_changes: AtomicU64,
    fences: AtomicU64,
    too_slow: AtomicU64,
    collects_denials: AtomicBool,
    denials: Mutex<VecDeque<Denial>>,
    servers: Servers,
}

impl Hub {
    /// Returns a hub that follows nothing. It sends instances with new events to `new_events`.
    pub fn new(
        store: Arc<dyn Store>,
        new_events: mpsc::Sender<InstanceId>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Self::with_check_interval(CHECK_MS, store, new_events, clock, metrics)
    }

    /// Returns a hub that compares its rooms with their logs every `check_ms` milliseconds.
    pub fn with_check_interval(
        check_ms: u64,
        store: Arc<dyn Store>,
        new_events: mpsc::Sender<InstanceId>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            rooms: Mutex::default(),
            following: std::array::from_fn(|_| tokio::sync::Mutex::default()),
            subscribers: Mutex::default(),
            new_events,
            check_ms,
            clock,
            metrics,
            list_changes: AtomicU64::new(0),
            fences: AtomicU64::new(0),
            too_slow: AtomicU64::new(0),
            collects_denials: AtomicBool::new(false),
            denials: Mutex::default(),
            servers: Servers::default(),
        })
    }

    /// Registers the connection of a signed-in user. Returns `too_many_requests` if the user has
    /// [`USER_CONNECTIONS_MAX`] already.
    pub fn register(
        &self,
        number: u64,
        user: UserId,
        session: TokenHash,
    ) -> Result<Arc<Subscriber>, Reject> {
        let mut subscribers = lock(&self.subscribers);
        let open = subscribers.range((user, 0)..=(user, u64::MAX)).count();
        if open >= USER_CONNECTIONS_MAX {
            let detail = format!(
                "You have {open} open connections to this server, which is the limit. Close one."
            );
            return Err(Reject::new(Code::TooManyRequests, detail));
        }
        let subscriber = Arc::new(Subscriber::new(number, user, session));
        subscribers.insert((user, number), subscriber.clone());
        Ok(subscriber)
    }

    /// Removes a connection.
    pub fn unregister(&self, subscriber: &Subscriber) {
        lock(&self.subscribers).remove(&(subscriber.user, subscriber.number));
    }

    /// Follows an instance: its events wake the subscriber from now on. Returns `None` if the instance
    /// is not live. The caller has to place the cursor.
    pub async fn follow(
        self: &Arc<Self>,
        id: InstanceId,
        subscriber: &Arc<Subscriber>,
    ) -> Answer<Option<Cursor>> {
        let room = self.room_or_new(id);
        if !room.is_ready() {
            let _one_at_a_time = self.lock_following(id).await;
            if !room.is_ready() {
                self.store.follow(id).await?;
                match self.store.heads(&[id]).await?.into_iter().next().flatten() {
                    Some(head) => room.start_at(head),
                    None => return Ok(None),
                }
                if room.has_gap() {
                    self.clone().fill(room.clone());
                }
            }
        }
        Ok(Some(Cursor::new(room, subscriber.clone())))
    }

    /// Follows an instance that has not started: its waiting list updates the subscriber until the
    /// cursor is dropped.
    pub async fn follow_waiting(
        self: &Arc<Self>,
        id: InstanceId,
        subscriber: &Arc<Subscriber>,
    ) -> Answer<Cursor> {
        let _one_at_a_time = self.lock_following(id).await;
        let room = self.room_or_new(id);
        self.store.follow(id).await?;
        Ok(Cursor::new(room, subscriber.clone()))
    }

    /// Returns whether a connection of the user to this server waits for the instance.
    pub fn is_waiting(&self, user: UserId, instance: InstanceId) -> bool {
        lock(&self.subscribers)
            .range((user, 0)..=(user, u64::MAX))
            .any(|(_, subscriber)| subscriber.is_waiting(instance))
    }

    /// Ends the waiting of all connections of this user.
    pub fn stop_waiting(&self, user: UserId, instance: InstanceId) {
        for (_, subscriber) in lock(&self.subscribers).range((user, 0)..=(user, u64::MAX)) {
            subscriber.set_waiting(instance, false);
        }
    }

    /// Sends a read position to the user's connections to this server.
    pub fn publish_read(&self, position: ReadPosition) {
        let user = position.user;
        for (_, subscriber) in lock(&self.subscribers).range((user, 0)..=(user, u64::MAX)) {
            subscriber.notify_read(position);
        }
    }

    /// Returns the number of rooms, and the size of their buffered events in bytes.
    pub fn buffered(&self) -> (usize, usize) {
        let rooms = lock(&self.rooms);
        let bytes = rooms.values().map(|room| room.buffered_bytes()).sum();
        (rooms.len(), bytes)
    }

    /// Returns how often a schedule or an audience has changed since this server started.
    pub fn list_changes(&self) -> u64 {
        self.list_changes.load(Ordering::Relaxed)
    }

    /// Returns the number of fences since this server started.
    pub fn fences(&self) -> u64 {
        self.fences.load(Ordering::Relaxed)
    }

    /// Counts a connection that is closed because it did not keep up.
    pub fn record_too_slow(&self) {
        self.too_slow.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of connections that did not keep up since this server started.
    pub fn too_slow(&self) -> u64 {
        self.too_slow.load(Ordering::Relaxed)
    }

    /// Returns the metrics of this server.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Returns the number of connections of signed-in users.
    pub fn connections(&self) -> usize {
        lock(&self.subscribers).len()
    }

    /// Returns the last measured round trip of a connection to this server, in milliseconds.
    pub fn round_trip_ms(&self, user: UserId, number: u64) -> Option<u32> {
        let subscribers = lock(&self.subscribers);
        subscribers.get(&(user, number))?.round_trip_ms()
    }

    /// Starts or stops collecting rejected joins.
    pub fn collect_denials(&self, collects: bool) {
        self.collects_denials.store(collects, Ordering::Relaxed);
        if !collects {
            lock(&self.denials).clear();
        }
    }

    /// Takes the rejected joins that were collected since the last call.
    pub fn take_denials(&self) -> VecDeque<Denial> {
        std::mem::take(&mut *lock(&self.denials))
    }

    /// Returns the recent status reports of all servers.
    pub fn servers(&self) -> Vec<ServerStatus> {
        self.servers.recent()
    }

    fn record_denial(&self, denial: Denial) {
        if !self.collects_denials.load(Ordering::Relaxed) {
            return;
        }
        let mut denials = lock(&self.denials);
        if denials.len() >= DENIALS_MAX {
            denials.pop_front();
        }
        denials.push_back(denial);
    }

    async fn lock_following(&self, id: InstanceId) -> tokio::sync::MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let locks = FOLLOWING_LOCKS as u64;
        let at = usize::try_from(hasher.finish() % locks).unwrap_or(0);
        self.following[at].lock().await
    }

    fn room(&self, id: InstanceId) -> Option<Arc<Room>> {
        lock(&self.rooms).get(&id).cloned()
    }

    fn room_or_new(&self, id: InstanceId) -> Arc<Room> {
        let mut rooms = lock(&self.rooms);
        rooms.entry(id).or_insert_with(|| Room::new(id)).clone()
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("rooms", &lock(&self.rooms).len())
            .finish_non_exhaustive()
    }
}

/// Locks a mutex. Every statement leaves the guarded values consistent, so a poisoned lock is usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
