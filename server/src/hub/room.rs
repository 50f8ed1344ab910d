//! One followed instance: its last events as they go over the wire, and the cursors in them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plenary_shared::domain::{Event, ModerationAction, What};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::limits::TYPING_EVERY_MS;
use plenary_shared::protocol::{Durable, Fence, PresenceTold, WaitTold};
use plenary_shared::time::Timestamp;
use tokio::time::Instant;

use super::{Listener, lock};
use crate::store::Head;

/// People of whom a room tells within [`TYPING_EVERY_MS`] that they are writing: what a screen shows
/// of them. The others are not told of, however many follow.
const TYPING_TOLD_MAX: usize = 5;

/// Events that a room keeps: a second of a busy meeting. Who is further behind reads the log.
const RING_EVENTS_MAX: usize = 1_024;

/// Bytes that a room keeps.
const RING_BYTES_MAX: usize = 1024 * 1024;

/// An instance that is followed by somebody here.
#[derive(Debug)]
pub(super) struct Room {
    id: InstanceId,
    ready: AtomicBool,
    filling: AtomicBool,
    state: Mutex<State>,
    /// By their cursor's number: a socket that opens the instance anew has two for a moment.
    listeners: Mutex<HashMap<u64, Arc<Listener>>>,
    last_cursor: AtomicU64,
    /// Of whom it was told since when that they are writing.
    typing: Mutex<(Option<Instant>, BTreeSet<UserId>)>,
}

#[derive(Debug)]
struct State {
    head: Head,
    /// The highest seq that is known to be in the log.
    highest: Seq,
    /// Events above this are void in the generation before.
    base: Seq,
    /// The generation that `base` speaks of. Of older ones less may be common to both.
    before: Generation,
    /// Whether the last event of all is here: nothing follows it.
    closed: bool,
    /// The last events up to `head.seq`, without a gap.
    ring: VecDeque<Line>,
    ring_bytes: usize,
}

#[derive(Debug)]
struct Line {
    seq: Seq,
    /// When it happened.
    at: Timestamp,
    text: Box<str>,
}

impl Room {
    pub(super) fn new(id: InstanceId) -> Arc<Self> {
        let nothing = Seq::default();
        Arc::new(Self {
            id,
            ready: AtomicBool::new(false),
            filling: AtomicBool::new(false),
            state: Mutex::new(State {
                head: Head {
                    generation: Generation::default(),
                    seq: nothing,
                    durable: nothing,
                },
                highest: nothing,
                base: nothing,
                before: Generation::default(),
                closed: false,
                ring: VecDeque::new(),
                ring_bytes: 0,
            }),
            listeners: Mutex::default(),
            last_cursor: AtomicU64::new(0),
            typing: Mutex::default(),
        })
    }

    /// Bytes that are kept for those who follow.
    pub(super) fn kept_bytes(&self) -> usize {
        lock(&self.state).ring_bytes
    }

