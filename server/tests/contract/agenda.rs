//! The agenda: due, upcoming and unfinished instances; a start that several servers attempt.

use futures_util::future::join_all;
use plenary_server::store::{Agenda, EndStep};
use plenary_shared::domain::{Code, EventKind, Reason};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;
use plenary_testkit::until_async;

use crate::harness::{HOUR_MS, Harness, SHORT_MS, code, instance, kinds, now};

async fn agenda(harness: &Harness, now: Timestamp, horizon_ms: i64) -> Agenda {
    let agenda = harness.store.agenda(now, horizon_ms).await;
    agenda.expect("the store answers")
}

fn ids(of: &[(InstanceId, Timestamp)]) -> Vec<InstanceId> {
    of.iter().map(|(id, _)| *id).collect()
}

pub async fn agenda_lists_due_and_upcoming_instances(harness: &mut Harness) {
    let begin = now();
    let at = |minutes: i64| begin.plus_ms(minutes * 60_000);
    let meeting = harness.meeting("Standup", None).await;
    let mut all = vec![];
    for (from, to) in [(-10, 20), (0, 5), (1, 30), (2, 10), (60, 90)] {
        all.push(harness.schedule(meeting, at(from), at(to)).await);
    }
    let empty = agenda(harness, at(-60), 0).await;
    assert_eq!(ids(&empty.starts), []);
    let due = agenda(harness, begin, 0).await;
    assert_eq!(due.starts, [(all[0], at(-10)), (all[1], at(0))]);
    assert_eq!((ids(&due.ends), due.ending), (vec![], vec![]));
    let soon = agenda(harness, begin, 60_000).await;
    assert_eq!(ids(&soon.starts), all[..3]);
    let later = agenda(harness, at(60), 0).await;
    assert_eq!(ids(&later.starts), all);

    for here in &all[..3] {
        let started = harness.store.start(*here, at(1)).await;
        assert!(started.expect("the store answers").is_some(), "{here}");
    }
    let ends = agenda(harness, begin, 20 * 60_000).await;
    assert_eq!(ids(&ends.starts), all[3..4]);
    assert_eq!(ends.ends, [(all[1], at(5)), (all[0], at(20))]);
    let ends = agenda(harness, at(30), 0).await;
    assert_eq!(ids(&ends.ends), [all[1], all[0], all[2]]);

    harness.step(all[1], Reason::Ended, EndStep::Marked).await;
    for step in [EndStep::Closed, EndStep::Archived] {
        let half = agenda(harness, at(30), 0).await;
        assert_eq!(ids(&half.ends), [all[0], all[2]]);
        assert_eq!(half.ending, [all[1]]);
        harness.step(all[1], Reason::Ended, step).await;
    }
    harness.step(all[1], Reason::Ended, EndStep::Recorded).await;
    harness
        .step(all[1], Reason::Ended, EndStep::Destroyed)
        .await;
    let done = agenda(harness, at(30), 0).await;
    assert_eq!(ids(&done.ends), [all[0], all[2]]);
    assert_eq!(done.ending, []);
}

pub async fn concurrent_starts_start_once(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let meeting = harness.meeting("Standup", None).await;
    let (from, to) = (now(), now().plus_ms(HOUR_MS));
    let here = harness.schedule(meeting, from, to).await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let at = now();
    let started = join_all((0..20).map(|n| stores[n % 2].start(here, at))).await;
    let started: Vec<Timestamp> = started
        .into_iter()
        .filter_map(|answer| answer.expect("the store answers"))
        .collect();
    assert_eq!(started, [to]);
    assert_eq!(harness.log(here).await.len(), 1);
    harness.join(here, &ada).await;
    let again = harness.store.start(here, now()).await;
    assert_eq!(again.expect("the store answers"), None);
    assert_eq!(harness.log(here).await.len(), 2);
}

pub async fn start_before_its_time_is_rejected(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let meeting = harness.meeting("Standup", None).await;
    let (from, to) = (now().plus_ms(HOUR_MS), now().plus_ms(2 * HOUR_MS));
    let here = harness.schedule(meeting, from, to).await;
    for (place, at) in [
        (here, now()),
        (here, from.plus_ms(-1)),
        (instance(77, 1), to),
        (instance(meeting.get(), 77), to),
    ] {
        let started = harness.store.start(place, at).await;
        assert_eq!(started.expect("the store answers"), None, "{place} at {at}");
    }
    assert_eq!(
        code(&harness.store.join(here, &ada, None).await),
        Some(Code::NotStarted)
    );
    let started = harness.store.start(here, from).await;
    assert_eq!(started.expect("the store answers"), Some(to));
    harness.join(here, &ada).await;
}

pub async fn missed_instance_is_opened_and_closed_empty(harness: &mut Harness) {
    let ada = harness.member("ada").await;
    let meeting = harness.meeting("Standup", None).await;
    let (from, to) = (now().plus_ms(-HOUR_MS), now().plus_ms(SHORT_MS));
    let here = harness.schedule(meeting, from, to).await;
    until_async("its time to pass", async || (now() > to).then_some(())).await;
    assert_eq!(ids(&agenda(harness, now(), 0).await.starts), [here]);
    assert_eq!(
        code(&harness.store.join(here, &ada, None).await),
        Some(Code::Ended)
    );
    let started = harness.store.start(here, now()).await;
    assert_eq!(started.expect("the store answers"), Some(to));
    assert_eq!(
        code(&harness.store.join(here, &ada, None).await),
        Some(Code::Ended)
    );
    for step in EndStep::ALL {
        harness.step(here, Reason::Missed, *step).await;
    }
    let log = harness.log(here).await;
    assert_eq!(kinds(&log).values().sum::<usize>(), 2);
    let reason = Reason::Missed;
    assert_eq!(log[1].kind, EventKind::Closed { reason });
    let listed = harness
        .store
        .meetings(None, 1)
        .await
        .expect("the store answers");
    assert_eq!(listed[0].instances[0].reason.as_deref(), Some("missed"));
}
