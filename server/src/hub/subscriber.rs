//! The hub's side of one connection: its wake-up signal, and the updates that are not events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::{PresenceChange, WaitingChange};
use tokio::sync::Notify;

use crate::store::{ReadPosition, TokenHash};

use super::lock;

/// Pending updates of each kind for one connection. Further updates are dropped, or replaced by a
/// request to query the participants.
const UPDATES_MAX: usize = 256;

/// The connection of a signed-in user, as seen by the hub.
#[derive(Debug)]
pub struct Subscriber {
    pub(super) number: u64,
    pub(super) user: UserId,
    pub(super) session: TokenHash,
    wake: Notify,
    list_changed: AtomicBool,
    signed_out: AtomicBool,
    /// Whether the permissions of the user may have changed.
    access_changed: AtomicBool,
    /// The last round trip in milliseconds plus one; 0 before the first.
    round_trip: AtomicU32,
    updates: Mutex<Updates>,
    /// Instances that the user waits for on this connection.
    waiting: Mutex<BTreeSet<InstanceId>>,
}

/// Pending updates for a connection that are not in the event log. They are lost with the connection.
#[derive(Debug, Default)]
pub struct Updates {
    /// Read positions that the user reached on another connection.
    pub read: BTreeMap<InstanceId, Seq>,
    pub typing: BTreeSet<(InstanceId, UserId)>,
    /// Changes of presence in followed instances.
    pub presence: BTreeMap<(InstanceId, UserId), PresenceChange>,
    /// Changes of the waiting list, with its current length.
    pub waiting: BTreeMap<InstanceId, (usize, BTreeMap<UserId, WaitingChange>)>,
    /// Instances whose participants have to be queried again, because updates were lost.
    pub participants: BTreeSet<InstanceId>,
    /// Instances that the user was banned from. The connection stops following them after it has sent
    /// the event.
    pub banned: BTreeSet<InstanceId>,
}

impl Subscriber {
    pub(super) fn new(number: u64, user: UserId, session: TokenHash) -> Self {
        Self {
            number,
            user,
            session,
            wake: Notify::new(),
            list_changed: AtomicBool::new(false),
            signed_out: AtomicBool::new(false),
            access_changed: AtomicBool::new(false),
            round_trip: AtomicU32::new(0),
            updates: Mutex::default(),
            waiting: Mutex::default(),
        }
    }

    /// Waits until there are events or updates to send.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Wakes the connection.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Returns whether a list of meetings has changed since the last call.
    pub fn take_list_changed(&self) -> bool {
        self.list_changed.swap(false, Ordering::Relaxed)
    }

    /// Takes the updates that are pending since the last call.
    pub fn take_updates(&self) -> Updates {
        std::mem::take(&mut *lock(&self.updates))
    }

    /// Returns whether the session of this connection was closed.
    pub fn is_signed_out(&self) -> bool {
        self.signed_out.load(Ordering::Relaxed)
    }

    /// Returns whether the permissions of the user have to be checked, and clears the flag.
    pub fn take_access_changed(&self) -> bool {
        self.access_changed.swap(false, Ordering::Relaxed)
    }

    /// Asks for a check that could not be done to be repeated. Does not wake the connection.
    pub fn keep_access_changed(&self) {
        self.access_changed.store(true, Ordering::Relaxed);
    }

    /// Records whether the user waits for an instance on this connection. Returns whether that is a
    /// change.
    pub fn set_waiting(&self, instance: InstanceId, waits: bool) -> bool {
        let mut waiting = lock(&self.waiting);
        if waits {
            waiting.insert(instance)
        } else {
            waiting.remove(&instance)
        }
    }

    /// Records the round trip of a ping.
    pub fn record_round_trip(&self, took: Duration) {
        let ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        self.round_trip
            .store(ms.saturating_add(1), Ordering::Relaxed);
    }

    /// Adds a change of presence.
    pub fn notify_presence(&self, update: PresenceChange) {
        self.update(|updates| {
            let key = (update.instance, update.user);
            if updates.presence.len() < UPDATES_MAX || updates.presence.contains_key(&key) {
                updates.presence.insert(key, update);
            } else {
                updates.participants.insert(update.instance);
            }
        });
    }

    pub(super) fn round_trip_ms(&self) -> Option<u32> {
        self.round_trip.load(Ordering::Relaxed).checked_sub(1)
    }

    pub(super) fn is_waiting(&self, instance: InstanceId) -> bool {
        lock(&self.waiting).contains(&instance)
    }

    pub(super) fn notify_list_changed(&self) {
        self.list_changed.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(super) fn notify_signed_out(&self) {
        self.signed_out.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(super) fn notify_access_changed(&self) {
        self.keep_access_changed();
        self.wake();
    }

    pub(super) fn notify_read(&self, position: ReadPosition) {
        self.update(|updates| {
            let read = &mut updates.read;
            if read.len() < UPDATES_MAX || read.contains_key(&position.instance) {
                let seq = read.entry(position.instance).or_default();
                *seq = position.seq.max(*seq);
            }
        });
    }

    pub(super) fn notify_typing(&self, instance: InstanceId, user: UserId) {
        if user == self.user {
            return;
        }
        self.update(|updates| {
            if updates.typing.len() < UPDATES_MAX {
                updates.typing.insert((instance, user));
            }
        });
    }

    pub(super) fn notify_waiting(&self, update: &WaitingChange) {
        self.update(|updates| {
            let waiting = &mut updates.waiting;
            let pending: usize = waiting.values().map(|(_, users)| users.len()).sum();
            let (count, users) = waiting.entry(update.instance).or_default();
            *count = update.count;
            if pending < UPDATES_MAX || users.contains_key(&update.user) {
                users.insert(update.user, update.clone());
            } else {
                updates.participants.insert(update.instance);
            }
        });
    }

    pub(super) fn request_participants(&self, instance: InstanceId) {
        self.update(|updates| {
            updates.participants.insert(instance);
        });
    }

    /// Needs no limit of its own: a connection follows few instances.
    pub(super) fn notify_banned(&self, instance: InstanceId) {
        self.update(|updates| {
            updates.banned.insert(instance);
        });
    }

    fn update(&self, change: impl FnOnce(&mut Updates)) {
        change(&mut lock(&self.updates));
        self.wake();
    }
}
