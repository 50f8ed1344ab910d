//! Meetings, who may see them, and when they take place.

use plenary_server::store::NewMeeting;
use plenary_shared::domain::{Code, InstanceState, Role};
use rstest::rstest;

use crate::{HOSTILE, World, connect, instance_id, minute, rejected};

const DAY: i64 = 24 * 60;

#[tokio::test]
async fn the_orders_of_a_meeting_have_no_gap_however_many_schedule() {
    let world = World::new().await;
    let meeting = world.meeting("Seminar", None).await;
    let racers = (0..20).map(|_| {
        let ledger = connect(&world.database);
        tokio::spawn(async move {
            ledger
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
#[case(10, 10, "end after it begins")]
#[case(10, 9, "end after it begins")]
#[case(-20, -10, "over already")]
#[case(-20, 0, "over already")]
#[case(0, 31 * DAY + 1, "at most 31 days")]
#[tokio::test]
async fn times_that_cannot_be_are_refused(#[case] from: i64, #[case] to: i64, #[case] why: &str) {
    let world = World::new().await;
    let meeting = world.meeting("Seminar", None).await;
    let answer = world
        .ledger
        .schedule(meeting, (minute(from), minute(to)), None, minute(0))
        .await;
    let detail = rejected(answer, Code::Invalid);
    assert!(detail.contains(why), "{detail}");
    let good = world
        .ledger
        .schedule(
            meeting,
            (minute(-20), minute(31 * DAY - 20)),
            None,
            minute(0),
        )
        .await;
    good.expect("31 days are not too long");
    let unknown = instance_id(99, 1).meeting;
    let answer = world
        .ledger
        .schedule(unknown, (minute(0), minute(1)), None, minute(0))
        .await;
    rejected(answer, Code::NotFound);
}

#[tokio::test]
async fn a_list_shows_what_a_person_may_see_and_nothing_else() {
    let world = World::new().await;
    let member = world.user("Ada", "ada@example.org").await;
    let stranger = world.user("Eve", "eve@example.org").await;
    let accent = world.user("José", "josé@x").await;
    let plain = world.user("Jose", "jose@x").await;
    let mut admin = world.user("Root", "root@example.org").await;
    admin.role = Role::Admin;

    let private = world.meeting("Private", Some(&["ada@example.org"])).await;
    let spanish = world.meeting("Spanish", Some(&["josé@x"])).await;
    let public = world.meeting("Public", None).await;
    world.database.query(&format!(
        "UPDATE audience SET email = 'Ada@Example.ORG' WHERE meetingID = {private}"
    ));
    for meeting in [private, spanish, public] {
        world.instance(meeting, 5, 60).await;
    }
    for (viewer, expected) in [
        (&member, vec!["Private", "Public"]),
        (&stranger, vec!["Public"]),
        (&accent, vec!["Spanish", "Public"]),
        (&plain, vec!["Public"]),
        (&admin, vec!["Private", "Spanish", "Public"]),
    ] {
        let listed = world.ledger.listed(viewer, minute(0)).await;
        let listed = listed.expect("it answers");
        let titles: Vec<_> = listed.iter().map(|i| i.title.as_str()).collect();
        assert_eq!(titles, expected, "{}", viewer.name);
        for instance in &listed {
            let may = world.ledger.may_read(instance.id, viewer).await;
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
        let may = world.ledger.may_read(id, viewer).await;
        assert_eq!(may.expect("it answers"), expected, "{} {id}", viewer.name);
    }
    let nowhere = world.ledger.may_read(instance_id(1, 99), &admin).await;
    assert!(!nowhere.expect("it answers"));
    let audience = world.ledger.audience(private).await;
    assert_eq!(audience.expect("it answers"), ["ada@example.org"]);
}

#[tokio::test]
async fn a_list_shows_what_goes_on_what_comes_and_what_was() {
    let world = World::new().await;
    let ada = world.user("Ada", "ada@example.org").await;
    let meeting = world.meeting("Seminar", None).await;
    let long = world.instance(meeting, -50, 20 * DAY).await;
    let active = world.instance(meeting, -40, 30).await;
    let coming = world.instance(meeting, 10, 40).await;
    let ended = world.instance(meeting, -50, -10).await;
    let far = world.instance(meeting, 15 * DAY, 15 * DAY + 10).await;
    let missed = world.instance(meeting, -30, -20).await;
    for id in [long, active, ended] {
        let begun = world.ledger.begin(id, minute(0)).await.expect("it answers");
        assert!(begun.is_some());
    }
    for id in [long, ended] {
        world.database.query(&format!(
            "UPDATE meeting_instance SET state = 'ended', ended_at = '2026-05-06 11:50:00'
             WHERE orderID = {}",
            id.order
        ));
    }
    let listed = |at| world.ledger.listed(&ada, at);
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
async fn the_agenda_has_what_is_due_and_what_is_soon() {
    let world = World::new().await;
    let meeting = world.meeting("Seminar", None).await;
    let due = world.instance(meeting, -5, 1).await;
    let soon = world.instance(meeting, 1, 30).await;
    world.instance(meeting, 10, 30).await;
    let ending = world.active().await;
    let agenda = world.ledger.agenda(minute(0), 60_000).await;
    let agenda = agenda.expect("it answers");
    assert_eq!(agenda.starts, [(due, minute(-5)), (soon, minute(1))]);
    assert!(agenda.ends.is_empty());
    assert!(agenda.ending.is_empty());

    world.ledger.begin(due, minute(0)).await.expect("it begins");
    let reason = plenary_shared::domain::Reason::Ended;
    let marked = world.ledger.begin_end(ending, reason, minute(0)).await;
    assert!(marked.expect("it answers"));
    let agenda = world.ledger.agenda(minute(0), 60_000).await;
    let agenda = agenda.expect("it answers");
    assert_eq!(agenda.starts, [(soon, minute(1))]);
    assert_eq!(agenda.ends, [(due, minute(1))]);
    assert_eq!(agenda.ending, [ending]);
}

#[tokio::test]
async fn text_is_data() {
    let world = World::new().await;
    for text in HOSTILE {
        let added = world
            .ledger
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
    let meetings = world.ledger.meetings(None, 100).await.expect("it answers");
    assert_eq!(meetings.len(), HOSTILE.len());
    for (listed, text) in meetings.iter().zip(HOSTILE) {
        assert_eq!(listed.meeting.title, *text);
        assert_eq!(listed.meeting.description, *text);
        assert_eq!(listed.audience.len(), 2);
        let invited = format!("{}@x", text.to_lowercase());
        assert!(listed.audience.contains(&invited), "{text}");
    }
    let after = world.ledger.meetings(Some(meetings[0].meeting.id), 2).await;
    assert_eq!(
        after.expect("it answers")[0].meeting.id,
        meetings[1].meeting.id
    );
}
