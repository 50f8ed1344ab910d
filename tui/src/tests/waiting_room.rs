//! Meetings that have not started: countdown, waiting room, automatic joining.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, EventKind, InstanceState, Reason, UserRef};
use plenary_shared::protocol::{Changed, ChangedList, Push, Verb, WaitOk, WaitingChange};

use super::fixture::{Fixture, ME, demo_meetings, id, join, user};

/// Shows the design review, which starts at 15:00.
fn at_design_review(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::ready(columns, rows);
    fixture.key("alt-3");
    fixture.asked();
    fixture
}

/// Returns whether a join was requested.
fn requests_join(fixture: &mut Fixture) -> bool {
    fixture.asked().iter().any(|(name, _)| name == "join")
}

fn started() -> Vec<plenary_shared::domain::Instance> {
    let mut all = demo_meetings();
    let review = all.iter_mut().find(|instance| instance.id == id(12, 3));
    review.expect("it is listed").state = InstanceState::Active;
    all
}

#[test]
fn auto_join_survives_a_reconnect() {
    let mut fixture = at_design_review(120, 36);
    assert!(fixture.shows("starts in 8m") && fixture.shows("⏎ join automatically"));
    fixture.key("enter");
    assert!(
        fixture.shows("You'll join Design review Tue 15:00 (in 8m)") && fixture.shows("3◌Design")
    );
    fixture.key("alt-1");
    fixture.lose_link();
    fixture.greet(vec![]);
    fixture.answer_meetings(demo_meetings());
    assert!(!requests_join(&mut fixture));
    fixture.wait_ms(8 * 60_000);
    fixture.answer_meetings(started());
    assert!(fixture.shows("Design review has started; joining") && requests_join(&mut fixture));
    assert_eq!(
        fixture.model.shown,
        Some(super::fixture::sync()),
        "nobody is taken away"
    );
}

#[test]
fn auto_join_can_be_cancelled() {
    let mut fixture = at_design_review(120, 36);
    fixture.write("/join");
    fixture.key("enter");
    assert!(fixture.model.meetings.joins_automatically(id(12, 3)));
    fixture.key("enter");
    assert!(fixture.shows("Auto-join off for Design review"));
    fixture.wait_ms(8 * 60_000);
    fixture.answer_meetings(started());
    assert!(!requests_join(&mut fixture));
}

/// Answers with the users waiting for the design review.
fn answer_waiting(fixture: &mut Fixture, names: &[(u64, &str)], count: usize) {
    let people = names.iter().map(|(id, name)| UserRef {
        id: user(*id),
        name: (*name).to_owned(),
    });
    let people = people.collect();
    fixture.answer(
        "wait",
        WaitOk {
            count,
            users: people,
        },
    );
}

fn push_waiting(fixture: &mut Fixture, (who, name): (u64, &str), waits: bool, count: usize) {
    fixture.push(Push::Waiting(WaitingChange {
        instance: id(12, 3),
        user: user(who),
        name: name.to_owned(),
        is_waiting: waits,
        count,
    }));
}

/// Shows the design review with the request for its waiting room still open.
fn open_design_review(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::ready(columns, rows);
    fixture.key("alt-3");
    fixture
}

/// Returns the requests for the waiting room: waiting or watching, or `None` for closing it.
fn waiting_requests(fixture: &mut Fixture) -> Vec<Option<bool>> {
    let asked = fixture.asked().into_iter();
    let asked = asked.filter_map(|(_, request)| match request.verb {
        Verb::Wait(wait) if wait.instance == id(12, 3) => Some(Some(wait.waiting)),
        Verb::Close(instance) if instance == id(12, 3) => Some(None),
        _ => None,
    });
    asked.collect()
}

#[test]
fn waiting_room_120x36() {
    let mut fixture = open_design_review(120, 36);
    answer_waiting(&mut fixture, &[(8, "tim"), (9, "Zoë 🦊")], 2);
    fixture.key("enter");
    answer_waiting(&mut fixture, &[(8, "tim"), (9, "Zoë 🦊"), (ME, "ada")], 3);
    assert_snapshot!(fixture.screen());
}

#[test]
fn waiting_room_80x24() {
    let mut fixture = open_design_review(80, 24);
    answer_waiting(&mut fixture, &[(8, "tim"), (9, "Zoë 🦊")], 2);
    assert_snapshot!(fixture.screen());
}

#[test]
fn waiting_room_44x20() {
    let mut fixture = open_design_review(44, 20);
    answer_waiting(&mut fixture, &[(8, "tim"), (9, "Zoë 🦊")], 70);
    assert_snapshot!(fixture.screen());
}

#[test]
fn waiting_room_follows_pushes() {
    let mut fixture = open_design_review(120, 36);
    answer_waiting(&mut fixture, &[], 0);
    assert!(fixture.shows("No one waiting"));
    push_waiting(&mut fixture, (8, "tim"), true, 1);
    assert!(fixture.shows("1 waiting: tim") && fixture.shows("WAITING 1"));
    push_waiting(&mut fixture, (9, "bo"), true, 2);
    assert!(fixture.shows("2 waiting: bo, tim"));
    push_waiting(&mut fixture, (8, "tim"), false, 1);
    assert!(fixture.shows("1 waiting: bo"));
    // An incomplete push leads to another request.
    fixture.asked();
    fixture.push(Push::Changed(Changed {
        instance: Some(id(12, 3)),
        changed: ChangedList::Participants,
    }));
    assert_eq!(waiting_requests(&mut fixture), [Some(false)]);
}

