//! Bringing logs into the archive: all of it, once, or not at all.

use plenary_server::store::Page;
use plenary_server::store::mysql::{Archived, Batch};
use plenary_shared::domain::{EventKind, Reason};
use plenary_shared::text::MessageBody;

use crate::{
    HOSTILE, World, batch, cmid, connect, event, generation, instance_id, join, leave, message,
    minute, seq, user_id,
};

#[tokio::test]
async fn archiving_again_changes_nothing() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@x").await;
    let id = world.active().await;
    let first = || {
        let events = vec![event(id, 1, EventKind::Opened), join(id, 2, &ada)];
        batch(id, 0, events)
    };
    let done = world.archive_one(first()).await;
    assert!(matches!(done, Archived::Done { last, .. } if last == seq(2)));
    let again = world.archive_one(first()).await;
    assert!(matches!(again, Archived::Stale { instance } if instance == id));
    let nothing = world.archive_one(batch(id, 2, Vec::new())).await;
    assert!(matches!(nothing, Archived::Done { last, .. } if last == seq(2)));
    let count = world.database.value("SELECT COUNT(*) FROM event_log");
    assert_eq!(count, "2");

    let other_generation = Batch {
        generation: generation(2),
        ..batch(id, 2, vec![event(id, 3, EventKind::Opened)])
    };
    let stale = world.archive_one(other_generation).await;
    assert!(matches!(stale, Archived::Stale { .. }));
    let unknown = instance_id(99, 1);
    let stale = batch(unknown, 0, vec![event(unknown, 1, EventKind::Opened)]);
    assert!(matches!(
        world.archive_one(stale).await,
        Archived::Stale { .. }
    ));
}

#[tokio::test]
async fn archivers_that_race_store_each_event_once() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@x").await;
    let ids = [world.active().await, world.active().await];
    let racers = (0..6).map(|n| {
        let ledger = connect(&world.database);
        let mut batches: Vec<_> = ids
            .iter()
            .map(|&id| {
                let events = (1..=50).map(|n| message(id, n, ada.id, "x")).collect();
                batch(id, 0, events)
            })
            .collect();
        // Half of them in the other order: they must not wait for each other in a circle.
        if n % 2 == 0 {
            batches.reverse();
        }
        tokio::spawn(async move { ledger.archive(&batches).await.expect("it answers") })
    });
    let mut done = 0;
    for racer in racers.collect::<Vec<_>>() {
        for archived in racer.await.expect("no panic") {
            match archived {
                Archived::Done { .. } => done += 1,
                Archived::Stale { .. } => {}
                Archived::Broken { fault, .. } => panic!("{fault}"),
            }
        }
    }
    assert_eq!(done, 2);
    assert_eq!(world.database.value("SELECT COUNT(*) FROM message"), "100");
}

#[tokio::test]
async fn a_log_with_a_hole_is_refused_and_the_others_are_stored() {
    let world = World::new().await;
    let good = world.active().await;
    let holed = world.active().await;
    let late = world.active().await;
    let foreign = world.active().await;
    let batches = [
        batch(
            holed,
            0,
            vec![
                event(holed, 1, EventKind::Opened),
                event(holed, 3, EventKind::Opened),
            ],
        ),
        batch(late, 0, vec![event(late, 2, EventKind::Opened)]),
        batch(good, 0, vec![event(good, 1, EventKind::Opened)]),
        batch(foreign, 0, vec![event(good, 1, EventKind::Opened)]),
    ];
    let outcomes = world.ledger.archive(&batches).await.expect("it answers");
    assert!(
        matches!(
            outcomes.as_slice(),
            [
                Archived::Broken { .. },
                Archived::Broken { .. },
                Archived::Done { .. },
                Archived::Broken { .. },
            ]
        ),
        "{outcomes:?}"
    );
    assert_eq!(world.database.value("SELECT COUNT(*) FROM event_log"), "1");
}

