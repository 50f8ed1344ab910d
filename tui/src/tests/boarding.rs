//! The dashboard: as it looks, and everything that is done there by keys.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, InstanceState, Participant, Reject, Role};
use plenary_shared::protocol::{
    Board, BoardCheck, BoardHead, BoardRow, BoardServer, Done, Longer, Measure, Moderate, PeopleOk,
    Push, Target, Verb, Watch,
};
use plenary_shared::text::MessageBody;
use rstest::rstest;

use super::stage::{Stage, at, demo_meetings, id, opened, posted, seq, user};
use crate::theme::Theme;

fn row(meeting: u64, title: &str, from: &str, to: &str, state: InstanceState) -> BoardRow {
    BoardRow {
        instance: id(meeting, 1),
        title: title.to_owned(),
        is_public: meeting.is_multiple_of(2),
        fromdatetime: at(from),
        todatetime: at(to),
        state,
        locked: false,
        read_only: false,
        here: 0,
        cancelled: false,
        waiting: 0,
        reconnecting: 0,
        ever: 0,
        invited: (!meeting.is_multiple_of(2)).then_some(22),
        late: 0,
        early: 0,
        messages: 0,
        minute: 0,
        spark: Vec::new(),
        last_message: None,
        seq: seq(1),
        durable: seq(1),
    }
}

pub(super) fn rows() -> Vec<BoardRow> {
    use InstanceState::{Active, Ended, Scheduled};
    let mut rows = vec![
        row(7, "Budget review", "12:30", "13:45", Active),
        row(42, "Platform sync", "13:30", "14:15", Active),
        row(44, "Incident 4471", "12:10", "18:00", Active),
        row(45, "1:1 tony/radia", "13:30", "13:56", Active),
        row(12, "Design review", "13:59", "14:30", Scheduled),
        row(3, "Vendor call", "12:00", "13:01", Ended),
    ];
    for (nth, row) in (1_u32..).zip(&mut rows) {
        if row.state == Active {
            row.here = nth * 7;
            row.ever = nth * 9;
            row.early = nth * 2;
            row.messages = u64::from(nth) * 100;
            row.minute = u64::from(nth) * 3;
            row.spark = vec![0, 1, 2, 5, 9, 7, 4, 3, 2, u64::from(nth)];
            row.last_message = Some(at("13:51"));
        }
    }
    rows[0].late = 3;
    rows[1].locked = true;
    rows[2].reconnecting = 3;
    rows[4].waiting = 2;
    let mut off = row(9, "Retro", "13:30", "13:20", Ended);
    off.cancelled = true;
    rows.push(off);
    rows[5].messages = 310;
    rows[5].ever = 6;
    rows
}

fn head(stage: &Stage) -> BoardHead {
    BoardHead {
        now: stage.now,
        live: 4,
        soon: 1,
        overrun: 1,
        here: 70,
        peak: 161,
        reconnecting: 3,
        minute: 30,
        spark: vec![0, 3, 6, 15, 27, 21, 12, 9, 6, 10],
        unarchived: 0,
        connections: 73,
        delivery_p95_ms: Some(41),
        errors: 0,
    }
}

fn check(name: &str, ok: bool, latency_ms: Option<u64>) -> BoardCheck {
    BoardCheck {
        name: name.to_owned(),
        ok,
        detail: (!ok).then(|| "The archive is behind.".to_owned()),
        latency_ms,
    }
}

fn servers() -> Vec<BoardServer> {
    let one = |node: &str, name: &str, connections| BoardServer {
        node: node.to_owned(),
        name: name.to_owned(),
        connections,
        ..BoardServer::default()
    };
    let own = BoardServer {
        own: true,
        fences: 2,
        too_slow: 1,
        delivery_p95_ms: Some(41),
        starts_late_ms: Some((12, 340)),
        rooms: 4,
        queue_bytes: 70_000,
        ..one("a", "wren 10.0.0.7:7480", 70)
    };
    vec![own, one("b", "finch 10.0.0.8:7480", 3)]
}

/// An admin before the dashboard.
pub(super) fn board(columns: u16, rows_: u16) -> Stage {
    let mut stage = Stage::new(columns, rows_);
    stage.role = Role::Admin;
    stage.greet(vec![]);
    stage.answer_meetings(demo_meetings());
    stage.key("f5");
    stage.answer("watch", Done {});
    let event = Board {
        anew: true,
        head: Some(head(&stage)),
        rows: rows(),
        checks: vec![check("redis", true, Some(1)), check("archive", false, None)],
        servers: servers(),
        gone: vec![],
    };
    stage.push(Push::Board(Box::new(event)));
    stage
}

