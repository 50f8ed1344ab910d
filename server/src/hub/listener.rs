//! What one socket is told beside events: kept until it looks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::{PresenceTold, WaitTold};
use tokio::sync::Notify;

use crate::store::{ReadPosition, TokenHash};

use super::lock;

/// What wakes one socket, and what it is told beside events.
#[derive(Debug)]
pub struct Listener {
    pub(super) number: u64,
    pub(super) user: UserId,
    pub(super) session: TokenHash,
    wake: Notify,
    changed: AtomicBool,
    signed_out: AtomicBool,
    /// How long the last ping took there and back, in milliseconds, and one more; 0: not known.
    round_trip: AtomicU32,
    notes: Mutex<Notes>,
    /// What its person waits for here.
    waits: Mutex<BTreeSet<InstanceId>>,
}

/// What a socket is told that is no event: kept until it looks, and lost with it.
#[derive(Debug, Default)]
pub struct Notes {
    /// How far its person has read at another terminal.
    pub read: BTreeMap<InstanceId, Seq>,
    /// Who is writing where.
    pub typing: BTreeSet<(InstanceId, UserId)>,
    /// Who in what it follows is there, or is not.
    pub presence: BTreeMap<(InstanceId, UserId), PresenceTold>,
    /// Who waits where, or does not any more, and how many do.
    pub waiting: BTreeMap<InstanceId, (usize, BTreeMap<UserId, WaitTold>)>,
    /// Where it has to ask who is there: it was told in vain.
    pub people: BTreeSet<InstanceId>,
    /// What its person may not follow any more, once the socket has told why.
    pub banned: BTreeSet<InstanceId>,
}

/// Notes of each kind that wait for a socket; what does not fit it is not told.
const NOTES_MAX: usize = 256;

impl Listener {
    pub(super) fn new(number: u64, user: UserId, session: TokenHash) -> Self {
        Self {
            number,
            user,
            session,
            wake: Notify::new(),
            changed: AtomicBool::new(false),
            signed_out: AtomicBool::new(false),
            round_trip: AtomicU32::new(0),
            notes: Mutex::default(),
            waits: Mutex::default(),
        }
    }

    /// A list has changed.
    pub(super) fn note_changed(&self) {
        self.changed.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// The session of this socket was closed.
    pub(super) fn note_signed_out(&self) {
        self.signed_out.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// How long a ping takes there and back, in milliseconds, once it is known.
    pub(super) fn round_trip_ms(&self) -> Option<u32> {
        self.round_trip.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Whether its person waits there.
    pub(super) fn waits(&self, instance: InstanceId) -> bool {
        lock(&self.waits).contains(&instance)
    }

    /// Waits until there is something to pull or to be told.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Whether a list has changed since this was asked last.
    pub fn take_changed(&self) -> bool {
        self.changed.swap(false, Ordering::Relaxed)
    }

    /// What is noted since this was asked last.
    pub fn take_notes(&self) -> Notes {
        std::mem::take(&mut *lock(&self.notes))
    }

    pub(super) fn note_read(&self, position: ReadPosition) {
        let mut notes = lock(&self.notes);
        if notes.read.len() < NOTES_MAX || notes.read.contains_key(&position.instance) {
            let seq = notes.read.entry(position.instance).or_default();
            *seq = position.seq.max(*seq);
        }
        drop(notes);
        self.wake.notify_one();
    }

    pub(super) fn note_typing(&self, instance: InstanceId, user: UserId) {
        if user == self.user {
            return;
        }
        let mut notes = lock(&self.notes);
        if notes.typing.len() < NOTES_MAX {
            notes.typing.insert((instance, user));
        }
        drop(notes);
        self.wake.notify_one();
    }

    /// Notes whether somebody is there. What does not fit is asked for.
    pub fn note_presence(&self, told: PresenceTold) {
        let mut notes = lock(&self.notes);
        let key = (told.instance, told.user);
        if notes.presence.len() < NOTES_MAX || notes.presence.contains_key(&key) {
            notes.presence.insert(key, told);
        } else {
            notes.people.insert(told.instance);
        }
        drop(notes);
        self.wake.notify_one();
    }

    /// Notes whether somebody waits, and how many do now. What does not fit is asked for.
    pub(super) fn note_waiting(&self, told: &WaitTold) {
        let mut notes = lock(&self.notes);
        let kept: usize = notes.waiting.values().map(|(_, people)| people.len()).sum();
        let (count, people) = notes.waiting.entry(told.instance).or_default();
        *count = told.count;
        if kept < NOTES_MAX || people.contains_key(&told.user) {
            people.insert(told.user, told.clone());
        } else {
            notes.people.insert(told.instance);
        }
        drop(notes);
        self.wake.notify_one();
    }

    /// Its person waits here from now on, or does not any more.
    /// Whether that is a change.
    pub fn set_waits(&self, instance: InstanceId, waits: bool) -> bool {
        let mut all = lock(&self.waits);
        if waits {
            all.insert(instance)
        } else {
            all.remove(&instance)
        }
    }

    pub(super) fn note_people(&self, instance: InstanceId) {
        lock(&self.notes).people.insert(instance);
        self.wake.notify_one();
    }

    /// A socket follows few instances: this needs no bound of its own.
    pub(super) fn note_banned(&self, instance: InstanceId) {
        lock(&self.notes).banned.insert(instance);
        self.wake.notify_one();
    }

    /// A ping took so long there and back.
    pub fn note_round_trip(&self, took: Duration) {
        let ms = u32::try_from(took.as_millis()).unwrap_or(u32::MAX);
        self.round_trip
            .store(ms.saturating_add(1), Ordering::Relaxed);
    }

    /// Lets it look what there is.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether the session of this socket was closed.
    pub fn is_signed_out(&self) -> bool {
        self.signed_out.load(Ordering::Relaxed)
    }
}
