//! Joining, posting, receiving, leaving, unread counts and scrolling.

use plenary_shared::domain::{Code, Reason, Reject, What};
use plenary_shared::ids::Seq;
use plenary_shared::protocol::{EventsOk, Verb};

use super::stage::{ME, Stage, at, cmid_of, event, message, opened, posted, seq, talk, user};
use crate::model::EnterDoes;
use crate::model::outbox::Delivery;
use crate::model::scroll::Scroll;
use crate::msg::AppEvent;

fn own(cmid: plenary_shared::ids::Cmid, body: &str) -> What {
    let What::Message { body, .. } = message(ME, 0, body) else {
        unreachable!("a message")
    };
    What::Message {
        user: user(ME),
        cmid,
        body,
        reply_to: None,
        edited: None,
        deleted: None,
    }
}

fn first(stage: &Stage) -> plenary_shared::ids::Cmid {
    stage.model.outbox.entries().next().expect("a line").cmid
}

fn taken(number: u64) -> Delivery {
    Delivery::Acknowledged {
        seq: seq(number),
        generation: super::stage::generation(1),
    }
}

fn states(stage: &Stage) -> Vec<Delivery> {
    let lines = stage.model.outbox.entries();
    lines.map(|pending| pending.state.clone()).collect()
}

#[test]
fn enter_joins_and_opens_a_live_meeting() {
    let mut stage = Stage::ready(120, 36);
    assert_eq!(stage.model.enter_does(), EnterDoes::Join);
    stage.key("enter");
    let names: Vec<String> = stage.asked().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["join", "open"]);
}

#[test]
fn message_shows_at_once_until_its_event() {
    let mut stage = Stage::talking(80, 24);
    stage.write("hello");
    stage.key("enter");
    assert!(stage.shows("hello") && stage.shows("sending"));
    let asked = stage.asked();
    let (_, request) = &asked[0];
    let cmid = cmid_of(request);
    stage.event(20, own(cmid, "hello"));
    assert!(stage.shows("hello") && !stage.shows("sending"));
    // It is in the log, and in the outbox until it is durable.
    assert_eq!(states(&stage), [taken(20)]);
    assert_eq!(stage.screen().matches("hello").count(), 1);
    stage.durable(19);
    assert_eq!(states(&stage), [taken(20)]);
    stage.durable(20);
    assert!(states(&stage).is_empty());
}

#[test]
fn acknowledgement_before_its_event_shows_one_message() {
    let mut stage = Stage::talking(80, 24);
    stage.write("hello");
    stage.key("enter");
    let cmid = first(&stage);
    stage.answer("post", posted(20));
    assert_eq!(states(&stage), [taken(20)]);
    assert!(stage.shows("hello") && !stage.shows("sending"));
    stage.event(20, own(cmid, "hello"));
    assert_eq!(states(&stage), [taken(20)]);
    assert_eq!(stage.screen().matches("hello").count(), 1);
}

#[test]
fn rejected_message_shows_the_reason_and_enter_retries() {
    let mut stage = Stage::talking(80, 24);
    stage.write("hello");
    stage.key("enter");
    let cmid = first(&stage);
    stage.refuse("post", Reject::new(Code::Invalid, "A field is wrong."));
    assert!(stage.shows("not sent: A field is wrong."));
    assert_eq!(stage.model.enter_does(), EnterDoes::Retry);
    stage.key("enter");
    let asked = stage.asked();
    let (_, request) = asked.last().expect("a request");
    assert_eq!(cmid_of(request), cmid, "the same message");
}

#[test]
fn temporary_rejection_is_retried() {
    let mut stage = Stage::talking(80, 24);
    stage.write("hello");
    stage.key("enter");
    stage.refuse(
        "post",
        Reject::new(Code::Unavailable, "The store is unavailable."),
    );
    assert!(stage.shows("waiting") && stage.shows("The store is unavailable."));
    assert!(stage.asked().is_empty());
    stage.wait_ms(1_100);
    assert_eq!(
        stage
            .asked()
            .iter()
            .filter(|(name, _)| name == "post")
            .count(),
        1
    );
}

