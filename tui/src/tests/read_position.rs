//! Read positions, unread counts and typing notices.

use insta::assert_snapshot;
use plenary_shared::domain::EventKind;
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{MeetingsOk, Push, ReadPositionChange, Typing, Unread, Verb};

use super::fixture::{Fixture, ME, demo_meetings, id, join, opened, posted, seq, sync, talk, user};
use crate::msg::AppEvent;

/// Returns the read positions reported to the server.
fn reported(fixture: &mut Fixture) -> Vec<u64> {
    let verbs = fixture.told().into_iter();
    let read = verbs.filter_map(|verb| match verb {
        Verb::Read(read) => Some(read.seq.get()),
        _ => None,
    });
    read.collect()
}

/// Returns how often typing was reported.
fn typing_reports(fixture: &mut Fixture) -> usize {
    let verbs = fixture.told().into_iter();
    verbs.filter(|verb| matches!(verb, Verb::Typing(_))).count()
}

fn counts(fixture: &Fixture) -> (usize, usize) {
    fixture.model.unread_of(sync())
}

fn left(read: u64, unread: u64, mentions: u64) -> Unread {
    Unread {
        instance: sync(),
        read: seq(read),
        unread,
        mentions,
    }
}

/// Returns an opened meeting with a stored read position.
fn opened_with_read_position(read: u64, unread: u64, mentions: u64) -> Fixture {
    let mut fixture = Fixture::ready(120, 36);
    fixture.tell(AppEvent::Focused(false));
    fixture.key("enter");
    fixture.answer("join", posted(19));
    let mut ok = opened(talk(), vec![(8, "13:31"), (9, "13:31"), (ME, "13:52")]);
    ok.unread = Some(left(read, unread, mentions));
    fixture.answer("open", ok);
    fixture
}

#[test]
fn divider_marks_the_read_position() {
    let mut fixture = opened_with_read_position(15, 3, 0);
    assert_eq!(counts(&fixture), (3, 0));
    assert!(fixture.shows("3 new since you looked away at 14:47 · ⌥U"));
    assert!(reported(&mut fixture).is_empty(), "nobody looks");
    fixture.tell(AppEvent::Focused(true));
    assert_eq!(counts(&fixture), (0, 0));
    assert_eq!(reported(&mut fixture), [19]);
    assert!(fixture.shows("3 new since"), "the divider stays");
}

#[test]
fn first_visit_has_no_divider() {
    let fixture = opened_with_read_position(0, 11, 1);
    assert_eq!(counts(&fixture), (11, 1));
    assert!(!fixture.shows("new since") && fixture.shows("!1 +11"));
}

#[test]
fn unread_counts_skip_own_and_deleted_messages() {
    let mut fixture = opened_with_read_position(19, 0, 0);
    fixture.event(20, join(10, "barbara"));
    fixture.hears(21, ME, "from my other terminal");
    fixture.hears(22, 8, "@ada one");
    fixture.hears(23, 8, "two");
    assert_eq!(counts(&fixture), (2, 1));
    fixture.event(
        24,
        EventKind::Deleted {
            user: user(8),
            cmid: Cmid(uuid::Uuid::from_u128(9)),
            target: seq(22),
        },
    );
    assert_eq!(counts(&fixture), (1, 0));
    assert!(fixture.shows("1 new since"), "{}", fixture.screen());
}

#[test]
fn read_position_is_reported_once_a_second() {
    let mut fixture = Fixture::talking(120, 36);
    reported(&mut fixture);
    fixture.wait_ms(2_000);
    assert!(reported(&mut fixture).is_empty(), "nothing was read");
    fixture.hears(20, 8, "one");
    fixture.hears(21, 8, "two");
    fixture.hears(22, 8, "three");
    assert_eq!(reported(&mut fixture), [20]);
    fixture.wait_ms(1_000);
    assert_eq!(reported(&mut fixture), [22]);
    fixture.event(23, join(10, "barbara"));
    fixture.wait_ms(5_000);
    assert!(reported(&mut fixture).is_empty(), "nobody said anything");
}

#[test]
fn visible_messages_are_read_while_scrolled_up() {
    let mut fixture = Fixture::talking(80, 12);
    fixture.tell(AppEvent::Focused(false));
    for number in 20..50 {
        fixture.hears(number, 8, &format!("number {number}"));
    }
    fixture.key("alt-u");
    assert_eq!(counts(&fixture), (30, 0));
    fixture.tell(AppEvent::Focused(true));
    let (unread, _) = counts(&fixture);
    assert!((15..30).contains(&unread), "{unread}");
    assert!(fixture.shows(&format!("number {}", 49 - unread)));
    assert!(!fixture.shows(&format!("number {}", 50 - unread)));
    fixture.key("alt-end");
    assert_eq!(counts(&fixture), (0, 0));
    fixture.wait_ms(1_000);
    assert_eq!(reported(&mut fixture).last(), Some(&49));
}

