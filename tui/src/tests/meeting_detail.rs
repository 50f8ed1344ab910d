//! The detail of a meeting: its screens, and navigation by keys.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Moderation, ModerationAction, Reason, Reject};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{
    Arrivals, Attendee, DetailUpdate, Done, Explain, MeetingTotals, Message, MessagesOk, Push,
    Stay, Target, TimelineEntry, TimelineKind, UserMessages, Verb, Verdict, Watch,
};
use plenary_shared::text::MessageBody;

use super::dashboard::{dashboard, participants};
use super::fixture::{Fixture, at, id, seq, user};
use crate::theme::Theme;

fn stay(from: &str, to: Option<(&str, Reason)>) -> Stay {
    Stay {
        from: at(from),
        to: to.map(|(to, _)| at(to)),
        reason: to.map(|(_, reason)| reason),
    }
}

fn person(who: u64, name: &str, stays: Vec<Stay>, messages: u64) -> Attendee {
    let is_in = stays.last().is_some_and(|stay| stay.to.is_none());
    Attendee {
        user: user(who),
        name: name.to_owned(),
        stays,
        earlier_stays: 0,
        earlier_ms: 0,
        messages,
        connections: is_in.into(),
        lost: 0,
        servers: is_in.into(),
        rtt_ms: is_in.then_some(21),
    }
}

fn everybody() -> Vec<Attendee> {
    let mut everybody = vec![
        person(8, "grace", vec![stay("12:31", None)], 118),
        person(9, "linus", vec![stay("12:12", None)], 51),
        person(
            10,
            "barbara the \u{1b}[2Jlonger",
            vec![stay("12:15", Some(("12:52", Reason::Left)))],
            9,
        ),
        person(
            11,
            "margaret",
            vec![
                stay("12:22", Some(("12:44", Reason::ConnectionLost))),
                stay("13:01", None),
            ],
            30,
        ),
        person(
            12,
            "ken",
            vec![stay("12:20", Some(("13:30", Reason::Removed)))],
            2,
        ),
        person(13, "anita", vec![stay("12:10", None)], 0),
    ];
    everybody[1].lost = 1;
    everybody[1].rtt_ms = None;
    everybody[3].connections = 3;
    everybody[3].servers = 2;
    everybody[5].earlier_stays = 9;
    everybody[5].earlier_ms = 600_000;
    everybody
}

fn trace(number: u64, when: &str, who: (u64, &str), what: TimelineKind) -> TimelineEntry {
    TimelineEntry {
        number,
        at: at(when),
        user: Some(user(who.0)),
        name: who.1.to_owned(),
        seq: Some(seq(number)),
        kind: what,
    }
}

fn traces() -> Vec<TimelineEntry> {
    let grace = (8, "grace");
    let locked = Moderation {
        user: user(3),
        name: "ada".to_owned(),
        cmid: Cmid(uuid::Uuid::from_u128(1)),
        action: ModerationAction::Lock,
        reason: Some("noise".to_owned()),
    };
    let mut traces = vec![
        trace(1, "12:10", (13, "anita"), TimelineKind::Join),
        trace(2, "12:31", grace, TimelineKind::Join),
        trace(3, "12:32", grace, TimelineKind::Message { bytes: 88 }),
        trace(
            4,
            "12:33",
            grace,
            TimelineKind::Edited {
                target: seq(3),
                bytes: 90,
            },
        ),
        trace(
            5,
            "12:52",
            (10, "barbara the \u{1b}[2Jlonger"),
            TimelineKind::Leave {
                reason: Reason::Left,
            },
        ),
        trace(
            6,
            "13:40",
            (3, "ada"),
            TimelineKind::Moderated {
                moderation: Box::new(locked),
            },
        ),
        trace(
            7,
            "13:50",
            (66, "mallory"),
            TimelineKind::Denied { code: Code::Locked },
        ),
        trace(8, "13:51", (9, "linus"), TimelineKind::ConnectionLost),
    ];
    traces[6].seq = None;
    traces[7].seq = None;
    traces
}

