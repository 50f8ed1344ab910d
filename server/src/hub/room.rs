//! One followed instance: its last events in wire format, and its subscribers.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plenary_shared::domain::{Event, EventKind, ModerationAction};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::limits::TYPING_EVERY_MS;
use plenary_shared::protocol::{PresenceChange, WaitingChange};
use plenary_shared::time::Timestamp;
use tokio::time::Instant;

use super::lock;
use super::subscriber::Subscriber;
use crate::store::Head;

/// Users whose typing a room broadcasts within [`TYPING_EVERY_MS`]. Screens show no more than that.
const TYPING_USERS_MAX: usize = 5;

/// Events in the ring of a room: about a second of a busy meeting. Slower readers read the log.
const RING_EVENTS_MAX: usize = 1_024;

/// Bytes in the ring of a room.
const RING_BYTES_MAX: usize = 1024 * 1024;

/// A followed instance.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) id: InstanceId,
    ready: AtomicBool,
    filling: AtomicBool,
    pub(super) state: Mutex<State>,
    /// By cursor number: a connection that reopens an instance has two cursors for a moment.
    pub(super) subscribers: Mutex<HashMap<u64, Arc<Subscriber>>>,
    pub(super) last_cursor: AtomicU64,
    /// The start of the current typing window, and the users that were broadcast in it.
    typing: Mutex<(Option<Instant>, BTreeSet<UserId>)>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) head: Head,
    /// The highest seq that is known to be in the log.
    highest: Seq,
    /// Events of the previous generation above this seq are void.
    pub(super) base: Seq,
    /// The generation that `base` applies to. Older generations may have less in common.
    pub(super) previous: Generation,
    /// Whether the closing event, which is always the last, is here.
    closed: bool,
    /// The last events up to `head.seq`, without a gap.
    pub(super) ring: VecDeque<Line>,
    ring_bytes: usize,
}

/// One serialised event.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) seq: Seq,
    pub(super) timestamp: Timestamp,
    pub(super) text: Box<str>,
}

impl Room {
    pub(super) fn new(id: InstanceId) -> Arc<Self> {
        let zero = Seq::default();
        Arc::new(Self {
            id,
            ready: AtomicBool::new(false),
            filling: AtomicBool::new(false),
            state: Mutex::new(State {
                head: Head {
                    generation: Generation::default(),
                    seq: zero,
                    durable: zero,
                },
                highest: zero,
                base: zero,
                previous: Generation::default(),
                closed: false,
                ring: VecDeque::new(),
                ring_bytes: 0,
            }),
            subscribers: Mutex::default(),
            last_cursor: AtomicU64::new(0),
            typing: Mutex::default(),
        })
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        lock(&self.state).ring_bytes
    }

