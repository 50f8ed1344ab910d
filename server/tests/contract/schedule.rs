//! Meetings and their schedule.

use futures_util::future::join_all;
use plenary_server::store::NewMeeting;
use plenary_shared::domain::{Code, InstanceState};
use plenary_shared::ids::MeetingId;
use plenary_shared::limits::{ID_MAX, INSTANCE_DAYS_MAX};

use crate::harness::{HOUR_MS, Harness, code, now};

const DAY_MS: i64 = 24 * HOUR_MS;

pub async fn invalid_times_are_rejected(harness: &mut Harness) {
    let meeting = harness.meeting("Standup", None).await;
    let now = now();
    let rows = [
        (0, HOUR_MS, None),
        (-HOUR_MS, HOUR_MS, None),
        (0, INSTANCE_DAYS_MAX * DAY_MS, None),
        (HOUR_MS, HOUR_MS + 1, None),
        (0, INSTANCE_DAYS_MAX * DAY_MS + 1, Some(Code::Invalid)),
        (HOUR_MS, HOUR_MS, Some(Code::Invalid)),
        (2 * HOUR_MS, HOUR_MS, Some(Code::Invalid)),
        (-HOUR_MS, -1, Some(Code::Invalid)),
        (-2 * HOUR_MS, -HOUR_MS, Some(Code::Invalid)),
    ];
    let mut order = 0;
    for (from, to, expected) in rows {
        let answer = harness
            .store
            .schedule(meeting, now.plus_ms(from), now.plus_ms(to), None)
            .await;
        assert_eq!(code(&answer), expected, "{from} {to}");
        if let Ok(here) = answer {
            order += 1;
            assert_eq!((here.meeting, here.order.get()), (meeting, order));
        }
    }
    for unknown in [meeting.get() + 1, 0, ID_MAX] {
        let unknown = MeetingId::new(unknown).expect("not too large");
        let answer = harness
            .store
            .schedule(unknown, now, now.plus_ms(HOUR_MS), None)
            .await;
        assert_eq!(code(&answer), Some(Code::NotFound), "{unknown}");
    }
}

pub async fn concurrent_schedules_get_different_orders(harness: &mut Harness) {
    let meeting = harness.meeting("Standup", None).await;
    let stores = [harness.store.clone(), harness.back_end.other().await];
    let (from, to) = (now(), now().plus_ms(HOUR_MS));
    let scheduling = (0..20).map(|n| stores[n % 2].schedule(meeting, from, to, None));
    let mut orders: Vec<u64> = join_all(scheduling)
        .await
        .into_iter()
        .map(|answer| answer.expect("the time is good").order.get())
        .collect();
    orders.sort_unstable();
    assert_eq!(orders, (1..=20).collect::<Vec<u64>>());
}

pub async fn meetings_are_listed_in_pages(harness: &mut Harness) {
    let mut ids = vec![];
    for n in 0..5 {
        let new = NewMeeting {
            by: None,
            title: format!("Meeting {n} '\"\\ 🦀"),
            description: "Two\nlines".to_owned(),
            is_public: n % 2 == 0,
            audience: vec!["b@example.org".to_owned(), "a@example.org".to_owned()],
        };
        let added = harness
            .store
            .add_meeting(new.clone())
            .await
            .expect("it can be added");
        assert_eq!(
            (&added.title, &added.description),
            (&new.title, &new.description)
        );
        ids.push(added.id);
    }
    let (from, to) = (now(), now().plus_ms(HOUR_MS));
    let first = harness.schedule(ids[1], from, to).await;
    let second = harness.schedule(ids[1], to, to.plus_ms(HOUR_MS)).await;
    let started = harness.store.start(first, from).await;
    started.expect("the store answers").expect("it is due");
    for limit in 1..=6 {
        let mut read = vec![];
        loop {
            let after = read.last().copied();
            let some = harness
                .store
                .meetings(after, limit)
                .await
                .expect("the store answers");
            assert!(some.len() <= limit);
            if some.is_empty() {
                break;
            }
            for one in &some {
                let mut audience = one.audience.clone();
                audience.sort();
                assert_eq!(audience, ["a@example.org", "b@example.org"]);
                assert!(one.meeting.title.ends_with("'\"\\ 🦀"));
            }
            read.extend(some.iter().map(|one| one.meeting.id));
        }
        assert_eq!(read, ids, "{limit}");
    }
    for id in &ids {
        let found = harness.store.meeting(*id).await.expect("the store answers");
        assert_eq!(found.map(|one| one.meeting.id), Some(*id));
    }
    let unknown = MeetingId::new(ids[ids.len() - 1].get() + 1).expect("a small number");
    let found = harness.store.meeting(unknown).await;
    assert!(found.expect("the store answers").is_none());
    let listed = harness
        .store
        .meetings(Some(ids[0]), 1)
        .await
        .expect("the store answers");
    let instances: Vec<_> = listed[0]
        .instances
        .iter()
        .map(|one| {
            (
                one.id,
                one.fromdatetime,
                one.todatetime,
                one.state,
                one.reason.clone(),
            )
        })
        .collect();
    assert_eq!(
        instances,
        [
            (first, from, to, InstanceState::Active, None),
            (
                second,
                to,
                to.plus_ms(HOUR_MS),
                InstanceState::Scheduled,
                None
            ),
        ]
    );
}
