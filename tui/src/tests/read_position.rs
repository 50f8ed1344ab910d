//! Read positions, unread counts and typing notices.

use insta::assert_snapshot;
use plenary_shared::domain::What;
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{MeetingsOk, Push, ReadElsewhere, Typing, Unread, Verb};

use super::stage::{ME, Stage, demo_meetings, id, join, opened, posted, seq, sync, talk, user};
use crate::msg::AppEvent;

/// Returns the read positions reported to the server.
fn reported(stage: &mut Stage) -> Vec<u64> {
    let verbs = stage.told().into_iter();
    let read = verbs.filter_map(|verb| match verb {
        Verb::Read(read) => Some(read.seq.get()),
        _ => None,
    });
    read.collect()
}

/// Returns how often typing was reported.
fn typing_reports(stage: &mut Stage) -> usize {
    let verbs = stage.told().into_iter();
    verbs.filter(|verb| matches!(verb, Verb::Typing(_))).count()
}

fn counts(stage: &Stage) -> (usize, usize) {
    stage.model.unread_of(sync())
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
fn opened_with_read_position(read: u64, unread: u64, mentions: u64) -> Stage {
    let mut stage = Stage::ready(120, 36);
    stage.tell(AppEvent::Focused(false));
    stage.key("enter");
    stage.answer("join", posted(19));
    let mut ok = opened(talk(), vec![(8, "13:31"), (9, "13:31"), (ME, "13:52")]);
    ok.unread = Some(left(read, unread, mentions));
    stage.answer("open", ok);
    stage
}

#[test]
fn divider_marks_the_read_position() {
    let mut stage = opened_with_read_position(15, 3, 0);
    assert_eq!(counts(&stage), (3, 0));
    assert!(stage.shows("3 new since you looked away at 14:47 · ⌥U"));
    assert!(reported(&mut stage).is_empty(), "nobody looks");
    stage.tell(AppEvent::Focused(true));
    assert_eq!(counts(&stage), (0, 0));
    assert_eq!(reported(&mut stage), [19]);
    assert!(stage.shows("3 new since"), "the divider stays");
}

#[test]
fn first_visit_has_no_divider() {
    let stage = opened_with_read_position(0, 11, 1);
    assert_eq!(counts(&stage), (11, 1));
    assert!(!stage.shows("new since") && stage.shows("!1 +11"));
}

#[test]
fn unread_counts_skip_own_and_deleted_messages() {
    let mut stage = opened_with_read_position(19, 0, 0);
    stage.event(20, join(10, "barbara"));
    stage.hears(21, ME, "from my other terminal");
    stage.hears(22, 8, "@ada one");
    stage.hears(23, 8, "two");
    assert_eq!(counts(&stage), (2, 1));
    stage.event(
        24,
        What::Deleted {
            user: user(8),
            cmid: Cmid(uuid::Uuid::from_u128(9)),
            target: seq(22),
        },
    );
    assert_eq!(counts(&stage), (1, 0));
    assert!(stage.shows("1 new since"), "{}", stage.screen());
}

#[test]
fn read_position_is_reported_once_a_second() {
    let mut stage = Stage::talking(120, 36);
    reported(&mut stage);
    stage.wait_ms(2_000);
    assert!(reported(&mut stage).is_empty(), "nothing was read");
    stage.hears(20, 8, "one");
    stage.hears(21, 8, "two");
    stage.hears(22, 8, "three");
    assert_eq!(reported(&mut stage), [20]);
    stage.wait_ms(1_000);
    assert_eq!(reported(&mut stage), [22]);
    stage.event(23, join(10, "barbara"));
    stage.wait_ms(5_000);
    assert!(reported(&mut stage).is_empty(), "nobody said anything");
}

#[test]
fn visible_messages_are_read_while_scrolled_up() {
    let mut stage = Stage::talking(80, 12);
    stage.tell(AppEvent::Focused(false));
    for number in 20..50 {
        stage.hears(number, 8, &format!("number {number}"));
    }
    stage.key("alt-u");
    assert_eq!(counts(&stage), (30, 0));
    stage.tell(AppEvent::Focused(true));
    let (unread, _) = counts(&stage);
    assert!((15..30).contains(&unread), "{unread}");
    assert!(stage.shows(&format!("number {}", 49 - unread)));
    assert!(!stage.shows(&format!("number {}", 50 - unread)));
    stage.key("alt-end");
    assert_eq!(counts(&stage), (0, 0));
    stage.wait_ms(1_000);
    assert_eq!(reported(&mut stage).last(), Some(&49));
}

#[test]
fn read_position_follows_other_terminals() {
    let mut stage = Stage::talking(120, 36);
    stage.tell(AppEvent::Focused(false));
    for number in 20..25 {
        stage.hears(number, 8, "event");
    }
    let read = |to| {
        Push::Read(ReadElsewhere {
            instance: sync(),
            read: seq(to),
        })
    };
    stage.push(read(22));
    assert_eq!(counts(&stage), (2, 0));
    stage.push(read(21));
    assert_eq!(counts(&stage), (2, 0));
    stage.push(read(24));
    assert_eq!(counts(&stage), (0, 0));
    assert!(!stage.shows("new since"));
    assert!(reported(&mut stage).is_empty(), "it knows");
}

#[test]
fn unconfirmed_read_position_is_reported_again() {
    let mut stage = Stage::talking(120, 36);
    stage.hears(20, 8, "one");
    assert_eq!(reported(&mut stage), [20]);
    stage.lose_link();
    stage.greet(vec![(sync(), plenary_shared::protocol::ResumeMode::Delta)]);
    stage.wait_ms(1_000);
    assert_eq!(reported(&mut stage), [20]);
}

#[test]
fn unopened_meetings_show_the_server_counts() {
    let mut stage = Stage::ready(120, 36);
    let unread = |of, read, unread, mentions| Unread {
        instance: of,
        read: seq(read),
        unread,
        mentions,
    };
    stage.tell(AppEvent::Link(crate::net::LinkEvent::Line(Box::new(
        plenary_shared::protocol::ServerLine::Push(Push::Changed(
            plenary_shared::protocol::Changed {
                instance: None,
                changed: plenary_shared::protocol::ChangedList::Meetings,
            },
        )),
    ))));
    let now = stage.now;
    stage.answer(
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
    assert!(stage.shows("!2 +9 1h48") && stage.shows("+3 ✓ 14:00") && !stage.shows("+40"));
    stage.key("alt-a");
    assert_eq!(stage.model.shown, Some(id(44, 1)), "mentions first");
    stage.write("/read all");
    stage.key("enter");
    assert!(!stage.shows("+9") && !stage.shows("+3"));
    assert_eq!(reported(&mut stage).len(), 2);
}

#[test]
fn typing_is_reported_every_three_seconds() {
    let mut stage = Stage::talking(120, 36);
    stage.write("/who");
    assert_eq!(typing_reports(&mut stage), 0);
    stage.key("ctrl-u");
    stage.write("hello everybody");
    assert_eq!(typing_reports(&mut stage), 1);
    stage.wait_ms(3_000);
    assert_eq!(typing_reports(&mut stage), 0, "nothing is written");
    stage.write("!");
    assert_eq!(typing_reports(&mut stage), 1);
    stage.key("ctrl-u");
    stage.wait_ms(3_000);
    stage.write(" ");
    assert_eq!(typing_reports(&mut stage), 0);
}

#[test]
fn typing_notices_expire() {
    let mut stage = Stage::talking(120, 36);
    let typing = |who| {
        Push::Typing(Typing {
            instance: sync(),
            user: user(who),
        })
    };
    stage.push(typing(9));
    stage.push(typing(8));
    stage.push(typing(ME));
    stage.push(typing(11));
    assert!(stage.shows(" grace, linus typing… ") && stage.shows("linus ✎"));
    stage.hears(20, 9, "there it is");
    assert!(stage.shows(" grace typing… ") && !stage.shows("linus ✎"));
    stage.wait_ms(6_900);
    assert!(stage.shows("typing"));
    stage.wait_ms(100);
    assert!(!stage.shows("typing") && !stage.shows("✎"));
}

#[test]
fn unread_and_writing_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.tell(AppEvent::Focused(false));
    stage.hears(20, 8, "@ada are you there?");
    stage.hears(21, 9, "she is not");
    stage.push(Push::Typing(Typing {
        instance: sync(),
        user: user(8),
    }));
    assert_snapshot!(stage.screen());
}