fn detail() -> DetailUpdate {
    DetailUpdate {
        reset: true,
        totals: Some(MeetingTotals {
            seq: seq(8),
            arrivals: Arrivals {
                start: at("12:10"),
                step_ms: 240_000,
                counts: vec![2, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1],
            },
            peak: 5,
            peak_at: Some(at("12:31")),
            stays: 3,
            stayed_ms: 7_740_000,
            denied: 1,
        }),
        attendees: everybody(),
        timeline: traces(),
        ..DetailUpdate::of(id(44, 1))
    }
}

fn tell(fixture: &mut Fixture, event: DetailUpdate) {
    fixture.push(Push::Detail(Box::new(event)));
}

/// The dashboard with the row of Incident 4471 selected.
fn selected(columns: u16, rows: u16) -> Fixture {
    let mut fixture = dashboard(columns, rows);
    // It is the fourth by time left.
    for _ in 0..3 {
        fixture.key("j");
    }
    fixture
}

/// The detail of Incident 4471.
fn meeting_detail(columns: u16, rows: u16) -> Fixture {
    let mut fixture = selected(columns, rows);
    answer_watches(&mut fixture);
    fixture.key("enter");
    answer_watches(&mut fixture);
    tell(&mut fixture, detail());
    fixture
}

/// Answers all subscriptions.
fn answer_watches(fixture: &mut Fixture) {
    while fixture
        .effects
        .iter()
        .any(|effect| format!("{effect:?}").contains("Watch(Watch"))
    {
        fixture.answer("watch", Done {});
    }
}

fn watched(fixture: &mut Fixture) -> Vec<Watch> {
    let asked = fixture.asked().into_iter();
    asked
        .filter_map(|(_, request)| match request.verb {
            Verb::Watch(watch) => Some(watch),
            _ => None,
        })
        .collect()
}

#[test]
fn detail_120x36() {
    let mut fixture = meeting_detail(120, 36);
    fixture.key("j");
    assert_snapshot!(fixture.screen());
}

#[test]
fn detail_80x24() {
    let mut fixture = meeting_detail(80, 24);
    fixture.key("tab");
    fixture.key("j");
    assert_snapshot!(fixture.screen());
}

#[test]
fn detail_44x20_in_ascii() {
    let mut fixture = meeting_detail(44, 20);
    fixture.model.theme = Theme::new(false, true);
    assert_snapshot!(fixture.screen());
}

#[test]
fn below_the_table_120x36() {
    let mut fixture = selected(120, 36);
    answer_watches(&mut fixture);
    tell(&mut fixture, detail());
    assert_snapshot!(fixture.screen());
}

#[test]
fn access_80x24() {
    let mut fixture = meeting_detail(80, 24);
    fixture.key("w");
    fixture.answer("participants", participants());
    assert!(
        fixture.shows("Check whether a user can join"),
        "{}",
        fixture.screen()
    );
    fixture.write("nobody");
    fixture.key("enter");
    assert!(fixture.shows("Type the full email"), "{}", fixture.screen());
    fixture.key("ctrl-u");
    fixture.write("mal");
    fixture.asked();
    fixture.key("enter");
    let asked = fixture.effects.clone();
    let explain = Verb::Explain(Explain {
        instance: id(44, 1),
        email: "mallory@example.org".to_owned(),
    });
    assert!(fixture.asked().iter().any(|(_, one)| one.verb == explain));
    fixture.effects = asked;
    fixture.answer(
        "explain",
        Verdict {
            allowed: false,
            rule: "locked".to_owned(),
            explanation: "An admin has locked 44/1.".to_owned(),
            remedy: "plenary admin unlock 44/1".to_owned(),
        },
    );
    assert_snapshot!(fixture.screen());
    fixture.key("esc");
    assert!(fixture.shows("Incident 4471"), "{}", fixture.screen());
}

