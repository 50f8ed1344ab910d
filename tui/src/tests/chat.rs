//! Joining, posting, receiving, leaving, unread counts and scrolling.

use plenary_shared::domain::{Code, EventKind, Reason, Reject};
use plenary_shared::ids::Seq;
use plenary_shared::protocol::{EventsOk, Verb};

use super::fixture::{Fixture, ME, at, cmid_of, event, message, opened, posted, seq, talk, user};
use crate::model::EnterDoes;
use crate::model::outbox::Delivery;
use crate::model::scroll::Scroll;
use crate::msg::AppEvent;

fn own(cmid: plenary_shared::ids::Cmid, body: &str) -> EventKind {
    let EventKind::Message { body, .. } = message(ME, 0, body) else {
        unreachable!("a message")
    };
    EventKind::Message {
        user: user(ME),
        cmid,
        body,
        reply_to: None,
        edited: None,
        deleted: None,
    }
}

fn first(fixture: &Fixture) -> plenary_shared::ids::Cmid {
    fixture.model.outbox.entries().next().expect("a line").cmid
}

fn taken(number: u64) -> Delivery {
    Delivery::Acknowledged {
        seq: seq(number),
        generation: super::fixture::generation(1),
    }
}

fn states(fixture: &Fixture) -> Vec<Delivery> {
    let lines = fixture.model.outbox.entries();
    lines.map(|pending| pending.state.clone()).collect()
}

#[test]
fn enter_joins_and_opens_a_live_meeting() {
    let mut fixture = Fixture::ready(120, 36);
    assert_eq!(fixture.model.enter_does(), EnterDoes::Join);
    fixture.key("enter");
    let names: Vec<String> = fixture.asked().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["join", "open"]);
}

#[test]
fn message_shows_at_once_until_its_event() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("hello");
    fixture.key("enter");
    assert!(fixture.shows("hello") && fixture.shows("sending"));
    let asked = fixture.asked();
    let (_, request) = &asked[0];
    let cmid = cmid_of(request);
    fixture.event(20, own(cmid, "hello"));
    assert!(fixture.shows("hello") && !fixture.shows("sending"));
    // It is in the log, and in the outbox until it is durable.
    assert_eq!(states(&fixture), [taken(20)]);
    assert_eq!(fixture.screen().matches("hello").count(), 1);
    fixture.durable(19);
    assert_eq!(states(&fixture), [taken(20)]);
    fixture.durable(20);
    assert!(states(&fixture).is_empty());
}

#[test]
fn acknowledgement_before_its_event_shows_one_message() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("hello");
    fixture.key("enter");
    let cmid = first(&fixture);
    fixture.answer("post", posted(20));
    assert_eq!(states(&fixture), [taken(20)]);
    assert!(fixture.shows("hello") && !fixture.shows("sending"));
    fixture.event(20, own(cmid, "hello"));
    assert_eq!(states(&fixture), [taken(20)]);
    assert_eq!(fixture.screen().matches("hello").count(), 1);
}

#[test]
fn rejected_message_shows_the_reason_and_enter_retries() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("hello");
    fixture.key("enter");
    let cmid = first(&fixture);
    fixture.refuse("post", Reject::new(Code::Invalid, "A field is wrong."));
    assert!(fixture.shows("not sent: A field is wrong."));
    assert_eq!(fixture.model.enter_does(), EnterDoes::Retry);
    fixture.key("enter");
    let asked = fixture.asked();
    let (_, request) = asked.last().expect("a request");
    assert_eq!(cmid_of(request), cmid, "the same message");
}

#[test]
fn temporary_rejection_is_retried() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("hello");
    fixture.key("enter");
    fixture.refuse(
        "post",
        Reject::new(Code::Unavailable, "The store is unavailable."),
    );
    assert!(fixture.shows("waiting") && fixture.shows("The store is unavailable."));
    assert!(fixture.asked().is_empty());
    fixture.wait_ms(1_100);
    assert_eq!(
        fixture
            .asked()
            .iter()
            .filter(|(name, _)| name == "post")
            .count(),
        1
    );
}

