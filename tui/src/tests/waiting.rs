//! A meeting that has not begun: its countdown, waiting for it, joining it by itself; who has left.

use insta::assert_snapshot;
use plenary_shared::domain::{InstanceState, Reason, What};

use super::stage::{Stage, demo_meetings, id, join, user};

/// Before the design review, which begins at 15:00.
fn before_it(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::ready(columns, rows);
    stage.key("alt-3");
    stage.asked();
    stage
}

/// Whether a join of it was asked for.
fn joins(stage: &mut Stage) -> bool {
    stage.asked().iter().any(|(name, _)| name == "join")
}

fn begun() -> Vec<plenary_shared::domain::Instance> {
    let mut all = demo_meetings();
    let review = all.iter_mut().find(|instance| instance.id == id(12, 3));
    review.expect("it is listed").state = InstanceState::Active;
    all
}

#[test]
fn it_is_joined_by_itself_when_it_begins_whatever_the_connection_did() {
    let mut stage = before_it(120, 36);
    assert!(stage.shows("begins in 8m") && stage.shows("⏎ waits"));
    stage.key("enter");
    assert!(
        stage.shows("Design review begins Tue 15:00, in 8m: you join it then")
            && stage.shows("3◌Design")
    );
    stage.key("alt-1");
    stage.lose_link();
    stage.greet(vec![]);
    stage.answer_meetings(demo_meetings());
    assert!(!joins(&mut stage));
    stage.wait_ms(8 * 60_000);
    stage.answer_meetings(begun());
    assert!(stage.shows("Design review has begun: you join it") && joins(&mut stage));
    assert_eq!(
        stage.model.shown,
        Some(super::stage::sync()),
        "nobody is taken away"
    );
}

#[test]
fn waiting_can_be_taken_back() {
    let mut stage = before_it(120, 36);
    stage.write("/join");
    stage.key("enter");
    assert!(stage.model.meetings.is_waited_for(id(12, 3)));
    stage.key("enter");
    assert!(stage.shows("you do not wait for Design review any more"));
    stage.wait_ms(8 * 60_000);
    stage.answer_meetings(begun());
    assert!(!joins(&mut stage));
}

#[test]
fn the_last_minute_is_counted_down_by_seconds() {
    let mut stage = before_it(120, 36);
    stage.wait_ms(7 * 60_000 + 500);
    assert!(stage.shows("begins in 60 s") || stage.shows("begins in 1m"));
    stage.wait_ms(30_000);
    assert!(stage.shows("begins in 30 s"), "{}", stage.screen());
    stage.wait_ms(20_000);
    assert!(stage.shows("begins in 10 s"));
}

#[test]
fn who_left_is_listed_until_they_come_back() {
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
    let mut stage = before_it(80, 24);
    stage.key("enter");
    assert_snapshot!(stage.screen());
}
