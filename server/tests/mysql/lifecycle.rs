//! Start, restart and end of an instance: each happens once, whichever server is first.

use plenary_server::store::mysql::Archived;
use plenary_shared::domain::{
    EndChange, EventKind, InstanceState, Moderation, ModerationAction, Reason, User,
};
use plenary_shared::ids::InstanceId;

use crate::{
    Harness, batch, cmid, connect, event, generation, instance_id, join, leave, message, minute,
    seq,
};

#[tokio::test]
async fn instance_begins_once_and_not_early() {
    let harness = Harness::new().await;
    let meeting = harness.meeting("Course", Some(&["ada@x", "ben@x"])).await;
    let instance = harness.instance(meeting, 0, 60).await;
    let early = harness.store.begin(instance, minute(0).plus_ms(-1)).await;
    assert!(early.expect("it answers").is_none());
    let racers = (0..10).map(|_| {
        let store = connect(&harness.database);
        tokio::spawn(async move { store.begin(instance, minute(0)).await.expect("answers") })
    });
    let mut openings = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        openings.extend(racer.await.expect("no panic"));
    }
    assert_eq!(openings.len(), 1);
    let opening = &openings[0];
    assert_eq!(opening.instance, instance);
    assert_eq!(opening.meeting.title, "Course");
    assert_eq!((opening.from, opening.to), (minute(0), minute(60)));
    assert_eq!(opening.state, InstanceState::Active);
    assert_eq!(opening.generation, generation(1));
    assert_eq!(opening.floor, seq(0));
    assert_eq!(opening.audience, ["ada@x", "ben@x"]);
    assert!(opening.stays.is_empty() && opening.sent.is_empty());
    let unknown = harness.store.begin(instance_id(99, 1), minute(0)).await;
    assert!(unknown.expect("it answers").is_none());
}

#[tokio::test]
async fn restart_restores_participants_and_cmids() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@x").await;
    let ben = harness.user("Ben", "ben@x").await;
    let eve = harness.user("Eve", "eve@x").await;
    let id = harness.active().await;
    let events = vec![
        event(id, 1, EventKind::Opened),
        join(id, 2, &ada),
        join(id, 3, &ben),
        message(id, 4, ada.id, "hello"),
        leave(id, 5, &ada, Reason::ConnectionLost),
        join(id, 6, &eve),
        leave(id, 7, &eve, Reason::Left),
        join(id, 8, &ada),
        message(id, 9, ben.id, "hi"),
    ];
    let archived = harness.archive_one(batch(id, 0, events)).await;
    assert!(matches!(archived, Archived::Done { last, .. } if last == seq(9)));

    let opening = harness.store.raise(id).await.expect("it answers");
    let opening = opening.expect("it is active");
    assert_eq!(opening.generation, generation(2));
    assert_eq!(opening.floor, seq(9));
    let stays: Vec<_> = opening
        .stays
        .iter()
        .map(|stay| (stay.user.clone(), stay.seq, stay.joined))
        .collect();
    assert_eq!(
        stays,
        [
            (ben.clone(), seq(3), minute(0).plus_ms(3)),
            (ada.clone(), seq(8), minute(0).plus_ms(8))
        ]
    );
    let sent: Vec<_> = opening
        .sent
        .iter()
        .map(|s| (s.user, s.cmid, s.seq))
        .collect();
    assert_eq!(sent, [(ada.id, cmid(4), seq(4)), (ben.id, cmid(9), seq(9))]);
    let eve_known = opening
        .people
        .iter()
        .any(|user| user.id == eve.id && user.name == "Eve");
    assert!(eve_known);
    assert_eq!(opening.people.len(), 3);
    assert!(opening.audience.is_empty(), "it is public");
}

#[tokio::test]
async fn scheduled_end_before_its_time_is_rejected() {
    let harness = Harness::new().await;
    let store = &harness.store;
    let id = harness.active().await;
    for reason in [Reason::Scheduled, Reason::Missed] {
        let early = store.begin_end(id, reason, minute(60).plus_ms(-1)).await;
        assert!(!early.expect("it answers"));
    }
    store
        .begin_end(id, Reason::Left, minute(60))
        .await
        .expect_err("nobody's leaving ends a meeting");
    let ended = store.begin_end(id, Reason::Ended, minute(1)).await;
    assert!(ended.expect("it answers"));
    // The first reason is kept.
    let again = store.begin_end(id, Reason::Scheduled, minute(60)).await;
    assert!(again.expect("it answers"), "it is ending");
    let stored = store.stored(id).await.expect("it answers").expect("there");
    assert_eq!(stored.state, InstanceState::Ending);
    assert_eq!(stored.reason, Some(Reason::Ended));
    let unfinished = store.unfinished().await.expect("it answers");
    assert_eq!(unfinished.len(), 1);
    assert_eq!(unfinished[0].instance, id);
    assert_eq!(unfinished[0].state, InstanceState::Ending);
    assert_eq!(unfinished[0].reason, Some(Reason::Ended));

    let raised = store.raise(id).await.expect("it answers");
    assert_eq!(raised.expect("it is ending").reason, Some(Reason::Ended));
    let begun = store.begin(id, minute(1)).await.expect("it answers");
    assert!(begun.is_none());
}

