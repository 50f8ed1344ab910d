//! Meetings that have not started: countdown, waiting room, automatic joining.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, InstanceState, Reason, What};
use plenary_shared::protocol::{Changed, ChangedList, Push, Verb, WaitOk, WaitTold, Waiter};

use super::stage::{ME, Stage, demo_meetings, id, join, user};

/// Shows the design review, which starts at 15:00.
fn at_design_review(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::ready(columns, rows);
    stage.key("alt-3");
    stage.asked();
    stage
}

/// Returns whether a join was requested.
fn requests_join(stage: &mut Stage) -> bool {
    stage.asked().iter().any(|(name, _)| name == "join")
}

fn started() -> Vec<plenary_shared::domain::Instance> {
    let mut all = demo_meetings();
    let review = all.iter_mut().find(|instance| instance.id == id(12, 3));
    review.expect("it is listed").state = InstanceState::Active;
    all
}

#[test]
fn auto_join_survives_a_reconnect() {
    let mut stage = at_design_review(120, 36);
    assert!(stage.shows("starts in 8m") && stage.shows("⏎ join automatically"));
    stage.key("enter");
    assert!(stage.shows("You'll join Design review Tue 15:00 (in 8m)") && stage.shows("3◌Design"));
    stage.key("alt-1");
    stage.lose_link();
    stage.greet(vec![]);
    stage.answer_meetings(demo_meetings());
    assert!(!requests_join(&mut stage));
    stage.wait_ms(8 * 60_000);
    stage.answer_meetings(started());
    assert!(stage.shows("Design review has started; joining") && requests_join(&mut stage));
    assert_eq!(
        stage.model.shown,
        Some(super::stage::sync()),
        "nobody is taken away"
    );
}

#[test]
fn auto_join_can_be_cancelled() {
    let mut stage = at_design_review(120, 36);
    stage.write("/join");
    stage.key("enter");
    assert!(stage.model.meetings.joins_automatically(id(12, 3)));
    stage.key("enter");
    assert!(stage.shows("Auto-join off for Design review"));
    stage.wait_ms(8 * 60_000);
    stage.answer_meetings(started());
    assert!(!requests_join(&mut stage));
}

/// Answers with the users waiting for the design review.
fn answer_waiting(stage: &mut Stage, names: &[(u64, &str)], count: usize) {
    let people = names.iter().map(|(id, name)| Waiter {
        id: user(*id),
        name: (*name).to_owned(),
    });
    let people = people.collect();
    stage.answer("wait", WaitOk { count, people });
}

fn push_waiting(stage: &mut Stage, (who, name): (u64, &str), waits: bool, count: usize) {
    stage.push(Push::Waiting(WaitTold {
        instance: id(12, 3),
        user: user(who),
        name: name.to_owned(),
        waits,
        count,
    }));
}

/// Shows the design review with the request for its waiting room still open.
fn open_design_review(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::ready(columns, rows);
    stage.key("alt-3");
    stage
}

/// Returns the requests for the waiting room: waiting or watching, or `None` for closing it.
fn waiting_requests(stage: &mut Stage) -> Vec<Option<bool>> {
    let asked = stage.asked().into_iter();
    let asked = asked.filter_map(|(_, request)| match request.verb {
        Verb::Wait(wait) if wait.instance == id(12, 3) => Some(Some(wait.waits)),
        Verb::Close(instance) if instance == id(12, 3) => Some(None),
        _ => None,
    });
    asked.collect()
}

#[test]
fn waiting_room_120x36() {
    let mut stage = open_design_review(120, 36);
    answer_waiting(&mut stage, &[(8, "tim"), (9, "Zoë 🦊")], 2);
    stage.key("enter");
    answer_waiting(&mut stage, &[(8, "tim"), (9, "Zoë 🦊"), (ME, "ada")], 3);
    assert_snapshot!(stage.screen());
}

#[test]
fn waiting_room_80x24() {
    let mut stage = open_design_review(80, 24);
    answer_waiting(&mut stage, &[(8, "tim"), (9, "Zoë 🦊")], 2);
    assert_snapshot!(stage.screen());
}

#[test]
fn waiting_room_44x20() {
    let mut stage = open_design_review(44, 20);
    answer_waiting(&mut stage, &[(8, "tim"), (9, "Zoë 🦊")], 70);
    assert_snapshot!(stage.screen());
}

