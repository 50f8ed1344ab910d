//! Fan-out: the instances that are followed here, each event serialised once, every socket told.
//!
//! A socket has no queue of events: it has a cursor in each room it follows, and pulls from there at
//! its own instrument. So a slow reader costs a number, never memory, and never slows another; what has
//! left the room's ring by the time it reads is read from the log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::BoardServer;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error::Answer;
use crate::metrics::{Metrics, Stage};
use crate::store::overview::Denial;
use crate::store::{Feed, ReadPosition, Store, TokenHash};

mod listener;
mod room;
mod servers;

pub use listener::{Listener, Notes};
pub use room::{Cursor, Pull};

use room::Room;
use servers::Servers;

/// Between two looks at the followed instances' positions: what pub/sub lost is found by then.
const POSITIONS_MS: u64 = 2_000;

/// Events read from the log at once to fill a hole.
const FILL_EVENTS_MAX: usize = 500;

/// Refusals that wait for the dashboard's next look: more than anybody reads.
const DENIALS_MAX: usize = 256;

/// The rooms that are followed here, and the sockets that are open.
pub struct Hub {
    store: Arc<dyn Store>,
    rooms: Mutex<BTreeMap<InstanceId, Arc<Room>>>,
    /// Following and unfollowing, one at a time, so that the last word to the store is the right one.
    following: tokio::sync::Mutex<()>,
    /// By their person, then by their number.
    listeners: Mutex<BTreeMap<(UserId, u64), Arc<Listener>>>,
    /// Instances with new events, for the archiver; what does not fit is found by its own look.
    fresh: mpsc::Sender<InstanceId>,
    positions_ms: u64,
    clock: Clock,
    metrics: Arc<Metrics>,
    /// How often a schedule or a list of meetings has changed.
    changes: AtomicU64,
    fences: AtomicU64,
    too_slow: AtomicU64,
    /// Whether refusals are of interest to anybody here.
    hears_denials: AtomicBool,
    denials: Mutex<VecDeque<Denial>>,
    servers: Servers,
}

impl Hub {
    /// Over this store; instances with new events are named to `fresh`.
    pub fn new(
        store: Arc<dyn Store>,
        fresh: mpsc::Sender<InstanceId>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Self::looking_every(POSITIONS_MS, store, fresh, clock, metrics)
    }

    /// How many instances are followed here, and how many bytes of events are kept for it.
    pub fn kept(&self) -> (usize, usize) {
        let rooms = lock(&self.rooms);
        let bytes = rooms.values().map(|room| room.kept_bytes()).sum();
        (rooms.len(), bytes)
    }