#[test]
fn too_long_message_stays_in_the_input() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.tell(AppEvent::Pasted("x".repeat(4_097)));
    fixture.key("enter");
    assert!(fixture.shows("4,097 bytes"));
    assert_eq!(
        fixture.model.composer().expect("one").editor.text().len(),
        4_097
    );
    assert!(fixture.asked().iter().all(|(name, _)| name != "post"));
}

#[test]
fn long_paste_asks_for_confirmation() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.tell(AppEvent::Pasted("1\n2\n3\n4\n5\n6".into()));
    fixture.key("enter");
    assert!(fixture.shows("6 lines. Press Enter again"));
    fixture.key("enter");
    assert_eq!(
        fixture
            .asked()
            .iter()
            .filter(|(name, _)| name == "post")
            .count(),
        1
    );
}

#[test]
fn slash_commands() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("/jion");
    fixture.key("enter");
    assert!(fixture.shows("did you mean /join?") && fixture.shows("› /jion"));
    fixture.key("ctrl-u");
    fixture.write("//join is the word");
    fixture.key("enter");
    let asked = fixture.asked();
    let Verb::Post(post) = &asked.last().expect("a request").1.verb else {
        panic!("not a post")
    };
    assert_eq!(post.body.as_str(), "/join is the word");
    fixture.write("/messages gra");
    fixture.key("enter");
    assert!(
        fixture
            .asked()
            .iter()
            .any(|(name, _)| name == "user_messages")
    );
    fixture.key("esc");
    fixture.write("/messages nobody");
    fixture.key("enter");
    assert!(fixture.shows("No participant matches 'nobody'"));
}

#[test]
fn text_after_leaving_stays_until_enter_rejoins() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("/leave");
    fixture.key("enter");
    fixture.answer("leave", posted(20));
    fixture.event(
        20,
        EventKind::Leave {
            user: user(ME),
            reason: Reason::Left,
        },
    );
    assert!(fixture.shows("You left"));
    fixture.write("too late");
    fixture.key("enter");
    assert!(fixture.shows("You are not in this meeting") && fixture.shows("› too late"));
    assert!(
        fixture
            .asked()
            .iter()
            .all(|(name, _)| name != "join" && name != "post")
    );
    fixture.key("enter");
    assert!(fixture.asked().iter().any(|(name, _)| name == "join"));
    assert!(
        fixture.shows("› too late"),
        "what was written is still there"
    );
}

#[test]
fn end_is_shown_and_posts_are_rejected() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("just about to");
    fixture.key("enter");
    fixture.event(
        20,
        EventKind::Leave {
            user: user(ME),
            reason: Reason::Scheduled,
        },
    );
    fixture.event(
        21,
        EventKind::Closed {
            reason: Reason::Scheduled,
        },
    );
    assert!(fixture.shows("Meeting ended 14:52 (scheduled)"));
    // It was sent, so only the server knows the outcome.
    assert!(fixture.shows("sending"));
    fixture.refuse("post", Code::Ended.into());
    assert!(fixture.shows("not sent: This meeting has ended"));
    fixture.write("hello");
    fixture.key("enter");
    assert!(fixture.shows("This meeting has ended"));
}

#[test]
fn unread_messages_are_counted_and_divided() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.tell(AppEvent::Focused(false));
    fixture.hears(20, 8, "one");
    fixture.hears(21, 8, "@ada two");
    fixture.event(
        22,
        EventKind::Leave {
            user: user(9),
            reason: Reason::Left,
        },
    );
    assert!(fixture.shows("!1 +2"));
    fixture.tell(AppEvent::Focused(true));
    assert!(fixture.shows("2 new since you looked away at 14:52"));
    assert!(!fixture.shows("!1 +2"));
    fixture.write("ok");
    fixture.key("enter");
    assert!(!fixture.shows("new since"));
}

#[test]
fn scrolled_view_stays_and_counts_new_messages() {
    let mut fixture = Fixture::talking(80, 16);
    fixture.key("pageup");
    let before = fixture.screen();
    let top = |screen: &str| screen.lines().nth(2).map(str::to_owned);
    fixture.hears(20, 8, "one");
    fixture.hears(21, 8, "two");
    assert_eq!(top(&fixture.screen()), top(&before));
    assert!(fixture.shows("▼ 2 new"));
    fixture.key("end");
    assert!(fixture.shows("two") && !fixture.shows("▼"));
}