#[tokio::test]
async fn a_thousand_events_are_read_back_as_they_were() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@x").await;
    let id = world.active().await;
    let closed = EventKind::Closed {
        reason: Reason::Scheduled,
    };
    let mut events = vec![event(id, 1, EventKind::Opened), join(id, 2, &ada)];
    events.extend((3..=998).map(|n| message(id, n, ada.id, &format!("message {n}"))));
    events.push(leave(id, 999, &ada, Reason::Scheduled));
    events.push(event(id, 1_000, closed));
    world.archive_one(batch(id, 0, events.clone())).await;

    let read = world
        .ledger
        .events(id, Page::After(seq(0)), 1_000, None)
        .await
        .expect("it answers");
    assert!(!read.more);
    for event in &mut events {
        event.generation = generation(0);
    }
    assert_eq!(read.events, events);
    assert_eq!(read.users.len(), 1);
    assert_eq!(read.users[0].name, "Ada");
}

#[tokio::test]
async fn text_is_data() {
    let world = World::new().await;
    let id = world.active().await;
    let events = HOSTILE
        .iter()
        .zip(1..)
        .map(|(text, n)| message(id, n, user_id(7), text))
        .collect();
    world.archive_one(batch(id, 0, events)).await;
    let read = world
        .ledger
        .messages(id, Page::Before(None), 100, None)
        .await
        .expect("it answers");
    let bodies: Vec<_> = read.messages.iter().map(|m| m.body.as_str()).collect();
    assert_eq!(bodies, HOSTILE);
    assert_eq!(read.messages[0].name, "user 7");
}

/// A live store that forgot an old cmid takes the same message twice. People have read it twice:
/// the record has it twice, and goes on.
#[tokio::test]
async fn a_cmid_that_comes_again_does_not_stop_the_archive() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@x").await;
    let id = world.active().await;
    let other = world.active().await;
    let again = |n| {
        let what = EventKind::Message {
            user: ada.id,
            cmid: cmid(1),
            body: MessageBody::parse(format!("message {n}")).expect("a body"),
            reply_to: None,
            edited: None,
            deleted: None,
        };
        event(id, n, what)
    };
    let batches = [
        batch(
            id,
            0,
            vec![again(1), again(2), message(id, 3, ada.id, "on")],
        ),
        batch(other, 0, vec![event(other, 1, EventKind::Opened)]),
    ];
    let outcomes = world.ledger.archive(&batches).await.expect("it answers");
    for outcome in outcomes {
        assert!(matches!(outcome, Archived::Done { .. }), "{outcome:?}");
    }
    let read = world
        .ledger
        .messages(id, Page::Before(None), 10, None)
        .await;
    let read = read.expect("it answers");
    let cmids: Vec<_> = read.messages.iter().map(|m| m.cmid).collect();
    assert_eq!(cmids, [cmid(1), cmid(0), cmid(3)]);
    let posted = world.ledger.repeat_of(id, ada.id, cmid(1)).await;
    let posted = posted.expect("it answers").expect("it is there");
    assert_eq!(posted.seq, seq(1));
    assert!(posted.repeat);
    assert_eq!(posted.timestamp, minute(0).plus_ms(1));
    let nobody = world.ledger.repeat_of(id, user_id(99), cmid(1)).await;
    assert!(nobody.expect("it answers").is_none());
}

/// A row that the database refuses keeps its own instance back, and no other.
#[tokio::test]
async fn what_is_refused_stays_alone() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@x").await;
    let taken = world.active().await;
    let free = world.active().await;
    world.database.query(&format!(
        "INSERT INTO event_log (meetingID, orderID, seq, eventType) VALUES ({}, {}, 1, 'x')",
        taken.meeting, taken.order
    ));
    let batches = [
        batch(taken, 0, vec![event(taken, 1, EventKind::Opened)]),
        batch(free, 0, vec![message(free, 1, ada.id, "hello")]),
    ];
    let outcomes = world.ledger.archive(&batches).await.expect("it answers");
    assert!(
        matches!(
            outcomes.as_slice(),
            [Archived::Broken { .. }, Archived::Done { .. }]
        ),
        "{outcomes:?}"
    );
    let stored = world.ledger.stored(taken).await.expect("it answers");
    assert_eq!(stored.expect("it is there").archived, seq(0));
}
