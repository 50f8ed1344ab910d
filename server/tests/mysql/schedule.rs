//! Meetings, their audiences and their schedule.

use plenary_server::store::NewMeeting;
use plenary_shared::domain::{Code, InstanceState, Role};
use rstest::rstest;

use crate::{Harness, INJECTIONS, connect, instance_id, minute, rejected};

const DAY: i64 = 24 * 60;

#[tokio::test]
async fn concurrent_scheduling_leaves_no_gap_in_orders() {
    let harness = Harness::new().await;
    let meeting = harness.meeting("Seminar", None).await;
    let racers = (0..20).map(|_| {
        let store = connect(&harness.database);
        tokio::spawn(async move {
            store
                .schedule(meeting, (minute(0), minute(1)), None, minute(0))
                .await
                .expect("it is scheduled")
        })
    });
    let mut orders = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        orders.push(racer.await.expect("no panic").order.get());
    }
    orders.sort_unstable();
    assert_eq!(orders, (1..=20).collect::<Vec<_>>());
}

#[rstest]
#[case(10, 10, "must end after it starts")]
#[case(10, 9, "must end after it starts")]
#[case(-20, -10, "in the past")]
#[case(-20, 0, "in the past")]
#[case(0, 31 * DAY + 1, "at most 31 days")]
#[tokio::test]
async fn invalid_times_are_rejected(#[case] from: i64, #[case] to: i64, #[case] why: &str) {
    let harness = Harness::new().await;
    let meeting = harness.meeting("Seminar", None).await;
    let answer = harness
        .store
        .schedule(meeting, (minute(from), minute(to)), None, minute(0))
        .await;
    let detail = rejected(answer, Code::Invalid);
    assert!(detail.contains(why), "{detail}");
    let good = harness
        .store
        .schedule(
            meeting,
            (minute(-20), minute(31 * DAY - 20)),
            None,
            minute(0),
        )
        .await;
    good.expect("31 days are not too long");
    let unknown = instance_id(99, 1).meeting;
    let answer = harness
        .store
        .schedule(unknown, (minute(0), minute(1)), None, minute(0))
        .await;
    rejected(answer, Code::NotFound);
}

#[tokio::test]
async fn list_contains_only_visible_meetings() {
    let harness = Harness::new().await;
    let member = harness.user("Ada", "ada@example.org").await;
    let stranger = harness.user("Eve", "eve@example.org").await;
    let accent = harness.user("José", "josé@x").await;
    let plain = harness.user("Jose", "jose@x").await;
    let mut admin = harness.user("Root", "root@example.org").await;
    admin.role = Role::Admin;

    let private = harness.meeting("Private", Some(&["ada@example.org"])).await;
    let spanish = harness.meeting("Spanish", Some(&["josé@x"])).await;
    let public = harness.meeting("Public", None).await;
    harness.database.query(&format!(
        "UPDATE audience SET email = 'Ada@Example.ORG' WHERE meetingID = {private}"
    ));
    for meeting in [private, spanish, public] {
        harness.instance(meeting, 5, 60).await;
    }
    for (viewer, expected) in [
        (&member, vec!["Private", "Public"]),
        (&stranger, vec!["Public"]),
        (&accent, vec!["Spanish", "Public"]),
        (&plain, vec!["Public"]),
        (&admin, vec!["Private", "Spanish", "Public"]),
    ] {
        let listed = harness.store.listed(viewer, minute(0)).await;
        let listed = listed.expect("it answers");
        let titles: Vec<_> = listed.iter().map(|i| i.title.as_str()).collect();
        assert_eq!(titles, expected, "{}", viewer.name);
        for instance in &listed {
            let may = harness.store.may_read(instance.id, viewer).await;
            assert!(may.expect("it answers"));
        }
    }
    for (viewer, meeting, expected) in [
        (&member, private, true),
        (&stranger, private, false),
        (&accent, spanish, true),
        (&plain, spanish, false),
        (&admin, spanish, true),
        (&stranger, public, true),
    ] {
        let id = instance_id(meeting.get(), 1);
        let may = harness.store.may_read(id, viewer).await;
        assert_eq!(may.expect("it answers"), expected, "{} {id}", viewer.name);
    }
    let nowhere = harness.store.may_read(instance_id(1, 99), &admin).await;
    assert!(!nowhere.expect("it answers"));
    let audience = harness.store.audience(private).await;
    assert_eq!(audience.expect("it answers"), ["ada@example.org"]);
}