#[test]
fn older_messages_load_without_moving_the_view() {
    let mut fixture = Fixture::ready(80, 16);
    fixture.key("enter");
    fixture.answer("join", posted(19));
    let mut last = talk();
    let older: Vec<_> = last.drain(..5).collect();
    fixture.answer("open", opened(last, vec![(ME, "13:52")]));
    fixture.key("pageup");
    fixture.key("alt-home");
    let asked: Vec<_> = fixture
        .effects
        .iter()
        .filter(|effect| format!("{effect:?}").contains("before"))
        .collect();
    assert_eq!(asked.len(), 1);
    assert!(fixture.shows("loading older messages"));
    let line = "Rollout is at 40 %";
    let row = |fixture: &Fixture| fixture.screen().lines().position(|row| row.contains(line));
    let before = row(&fixture);
    fixture.answer(
        "events",
        EventsOk {
            events: older,
            more: false,
            users: vec![],
        },
    );
    // The row above the first message is gone; the message itself stays in place.
    let after = row(&fixture);
    assert!(after <= before && after.is_some(), "{before:?} {after:?}");
    fixture.key("alt-home");
    assert!(fixture.shows("started 14:30"));
    let log = fixture
        .model
        .room()
        .and_then(|room| room.log.as_ref())
        .expect("a log");
    assert_eq!(log.older_than(), None);
}

#[test]
fn resize_keeps_the_scroll_position() {
    let mut fixture = Fixture::talking(120, 20);
    fixture.key("pageup");
    let Scroll::From { place, .. } = fixture.model.room().expect("a room").scroll else {
        panic!("not scrolled")
    };
    fixture.tell(AppEvent::Resized(60, 20));
    fixture.key("shift-down");
    fixture.key("shift-up");
    fixture.tell(AppEvent::Resized(120, 20));
    let Scroll::From { place: after, .. } = fixture.model.room().expect("a room").scroll else {
        panic!("not scrolled")
    };
    assert_eq!(place, after);
}

#[test]
fn long_log_scrolls_fast() {
    let mut fixture = Fixture::ready(80, 24);
    fixture.key("enter");
    fixture.answer("join", posted(19));
    let mut events = talk();
    for number in 20..100_020 {
        events.push(event(
            number,
            at("13:52"),
            message(8, number, "one of very many messages"),
        ));
    }
    fixture.answer("open", opened(events, vec![(ME, "13:52")]));
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        fixture.key("pageup");
        fixture.screen();
    }
    // Far more than needed, far less than wrapping the whole log takes.
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(fixture.model.room().expect("a room").last() > Seq::default());
}

#[test]
fn remaining_time_is_announced_once_per_threshold() {
    let mut fixture = Fixture::talking(120, 36);
    let mut told = Vec::new();
    for _ in 0..(23 * 12) {
        fixture.wait_ms(5_000);
        if let Some(notice) = &fixture.model.notice
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

#[test]
fn mark_of_newer_messages_covers_no_text() {
    let mut fixture = Fixture::talking(44, 20);
    for number in 20..40 {
        fixture.hears(number, 8, &format!("message {number} {}", "x".repeat(30)));
    }
    fixture.key("shift-up");
    let screen = fixture.screen();
    let mark = screen
        .lines()
        .find(|line| line.contains('▼'))
        .expect("a mark");
    assert_eq!(mark.trim(), "▼ newest", "{screen}");
    fixture.key("shift-down");
    fixture.key("shift-down");
    assert!(!fixture.shows("newest"), "{}", fixture.screen());
}

#[test]
fn next_unread_meeting_opens_at_its_first_unread_line() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("alt-2");
    for number in 20..60 {
        fixture.hears(number, 8, &format!("message {number}"));
    }
    fixture.key("alt-a");
    let screen = fixture.screen();
    assert!(
        fixture.shows("40 new") && fixture.shows("message 20"),
        "{screen}"
    );
    assert!(!fixture.shows("message 59"), "{screen}");
}
