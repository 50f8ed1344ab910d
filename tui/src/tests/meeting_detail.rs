//! The detail of a meeting: its screens, and navigation by keys.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Moderation, ModerationAction, Reason, Reject};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{
    Arrivals, Detail, DetailPerson, DetailSums, Done, Explain, Message, MessagesOk, Push, Stay,
    Target, Trace, TraceWhat, UserMessages, Verb, Verdict, Watch,
};
use plenary_shared::text::MessageBody;

use super::dashboard::{dashboard, participants};
use super::stage::{Stage, at, id, seq, user};
use crate::theme::Theme;

fn stay(from: &str, to: Option<(&str, Reason)>) -> Stay {
    Stay {
        from: at(from),
        to: to.map(|(to, _)| at(to)),
        reason: to.map(|(_, reason)| reason),
    }
}

fn person(who: u64, name: &str, stays: Vec<Stay>, messages: u64) -> DetailPerson {
    let is_in = stays.last().is_some_and(|stay| stay.to.is_none());
    DetailPerson {
        user: user(who),
        name: name.to_owned(),
        stays,
        earlier: 0,
        earlier_ms: 0,
        messages,
        connections: is_in.into(),
        lost: 0,
        servers: is_in.into(),
        rtt_ms: is_in.then_some(21),
    }
}

fn everybody() -> Vec<DetailPerson> {
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
    everybody[5].earlier = 9;
    everybody[5].earlier_ms = 600_000;
    everybody
}

fn trace(number: u64, when: &str, who: (u64, &str), what: TraceWhat) -> Trace {
    Trace {
        number,
        at: at(when),
        user: Some(user(who.0)),
        name: who.1.to_owned(),
        seq: Some(seq(number)),
        what,
    }
}

fn traces() -> Vec<Trace> {
    let grace = (8, "grace");
    let locked = Moderation {
        user: user(3),
        name: "ada".to_owned(),
        cmid: Cmid(uuid::Uuid::from_u128(1)),
        action: ModerationAction::Lock,
        reason: Some("noise".to_owned()),
    };
    let mut traces = vec![
        trace(1, "12:10", (13, "anita"), TraceWhat::Join),
        trace(2, "12:31", grace, TraceWhat::Join),
        trace(3, "12:32", grace, TraceWhat::Message { bytes: 88 }),
        trace(
            4,
            "12:33",
            grace,
            TraceWhat::Edited {
                target: seq(3),
                bytes: 90,
            },
        ),
        trace(
            5,
            "12:52",
            (10, "barbara the \u{1b}[2Jlonger"),
            TraceWhat::Leave {
                reason: Reason::Left,
            },
        ),
        trace(
            6,
            "13:40",
            (3, "ada"),
            TraceWhat::Moderated {
                done: Box::new(locked),
            },
        ),
        trace(
            7,
            "13:50",
            (66, "mallory"),
            TraceWhat::Denied { code: Code::Locked },
        ),
        trace(8, "13:51", (9, "linus"), TraceWhat::Lost),
    ];
    traces[6].seq = None;
    traces[7].seq = None;
    traces
}

fn detail() -> Detail {
    Detail {
        anew: true,
        sums: Some(DetailSums {
            seq: seq(8),
            arrivals: Arrivals {
                begin: at("12:10"),
                step_ms: 240_000,
                steps: vec![2, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1],
            },
            peak: 5,
            peak_at: Some(at("12:31")),
            stays: 3,
            stayed_ms: 7_740_000,
            denied: 1,
        }),
        people: everybody(),
        traces: traces(),
        ..Detail::of(id(44, 1))
    }
}

fn tell(stage: &mut Stage, event: Detail) {
    stage.push(Push::Detail(Box::new(event)));
}

/// The dashboard with the row of Incident 4471 selected.
fn selected(columns: u16, rows: u16) -> Stage {
    let mut stage = dashboard(columns, rows);
    // It is the fourth by time left.
    for _ in 0..3 {
        stage.key("j");
    }
    stage
}

/// The detail of Incident 4471.
fn meeting_detail(columns: u16, rows: u16) -> Stage {
    let mut stage = selected(columns, rows);
    answer_watches(&mut stage);
    stage.key("enter");
    answer_watches(&mut stage);
    tell(&mut stage, detail());
    stage
}