pub(super) fn people() -> PeopleOk {
    let one = |who, name: &str| Participant {
        name: name.to_owned(),
        age: None,
        gender: None,
        email: format!("{name}@example.org"),
        id: user(who),
        joined: at("13:31"),
        presence: plenary_shared::domain::Presence::Here,
        since: None,
    };
    PeopleOk {
        participants: vec![one(8, "grace"), one(9, "linus"), one(10, "mallory")],
        absent: None,
    }
}

#[test]
fn board_120x36() {
    let mut stage = board(120, 36);
    stage.key("j");
    stage.key("space");
    assert_snapshot!(stage.screen());
}

#[test]
fn board_80x24() {
    let mut stage = board(80, 24);
    stage.key("/");
    stage.write("!ended");
    stage.key("enter");
    assert_snapshot!(stage.screen());
}

#[test]
fn board_44x20_in_ascii() {
    let mut stage = board(44, 20);
    stage.model.theme = Theme::new(false, true);
    assert_snapshot!(stage.screen());
}

#[test]
fn the_servers_120x36() {
    let mut stage = board(120, 36);
    stage.key("s");
    assert_snapshot!(stage.screen());
}

#[test]
fn the_servers_44x20() {
    let mut stage = board(44, 20);
    stage.key("s");
    assert_snapshot!(stage.screen());
}

#[test]
fn the_server_80x24() {
    let mut stage = board(80, 24);
    stage.key("s");
    assert_snapshot!(stage.screen());
    // Nothing behind the page is meant by a key.
    stage.asked();
    stage.key("enter");
    stage.write("hello");
    stage.tell(crate::msg::AppEvent::Pasted("hello".to_owned()));
    assert!(stage.asked().is_empty());
    stage.key("esc");
    assert!(stage.shows("DASHBOARD"), "{}", stage.screen());
    stage.key("f5");
    assert!(!stage.shows("hello"), "{}", stage.screen());
}

#[test]
fn asked_about_a_person_80x24() {
    let mut stage = board(80, 24);
    stage.key("D");
    stage.answer("people", people());
    stage.write("l");
    stage.key("down");
    assert_snapshot!(stage.screen());
}

#[test]
fn asked_why_44x20() {
    let mut stage = board(44, 20);
    stage.key("X");
    stage.write("we are done");
    assert_snapshot!(stage.screen());
}

/// What was asked of the server to be done, where and why.
fn measures(stage: &mut Stage) -> Vec<Moderate> {
    let asked = stage.asked().into_iter();
    asked
        .filter_map(|(_, request)| match request.verb {
            Verb::Moderate(moderate) => Some(moderate),
            _ => None,
        })
        .collect()
}

fn mallory() -> Target {
    Target {
        user: Some(user(10)),
        email: None,
    }
}

fn address() -> Target {
    Target {
        user: None,
        email: Some("eve@example.org".to_owned()),
    }
}

#[rstest]
#[case("X", &["enter"], None, Measure::End {})]
#[case("+", &["enter", "w", "h", "y", "enter"], Some("why"), Measure::Extend(Longer { minutes: Some(30), todatetime: None }))]
#[case("+", &["backspace", "backspace", "1", "5", "enter", "enter"], None, Measure::Extend(Longer { minutes: Some(15), todatetime: None }))]
#[case("l", &["enter"], None, Measure::Lock {})]
#[case("r", &["n", "o", "enter"], Some("no"), Measure::ReadOnly {})]
#[case("n", &["h", "i", "enter"], None, Measure::Announce { body: MessageBody::parse("hi").expect("a body") })]
#[case("m", &["m", "a", "enter", "x", "enter"], Some("x"), Measure::Mute(mallory()))]
#[case("u", &["down", "down", "enter", "enter"], None, Measure::Unmute(mallory()))]
#[case("d", &["m", "a", "l", "enter", "enter"], None, Measure::Remove { target: mallory(), ban: false })]
#[case("D", &["m", "a", "l", "enter", "enter"], None, Measure::Remove { target: mallory(), ban: true })]
fn every_action_by_keys(
    #[case] begins: &str,
    #[case] keys: &[&str],
    #[case] reason: Option<&str>,
    #[case] measure: Measure,
) {
    let mut stage = board(80, 24);
    stage.asked();
    stage.key(begins);
    if stage
        .effects
        .iter()
        .any(|effect| format!("{effect:?}").contains("People"))
    {
        stage.answer("people", people());
    }
    assert_eq!(
        measures(&mut stage),
        [],
        "nothing is done before it is confirmed"
    );
    for key in keys {
        stage.key(key);
    }
    let done = stage.effects.clone();
    let moderated = measures(&mut stage);
    assert_eq!(moderated.len(), 1, "{}", stage.screen());
    assert_eq!(moderated[0].instance, id(7, 1));
    assert_eq!(moderated[0].measure, measure);
    assert_eq!(moderated[0].reason.as_deref(), reason);
    stage.effects = done;
    stage.answer("moderate", posted(20));
    assert!(stage.shows("done: "), "{}", stage.screen());
}