#[tokio::test]
async fn list_contains_live_next_and_last_instances() {
    let harness = Harness::new().await;
    let ada = harness.user("Ada", "ada@example.org").await;
    let meeting = harness.meeting("Seminar", None).await;
    let long = harness.instance(meeting, -50, 20 * DAY).await;
    let active = harness.instance(meeting, -40, 30).await;
    let coming = harness.instance(meeting, 10, 40).await;
    let ended = harness.instance(meeting, -50, -10).await;
    let far = harness.instance(meeting, 15 * DAY, 15 * DAY + 10).await;
    let missed = harness.instance(meeting, -30, -20).await;
    for id in [long, active, ended] {
        let begun = harness
            .store
            .begin(id, minute(0))
            .await
            .expect("it answers");
        assert!(begun.is_some());
    }
    for id in [long, ended] {
        harness.database.query(&format!(
            "UPDATE meeting_instance SET state = 'ended', ended_at = '2026-05-06 11:50:00'
             WHERE orderID = {}",
            id.order
        ));
    }
    let listed = |at| harness.store.listed(&ada, at);
    let now = listed(minute(0)).await.expect("it answers");
    let ids: Vec<_> = now.iter().map(|i| i.id).collect();
    assert_eq!(ids, [long, ended, active, coming]);
    assert_eq!(now[1].state, InstanceState::Ended);
    assert_eq!(now[2].state, InstanceState::Active);
    assert_eq!(now[2].fromdatetime, minute(-40));
    assert_eq!(now[3].state, InstanceState::Scheduled);
    assert!(!ids.contains(&missed), "its time is over, it never was");

    let tomorrow = listed(minute(DAY + 1)).await.expect("it answers");
    let ids: Vec<_> = tomorrow.iter().map(|i| i.id).collect();
    assert_eq!(ids, [active, far], "what has ended is forgotten by now");
}

#[tokio::test]
async fn agenda_contains_due_and_upcoming_instances() {
    let harness = Harness::new().await;
    let meeting = harness.meeting("Seminar", None).await;
    let due = harness.instance(meeting, -5, 1).await;
    let soon = harness.instance(meeting, 1, 30).await;
    harness.instance(meeting, 10, 30).await;
    let ending = harness.active().await;
    let agenda = harness.store.agenda(minute(0), 60_000).await;
    let agenda = agenda.expect("it answers");
    assert_eq!(agenda.starts, [(due, minute(-5)), (soon, minute(1))]);
    assert!(agenda.ends.is_empty());
    assert!(agenda.ending.is_empty());

    harness
        .store
        .begin(due, minute(0))
        .await
        .expect("it begins");
    let reason = plenary_shared::domain::Reason::Ended;
    let marked = harness.store.begin_end(ending, reason, minute(0)).await;
    assert!(marked.expect("it answers"));
    let agenda = harness.store.agenda(minute(0), 60_000).await;
    let agenda = agenda.expect("it answers");
    assert_eq!(agenda.starts, [(soon, minute(1))]);
    assert_eq!(agenda.ends, [(due, minute(1))]);
    assert_eq!(agenda.ending, [ending]);
}

#[tokio::test]
async fn sql_in_text_is_stored_as_data() {
    let harness = Harness::new().await;
    for text in INJECTIONS {
        let added = harness
            .store
            .add_meeting(
                NewMeeting {
                    by: None,
                    title: (*text).to_owned(),
                    description: (*text).to_owned(),
                    is_public: false,
                    audience: vec![format!("{text}@x"), "b@x".to_owned(), "b@x".to_owned()],
                },
                minute(0),
            )
            .await
            .expect("it is added");
        assert_eq!(added.title, *text);
    }
    let meetings = harness.store.meetings(None, 100).await.expect("it answers");
    assert_eq!(meetings.len(), INJECTIONS.len());
    for (listed, text) in meetings.iter().zip(INJECTIONS) {
        assert_eq!(listed.meeting.title, *text);
        assert_eq!(listed.meeting.description, *text);
        assert_eq!(listed.audience.len(), 2);
        let invited = format!("{}@x", text.to_lowercase());
        assert!(listed.audience.contains(&invited), "{text}");
    }
    let after = harness
        .store
        .meetings(Some(meetings[0].meeting.id), 2)
        .await;
    assert_eq!(
        after.expect("it answers")[0].meeting.id,
        meetings[1].meeting.id
    );
}