    pub(super) fn id(&self) -> InstanceId {
        self.id
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Begins at this head.
    pub(super) fn begin(&self, head: Head) {
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

    /// Takes an event; false: there is a hole before it.
    pub(super) fn push(&self, event: &Event) -> bool {
        let mut state = lock(&self.state);
        if !self.is_ready() {
            // It may come after the head was read with which this room begins: then that is a hole.
            state.highest = state.highest.max(event.seq);
            return true;
        }
        let of_archive = event.generation == Generation::default();
        if event.generation < state.head.generation && !of_archive {
            return true;
        }
        if event.generation > state.head.generation {
            // The fence itself was lost; what is durable is common to both generations.
            let base = state.head.durable;
            state.begin_anew(event.generation, base);
        }
        state.highest = state.highest.max(event.seq);
        if event.seq <= state.head.seq {
            return true;
        }
        if event.seq != state.head.seq.next() {
            return false;
        }
        state.head.seq = event.seq;
        state.closed |= matches!(event.what, What::Closed { .. });
        let banned = match &event.what {
            What::Moderated(done) => match &done.action {
                ModerationAction::Ban(whom) => Some(whom.id),
                _ => None,
            },
            _ => None,
        };
        // Serialised once, for every socket.
        let Ok(text) = serde_json::to_string(event) else {
            return true;
        };
        state.ring_bytes += text.len();
        state.ring.push_back(Line {
            seq: event.seq,
            at: event.timestamp,
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
            self.tell_banned(user);
        }
        self.wake();
        true
    }

    /// Somebody may not read along any more: their sockets are told so once they have the event.
    fn tell_banned(&self, user: UserId) {
        for listener in lock(&self.listeners).values() {
            if listener.user == user {
                listener.note_banned(self.id);
            }
        }
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
                // A fence in between was lost, and its base may have been lower.
                base.min(state.head.durable)
            };
            state.begin_anew(generation, base);
            drop(state);
            self.wake();
        }
    }

    /// Whether the log is ahead of this room; takes over what the log's head says.
    pub(super) fn is_behind(&self, head: Head) -> bool {
        let mut state = lock(&self.state);
        let begun_anew = head.generation > state.head.generation;
        if begun_anew {
            // The fence itself was lost; whoever holds a stay has to know of it all the same.
            let base = state.head.durable;
            state.begin_anew(head.generation, base);
        } else if head.generation < state.head.generation {
            return false;
        }
        let news = head.durable > state.head.durable;
        state.head.durable = state.head.durable.max(head.durable);
        state.highest = state.highest.max(head.seq);
        let behind = head.seq > state.head.seq;
        drop(state);
        if news || begun_anew {
            self.wake();
        }
        behind
    }

    /// Whether events are still to come here though the live log is gone: the archive has them.
    pub(super) fn awaits_its_end(&self) -> bool {
        self.is_ready() && !lock(&self.state).closed
    }

    pub(super) fn has_hole(&self) -> bool {
        let state = lock(&self.state);
        state.highest > state.head.seq
    }

    pub(super) fn begin_filling(&self) -> bool {
        !self.filling.swap(true, Ordering::AcqRel)
    }

    pub(super) fn end_filling(&self) {
        self.filling.store(false, Ordering::Release);
    }

    /// Somebody is writing here.
    pub(super) fn tell_typing(&self, user: UserId) {
        let mut typing = lock(&self.typing);
        let (since, told) = &mut *typing;
        let window = Duration::from_millis(TYPING_EVERY_MS.unsigned_abs());
        let now = Instant::now();
        if since.is_none_or(|since| now >= since + window) {
            *since = Some(now);
            told.clear();
        }
        if told.len() >= TYPING_TOLD_MAX || !told.insert(user) {
            return;
        }
        drop(typing);
        for listener in lock(&self.listeners).values() {
            listener.note_typing(self.id, user);
        }
    }

    /// Somebody is there, or is not.
    pub(super) fn tell_presence(&self, told: PresenceTold) {
        for listener in lock(&self.listeners).values() {
            listener.note_presence(told);
        }
    }

    /// Somebody waits for it to begin, or does not any more.
    pub(super) fn tell_waiting(&self, told: &WaitTold) {
        for listener in lock(&self.listeners).values() {
            listener.note_waiting(told);
        }
    }

    /// Who is there may have been told in vain.
    pub(super) fn ask_people(&self) {
        for listener in lock(&self.listeners).values() {
            listener.note_people(self.id);
        }
    }

    fn wake(&self) {
        for listener in lock(&self.listeners).values() {
            listener.wake();
        }
    }
}

impl State {
    fn begin_anew(&mut self, generation: Generation, base: Seq) {
        self.before = self.head.generation;
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

/// What a cursor found.
#[derive(Debug, PartialEq, Eq)]
pub enum Pull {
    /// It has everything.
    CaughtUp,
    /// There is more, for another frame.
    More,
    /// What comes next has left the ring: read it from the log.
    Behind,
    /// The live state has begun anew: the cursor is void, the instance must be opened again.
    Fenced,
}

/// How far one socket has been told of one room. Dropping it ends the following.
#[derive(Debug)]
pub struct Cursor {
    room: Arc<Room>,
    number: u64,
    generation: Generation,
    seq: Seq,
    durable: Seq,
    /// When the first event happened that was pulled since this was asked last.
    oldest: Option<Timestamp>,
}

impl Cursor {
    pub(super) fn new(room: Arc<Room>, listener: Arc<Listener>) -> Self {
        let number = room.last_cursor.fetch_add(1, Ordering::Relaxed);
        lock(&room.listeners).insert(number, listener);
        let head = lock(&room.state).head;
        Self {
            room,
            number,
            generation: head.generation,
            seq: head.seq,
            durable: head.durable,
            oldest: None,
        }
    }

    /// When the first event happened that was pulled since this was asked last.
    pub fn take_oldest(&mut self) -> Option<Timestamp> {
        self.oldest.take()
    }

    /// Says how far the socket knows this instance already.
    pub fn place(&mut self, generation: Generation, seq: Seq, durable: Seq) {
        self.generation = generation;
        self.seq = seq;
        self.durable = durable;
    }

    /// The last seq that was told.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The instance.
    pub fn instance(&self) -> InstanceId {
        self.room.id
    }

    /// Writes what the socket does not know yet, a line each, until `out` has `bytes_max` bytes.
    pub fn pull(&mut self, out: &mut String, bytes_max: usize) -> Pull {
        let state = lock(&self.room.state);
        if state.head.generation > self.generation {
            let base = if self.generation == state.before {
                state.base
            } else {
                // It has missed one: what was durable as far as it knows is in every generation since.
                state.base.min(self.durable)
            };
            let fence = Fence {
                instance: self.room.id,
                generation: state.head.generation,
                base,
            };
            write_line(out, &fence);
            return Pull::Fenced;
        }
        if state.head.generation < self.generation {
            // The room has not heard of the fence yet: what it has is void for this cursor.
            return Pull::CaughtUp;
        }
        if self.seq < state.head.seq {
            let next = self.seq.next();
            match state.ring.front() {
                Some(first) if first.seq <= next => {}
                _ => return Pull::Behind,
            }
            let at = state.ring.partition_point(|line| line.seq < next);
            for line in state.ring.range(at..) {
                if !out.is_empty() && out.len() + line.text.len() >= bytes_max {
                    return Pull::More;
                }
                out.push_str(&line.text);
                out.push('\n');
                self.seq = line.seq;
                self.oldest.get_or_insert(line.at);
            }
        }
        if self.durable < state.head.durable {
            self.durable = state.head.durable;
            let durable = Durable {
                instance: self.room.id,
                generation: self.generation,
                durable: self.durable,
            };
            write_line(out, &durable);
        }
        Pull::CaughtUp
    }

    /// Writes events that were read from the log after [`Pull::Behind`]: those of this cursor's
    /// generation, or of the archive, which all have in common.
    pub fn push(&mut self, out: &mut String, events: &[Event]) {
        for event in events {
            let is_ours =
                event.generation == self.generation || event.generation == Generation::default();
            if is_ours && event.seq == self.seq.next() {
                write_line(out, event);
                self.seq = event.seq;
            }
        }
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        lock(&self.room.listeners).remove(&self.number);
    }
}

fn write_line<T: serde::Serialize>(out: &mut String, value: &T) {
    // Our own types have string keys and no maps: this cannot fail, and if it did, the line is
    // missing and the reader asks for it.
    if let Ok(text) = serde_json::to_string(value) {
        out.push_str(&text);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u64) -> Seq {
        Seq::new(n).expect("small")
    }

    fn generation(n: u64) -> Generation {
        Generation::new(n).expect("small")
    }

    fn room() -> Arc<Room> {
        let room = Room::new("1/4".parse().expect("an instance"));
        room.begin(Head {
            generation: generation(1),
            seq: seq(10),
            durable: seq(0),
        });
        room
    }

    fn cursor(room: &Arc<Room>) -> Cursor {
        let (user, session) = (UserId::default(), crate::store::TokenHash([0; 32]));
        let listener = Arc::new(Listener::new(1, user, session));
        Cursor::new(room.clone(), listener)
    }

    fn event(in_generation: u64, n: u64) -> Event {
        Event {
            instance: "1/4".parse().expect("an instance"),
            generation: generation(in_generation),
            seq: seq(n),
            what: What::Opened,
            timestamp: Timestamp::from_ms(0),
        }
    }

    fn seqs(out: &str) -> Vec<u64> {
        out.lines()
            .map(|line| {
                let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
                value["seq"].as_u64().expect("a seq")
            })
            .collect()
    }

    #[test]
    fn cursors_see_every_event_once() {
        let room = room();
        let mut cursor = cursor(&room);
        let mut out = String::new();
        assert!(room.push(&event(1, 11)));
        assert!(room.push(&event(1, 11)));
        assert!(!room.push(&event(1, 13)), "a hole");
        assert!(room.has_hole());
        assert!(room.push(&event(1, 12)));
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::CaughtUp);
        assert_eq!(seqs(&out), [11, 12]);
        out.clear();
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::CaughtUp);
        assert_eq!(out, "");
    }