#[test]
fn waiting_is_reported_to_the_server() {
    let mut fixture = open_design_review(120, 36);
    assert_eq!(waiting_requests(&mut fixture), [Some(false)]);
    fixture.key("enter");
    assert_eq!(waiting_requests(&mut fixture), [Some(true)]);
    // Waiting does not depend on the meeting on screen.
    fixture.key("alt-1");
    assert_eq!(waiting_requests(&mut fixture), []);
    fixture.lose_link();
    fixture.greet(vec![]);
    fixture.answer_meetings(demo_meetings());
    assert_eq!(waiting_requests(&mut fixture), [Some(true)]);
    fixture.key("alt-3");
    fixture.key("enter");
    assert_eq!(waiting_requests(&mut fixture), [Some(false)]);
    fixture.key("alt-1");
    assert_eq!(waiting_requests(&mut fixture), [None]);
    // A started meeting is not closed, since it may be open.
    fixture.key("alt-3");
    assert_eq!(waiting_requests(&mut fixture), [Some(false)]);
    fixture.push(Push::Changed(Changed {
        instance: None,
        changed: ChangedList::Meetings,
    }));
    fixture.answer_meetings(started());
    assert_eq!(waiting_requests(&mut fixture), []);
}

#[test]
fn failed_waiting_room_request_is_repeated() {
    let mut fixture = open_design_review(120, 36);
    fixture.refuse("wait", Code::Unavailable.into());
    fixture.asked();
    fixture.wait_ms(4_000);
    assert_eq!(waiting_requests(&mut fixture), []);
    fixture.wait_ms(2_000);
    assert_eq!(waiting_requests(&mut fixture), [Some(false)]);
    fixture.wait_ms(60_000);
    assert_eq!(waiting_requests(&mut fixture), []);
}

#[test]
fn cancellation_is_announced_to_waiting_users() {
    let mut fixture = at_design_review(120, 36);
    fixture.key("enter");
    let mut all = demo_meetings();
    let review = all.iter_mut().find(|instance| instance.id == id(12, 3));
    let review = review.expect("it is listed");
    (review.state, review.cancelled) = (InstanceState::Ended, true);
    fixture.push(Push::Changed(Changed {
        instance: None,
        changed: ChangedList::Meetings,
    }));
    fixture.answer_meetings(all);
    assert!(
        fixture.shows("Design review was cancelled"),
        "{}",
        fixture.screen()
    );
    assert!(fixture.shows("Cancelled by an admin before it started"));
    assert!(fixture.shows("✗ cancelled") && fixture.shows("✗ 15:30"));
    assert!(!requests_join(&mut fixture));
}

#[test]
fn last_minute_counts_down_in_seconds() {
    let mut fixture = at_design_review(120, 36);
    fixture.wait_ms(7 * 60_000 + 500);
    assert!(fixture.shows("starts in 60 s") || fixture.shows("starts in 1m"));
    fixture.wait_ms(30_000);
    assert!(fixture.shows("starts in 30 s"), "{}", fixture.screen());
    fixture.wait_ms(20_000);
    assert!(fixture.shows("starts in 10 s"));
}

#[test]
fn left_participants_are_listed_until_they_return() {
    let mut fixture = Fixture::talking(120, 36);
    assert!(fixture.shows("LEFT 2") && fixture.shows("○ barbara   14:30–14:39"));
    fixture.event(
        20,
        EventKind::Leave {
            user: user(9),
            reason: Reason::Left,
        },
    );
    assert!(fixture.shows("LEFT 3") && fixture.shows("○ linus     14:31–14:52"));
    fixture.event(21, join(10, "barbara"));
    assert!(fixture.shows("LEFT 2") && !fixture.shows("○ barbara"));
}

#[test]
fn waiting_80x24() {
    let mut fixture = at_design_review(80, 24);
    fixture.key("enter");
    assert_snapshot!(fixture.screen());
}

#[test]
fn auto_join_is_shared_between_terminals() {
    let mut fixture = at_design_review(120, 36);
    let change = |is_waiting| {
        Push::Waiting(WaitingChange {
            instance: id(12, 3),
            user: user(ME),
            name: "ada".to_owned(),
            is_waiting,
            count: usize::from(is_waiting),
        })
    };
    fixture.push(change(true));
    assert!(fixture.model.meetings.joins_automatically(id(12, 3)));
    assert!(
        fixture.shows("You'll join at the start"),
        "{}",
        fixture.screen()
    );
    fixture.push(change(false));
    assert!(!fixture.model.meetings.joins_automatically(id(12, 3)));
    // The echo of a change made here changes nothing.
    fixture.key("enter");
    fixture.key("enter");
    fixture.push(change(true));
    assert!(!fixture.model.meetings.joins_automatically(id(12, 3)));
}
