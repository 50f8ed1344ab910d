//! The end of an instance: steps that may be repeated, taken by any server, and interrupted
//! anywhere.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use plenary_server::store::{EndStep, Page, Stepped, Store};
use plenary_shared::domain::{Code, Event, EventKind, InstanceState, Reason};
use plenary_shared::ids::{Generation, InstanceId, UserId};
use plenary_testkit::until_async;

use crate::harness::{
    Harness, SHORT_MS, body, cmid, code, connection, instance, kinds, leaves, messages, now,
};
use crate::joining::until_over;

/// More participants than one call removes.
const MANY: usize = 450;

fn closed(log: &[Event]) -> Option<Reason> {
    match log.last().map(|event| &event.kind) {
        Some(EventKind::Closed { reason }) => Some(*reason),
        Some(
            EventKind::Opened
            | EventKind::Join { .. }
            | EventKind::Leave { .. }
            | EventKind::Message { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Moderated(_),
        )
        | None => None,
    }
}

/// Checks that every operation is refused.
async fn assert_ended(harness: &Harness, here: InstanceId) {
    let (store, ada) = (&harness.store, &harness.root);
    let held = connection("late", 1);
    let answers = [
        code(&store.join(here, ada, Some(&held)).await),
        code(&store.leave(here, ada).await),
        code(&store.post(here, ada, cmid(999_999), &body("late")).await),
    ];
    assert_eq!(answers, [Some(Code::Ended); 3]);
}

pub async fn everybody_leaves_at_the_end_and_steps_are_idempotent(harness: &mut Harness) {
    let people = harness.crowd(MANY).await;
    let here = harness.public().await;
    let joined = join_all(
        people
            .iter()
            .map(|user| harness.store.join(here, user, None)),
    )
    .await;
    assert!(joined.iter().all(Result::is_ok));
    harness.post(here, &people[0], "before the end").await;
    for step in EndStep::ALL {
        for _ in 0..2 {
            harness.step(here, Reason::Ended, *step).await;
        }
        if *step != EndStep::Marked {
            assert_ended(harness, here).await;
        }
    }
    let log = harness.log(here).await;
    let end = log.last().expect("a closed log").timestamp;
    assert_eq!(closed(&log), Some(Reason::Ended));
    let left = leaves(&log);
    let everybody: BTreeSet<UserId> = people.iter().map(|user| user.id).collect();
    assert_eq!(left.len(), MANY);
    assert_eq!(
        left.iter().map(|(who, ..)| *who).collect::<BTreeSet<_>>(),
        everybody
    );
    for (_, why, when) in left {
        assert_eq!((why, when), (Reason::Ended, end));
    }
    for step in EndStep::ALL {
        harness.step(here, Reason::Scheduled, *step).await;
    }
    assert_eq!(harness.log(here).await, log);
}

pub async fn closed_instance_is_closed_again_after_loss(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    harness.archive(here).await;
    for step in [EndStep::Marked, EndStep::Closed] {
        harness.step(here, Reason::Ended, step).await;
    }
    harness.void(here);
    if harness.back_end.forget(here) {
        // A sweep that finds it missing rebuilds it; it is not closed there.
        for _ in 0..2 {
            harness.store.sweep().await.expect("the store answers");
        }
        harness.step(here, Reason::Ended, EndStep::Archived).await;
        let recorded = harness
            .store
            .end_step(here, Reason::Ended, EndStep::Recorded, now());
        let recorded = recorded.await.expect("the store answers");
        assert_eq!(recorded, Stepped::NotYet, "nobody has left yet");
    }
    harness.end(here).await;
    let log = harness.log(here).await;
    assert_eq!(leaves(&log).len(), 1);
    assert_eq!(closed(&log), Some(Reason::Ended));
}

pub async fn racing_ends_end_it_once(harness: &mut Harness) {
    let people = harness.crowd(MANY).await;
    let here = harness.public().await;
    join_all(
        people
            .iter()
            .map(|user| harness.store.join(here, user, None)),
    )
    .await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    join_all((0..6).map(|n| all_steps(&*stores[n % 2], here))).await;
    let log = harness.log(here).await;
    let kinds = kinds(&log);
    assert_eq!(
        (kinds["join"], kinds["leave"], kinds["closed"]),
        (MANY, MANY, 1)
    );
}

async fn all_steps(store: &dyn Store, here: InstanceId) {
    for step in EndStep::ALL {
        until_async(&format!("{step:?} of {here}"), async || {
            let stepped = store.end_step(here, Reason::Ended, *step, now()).await;
            (stepped.expect("the store answers") == Stepped::Done).then_some(())
        })
        .await;
    }
}

pub async fn everybody_leaves_at_todatetime(harness: &mut Harness) {
    let people = harness.crowd(3).await;
    let meeting = harness.meeting("Short", None).await;
    let here = harness.active(meeting, SHORT_MS).await;
    for user in &people {
        harness.join(here, user).await;
    }
    // Not before its end time.
    let early = harness
        .store
        .end_step(here, Reason::Scheduled, EndStep::Marked, now())
        .await;
    assert_eq!(early.expect("the store answers"), Stepped::NotYet);
    harness.post(here, &people[0], "still here").await;
    harness.leave(here, &people[2]).await;
    until_over(harness, here, &people[2]).await;
    assert_ended(harness, here).await;
    for step in EndStep::ALL {
        harness.step(here, Reason::Scheduled, *step).await;
    }
    let listed = harness
        .store
        .meetings(None, 10)
        .await
        .expect("the store answers");
    let listed = &listed[0].instances[0];
    let log = harness.log(here).await;
    let last = log.last().expect("a closed log");
    assert_eq!(closed(&log), Some(Reason::Scheduled));
    assert_eq!(last.timestamp, listed.todatetime);
    assert_eq!(listed.state, InstanceState::Ended);
    assert_eq!(listed.reason.as_deref(), Some("scheduled"));
    let left = leaves(&log);
    assert_eq!(left.len(), 3);
    for (_, why, when) in &left[1..] {
        assert_eq!((*why, *when), (Reason::Scheduled, last.timestamp));
    }
}

pub async fn early_steps_do_nothing(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.public().await;
    harness.join(here, &ada).await;
    for step in [EndStep::Recorded, EndStep::Destroyed] {
        let stepped = harness
            .store
            .end_step(here, Reason::Scheduled, step, now())
            .await;
        assert_eq!(
            stepped.expect("the store answers"),
            Stepped::NotYet,
            "{step:?}"
        );
    }
    let stepped = harness
        .store
        .end_step(here, Reason::Scheduled, EndStep::Closed, now())
        .await;
    assert_eq!(stepped.expect("the store answers"), Stepped::NotYet);
    harness.post(here, &ada, "still here").await;

    let meeting = harness.meeting("Later", None).await;
    let (from, to) = (now().plus_ms(3_600_000), now().plus_ms(7_200_000));
    let later = harness.schedule(meeting, from, to).await;
    for place in [later, instance(77, 1)] {
        let marked = harness
            .store
            .end_step(place, Reason::Ended, EndStep::Marked, now())
            .await;
        assert_eq!(
            marked.expect("the store answers"),
            Stepped::NotYet,
            "{place}"
        );
    }
    assert_eq!(
        code(&harness.store.join(later, &ada, None).await),
        Some(Code::NotStarted)
    );
    // Closed, but not archived, or not recorded as ended.
    harness.step(here, Reason::Ended, EndStep::Marked).await;
    harness.step(here, Reason::Ended, EndStep::Closed).await;
    let too_early = if harness.back_end.archives_later() {
        &[EndStep::Recorded, EndStep::Destroyed][..]
    } else {
        &[EndStep::Destroyed]
    };
    for &step in too_early {
        let stepped = harness
            .store
            .end_step(here, Reason::Ended, step, now())
            .await;
        assert_eq!(
            stepped.expect("the store answers"),
            Stepped::NotYet,
            "{step:?}"
        );
    }
}

pub async fn events_acknowledged_during_end_precede_it(harness: &mut Harness) {
    let people = harness.crowd(20).await;
    let here = harness.public().await;
    for user in &people {
        harness.join(here, user).await;
    }
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let talking = join_all(people.iter().enumerate().map(async |(who, user)| {
        let mut acknowledged = 0;
        for n in 0..10_000 {
            let posted = stores[who % 2].post(here, user, cmid(n), &body("x")).await;
            match code(&posted) {
                None => acknowledged += 1,
                Some(no) => {
                    assert_eq!(no, Code::Ended);
                    return acknowledged;
                }
            }
        }
        panic!("it never ended");
    }));
    let ending = async {
        until_async("some posts", async || {
            (harness.fed_events(here).len() > 100).then_some(())
        })
        .await;
        harness.end(here).await;
    };
    let (acknowledged, ()) = tokio::join!(talking, ending);
    let log = harness.log(here).await;
    assert_eq!(messages(&log).len(), acknowledged.iter().sum::<usize>());
}

/// A server dies after each step, and the live state is lost where that is possible.
pub async fn end_completes_after_live_state_was_lost(harness: &mut Harness) {
    let people = harness.crowd(3).await;
    for (at, step) in EndStep::ALL.iter().enumerate() {
        let here = harness.public().await;
        for user in &people {
            harness.join(here, user).await;
        }
        harness.post(here, &people[0], "archived").await;
        harness.leave(here, &people[2]).await;
        harness.archive(here).await;
        for step in &EndStep::ALL[..=at] {
            harness.step(here, Reason::Ended, *step).await;
        }
        if harness.back_end.forget(here) {
            harness.void(here);
        }
        all_steps(&*harness.store, here).await;
        let log = harness.log(here).await;
        assert_eq!(closed(&log), Some(Reason::Ended), "{step:?}: {log:#?}");
        let kinds = kinds(&log);
        let counted = (
            kinds["join"],
            kinds["leave"],
            kinds["message"],
            kinds["closed"],
        );
        assert_eq!(counted, (3, 3, 1, 1), "{step:?}: {log:#?}");
    }
}

pub async fn ended_instance_can_be_read(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let here = harness.private(&[&ada]).await;
    harness.join(here, &ada).await;
    harness.post(here, &ada, "for the record").await;
    harness.end(here).await;
    let opened = harness
        .store
        .open(here, &ada, None, 2)
        .await
        .expect("she was invited");
    assert_eq!(opened.generation, Generation::default());
    assert_eq!(opened.instance.state, InstanceState::Ended);
    assert_eq!(opened.instance.participants, 0);
    assert_eq!(opened.instance.joined, None);
    assert_eq!((opened.seq.get(), opened.durable.get()), (5, 5));
    assert_eq!(opened.roster, []);
    assert_eq!(opened.events.len(), 2);
    assert!(opened.more);
    let mine = harness
        .store
        .user_messages(here, &ada, ada.id, Page::Before(None), 10)
        .await;
    assert_eq!(mine.expect("she was invited").messages.len(), 1);
    let active = harness.store.active_meetings(&ada).await;
    assert_eq!(active.expect("the store answers"), []);
    let seen = harness
        .store
        .visible(&ada, now())
        .await
        .expect("the store answers");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].state, InstanceState::Ended);
    let times = harness.store.join_times(&ada).await;
    assert_eq!(times.expect("the store answers"), []);
    let started = harness.store.start(here, now()).await;
    assert_eq!(started.expect("the store answers"), None);
}

pub async fn instance_that_ended_early_is_listed_with_its_real_end(harness: &mut Harness) {
    let here = harness.public().await;
    let before = now();
    harness.end(here).await;
    let store = &harness.store;
    let listed = store.visible(&harness.root, now()).await;
    let listed = listed.expect("the store answers");
    let listed = listed.iter().find(|one| one.id == here).expect("a row");
    let opened = store.open(here, &harness.root, None, 1).await;
    let opened = opened.expect("an admin may read");
    assert_eq!(listed.ended_at, opened.instance.ended_at);
    let end = listed.end();
    assert!(end < listed.todatetime, "{listed:?}");
    assert!(
        end >= before.plus_ms(-1) && end <= now().plus_ms(1),
        "{end}"
    );
}