/// Answers all subscriptions.
fn answer_watches(stage: &mut Stage) {
    while stage
        .effects
        .iter()
        .any(|effect| format!("{effect:?}").contains("Watch(Watch"))
    {
        stage.answer("watch", Done {});
    }
}

fn watched(stage: &mut Stage) -> Vec<Watch> {
    let asked = stage.asked().into_iter();
    asked
        .filter_map(|(_, request)| match request.verb {
            Verb::Watch(watch) => Some(watch),
            _ => None,
        })
        .collect()
}

#[test]
fn detail_120x36() {
    let mut stage = meeting_detail(120, 36);
    stage.key("j");
    assert_snapshot!(stage.screen());
}

#[test]
fn detail_80x24() {
    let mut stage = meeting_detail(80, 24);
    stage.key("tab");
    stage.key("j");
    assert_snapshot!(stage.screen());
}

#[test]
fn detail_44x20_in_ascii() {
    let mut stage = meeting_detail(44, 20);
    stage.model.theme = Theme::new(false, true);
    assert_snapshot!(stage.screen());
}

#[test]
fn below_the_table_120x36() {
    let mut stage = selected(120, 36);
    answer_watches(&mut stage);
    tell(&mut stage, detail());
    assert_snapshot!(stage.screen());
}

#[test]
fn access_80x24() {
    let mut stage = meeting_detail(80, 24);
    stage.key("w");
    stage.answer("people", participants());
    assert!(
        stage.shows("Check whether a user can join"),
        "{}",
        stage.screen()
    );
    stage.write("nobody");
    stage.key("enter");
    assert!(stage.shows("Type the full email"), "{}", stage.screen());
    stage.key("ctrl-u");
    stage.write("mal");
    stage.asked();
    stage.key("enter");
    let asked = stage.effects.clone();
    let explain = Verb::Explain(Explain {
        instance: id(44, 1),
        email: "mallory@example.org".to_owned(),
    });
    assert!(stage.asked().iter().any(|(_, one)| one.verb == explain));
    stage.effects = asked;
    stage.answer(
        "explain",
        Verdict {
            allowed: false,
            rule: "locked".to_owned(),
            because: "An admin has locked 44/1: nobody joins any more.".to_owned(),
            change: "plenary admin unlock 44/1".to_owned(),
        },
    );
    assert_snapshot!(stage.screen());
    stage.key("esc");
    assert!(stage.shows("Incident 4471"), "{}", stage.screen());
}

#[test]
fn esc_closes_filter_then_detail_then_dashboard() {
    let mut stage = meeting_detail(80, 24);
    assert!(
        stage.shows("DASHBOARD › Incident 4471 44/1 › participants"),
        "{}",
        stage.screen()
    );
    stage.key("/");
    stage.write("mar !deny");
    stage.key("enter");
    assert!(
        stage.shows("margaret") && !stage.shows("linus"),
        "{}",
        stage.screen()
    );
    stage.key("esc");
    assert!(
        stage.shows("linus") && stage.shows("mallory"),
        "{}",
        stage.screen()
    );
    stage.key("esc");
    assert!(stage.shows("DASHBOARD › meetings"), "{}", stage.screen());
    answer_watches(&mut stage);
    stage.key("esc");
    assert!(!stage.shows("DASHBOARD"), "{}", stage.screen());
}