#[tokio::test]
async fn end_completes_with_the_archive() {
    let harness = Harness::new().await;
    let store = &harness.store;
    let id = harness.active().await;
    let finish = |generation_: u64, last: u64| {
        store.finish(id, generation(generation_), seq(last), minute(61))
    };
    assert!(!finish(1, 0).await.expect("it answers"), "not ending");
    let marked = store.begin_end(id, Reason::Scheduled, minute(60)).await;
    assert!(marked.expect("it answers"));
    let closed = EventKind::Closed {
        reason: Reason::Scheduled,
    };
    let events = vec![event(id, 1, EventKind::Opened), event(id, 2, closed)];
    harness.archive_one(batch(id, 0, events)).await;

    assert!(!finish(1, 1).await.expect("it answers"), "not all of it");
    assert!(!finish(2, 2).await.expect("it answers"), "other generation");
    assert!(finish(1, 2).await.expect("it answers"));
    assert!(finish(1, 2).await.expect("it answers"), "again");
    let stored = store.stored(id).await.expect("it answers").expect("there");
    assert_eq!(stored.state, InstanceState::Ended);
    assert_eq!(stored.ended_at, Some(minute(61)));
    assert_eq!(stored.archived, seq(2));
    assert!(store.raise(id).await.expect("it answers").is_none());
    assert!(store.unfinished().await.expect("it answers").is_empty());
    let late = store.begin_end(id, Reason::Ended, minute(62)).await;
    assert!(late.expect("it answers"), "marked before");
    let late = batch(id, 2, vec![event(id, 3, EventKind::Opened)]);
    assert!(matches!(
        harness.archive_one(late).await,
        Archived::Stale { .. }
    ));
}

#[tokio::test]
async fn instance_with_reversed_times_begins_and_ends() {
    let harness = Harness::new().await;
    let store = &harness.store;
    harness.database.query(
        "INSERT INTO meeting (meetingID) VALUES (5);
         INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
         VALUES (5, 0, '2026-05-06 12:00:00', '2026-05-06 11:00:00')",
    );
    let id = instance_id(5, 0);
    let begun = store.begin(id, minute(0)).await.expect("it answers");
    assert_eq!(begun.expect("it is due").meeting.title, "meeting 5");
    let ended = store.begin_end(id, Reason::Missed, minute(0)).await;
    assert!(ended.expect("it answers"));
}

/// An admin's moderation event of this instance.
fn moderated(
    id: InstanceId,
    number: u64,
    by: &User,
    action: ModerationAction,
) -> plenary_shared::domain::Event {
    let done = Moderation {
        user: by.id,
        name: by.name.clone(),
        cmid: cmid(number.into()),
        action,
        reason: None,
    };
    event(id, number, EventKind::Moderated(done))
}

#[tokio::test]
async fn end_marked_too_early_is_revoked_by_the_log() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@x").await;
    let id = harness.active().await;
    // The end was moved in time, but the server whose clock passed the old end did not know yet.
    let marked = harness.store.begin_end(id, Reason::Scheduled, minute(60));
    assert!(marked.await.expect("it answers"));
    let longer = ModerationAction::Extend(EndChange {
        todatetime: minute(90),
        before: minute(60),
    });
    let events = vec![
        event(id, 1, EventKind::Opened),
        moderated(id, 2, &ada, longer),
    ];
    harness.archive_one(batch(id, 0, events)).await;
    let stored = harness.store.stored(id).await.expect("it answers");
    let stored = stored.expect("it is there");
    assert_eq!(
        (stored.state, stored.to),
        (InstanceState::Active, minute(90))
    );
    assert_eq!(stored.reason, None);
    // The first early end determines the reason.
    let marked = harness.store.begin_end(id, Reason::Scheduled, minute(90));
    assert!(marked.await.expect("it answers"));
    let events = vec![moderated(id, 3, &ada, ModerationAction::End)];
    harness.archive_one(batch(id, 2, events)).await;
    let stored = harness.store.stored(id).await.expect("it answers");
    let stored = stored.expect("it is there");
    assert_eq!(stored.state, InstanceState::Ending);
    assert_eq!(stored.reason, Some(Reason::Ended));
    let opening = harness.store.raise(id).await.expect("it answers");
    assert!(opening.expect("it is ending").restrictions.ended.is_some());
}