#[test]
fn waiting_room_follows_pushes() {
    let mut stage = open_design_review(120, 36);
    answer_waiting(&mut stage, &[], 0);
    assert!(stage.shows("No one waiting"));
    push_waiting(&mut stage, (8, "tim"), true, 1);
    assert!(stage.shows("1 waiting: tim") && stage.shows("WAITING 1"));
    push_waiting(&mut stage, (9, "bo"), true, 2);
    assert!(stage.shows("2 waiting: bo, tim"));
    push_waiting(&mut stage, (8, "tim"), false, 1);
    assert!(stage.shows("1 waiting: bo"));
    // An incomplete push leads to another request.
    stage.asked();
    stage.push(Push::Changed(Changed {
        instance: Some(id(12, 3)),
        changed: ChangedList::People,
    }));
    assert_eq!(waiting_requests(&mut stage), [Some(false)]);
}

#[test]
fn waiting_is_reported_to_the_server() {
    let mut stage = open_design_review(120, 36);
    assert_eq!(waiting_requests(&mut stage), [Some(false)]);
    stage.key("enter");
    assert_eq!(waiting_requests(&mut stage), [Some(true)]);
    // Waiting does not depend on the meeting on screen.
    stage.key("alt-1");
    assert_eq!(waiting_requests(&mut stage), []);
    stage.lose_link();
    stage.greet(vec![]);
    stage.answer_meetings(demo_meetings());
    assert_eq!(waiting_requests(&mut stage), [Some(true)]);
    stage.key("alt-3");
    stage.key("enter");
    assert_eq!(waiting_requests(&mut stage), [Some(false)]);
    stage.key("alt-1");
    assert_eq!(waiting_requests(&mut stage), [None]);
    // A started meeting is not closed, since it may be open.
    stage.key("alt-3");
    assert_eq!(waiting_requests(&mut stage), [Some(false)]);
    stage.push(Push::Changed(Changed {
        instance: None,
        changed: ChangedList::Meetings,
    }));
    stage.answer_meetings(started());
    assert_eq!(waiting_requests(&mut stage), []);
}

#[test]
fn failed_waiting_room_request_is_repeated() {
    let mut stage = open_design_review(120, 36);
    stage.refuse("wait", Code::Unavailable.into());
    stage.asked();
    stage.wait_ms(4_000);
    assert_eq!(waiting_requests(&mut stage), []);
    stage.wait_ms(2_000);
    assert_eq!(waiting_requests(&mut stage), [Some(false)]);
    stage.wait_ms(60_000);
    assert_eq!(waiting_requests(&mut stage), []);
}

#[test]
fn cancellation_is_announced_to_waiting_users() {
    let mut stage = at_design_review(120, 36);
    stage.key("enter");
    let mut all = demo_meetings();
    let review = all.iter_mut().find(|instance| instance.id == id(12, 3));
    let review = review.expect("it is listed");
    (review.state, review.cancelled) = (InstanceState::Ended, true);
    stage.push(Push::Changed(Changed {
        instance: None,
        changed: ChangedList::Meetings,
    }));
    stage.answer_meetings(all);
    assert!(
        stage.shows("Design review was cancelled"),
        "{}",
        stage.screen()
    );
    assert!(stage.shows("Cancelled by an admin before it started"));
    assert!(stage.shows("✗ cancelled") && stage.shows("✗ 15:30"));
    assert!(!requests_join(&mut stage));
}

#[test]
fn last_minute_counts_down_in_seconds() {
    let mut stage = at_design_review(120, 36);
    stage.wait_ms(7 * 60_000 + 500);
    assert!(stage.shows("starts in 60 s") || stage.shows("starts in 1m"));
    stage.wait_ms(30_000);
    assert!(stage.shows("starts in 30 s"), "{}", stage.screen());
    stage.wait_ms(20_000);
    assert!(stage.shows("starts in 10 s"));
}

#[test]
fn left_participants_are_listed_until_they_return() {
    let mut stage = Stage::talking(120, 36);
    assert!(stage.shows("LEFT 2") && stage.shows("○ barbara   14:30–14:39"));
    stage.event(
        20,
        What::Leave {
            user: user(9),
            reason: Reason::Left,
        },
    );
    assert!(stage.shows("LEFT 3") && stage.shows("○ linus     14:31–14:52"));
    stage.event(21, join(10, "barbara"));
    assert!(stage.shows("LEFT 2") && !stage.shows("○ barbara"));
}

#[test]
fn waiting_80x24() {
    let mut stage = at_design_review(80, 24);
    stage.key("enter");
    assert_snapshot!(stage.screen());
}