#[test]
fn sort_keys_sort_and_reverse_participants() {
    let mut stage = meeting_detail(80, 24);
    let first = |stage: &mut Stage, key: &str| {
        stage.key(key);
        let screen = stage.screen();
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
    assert_eq!(first(&mut stage, "M"), "grace");
    assert_eq!(first(&mut stage, "M"), "anita");
    assert_eq!(first(&mut stage, "N"), "anita");
    assert_eq!(first(&mut stage, "S"), "anita");
    assert_eq!(first(&mut stage, "S"), "barbara");
    assert_eq!(first(&mut stage, "J"), "anita");
}

#[test]
fn messages_open_from_participant_and_timeline() {
    let mut stage = meeting_detail(80, 24);
    stage.key("M");
    stage.asked();
    stage.key("enter");
    let request = |before| {
        Verb::UserMessages(UserMessages {
            instance: id(44, 1),
            user: user(8),
            after: None,
            before,
            limit: 200,
        })
    };
    let asked = stage.effects.clone();
    assert!(
        stage
            .asked()
            .iter()
            .any(|(_, one)| one.verb == request(None))
    );
    stage.effects = asked;
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
    stage.answer("user_messages", page);
    assert!(
        stage.shows("Messages from grace in Incident 4471") && stage.shows("what she said"),
        "{}",
        stage.screen()
    );
    stage.key("esc");
    stage.key("tab");
    stage.key("/");
    stage.write("msg");
    stage.key("enter");
    stage.asked();
    stage.key("enter");
    assert!(
        stage
            .asked()
            .iter()
            .any(|(_, one)| one.verb == request(Some(seq(4))))
    );
}

#[test]
fn action_applies_to_selected_participant() {
    let mut stage = meeting_detail(80, 24);
    stage.key("M");
    stage.key("d");
    assert!(
        stage.shows("Remove grace from Incident 4471 44/1?"),
        "{}",
        stage.screen()
    );
    stage.write("noise");
    stage.asked();
    stage.key("enter");
    let asked = stage.asked();
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
    let mut stage = selected(80, 24);
    answer_watches(&mut stage);
    // A small screen shows no detail below the table.
    assert!(watched(&mut stage).is_empty());
    stage.key("enter");
    let of = |instance| Watch {
        stop: false,
        instance,
    };
    let asked = stage.effects.clone();
    assert_eq!(watched(&mut stage), [of(Some(id(44, 1)))]);
    stage.effects = asked;
    stage.answer("watch", Done {});
    // A late update for another instance is dropped.
    let other = Detail {
        people: everybody(),
        ..Detail::of(id(7, 1))
    };
    tell(&mut stage, other);
    assert!(
        stage.shows("loading") && !stage.shows("grace"),
        "{}",
        stage.screen()
    );
    tell(&mut stage, detail());
    assert!(stage.shows("grace"), "{}", stage.screen());
    stage.lose_link();
    stage.asked();
    stage.greet(vec![]);
    let asked = stage.effects.clone();
    assert_eq!(watched(&mut stage), [of(None)]);
    stage.effects = asked;
    stage.answer("watch", Done {});
    assert_eq!(watched(&mut stage), [of(Some(id(44, 1)))]);
}

#[test]
fn selected_entry_stays_and_newest_follows() {
    let mut stage = meeting_detail(80, 24);
    stage.key("tab");
    stage.key("j");
    let more = Detail {
        traces: vec![trace(
            9,
            "13:52",
            (8, "grace"),
            TraceWhat::Message { bytes: 5 },
        )],
        ..Detail::of(id(44, 1))
    };
    tell(&mut stage, more);
    let screen = stage.screen();
    let selected = screen.lines().find(|line| line.starts_with('\u{258c}'));
    assert!(
        selected.is_some_and(|line| line.contains("mallory")),
        "{screen}"
    );
    stage.key("g");
    let screen = stage.screen();
    let selected = screen.lines().find(|line| line.starts_with('\u{258c}'));
    assert!(
        selected.is_some_and(|line| line.contains("grace")),
        "{screen}"
    );
}

#[test]
fn paused_detail_keeps_its_rows() {
    let mut stage = meeting_detail(80, 24);
    stage.key("f");
    let gone = Detail {
        anew: true,
        ..Detail::of(id(44, 1))
    };
    tell(&mut stage, gone);
    assert!(
        stage.shows("PAUSED") && stage.shows("margaret"),
        "{}",
        stage.screen()
    );
    stage.key("f");
    assert!(stage.shows("No participants yet"), "{}", stage.screen());
}

#[test]
fn refused_detail_shows_the_error() {
    let mut stage = selected(80, 24);
    answer_watches(&mut stage);
    stage.key("enter");
    let reject = Reject::new(
        Code::TooManyRequests,
        "Admins look into 64 meetings already.",
    );
    stage.refuse("watch", reject);
    assert!(stage.shows("64 meetings already"), "{}", stage.screen());
    assert!(stage.shows("Incident 4471"), "{}", stage.screen());
    // The error stays in place of the detail after the notice expires.
    stage.wait_ms(60_000);
    assert!(stage.shows("64 meetings already"), "{}", stage.screen());
    assert!(!stage.shows("loading"), "{}", stage.screen());
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
        let mut stage = meeting_detail(columns, rows);
        for key in [
            "j", "G", "tab", "pageup", "G", "w", "esc", "/", "x", "enter", "f", "S",
        ] {
            stage.key(key);
            stage.screen();
        }
    }
}
