//! The dashboard: its screens, and every action by keys.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, InstanceState, Participant, Reject, Role};
use plenary_shared::protocol::{
    Board, BoardCheck, BoardHead, BoardRow, BoardServer, Done, Extension, Moderate, PeopleOk, Push,
    RequestedAction, Target, Verb, Watch,
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

/// The dashboard of an admin.
pub(super) fn dashboard(columns: u16, rows_: u16) -> Stage {
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

pub(super) fn participants() -> PeopleOk {
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
fn dashboard_120x36() {
    let mut stage = dashboard(120, 36);
    stage.key("j");
    stage.key("space");
    assert_snapshot!(stage.screen());
}

#[test]
fn dashboard_80x24() {
    let mut stage = dashboard(80, 24);
    stage.key("/");
    stage.write("!ended");
    stage.key("enter");
    assert_snapshot!(stage.screen());
}

#[test]
fn dashboard_44x20_in_ascii() {
    let mut stage = dashboard(44, 20);
    stage.model.theme = Theme::new(false, true);
    assert_snapshot!(stage.screen());
}

#[test]
fn servers_120x36() {
    let mut stage = dashboard(120, 36);
    stage.key("s");
    assert_snapshot!(stage.screen());
}

#[test]
fn servers_44x20() {
    let mut stage = dashboard(44, 20);
    stage.key("s");
    assert_snapshot!(stage.screen());
}

#[test]
fn servers_80x24() {
    let mut stage = dashboard(80, 24);
    stage.key("s");
    assert_snapshot!(stage.screen());
    // Keys do not reach the layers below the page.
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
fn ban_dialog_80x24() {
    let mut stage = dashboard(80, 24);
    stage.key("D");
    stage.answer("people", participants());
    stage.write("l");
    stage.key("down");
    assert_snapshot!(stage.screen());
}

#[test]
fn end_dialog_44x20() {
    let mut stage = dashboard(44, 20);
    stage.key("X");
    stage.write("we are done");
    assert_snapshot!(stage.screen());
}

/// The moderation requests that were sent.
fn sent_actions(stage: &mut Stage) -> Vec<Moderate> {
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
#[case("X", &["enter"], None, RequestedAction::End, "Ended Budget review 7/1")]
#[case("+", &["enter", "w", "h", "y", "enter"], Some("why"), RequestedAction::Extend(Extension { minutes: Some(30), todatetime: None }), "Extended Budget review 7/1")]
#[case("+", &["backspace", "backspace", "1", "5", "enter", "enter"], None, RequestedAction::Extend(Extension { minutes: Some(15), todatetime: None }), "Extended Budget review 7/1")]
#[case("l", &["enter"], None, RequestedAction::Lock, "Locked Budget review 7/1")]
#[case("r", &["n", "o", "enter"], Some("no"), RequestedAction::ReadOnly, "Made Budget review 7/1 read-only")]
#[case("n", &["h", "i", "enter"], None, RequestedAction::Announce { body: MessageBody::parse("hi").expect("a body") }, "Announcement sent to Budget review 7/1")]
#[case("m", &["m", "a", "enter", "x", "enter"], Some("x"), RequestedAction::Mute(mallory()), "Muted mallory in Budget review 7/1")]
#[case("u", &["down", "down", "enter", "enter"], None, RequestedAction::Unmute(mallory()), "Unmuted mallory in")]
#[case("d", &["m", "a", "l", "enter", "enter"], None, RequestedAction::Remove(mallory()), "Removed mallory from")]
#[case("D", &["m", "a", "l", "enter", "enter"], None, RequestedAction::Ban(mallory()), "Banned mallory from")]
fn keys_send_every_action(
    #[case] begins: &str,
    #[case] keys: &[&str],
    #[case] reason: Option<&str>,
    #[case] action: RequestedAction,
    #[case] done: &str,
) {
    let mut stage = dashboard(80, 24);
    stage.asked();
    stage.key(begins);
    if stage
        .effects
        .iter()
        .any(|effect| format!("{effect:?}").contains("People"))
    {
        stage.answer("people", participants());
    }
    assert_eq!(sent_actions(&mut stage), [], "sent before it was confirmed");
    for key in keys {
        stage.key(key);
    }
    let effects = stage.effects.clone();
    let moderated = sent_actions(&mut stage);
    assert_eq!(moderated.len(), 1, "{}", stage.screen());
    assert_eq!(moderated[0].instance, id(7, 1));
    assert_eq!(moderated[0].action, action);
    assert_eq!(moderated[0].reason.as_deref(), reason);
    stage.effects = effects;
    stage.answer("moderate", posted(20));
    assert!(stage.shows(done), "{}", stage.screen());
}

#[test]
fn absent_user_is_named_by_email() {
    let mut stage = dashboard(80, 24);
    stage.key("U");
    stage.answer("people", participants());
    stage.write("eve");
    stage.key("enter");
    assert!(stage.shows("Type the full email"), "{}", stage.screen());
    stage.write("@example.org");
    stage.key("enter");
    stage.key("enter");
    let moderated = sent_actions(&mut stage);
    assert_eq!(moderated[0].action, RequestedAction::Unban(address()));
}

#[test]
fn locked_meeting_is_unlocked_and_esc_cancels() {
    let mut stage = dashboard(80, 24);
    stage.key("/");
    stage.write("platform");
    stage.key("enter");
    stage.key("l");
    assert!(
        stage.shows("Unlock Platform sync 42/1?"),
        "{}",
        stage.screen()
    );
    stage.key("esc");
    assert!(stage.shows("Cancelled"), "{}", stage.screen());
    assert_eq!(sent_actions(&mut stage), []);
    stage.key("+");
    stage.write("x");
    stage.key("enter");
    assert!(stage.shows("Type a number from 1 to"), "{}", stage.screen());
}

#[test]
fn action_applies_to_all_marked_meetings() {
    let mut stage = dashboard(80, 24);
    stage.key("space");
    stage.key("space");
    stage.key("n");
    assert!(
        stage.shows("Announcement for 2 meetings:"),
        "{}",
        stage.screen()
    );
    stage.write("fire drill");
    stage.key("enter");
    let moderated = sent_actions(&mut stage);
    assert_eq!(moderated.len(), 2);
    assert_ne!(moderated[0].cmid, moderated[1].cmid);
    assert_ne!(moderated[0].instance, moderated[1].instance);
}

#[test]
fn refusal_names_the_action_and_the_reason() {
    let mut stage = dashboard(120, 36);
    stage.key("l");
    stage.key("enter");
    stage.refuse("moderate", Reject::from(Code::AlreadySo));
    let text = "Could not lock Budget review 7/1: This is so already";
    assert!(stage.shows(text), "{}", stage.screen());
    stage.key("l");
    stage.key("enter");
    stage.lose_link();
    assert!(
        stage.shows("Connection lost, result unknown"),
        "{}",
        stage.screen()
    );
    // The subscription is renewed after a reconnect.
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
fn paused_snapshot_keeps_rows_and_old_one_is_stale() {
    let mut stage = dashboard(120, 36);
    stage.key("f");
    let gone = Board {
        gone: vec![id(44, 1)],
        ..Board::default()
    };
    stage.push(Push::Board(Box::new(gone)));
    assert!(
        stage.shows("PAUSED") && stage.shows("Incident"),
        "{}",
        stage.screen()
    );
    stage.key("f");
    assert!(!stage.shows("Incident"), "{}", stage.screen());
    assert!(!stage.shows("⚠ stale"), "{}", stage.screen());
    stage.wait_ms(6_000);
    assert!(stage.shows("⚠ stale"), "{}", stage.screen());
}

#[test]
fn chat_returns_to_the_same_row() {
    let mut stage = dashboard(120, 36);
    stage.key("/");
    stage.write("platform");
    stage.key("enter");
    stage.asked();
    stage.key("o");
    assert!(
        stage.shows("Opened 42/1 from the dashboard"),
        "{}",
        stage.screen()
    );
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
fn dashboard_needs_an_admin() {
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
        let mut stage = dashboard(columns, rows);
        for key in ["j", "G", "pageup", "X", "esc", "/", "x", "enter", "f", "L"] {
            stage.key(key);
            stage.screen();
        }
    }
}
