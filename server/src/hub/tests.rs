//! Rooms and cursors: order, gaps, fences and generations.

use std::sync::Arc;

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::{Generation, Seq, UserId};
use plenary_shared::time::Timestamp;

use super::cursor::{Cursor, Pull};
use super::lock;
use super::room::Room;
use super::subscriber::Subscriber;
use crate::store::{Head, TokenHash};

fn seq(n: u64) -> Seq {
    Seq::new(n).expect("small")
}

fn generation(n: u64) -> Generation {
    Generation::new(n).expect("small")
}

fn room() -> Arc<Room> {
    let room = Room::new("1/4".parse().expect("an instance"));
    room.start_at(Head {
        generation: generation(1),
        seq: seq(10),
        durable: seq(0),
    });
    room
}

fn cursor(room: &Arc<Room>) -> Cursor {
    let (user, session) = (UserId::default(), TokenHash([0; 32]));
    let subscriber = Arc::new(Subscriber::new(1, user, session));
    Cursor::new(room.clone(), subscriber)
}

fn event(in_generation: u64, n: u64) -> Event {
    Event {
        instance: "1/4".parse().expect("an instance"),
        generation: generation(in_generation),
        seq: seq(n),
        kind: EventKind::Opened,
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
    assert!(!room.push(&event(1, 13)), "a gap");
    assert!(room.has_gap());
    assert!(room.push(&event(1, 12)));
    assert_eq!(cursor.pull(&mut out, 1_000), Pull::CaughtUp);
    assert_eq!(seqs(&out), [11, 12]);
    out.clear();
    assert_eq!(cursor.pull(&mut out, 1_000), Pull::CaughtUp);
    assert_eq!(out, "");
}

#[test]
fn cursor_behind_the_ring_reads_the_log() {
    let room = room();
    let mut cursor = cursor(&room);
    for n in 11..2_000 {
        assert!(room.push(&event(1, n)));
    }
    let mut out = String::new();
    assert_eq!(cursor.pull(&mut out, 1_000), Pull::Behind);
    let log: Vec<_> = (11..1_500).map(|n| event(1, n)).collect();
    let taken = cursor.push(&mut out, &log, 1_000);
    assert!((2..100).contains(&taken), "the frame is full after {taken}");
    assert_eq!(seqs(&out).len(), taken);
    assert_eq!(
        cursor.push(&mut out, &log[taken..], usize::MAX),
        log.len() - taken
    );
    assert_eq!(seqs(&out).len(), 1_489);
    out.clear();
    assert_eq!(
        cursor.pull(&mut out, 1_000),
        Pull::More,
        "the frame is full"
    );
    assert_eq!(seqs(&out)[0], 1_500);
}

#[test]
fn new_generation_voids_the_cursor() {
    let room = room();
    let mut cursor = cursor(&room);
    room.fence(generation(2), seq(7));
    let mut out = String::new();
    assert_eq!(cursor.pull(&mut out, 1_000), Pull::Fenced);
    assert!(out.contains("\"fence\":7"), "{out}");
    assert!(room.push(&event(2, 8)));
    assert!(
        room.push(&event(1, 11)),
        "an event of an old generation leaves no gap"
    );
    assert_eq!(room.seq(), seq(8));
}

#[test]
fn cursor_that_missed_a_fence_falls_back_to_its_durable_seq() {
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
fn room_that_missed_a_fence_falls_back_to_its_durable_seq() {
    let room = room();
    let mut cursor = cursor(&room);
    room.set_durable(generation(1), seq(3));
    room.fence(generation(3), seq(9));
    let mut out = String::new();
    assert_eq!(cursor.pull(&mut out, 1_000), Pull::Fenced);
    assert!(out.contains("\"fence\":3"), "{out}");
}

#[tokio::test]
async fn lost_fence_wakes_the_followers() {
    let room = room();
    let mut cursor = cursor(&room);
    // The new generation has no events yet.
    let head = Head {
        generation: generation(2),
        seq: seq(0),
        durable: seq(0),
    };
    assert!(!room.update_head(head));
    let woken = lock(&room.subscribers).values().next().cloned();
    let woken = woken.expect("the cursor's");
    tokio::time::timeout(std::time::Duration::from_secs(5), woken.woken())
        .await
        .expect("woken");
    let mut out = String::new();
    assert_eq!(cursor.pull(&mut out, 1_000), Pull::Fenced);
}

#[test]
fn cursor_ahead_of_its_room_pulls_no_void_events() {
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
fn events_of_other_generations_are_skipped() {
    let mut cursor = cursor(&room());
    let mut out = String::new();
    cursor.push(&mut out, &[event(2, 11)], 1_000);
    assert_eq!((out.as_str(), cursor.seq()), ("", seq(10)));
    cursor.push(&mut out, &[event(0, 11), event(1, 12)], 1_000);
    assert_eq!(seqs(&out), [11, 12]);
}

#[test]
fn event_before_the_room_starts_leaves_a_gap() {
    let room = Room::new("1/4".parse().expect("an instance"));
    assert!(room.push(&event(1, 11)));
    room.start_at(Head {
        generation: generation(1),
        seq: seq(10),
        durable: seq(0),
    });
    assert!(room.has_gap());
}