#[test]
fn too_long_message_stays_in_the_input() {
    let mut stage = Stage::talking(80, 24);
    stage.tell(AppEvent::Pasted("x".repeat(4_097)));
    stage.key("enter");
    assert!(stage.shows("4,097 bytes"));
    assert_eq!(
        stage.model.composer().expect("one").editor.text().len(),
        4_097
    );
    assert!(stage.asked().iter().all(|(name, _)| name != "post"));
}

#[test]
fn long_paste_asks_for_confirmation() {
    let mut stage = Stage::talking(80, 24);
    stage.tell(AppEvent::Pasted("1\n2\n3\n4\n5\n6".into()));
    stage.key("enter");
    assert!(stage.shows("6 lines. Press Enter again"));
    stage.key("enter");
    assert_eq!(
        stage
            .asked()
            .iter()
            .filter(|(name, _)| name == "post")
            .count(),
        1
    );
}

#[test]
fn slash_commands() {
    let mut stage = Stage::talking(120, 36);
    stage.write("/jion");
    stage.key("enter");
    assert!(stage.shows("did you mean /join?") && stage.shows("› /jion"));
    stage.key("ctrl-u");
    stage.write("//join is the word");
    stage.key("enter");
    let asked = stage.asked();
    let Verb::Post(post) = &asked.last().expect("a request").1.verb else {
        panic!("not a post")
    };
    assert_eq!(post.body.as_str(), "/join is the word");
    stage.write("/messages gra");
    stage.key("enter");
    assert!(
        stage
            .asked()
            .iter()
            .any(|(name, _)| name == "user_messages")
    );
    stage.key("esc");
    stage.write("/messages nobody");
    stage.key("enter");
    assert!(stage.shows("No participant matches 'nobody'"));
}

#[test]
fn text_after_leaving_stays_until_enter_rejoins() {
    let mut stage = Stage::talking(80, 24);
    stage.write("/leave");
    stage.key("enter");
    stage.answer("leave", posted(20));
    stage.event(
        20,
        What::Leave {
            user: user(ME),
            reason: Reason::Left,
        },
    );
    assert!(stage.shows("You left"));
    stage.write("too late");
    stage.key("enter");
    assert!(stage.shows("You are not in this meeting") && stage.shows("› too late"));
    assert!(
        stage
            .asked()
            .iter()
            .all(|(name, _)| name != "join" && name != "post")
    );
    stage.key("enter");
    assert!(stage.asked().iter().any(|(name, _)| name == "join"));
    assert!(stage.shows("› too late"), "what was written is still there");
}

#[test]
fn end_is_shown_and_posts_are_rejected() {
    let mut stage = Stage::talking(80, 24);
    stage.write("just about to");
    stage.key("enter");
    stage.event(
        20,
        What::Leave {
            user: user(ME),
            reason: Reason::Scheduled,
        },
    );
    stage.event(
        21,
        What::Closed {
            reason: Reason::Scheduled,
        },
    );
    assert!(stage.shows("Meeting ended 14:52 (scheduled)"));
    // It was sent, so only the server knows the outcome.
    assert!(stage.shows("sending"));
    stage.refuse("post", Code::Ended.into());
    assert!(stage.shows("not sent: This meeting has ended"));
    stage.write("hello");
    stage.key("enter");
    assert!(stage.shows("This meeting has ended"));
}

#[test]
fn unread_messages_are_counted_and_divided() {
    let mut stage = Stage::talking(120, 36);
    stage.tell(AppEvent::Focused(false));
    stage.hears(20, 8, "one");
    stage.hears(21, 8, "@ada two");
    stage.event(
        22,
        What::Leave {
            user: user(9),
            reason: Reason::Left,
        },
    );
    assert!(stage.shows("!1 +2"));
    stage.tell(AppEvent::Focused(true));
    assert!(stage.shows("2 new since you looked away at 14:52"));
    assert!(!stage.shows("!1 +2"));
    stage.write("ok");
    stage.key("enter");
    assert!(!stage.shows("new since"));
}

