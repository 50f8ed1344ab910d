//! The position of one connection in a room: pulls the events that it has not sent yet.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use plenary_shared::domain::Event;
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::protocol::{Durable, Fence};
use plenary_shared::time::Timestamp;

use super::lock;
use super::room::Room;
use super::subscriber::Subscriber;

/// The result of a pull.
#[derive(Debug, PartialEq, Eq)]
pub enum Pull {
    /// The connection has all events.
    CaughtUp,
    /// The frame is full, and there are more events.
    More,
    /// The next event has left the ring and has to be read from the log.
    Behind,
    /// A new generation has started: the cursor is void, and the client has to reopen the instance.
    Fenced,
}

/// The position of one connection in one room. Dropping it stops following.
#[derive(Debug)]
pub struct Cursor {
    room: Arc<Room>,
    number: u64,
    generation: Generation,
    seq: Seq,
    durable: Seq,
    /// Timestamp of the first event pulled since the last [`Cursor::take_oldest`].
    oldest: Option<Timestamp>,
}

impl Cursor {
    pub(super) fn new(room: Arc<Room>, subscriber: Arc<Subscriber>) -> Self {
        let number = room.last_cursor.fetch_add(1, Ordering::Relaxed);
        lock(&room.subscribers).insert(number, subscriber);
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

    /// Takes the timestamp of the first event that was pulled since the last call.
    pub fn take_oldest(&mut self) -> Option<Timestamp> {
        self.oldest.take()
    }

    /// Sets the position up to which the client knows the instance.
    pub fn place(&mut self, generation: Generation, seq: Seq, durable: Seq) {
        self.generation = generation;
        self.seq = seq;
        self.durable = durable;
    }

    /// Returns the seq of the last event that was pulled.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Returns the followed instance.
    pub fn instance(&self) -> InstanceId {
        self.room.id
    }

    /// Appends the events that follow the position, one per line, until `out` has `bytes_max` bytes.
    pub fn pull(&mut self, out: &mut String, bytes_max: usize) -> Pull {
        let state = lock(&self.room.state);
        if state.head.generation > self.generation {
            let base = if self.generation == state.previous {
                state.base
            } else {
                // The cursor missed a generation. What it knows as durable is in all of them.
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
            // The room has not received the fence yet: its events are void for this cursor.
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
                self.oldest.get_or_insert(line.timestamp);
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

    /// Appends events that were read from the log after [`Pull::Behind`], until `out` has `bytes_max`
    /// bytes. Returns how many were taken. Skips other generations than the cursor's; archived events
    /// belong to all of them.
    pub fn push(&mut self, out: &mut String, events: &[Event], bytes_max: usize) -> usize {
        for (taken, event) in events.iter().enumerate() {
            if out.len() >= bytes_max {
                return taken;
            }
            let is_ours =
                event.generation == self.generation || event.generation == Generation::default();
            if is_ours && event.seq == self.seq.next() {
                write_line(out, event);
                self.seq = event.seq;
            }
        }
        events.len()
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        lock(&self.room.subscribers).remove(&self.number);
    }
}

fn write_line<T: serde::Serialize>(out: &mut String, value: &T) {
    // Serialising our own types does not fail. If it did, the client would find the gap.
    if let Ok(text) = serde_json::to_string(value) {
        out.push_str(&text);
        out.push('\n');
    }
}