#[test]
fn read_position_follows_other_terminals() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.tell(AppEvent::Focused(false));
    for number in 20..25 {
        fixture.hears(number, 8, "event");
    }
    let read = |to| {
        Push::Read(ReadPositionChange {
            instance: sync(),
            read: seq(to),
        })
    };
    fixture.push(read(22));
    assert_eq!(counts(&fixture), (2, 0));
    fixture.push(read(21));
    assert_eq!(counts(&fixture), (2, 0));
    fixture.push(read(24));
    assert_eq!(counts(&fixture), (0, 0));
    assert!(!fixture.shows("new since"));
    assert!(reported(&mut fixture).is_empty(), "it knows");
}

#[test]
fn unconfirmed_read_position_is_reported_again() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.hears(20, 8, "one");
    assert_eq!(reported(&mut fixture), [20]);
    fixture.lose_link();
    fixture.greet(vec![(sync(), plenary_shared::protocol::ResumeMode::Delta)]);
    fixture.wait_ms(1_000);
    assert_eq!(reported(&mut fixture), [20]);
}

#[test]
fn unopened_meetings_show_the_server_counts() {
    let mut fixture = Fixture::ready(120, 36);
    let unread = |of, read, unread, mentions| Unread {
        instance: of,
        read: seq(read),
        unread,
        mentions,
    };
    fixture.tell(AppEvent::Link(crate::net::LinkEvent::Line(Box::new(
        plenary_shared::protocol::ServerLine::Push(Push::Changed(
            plenary_shared::protocol::Changed {
                instance: None,
                changed: plenary_shared::protocol::ChangedList::Meetings,
            },
        )),
    ))));
    let now = fixture.now;
    fixture.answer(
        "meetings",
        MeetingsOk {
            meetings: demo_meetings(),
            unread: vec![
                unread(sync(), 0, 40, 0),
                unread(id(44, 1), 5, 9, 2),
                unread(id(7, 1), 3, 3, 0),
            ],
            now,
        },
    );
    assert!(fixture.shows("!2 +9 1h48") && fixture.shows("+3 ✓ 14:00") && !fixture.shows("+40"));
    fixture.key("alt-a");
    assert_eq!(fixture.model.shown, Some(id(44, 1)), "mentions first");
    fixture.write("/read all");
    fixture.key("enter");
    assert!(!fixture.shows("+9") && !fixture.shows("+3"));
    assert_eq!(reported(&mut fixture).len(), 2);
}

#[test]
fn typing_is_reported_every_three_seconds() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("/who");
    assert_eq!(typing_reports(&mut fixture), 0);
    fixture.key("ctrl-u");
    fixture.write("hello everybody");
    assert_eq!(typing_reports(&mut fixture), 1);
    fixture.wait_ms(3_000);
    assert_eq!(typing_reports(&mut fixture), 0, "nothing is written");
    fixture.write("!");
    assert_eq!(typing_reports(&mut fixture), 1);
    fixture.key("ctrl-u");
    fixture.wait_ms(3_000);
    fixture.write(" ");
    assert_eq!(typing_reports(&mut fixture), 0);
}

#[test]
fn typing_notices_expire() {
    let mut fixture = Fixture::talking(120, 36);
    let typing = |who| {
        Push::Typing(Typing {
            instance: sync(),
            user: user(who),
        })
    };
    fixture.push(typing(9));
    fixture.push(typing(8));
    fixture.push(typing(ME));
    fixture.push(typing(11));
    assert!(fixture.shows(" grace, linus typing… ") && fixture.shows("linus ✎"));
    fixture.hears(20, 9, "there it is");
    assert!(fixture.shows(" grace typing… ") && !fixture.shows("linus ✎"));
    fixture.wait_ms(6_900);
    assert!(fixture.shows("typing"));
    fixture.wait_ms(100);
    assert!(!fixture.shows("typing") && !fixture.shows("✎"));
}

#[test]
fn unread_and_writing_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.tell(AppEvent::Focused(false));
    fixture.hears(20, 8, "@ada are you there?");
    fixture.hears(21, 9, "she is not");
    fixture.push(Push::Typing(Typing {
        instance: sync(),
        user: user(8),
    }));
    assert_snapshot!(fixture.screen());
}