    #[test]
    fn who_is_too_far_behind_reads_the_log() {
        let room = room();
        let mut cursor = cursor(&room);
        for n in 11..2_000 {
            assert!(room.push(&event(1, n)));
        }
        let mut out = String::new();
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::Behind);
        cursor.push(
            &mut out,
            &(11..1_500).map(|n| event(1, n)).collect::<Vec<_>>(),
        );
        assert_eq!(seqs(&out).len(), 1_489);
        out.clear();
        assert_eq!(
            cursor.pull(&mut out, 1_000),
            Pull::More,
            "a frame holds so much"
        );
        assert_eq!(seqs(&out)[0], 1_500);
    }

    #[test]
    fn a_new_generation_voids_the_cursor() {
        let room = room();
        let mut cursor = cursor(&room);
        room.fence(generation(2), seq(7));
        let mut out = String::new();
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::Fenced);
        assert!(out.contains("\"fence\":7"), "{out}");
        assert!(room.push(&event(2, 8)));
        assert!(
            room.push(&event(1, 11)),
            "an old generation's event is no hole"
        );
        assert_eq!(room.seq(), seq(8));
    }

    #[test]
    fn whoever_missed_a_fence_is_told_what_all_generations_have() {
        let room = room();
        let mut cursor = cursor(&room);
        cursor.place(generation(1), seq(10), seq(4));
        room.fence(generation(2), seq(5));
        for n in 6..=9 {
            assert!(room.push(&event(2, n)));
        }
        room.fence(generation(3), seq(9));
        let mut out = String::new();
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::Fenced);
        assert!(out.contains("\"fence\":4"), "{out}");
    }

    #[test]
    fn a_room_that_missed_a_fence_says_what_all_generations_have() {
        let room = room();
        let mut cursor = cursor(&room);
        room.set_durable(generation(1), seq(3));
        room.fence(generation(3), seq(9));
        let mut out = String::new();
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::Fenced);
        assert!(out.contains("\"fence\":3"), "{out}");
    }

    #[tokio::test]
    async fn a_fence_that_was_lost_wakes_whoever_follows() {
        let room = room();
        let mut cursor = cursor(&room);
        // Nothing was said since: the head of the new generation is the old one's.
        let head = Head {
            generation: generation(2),
            seq: seq(0),
            durable: seq(0),
        };
        assert!(!room.is_behind(head));
        let woken = lock(&room.listeners).values().next().cloned();
        let woken = woken.expect("the cursor's");
        tokio::time::timeout(std::time::Duration::from_secs(5), woken.woken())
            .await
            .expect("woken");
        let mut out = String::new();
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::Fenced);
    }

    #[test]
    fn a_cursor_ahead_of_its_room_is_told_nothing_void() {
        let room = room();
        for n in 11..=13 {
            assert!(room.push(&event(1, n)));
        }
        let mut cursor = cursor(&room);
        cursor.place(generation(2), seq(10), seq(10));
        let mut out = String::new();
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::CaughtUp);
        assert_eq!(out, "");
        room.fence(generation(2), seq(10));
        assert!(room.push(&event(2, 11)));
        assert_eq!(cursor.pull(&mut out, 1_000), Pull::CaughtUp);
        assert_eq!(seqs(&out), [11]);
        assert!(out.contains("\"gen\":2"), "{out}");
    }

    #[test]
    fn who_reads_the_log_is_told_nothing_of_another_generation() {
        let mut cursor = cursor(&room());
        let mut out = String::new();
        cursor.push(&mut out, &[event(2, 11)]);
        assert_eq!((out.as_str(), cursor.seq()), ("", seq(10)));
        cursor.push(&mut out, &[event(0, 11), event(1, 12)]);
        assert_eq!(seqs(&out), [11, 12]);
    }

    #[test]
    fn what_comes_before_a_room_begins_is_a_hole_in_it() {
        let room = Room::new("1/4".parse().expect("an instance"));
        assert!(room.push(&event(1, 11)));
        room.begin(Head {
            generation: generation(1),
            seq: seq(10),
            durable: seq(0),
        });
        assert!(room.has_hole());
    }
}