    /// The same, with so long between two looks at the followed instances' positions.
    pub fn looking_every(
        positions_ms: u64,
        store: Arc<dyn Store>,
        fresh: mpsc::Sender<InstanceId>,
        clock: Clock,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            rooms: Mutex::default(),
            following: tokio::sync::Mutex::new(()),
            listeners: Mutex::default(),
            fresh,
            positions_ms,
            clock,
            metrics,
            changes: AtomicU64::new(0),
            fences: AtomicU64::new(0),
            too_slow: AtomicU64::new(0),
            hears_denials: AtomicBool::new(false),
            denials: Mutex::default(),
            servers: Servers::default(),
        })
    }

    /// A socket of this session is there.
    pub fn listen(&self, number: u64, user: UserId, session: TokenHash) -> Arc<Listener> {
        let listener = Arc::new(Listener::new(number, user, session));
        lock(&self.listeners).insert((user, number), listener.clone());
        listener
    }

    /// It is there no longer.
    pub fn forget(&self, listener: &Listener) {
        lock(&self.listeners).remove(&(listener.user, listener.number));
    }

    /// How often a schedule or a list of meetings has changed since this server began.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// How often something that is followed here began anew since this server began.
    pub fn fences(&self) -> u64 {
        self.fences.load(Ordering::Relaxed)
    }

    /// A socket is closed because it did not keep up.
    pub fn note_too_slow(&self) {
        self.too_slow.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were since this server began.
    pub fn too_slow(&self) -> u64 {
        self.too_slow.load(Ordering::Relaxed)
    }

    /// What is counted and timed here.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many sockets there are with somebody signed in.
    pub fn connections(&self) -> usize {
        lock(&self.listeners).len()
    }

    /// How long a connection of this server takes there and back, in milliseconds, once it is known.
    pub fn round_trip_ms(&self, user: UserId, number: u64) -> Option<u32> {
        let listeners = lock(&self.listeners);
        let listener = listeners.get(&(user, number))?;
        listener.round_trip_ms()
    }

    /// From here on refusals are kept until they are taken, or not any more.
    pub fn hear_denials(&self, hears: bool) {
        self.hears_denials.store(hears, Ordering::Relaxed);
        if !hears {
            lock(&self.denials).clear();
        }
    }

    /// Who was refused since this was asked last.
    pub fn take_denials(&self) -> VecDeque<Denial> {
        std::mem::take(&mut *lock(&self.denials))
    }

    /// How servers have said lately that they are, by their node.
    pub fn servers(&self) -> Vec<BoardServer> {
        self.servers.known()
    }

    fn note_denied(&self, denial: Denial) {
        if !self.hears_denials.load(Ordering::Relaxed) {
            return;
        }
        let mut denials = lock(&self.denials);
        if denials.len() >= DENIALS_MAX {
            denials.pop_front();
        }
        denials.push_back(denial);
    }

    /// Tells a person's terminals at this server how far they have read.
    pub fn tell_read(&self, position: ReadPosition) {
        let user = position.user;
        for listener in lock(&self.listeners)
            .range((user, 0)..=(user, u64::MAX))
            .map(|(_, listener)| listener)
        {
            listener.note_read(position);
        }
    }

    /// Follows an instance: from here on the listener is woken by its events. `None`: it is not
    /// live. The cursor has to be placed.
    pub async fn follow(
        self: &Arc<Self>,
        id: InstanceId,
        listener: &Arc<Listener>,
    ) -> Answer<Option<Cursor>> {
        let room = lock(&self.rooms)
            .entry(id)
            .or_insert_with(|| Room::new(id))
            .clone();
        if !room.is_ready() {
            let _one_at_a_time = self.following.lock().await;
            if !room.is_ready() {
                self.store.follow(id).await?;
                match self.store.heads(&[id]).await?.into_iter().next().flatten() {
                    Some(head) => room.begin(head),
                    None => return Ok(None),
                }
                if room.has_hole() {
                    self.clone().fill(room.clone());
                }
            }
        }
        Ok(Some(Cursor::new(room, listener.clone())))
    }

    /// Hears of an instance that has not begun: who waits for it, until the answer is dropped.
    pub async fn hear(
        self: &Arc<Self>,
        id: InstanceId,
        listener: &Arc<Listener>,
    ) -> Answer<Cursor> {
        let _one_at_a_time = self.following.lock().await;
        let room = lock(&self.rooms)
            .entry(id)
            .or_insert_with(|| Room::new(id))
            .clone();
        self.store.follow(id).await?;
        Ok(Cursor::new(room, listener.clone()))
    }

    /// Whether a terminal of theirs at this server waits for it.
    pub fn waits(&self, user: UserId, instance: InstanceId) -> bool {
        lock(&self.listeners)
            .range((user, 0)..=(user, u64::MAX))
            .any(|(_, listener)| listener.waits(instance))
    }

    /// Deals with the feed until told to stop. `changed` is told when a schedule has changed.
    pub async fn run(
        self: Arc<Self>,
        feed: &mut mpsc::Receiver<Feed>,
        changed: Arc<Notify>,
        stop: CancellationToken,
    ) {
        let mut look = tokio::time::interval(Duration::from_millis(self.positions_ms));
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Nothing is followed yet.
        look.reset();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                news = feed.recv() => match news {
                    Some(news) => {
                        if matches!(news, Feed::Changed) {
                            changed.notify_one();
                        }
                        self.take(news);
                    }
                    None => return,
                },
                _ = look.tick() => self.clone().look_at_positions(),
            }
        }
    }

    fn take(self: &Arc<Self>, news: Feed) {
        match news {
            Feed::Event(event) => {
                let took_ms = (self.clock)().ms_since(event.timestamp);
                let took = Duration::from_millis(u64::try_from(took_ms).unwrap_or(0));
                self.metrics.observe_stage(Stage::Feed, took);
                // A full channel loses nothing: the archiver looks by itself every second.
                let _ = self.fresh.try_send(event.instance);
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
            } => {
                if let Some(room) = self.room(instance) {
                    room.set_durable(generation, seq);
                }
            }
            Feed::Fence {
                instance,
                generation,
                base,
            } => {
                self.fences.fetch_add(1, Ordering::Relaxed);
                if let Some(room) = self.room(instance) {
                    self.metrics.fences.inc();
                    room.fence(generation, base);
                }
            }
            Feed::Read(position) => self.tell_read(position),
            Feed::Denied(denial) => self.note_denied(*denial),
            Feed::Server(server) => self.servers.note(*server),
            Feed::Typing { instance, user } => {
                if let Some(room) = self.room(instance) {
                    room.tell_typing(user);
                }
            }
            Feed::Presence(told) => {
                if let Some(room) = self.room(told.instance) {
                    room.tell_presence(told);
                }
            }
            Feed::Waiting(told) => {
                if let Some(room) = self.room(told.instance) {
                    room.tell_waiting(&told);
                }
            }
            Feed::Gap => {
                for room in lock(&self.rooms).values() {
                    room.ask_people();
                }
                self.clone().look_at_positions();
            }
            Feed::Changed => {
                self.changes.fetch_add(1, Ordering::Relaxed);
                for listener in lock(&self.listeners).values() {
                    listener.note_changed();
                }
            }
            Feed::SignedOut(session) => {
                for listener in lock(&self.listeners).values() {
                    if listener.session == session {
                        listener.note_signed_out();
                    }
                }
            }
        }
    }

    fn room(&self, id: InstanceId) -> Option<Arc<Room>> {
        lock(&self.rooms).get(&id).cloned()
    }

    /// Reads what a room has missed, in a task of its own; one at a time for a room.
    fn fill(self: Arc<Self>, room: Arc<Room>) {
        if !room.begin_filling() {
            return;
        }
        tokio::spawn(async move {
            loop {
                let after = room.seq();
                let is_all = match self.store.backfill(room.id(), after, FILL_EVENTS_MAX).await {
                    Ok(events) => {
                        for event in &events {
                            room.push(event);
                        }
                        events.len() < FILL_EVENTS_MAX
                    }
                    Err(error) => {
                        // The next look at the positions tries again.
                        tracing::warn!(instance = %room.id(), %error, "a hole is not filled yet");
                        break;
                    }
                };
                if room.seq() == after || (is_all && !room.has_hole()) {
                    break;
                }
            }
            room.end_filling();
        });
    }

    /// Compares every followed instance with its log, and forgets rooms that nobody follows.
    fn look_at_positions(self: Arc<Self>) {
        tokio::spawn(async move {
            self.unfollow_idle().await;
            let rooms: Vec<Arc<Room>> = lock(&self.rooms)
                .values()
                // What has not begun has no position.
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
                    tracing::debug!(%error, "positions are not known");
                    return;
                }
            };
            for (room, head) in rooms.into_iter().zip(heads) {
                let is_behind = match head {
                    Some(head) => room.is_behind(head),
                    // It has ended, and what was lost of its end has to be told.
                    None => room.awaits_its_end(),
                };
                if is_behind {
                    self.clone().fill(room);
                }
            }
        });
    }

    async fn unfollow_idle(&self) {
        let idle: Vec<InstanceId> = lock(&self.rooms)
            .values()
            .filter(|room| Arc::strong_count(room) == 1)
            .map(|room| room.id())
            .collect();
        for id in idle {
            let _one_at_a_time = self.following.lock().await;
            {
                let mut rooms = lock(&self.rooms);
                // Somebody may have come meanwhile.
                if rooms
                    .get(&id)
                    .is_none_or(|room| Arc::strong_count(room) > 1)
                {
                    continue;
                }
                rooms.remove(&id);
            }
            if let Err(error) = self.store.unfollow(id).await {
                tracing::debug!(instance = %id, %error, "still fed with what nobody follows");
            }
        }
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("rooms", &lock(&self.rooms).len())
            .finish_non_exhaustive()
    }
}

/// What a lock guards here is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