#[test]
fn scrolled_view_stays_and_counts_new_messages() {
    let mut stage = Stage::talking(80, 16);
    stage.key("pageup");
    let before = stage.screen();
    let top = |screen: &str| screen.lines().nth(2).map(str::to_owned);
    stage.hears(20, 8, "one");
    stage.hears(21, 8, "two");
    assert_eq!(top(&stage.screen()), top(&before));
    assert!(stage.shows("▼ 2 new"));
    stage.key("end");
    assert!(stage.shows("two") && !stage.shows("▼"));
}

#[test]
fn older_messages_load_without_moving_the_view() {
    let mut stage = Stage::ready(80, 16);
    stage.key("enter");
    stage.answer("join", posted(19));
    let mut last = talk();
    let older: Vec<_> = last.drain(..5).collect();
    stage.answer("open", opened(last, vec![(ME, "13:52")]));
    stage.key("pageup");
    stage.key("alt-home");
    let asked: Vec<_> = stage
        .effects
        .iter()
        .filter(|effect| format!("{effect:?}").contains("before"))
        .collect();
    assert_eq!(asked.len(), 1);
    assert!(stage.shows("loading older messages"));
    let line = "Rollout is at 40 %";
    let row = |stage: &Stage| stage.screen().lines().position(|row| row.contains(line));
    let before = row(&stage);
    stage.answer(
        "events",
        EventsOk {
            events: older,
            more: false,
            users: vec![],
        },
    );
    // The row above the first message is gone; the message itself stays in place.
    let after = row(&stage);
    assert!(after <= before && after.is_some(), "{before:?} {after:?}");
    stage.key("alt-home");
    assert!(stage.shows("started 14:30"));
    let log = stage
        .model
        .room()
        .and_then(|room| room.log.as_ref())
        .expect("a log");
    assert_eq!(log.older_than(), None);
}

#[test]
fn resize_keeps_the_scroll_position() {
    let mut stage = Stage::talking(120, 20);
    stage.key("pageup");
    let Scroll::From { place, .. } = stage.model.room().expect("a room").scroll else {
        panic!("not scrolled")
    };
    stage.tell(AppEvent::Resized(60, 20));
    stage.key("shift-down");
    stage.key("shift-up");
    stage.tell(AppEvent::Resized(120, 20));
    let Scroll::From { place: after, .. } = stage.model.room().expect("a room").scroll else {
        panic!("not scrolled")
    };
    assert_eq!(place, after);
}

#[test]
fn long_log_scrolls_fast() {
    let mut stage = Stage::ready(80, 24);
    stage.key("enter");
    stage.answer("join", posted(19));
    let mut events = talk();
    for number in 20..100_020 {
        events.push(event(
            number,
            at("13:52"),
            message(8, number, "one of very many messages"),
        ));
    }
    stage.answer("open", opened(events, vec![(ME, "13:52")]));
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        stage.key("pageup");
        stage.screen();
    }
    // Far more than needed, far less than wrapping the whole log takes.
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(stage.model.room().expect("a room").last() > Seq::default());
}

#[test]
fn remaining_time_is_announced_once_per_threshold() {
    let mut stage = Stage::talking(120, 36);
    let mut told = Vec::new();
    for _ in 0..(23 * 6) {
        stage.wait_ms(10_000);
        if let Some(notice) = &stage.model.notice
            && told.last() != Some(&notice.text)
        {
            told.push(notice.text.clone());
        }
    }
    assert_eq!(
        told,
        [
            "⚠ Platform sync ends in 10 minutes",
            "⚠ Platform sync ends in 5 minutes",
            "⚠ Platform sync ends in 1 minute"
        ]
    );
}
