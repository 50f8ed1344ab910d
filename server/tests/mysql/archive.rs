//! Archiving: every event of a log is stored once, or the whole batch is rejected.

use plenary_server::store::Page;
use plenary_server::store::mysql::{Archived, Batch};
use plenary_shared::domain::{EventKind, Reason};
use plenary_shared::text::MessageBody;

use crate::{
    Harness, INJECTIONS, batch, cmid, connect, event, generation, instance_id, join, leave,
    message, minute, seq, user_id,
};

#[tokio::test]
async fn repeated_archive_changes_nothing() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@x").await;
    let id = harness.active().await;
    let first = || {
        let events = vec![event(id, 1, EventKind::Opened), join(id, 2, &ada)];
        batch(id, 0, events)
    };
    let done = harness.archive_one(first()).await;
    assert!(matches!(done, Archived::Done { last, .. } if last == seq(2)));
    let again = harness.archive_one(first()).await;
    assert!(matches!(again, Archived::Stale { instance } if instance == id));
    let nothing = harness.archive_one(batch(id, 2, Vec::new())).await;
    assert!(matches!(nothing, Archived::Done { last, .. } if last == seq(2)));
    let count = harness.database.value("SELECT COUNT(*) FROM event_log");
    assert_eq!(count, "2");

    let other_generation = Batch {
        generation: generation(2),
        ..batch(id, 2, vec![event(id, 3, EventKind::Opened)])
    };
    let stale = harness.archive_one(other_generation).await;
    assert!(matches!(stale, Archived::Stale { .. }));
    let unknown = instance_id(99, 1);
    let stale = batch(unknown, 0, vec![event(unknown, 1, EventKind::Opened)]);
    assert!(matches!(
        harness.archive_one(stale).await,
        Archived::Stale { .. }
    ));
}

#[tokio::test]
async fn racing_archivers_store_each_event_once() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@x").await;
    let ids = [harness.active().await, harness.active().await];
    let racers = (0..6).map(|n| {
        let store = connect(&harness.database);
        let mut batches: Vec<_> = ids
            .iter()
            .map(|&id| {
                let events = (1..=50).map(|n| message(id, n, ada.id, "x")).collect();
                batch(id, 0, events)
            })
            .collect();
        // Half of the archivers lock in the reverse order, which must not deadlock.
        if n % 2 == 0 {
            batches.reverse();
        }
        tokio::spawn(async move { store.archive(&batches).await.expect("it answers") })
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
    assert_eq!(
        harness.database.value("SELECT COUNT(*) FROM message"),
        "100"
    );
}

#[tokio::test]
async fn log_with_a_gap_is_rejected_and_others_are_stored() {
    let harness = Harness::new().await;
    let good = harness.active().await;
    let holed = harness.active().await;
    let late = harness.active().await;
    let foreign = harness.active().await;
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
    let outcomes = harness.store.archive(&batches).await.expect("it answers");
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
    assert_eq!(
        harness.database.value("SELECT COUNT(*) FROM event_log"),
        "1"
    );
}

#[tokio::test]
async fn thousand_events_are_read_back_unchanged() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@x").await;
    let id = harness.active().await;
    let closed = EventKind::Closed {
        reason: Reason::Scheduled,
    };
    let mut events = vec![event(id, 1, EventKind::Opened), join(id, 2, &ada)];
    events.extend((3..=998).map(|n| message(id, n, ada.id, &format!("message {n}"))));
    events.push(leave(id, 999, &ada, Reason::Scheduled));
    events.push(event(id, 1_000, closed));
    harness.archive_one(batch(id, 0, events.clone())).await;

    let read = harness
        .store
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
async fn sql_in_text_is_stored_as_data() {
    let harness = Harness::new().await;
    let id = harness.active().await;
    let events = INJECTIONS
        .iter()
        .zip(1..)
        .map(|(text, n)| message(id, n, user_id(7), text))
        .collect();
    harness.archive_one(batch(id, 0, events)).await;
    let read = harness
        .store
        .messages(id, Page::Before(None), 100, None)
        .await
        .expect("it answers");
    let bodies: Vec<_> = read.messages.iter().map(|m| m.body.as_str()).collect();
    assert_eq!(bodies, INJECTIONS);
    assert_eq!(read.messages[0].name, "user 7");
}

/// A Redis that lost an old cmid accepts the same message twice. The archive stores both events and
/// continues.
#[tokio::test]
async fn repeated_cmid_does_not_stop_the_archive() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@x").await;
    let id = harness.active().await;
    let other = harness.active().await;
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
    let outcomes = harness.store.archive(&batches).await.expect("it answers");
    for outcome in outcomes {
        assert!(matches!(outcome, Archived::Done { .. }), "{outcome:?}");
    }
    let read = harness
        .store
        .messages(id, Page::Before(None), 10, None)
        .await;
    let read = read.expect("it answers");
    let cmids: Vec<_> = read.messages.iter().map(|m| m.cmid).collect();
    assert_eq!(cmids, [cmid(1), cmid(0), cmid(3)]);
    let posted = harness.store.repeat_of(id, ada.id, cmid(1)).await;
    let posted = posted.expect("it answers").expect("it is there");
    assert_eq!(posted.seq, seq(1));
    assert!(posted.repeat);
    assert_eq!(posted.timestamp, minute(0).plus_ms(1));
    let nobody = harness.store.repeat_of(id, user_id(99), cmid(1)).await;
    assert!(nobody.expect("it answers").is_none());
}

/// A row that the database rejects holds back its own instance only.
#[tokio::test]
async fn rejected_row_holds_back_only_its_instance() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@x").await;
    let taken = harness.active().await;
    let free = harness.active().await;
    harness.database.query(&format!(
        "INSERT INTO event_log (meetingID, orderID, seq, eventType) VALUES ({}, {}, 1, 'x')",
        taken.meeting, taken.order
    ));
    let batches = [
        batch(taken, 0, vec![event(taken, 1, EventKind::Opened)]),
        batch(free, 0, vec![message(free, 1, ada.id, "hello")]),
    ];
    let outcomes = harness.store.archive(&batches).await.expect("it answers");
    assert!(
        matches!(
            outcomes.as_slice(),
            [Archived::Broken { .. }, Archived::Done { .. }]
        ),
        "{outcomes:?}"
    );
    let stored = harness.store.stored(taken).await.expect("it answers");
    assert_eq!(stored.expect("it is there").archived, seq(0));
}