#[test]
fn whoever_is_not_here_is_named_by_their_address() {
    let mut stage = board(80, 24);
    stage.key("U");
    stage.answer("people", people());
    stage.write("eve");
    stage.key("enter");
    assert!(stage.shows("write the whole address"), "{}", stage.screen());
    stage.write("@example.org");
    stage.key("enter");
    stage.key("enter");
    let moderated = measures(&mut stage);
    assert_eq!(moderated[0].measure, Measure::Unban(address()));
}

#[test]
fn what_is_locked_is_unlocked_and_esc_does_nothing() {
    let mut stage = board(80, 24);
    stage.key("/");
    stage.write("platform");
    stage.key("enter");
    stage.key("l");
    assert!(
        stage.shows("unlock Platform sync 42/1?"),
        "{}",
        stage.screen()
    );
    stage.key("esc");
    assert!(stage.shows("nothing was done"), "{}", stage.screen());
    assert_eq!(measures(&mut stage), []);
    stage.key("+");
    stage.write("x");
    stage.key("enter");
    assert!(
        stage.shows("write a number of minutes"),
        "{}",
        stage.screen()
    );
}

#[test]
fn what_is_marked_is_steered_together_each_under_an_id_of_its_own() {
    let mut stage = board(80, 24);
    stage.key("space");
    stage.key("space");
    stage.key("n");
    assert!(stage.shows("announce to 2 meetings?"), "{}", stage.screen());
    stage.write("fire drill");
    stage.key("enter");
    let moderated = measures(&mut stage);
    assert_eq!(moderated.len(), 2);
    assert_ne!(moderated[0].cmid, moderated[1].cmid);
    assert_ne!(moderated[0].instance, moderated[1].instance);
}

#[test]
fn a_refusal_says_what_was_not_done_and_why() {
    let mut stage = board(120, 36);
    stage.key("l");
    stage.key("enter");
    stage.refuse("moderate", Reject::from(Code::AlreadySo));
    let said = "not done: lock Budget review 7/1: This is so already";
    assert!(stage.shows(said), "{}", stage.screen());
    stage.key("l");
    stage.key("enter");
    stage.lose_link();
    assert!(
        stage.shows("not known whether it was done"),
        "{}",
        stage.screen()
    );
    // It is told again once the connection is back.
    stage.asked();
    stage.greet(vec![]);
    let watches = |verb: &Verb| *verb == Verb::Watch(Watch::default());
    assert!(
        stage
            .asked()
            .iter()
            .any(|(_, request)| watches(&request.verb))
    );
}

#[test]
fn a_frozen_picture_stands_still_and_an_old_one_says_so() {
    let mut stage = board(120, 36);
    stage.key("f");
    let gone = Board {
        gone: vec![id(44, 1)],
        ..Board::default()
    };
    stage.push(Push::Board(Box::new(gone)));
    assert!(
        stage.shows("FROZEN") && stage.shows("Incident"),
        "{}",
        stage.screen()
    );
    stage.key("f");
    assert!(!stage.shows("Incident"), "{}", stage.screen());
    assert!(!stage.shows("⚠ old"), "{}", stage.screen());
    stage.wait_ms(6_000);
    assert!(stage.shows("⚠ old"), "{}", stage.screen());
}

#[test]
fn one_goes_into_a_meeting_and_comes_back_to_the_same_row() {
    let mut stage = board(120, 36);
    stage.key("/");
    stage.write("platform");
    stage.key("enter");
    stage.asked();
    stage.key("o");
    assert!(stage.shows("dashboard > 42/1"), "{}", stage.screen());
    stage.answer("open", opened(vec![], vec![(8, "13:31")]));
    assert!(!stage.shows("DASHBOARD"), "{}", stage.screen());
    stage.key("esc");
    assert!(
        stage.shows("DASHBOARD") && stage.shows("platform"),
        "{}",
        stage.screen()
    );
    stage.key("f5");
    assert!(!stage.shows("DASHBOARD"), "{}", stage.screen());
    let stopped = Verb::Watch(Watch {
        stop: true,
        instance: None,
    });
    let asked = stage.asked();
    assert!(
        asked.iter().any(|(_, request)| request.verb == stopped),
        "{asked:?}"
    );
}

#[test]
fn it_is_for_admins_alone() {
    let mut stage = Stage::ready(80, 24);
    stage.asked();
    stage.key("f5");
    assert!(
        stage.shows("Only an admin may do this"),
        "{}",
        stage.screen()
    );
    assert!(stage.asked().is_empty());
}

#[test]
fn nothing_panics_at_any_size() {
    for (columns, rows) in [(1, 1), (20, 6), (21, 7), (30, 10), (60, 20), (300, 100)] {
        let mut stage = board(columns, rows);
        for key in ["j", "G", "pageup", "X", "esc", "/", "x", "enter", "f", "L"] {
            stage.key(key);
            stage.screen();
        }
    }
}