#[test]
fn esc_closes_filter_then_detail_then_dashboard() {
    let mut fixture = meeting_detail(80, 24);
    assert!(
        fixture.shows("DASHBOARD › Incident 4471 44/1 › participants"),
        "{}",
        fixture.screen()
    );
    fixture.key("/");
    fixture.write("mar !deny");
    fixture.key("enter");
    assert!(
        fixture.shows("margaret") && !fixture.shows("linus"),
        "{}",
        fixture.screen()
    );
    fixture.key("esc");
    assert!(
        fixture.shows("linus") && fixture.shows("mallory"),
        "{}",
        fixture.screen()
    );
    fixture.key("esc");
    assert!(
        fixture.shows("DASHBOARD › meetings"),
        "{}",
        fixture.screen()
    );
    answer_watches(&mut fixture);
    fixture.key("esc");
    assert!(!fixture.shows("DASHBOARD"), "{}", fixture.screen());
}

#[test]
fn sort_keys_sort_and_reverse_participants() {
    let mut fixture = meeting_detail(80, 24);
    let first = |fixture: &mut Fixture, key: &str| {
        fixture.key(key);
        let screen = fixture.screen();
        let head = screen.lines().position(|line| line.contains("STATE"));
        let row = screen
            .lines()
            .nth(head.expect("a head") + 1)
            .expect("a row");
        row.trim_start_matches(['\u{258c}', ' '])
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(first(&mut fixture, "M"), "grace");
    assert_eq!(first(&mut fixture, "M"), "anita");
    assert_eq!(first(&mut fixture, "N"), "anita");
    assert_eq!(first(&mut fixture, "S"), "anita");
    assert_eq!(first(&mut fixture, "S"), "barbara");
    assert_eq!(first(&mut fixture, "J"), "anita");
}

#[test]
fn messages_open_from_participant_and_timeline() {
    let mut fixture = meeting_detail(80, 24);
    fixture.key("M");
    fixture.asked();
    fixture.key("enter");
    let request = |before| {
        Verb::UserMessages(UserMessages {
            instance: id(44, 1),
            user: user(8),
            after: None,
            before,
            limit: 200,
        })
    };
    let asked = fixture.effects.clone();
    assert!(
        fixture
            .asked()
            .iter()
            .any(|(_, one)| one.verb == request(None))
    );
    fixture.effects = asked;
    let said = Message {
        user: user(8),
        body: MessageBody::parse("what she said").expect("a body"),
        timestamp: at("12:32"),
        seq: seq(3),
        cmid: Cmid(uuid::Uuid::from_u128(9)),
        name: "grace".to_owned(),
        reply_to: None,
        edited: None,
        deleted: None,
    };
    let page = MessagesOk {
        messages: vec![said],
        more: false,
    };
    fixture.answer("user_messages", page);
    assert!(
        fixture.shows("Messages from grace in Incident 4471") && fixture.shows("what she said"),
        "{}",
        fixture.screen()
    );
    fixture.key("esc");
    fixture.key("tab");
    fixture.key("/");
    fixture.write("msg");
    fixture.key("enter");
    fixture.asked();
    fixture.key("enter");
    assert!(
        fixture
            .asked()
            .iter()
            .any(|(_, one)| one.verb == request(Some(seq(4))))
    );
}

#[test]
fn action_applies_to_selected_participant() {
    let mut fixture = meeting_detail(80, 24);
    fixture.key("M");
    fixture.key("d");
    assert!(
        fixture.shows("Remove grace from Incident 4471 44/1?"),
        "{}",
        fixture.screen()
    );
    fixture.write("y");
    fixture.key("enter");
    fixture.write("noise");
    fixture.asked();
    fixture.key("enter");
    let asked = fixture.asked();
    let moderated = asked.iter().find_map(|(_, one)| match &one.verb {
        Verb::Moderate(moderate) => Some(moderate),
        _ => None,
    });
    let moderated = moderated.expect("a request");
    let target = Target {
        user: Some(user(8)),
        email: None,
    };
    assert_eq!(moderated.action, ModerationAction::Remove(target));
    assert_eq!(moderated.instance, id(44, 1));
}

#[test]
fn detail_is_requested_once_and_after_a_reconnect() {
    let mut fixture = selected(80, 20);
    answer_watches(&mut fixture);
    // A small screen shows no detail below the table.
    assert!(watched(&mut fixture).is_empty());
    fixture.key("enter");
    let of = |instance| Watch {
        stop: false,
        instance,
    };
    let asked = fixture.effects.clone();
    assert_eq!(watched(&mut fixture), [of(Some(id(44, 1)))]);
    fixture.effects = asked;
    fixture.answer("watch", Done {});
    // A late update for another instance is dropped.
    let other = DetailUpdate {
        attendees: everybody(),
        ..DetailUpdate::of(id(7, 1))
    };
    tell(&mut fixture, other);
    assert!(
        fixture.shows("loading") && !fixture.shows("grace"),
        "{}",
        fixture.screen()
    );
    tell(&mut fixture, detail());
    assert!(fixture.shows("grace"), "{}", fixture.screen());
    fixture.lose_link();
    fixture.asked();
    fixture.greet(vec![]);
    let asked = fixture.effects.clone();
    assert_eq!(watched(&mut fixture), [of(None)]);
    fixture.effects = asked;
    fixture.answer("watch", Done {});
    assert_eq!(watched(&mut fixture), [of(Some(id(44, 1)))]);
}

#[test]
fn selected_entry_stays_and_newest_follows() {
    let mut fixture = meeting_detail(80, 24);
    fixture.key("tab");
    fixture.key("j");
    let more = DetailUpdate {
        timeline: vec![trace(
            9,
            "13:52",
            (8, "grace"),
            TimelineKind::Message { bytes: 5 },
        )],
        ..DetailUpdate::of(id(44, 1))
    };
    tell(&mut fixture, more);
    let screen = fixture.screen();
    let selected = screen.lines().find(|line| line.starts_with('\u{258c}'));
    assert!(
        selected.is_some_and(|line| line.contains("mallory")),
        "{screen}"
    );
    fixture.key("g");
    let screen = fixture.screen();
    let selected = screen.lines().find(|line| line.starts_with('\u{258c}'));
    assert!(
        selected.is_some_and(|line| line.contains("grace")),
        "{screen}"
    );
}

#[test]
fn paused_detail_keeps_its_rows() {
    let mut fixture = meeting_detail(80, 24);
    fixture.key("f");
    let gone = DetailUpdate {
        reset: true,
        ..DetailUpdate::of(id(44, 1))
    };
    tell(&mut fixture, gone);
    assert!(
        fixture.shows("PAUSED") && fixture.shows("margaret"),
        "{}",
        fixture.screen()
    );
    fixture.key("f");
    assert!(fixture.shows("No participants yet"), "{}", fixture.screen());
}

#[test]
fn refused_detail_shows_the_error() {
    let mut fixture = selected(80, 20);
    answer_watches(&mut fixture);
    fixture.key("enter");
    let reject = Reject::new(Code::TooManyRequests, "Admins already watch 64 meetings.");
    fixture.refuse("watch", reject);
    assert!(fixture.shows("already watch 64"), "{}", fixture.screen());
    assert!(fixture.shows("Incident 4471"), "{}", fixture.screen());
    // The error stays in place of the detail after the notice expires.
    fixture.wait_ms(60_000);
    assert!(fixture.shows("already watch 64"), "{}", fixture.screen());
    assert!(!fixture.shows("loading"), "{}", fixture.screen());
}

#[test]
fn nothing_panics_at_any_size() {
    for (columns, rows) in [
        (1, 1),
        (20, 6),
        (21, 7),
        (30, 10),
        (60, 20),
        (100, 30),
        (300, 100),
    ] {
        let mut fixture = meeting_detail(columns, rows);
        for key in [
            "j", "G", "tab", "pageup", "G", "w", "esc", "/", "x", "enter", "f", "S",
        ] {
            fixture.key(key);
            fixture.screen();
        }
    }
}