    pub(super) fn id(&self) -> InstanceId {
        self.id
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Makes the room ready, starting at this head.
    pub(super) fn start_at(&self, head: Head) {
        let mut state = lock(&self.state);
        if head.seq >= state.head.seq || head.generation != state.head.generation {
            state.ring.clear();
            state.ring_bytes = 0;
            state.head = head;
            state.highest = state.highest.max(head.seq);
        }
        drop(state);
        self.ready.store(true, Ordering::Release);
    }

    pub(super) fn seq(&self) -> Seq {
        lock(&self.state).head.seq
    }

    /// Adds an event. Returns false if there is a gap before it.
    pub(super) fn push(&self, event: &Event) -> bool {
        let mut state = lock(&self.state);
        if !self.is_ready() {
            // The event may be newer than the head that the room will start at, which leaves a gap.
            state.highest = state.highest.max(event.seq);
            return true;
        }
        let is_archived = event.generation == Generation::default();
        if event.generation < state.head.generation && !is_archived {
            return true;
        }
        if event.generation > state.head.generation {
            // The fence was lost. Durable events are common to both generations.
            let base = state.head.durable;
            state.reset(event.generation, base);
        }
        state.highest = state.highest.max(event.seq);
        if event.seq <= state.head.seq {
            return true;
        }
        if event.seq != state.head.seq.next() {
            return false;
        }
        state.head.seq = event.seq;
        state.closed |= matches!(event.kind, EventKind::Closed { .. });
        let banned = banned_user(event);
        // Serialised once for all connections.
        let Ok(text) = serde_json::to_string(event) else {
            return true;
        };
        state.ring_bytes += text.len();
        state.ring.push_back(Line {
            seq: event.seq,
            timestamp: event.timestamp,
            text: text.into(),
        });
        while state.ring.len() > RING_EVENTS_MAX || state.ring_bytes > RING_BYTES_MAX {
            let Some(oldest) = state.ring.pop_front() else {
                break;
            };
            state.ring_bytes -= oldest.text.len();
        }
        drop(state);
        if let Some(user) = banned {
            for subscriber in lock(&self.subscribers).values() {
                if subscriber.user == user {
                    subscriber.notify_banned(self.id);
                }
            }
        }
        self.wake();
        true
    }

    pub(super) fn set_durable(&self, generation: Generation, seq: Seq) {
        let mut state = lock(&self.state);
        if generation == state.head.generation && seq > state.head.durable {
            state.head.durable = seq;
            drop(state);
            self.wake();
        }
    }

    pub(super) fn fence(&self, generation: Generation, base: Seq) {
        let mut state = lock(&self.state);
        if generation > state.head.generation {
            let base = if generation.get() == state.head.generation.get() + 1 {
                base
            } else {
                // A fence in between was lost, and its base may be lower.
                base.min(state.head.durable)
            };
            state.reset(generation, base);
            drop(state);
            self.wake();
        }
    }

    /// Applies the head of the log. Returns whether the log has events that the room lacks.
    pub(super) fn update_head(&self, head: Head) -> bool {
        let mut state = lock(&self.state);
        let is_new_generation = head.generation > state.head.generation;
        if is_new_generation {
            // The fence was lost.
            let base = state.head.durable;
            state.reset(head.generation, base);
        } else if head.generation < state.head.generation {
            return false;
        }
        let is_more_durable = head.durable > state.head.durable;
        state.head.durable = state.head.durable.max(head.durable);
        state.highest = state.highest.max(head.seq);
        let behind = head.seq > state.head.seq;
        drop(state);
        if is_more_durable || is_new_generation {
            self.wake();
        }
        behind
    }

    /// Returns whether the room lacks the last events of an instance that has ended.
    pub(super) fn awaits_end(&self) -> bool {
        self.is_ready() && !lock(&self.state).closed
    }

    pub(super) fn has_gap(&self) -> bool {
        let state = lock(&self.state);
        state.highest > state.head.seq
    }

    /// Returns false if the room is being filled already.
    pub(super) fn start_filling(&self) -> bool {
        !self.filling.swap(true, Ordering::AcqRel)
    }

    pub(super) fn finish_filling(&self) {
        self.filling.store(false, Ordering::Release);
    }

    pub(super) fn broadcast_typing(&self, user: UserId) {
        let mut typing = lock(&self.typing);
        let (since, users) = &mut *typing;
        let window = Duration::from_millis(TYPING_EVERY_MS.unsigned_abs());
        let now = Instant::now();
        if since.is_none_or(|since| now >= since + window) {
            *since = Some(now);
            users.clear();
        }
        if users.len() >= TYPING_USERS_MAX || !users.insert(user) {
            return;
        }
        drop(typing);
        for subscriber in lock(&self.subscribers).values() {
            subscriber.notify_typing(self.id, user);
        }
    }

    pub(super) fn broadcast_presence(&self, update: PresenceChange) {
        for subscriber in lock(&self.subscribers).values() {
            subscriber.notify_presence(update);
        }
    }

    pub(super) fn broadcast_waiting(&self, update: &WaitingChange) {
        for subscriber in lock(&self.subscribers).values() {
            subscriber.notify_waiting(update);
        }
    }

    /// Asks all followers to query the participants again, because updates may have been lost.
    pub(super) fn request_participants(&self) {
        for subscriber in lock(&self.subscribers).values() {
            subscriber.request_participants(self.id);
        }
    }

    /// Asks all followers to check whether they may still read.
    pub(super) fn broadcast_access_changed(&self) {
        for subscriber in lock(&self.subscribers).values() {
            subscriber.notify_access_changed();
        }
    }

    fn wake(&self) {
        for subscriber in lock(&self.subscribers).values() {
            subscriber.wake();
        }
    }
}

/// Returns the user that this event bans.
fn banned_user(event: &Event) -> Option<UserId> {
    match &event.kind {
        EventKind::Moderated(done) => match &done.action {
            ModerationAction::Ban(whom) => Some(whom.id),
            _ => None,
        },
        _ => None,
    }
}

impl State {
    fn reset(&mut self, generation: Generation, base: Seq) {
        self.previous = self.head.generation;
        self.head = Head {
            generation,
            seq: base,
            durable: base,
        };
        self.highest = base;
        self.base = base;
        self.closed = false;
        self.ring.clear();
        self.ring_bytes = 0;
    }
}
