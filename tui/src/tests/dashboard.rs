//! The dashboard: its screens, and every action by keys.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, InstanceState, Participant, Reject, Role};
use plenary_shared::protocol::{
    DashboardRow, DashboardTotals, DashboardUpdate, Done, Extension, HealthCheck, Moderate,
    ParticipantsOk, Push, RequestedAction, ServerStatus, Target, Verb, Watch,
};
use plenary_shared::text::MessageBody;
use rstest::rstest;

use super::fixture::{Fixture, at, demo_meetings, id, opened, posted, seq, user};
use crate::theme::Theme;

fn row(meeting: u64, title: &str, from: &str, to: &str, state: InstanceState) -> DashboardRow {
    DashboardRow {
        instance: id(meeting, 1),
        title: title.to_owned(),
        is_public: meeting.is_multiple_of(2),
        fromdatetime: at(from),
        todatetime: at(to),
        state,
        locked: false,
        read_only: false,
        participants: 0,
        cancelled: false,
        waiting: 0,
        reconnecting: 0,
        total_participants: 0,
        invited: (!meeting.is_multiple_of(2)).then_some(22),
        late: 0,
        left_early: 0,
        messages: 0,
        messages_per_minute: 0,
        activity: Vec::new(),
        last_message: None,
        seq: seq(1),
        durable: seq(1),
    }
}

pub(super) fn rows() -> Vec<DashboardRow> {
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
            row.participants = nth * 7;
            row.total_participants = nth * 9;
            row.left_early = nth * 2;
            row.messages = u64::from(nth) * 100;
            row.messages_per_minute = u64::from(nth) * 3;
            row.activity = vec![0, 1, 2, 5, 9, 7, 4, 3, 2, u64::from(nth)];
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
    rows[5].total_participants = 6;
    rows
}

fn head(fixture: &Fixture) -> DashboardTotals {
    DashboardTotals {
        now: fixture.now,
        live: 4,
        upcoming: 1,
        overrun: 1,
        participants: 70,
        peak: 161,
        reconnecting: 3,
        messages_per_minute: 30,
        activity: vec![0, 3, 6, 15, 27, 21, 12, 9, 6, 10],
        unarchived: 0,
        connections: 73,
        delivery_p95_ms: Some(41),
        errors: 0,
    }
}

fn check(name: &str, ok: bool, latency_ms: Option<u64>) -> HealthCheck {
    HealthCheck {
        name: name.to_owned(),
        ok,
        detail: (!ok).then(|| "The archive is behind.".to_owned()),
        latency_ms,
    }
}

fn servers() -> Vec<ServerStatus> {
    let one = |node: &str, name: &str, connections| ServerStatus {
        node: node.to_owned(),
        name: name.to_owned(),
        connections,
        ..ServerStatus::default()
    };
    let own = ServerStatus {
        is_this_server: true,
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
pub(super) fn dashboard(columns: u16, rows_: u16) -> Fixture {
    let mut fixture = Fixture::new(columns, rows_);
    fixture.role = Role::Admin;
    fixture.greet(vec![]);
    fixture.answer_meetings(demo_meetings());
    fixture.key("f5");
    fixture.answer("watch", Done {});
    let event = DashboardUpdate {
        reset: true,
        totals: Some(head(&fixture)),
        rows: rows(),
        checks: vec![check("redis", true, Some(1)), check("archive", false, None)],
        servers: servers(),
        removed: vec![],
    };
    fixture.push(Push::Dashboard(Box::new(event)));
    fixture
}

pub(super) fn participants() -> ParticipantsOk {
    let one = |who, name: &str| Participant {
        name: name.to_owned(),
        age: None,
        gender: None,
        email: Some(format!("{name}@example.org")),
        id: user(who),
        joined: at("13:31"),
        presence: plenary_shared::domain::Presence::Present,
        since: None,
    };
    ParticipantsOk {
        participants: vec![one(8, "grace"), one(9, "linus"), one(10, "mallory")],
        absent: None,
    }
}

#[test]
fn dashboard_120x36() {
    let mut fixture = dashboard(120, 36);
    fixture.key("j");
    fixture.key("space");
    assert_snapshot!(fixture.screen());
}

#[test]
fn dashboard_80x24() {
    let mut fixture = dashboard(80, 24);
    fixture.key("/");
    fixture.write("!ended");
    fixture.key("enter");
    assert_snapshot!(fixture.screen());
}

#[test]
fn dashboard_44x20_in_ascii() {
    let mut fixture = dashboard(44, 20);
    fixture.model.theme = Theme::new(false, true);
    assert_snapshot!(fixture.screen());
}

#[test]
fn servers_120x36() {
    let mut fixture = dashboard(120, 36);
    fixture.key("s");
    assert_snapshot!(fixture.screen());
}

#[test]
fn servers_44x20() {
    let mut fixture = dashboard(44, 20);
    fixture.key("s");
    assert_snapshot!(fixture.screen());
}

#[test]
fn servers_80x24() {
    let mut fixture = dashboard(80, 24);
    fixture.key("s");
    assert_snapshot!(fixture.screen());
    // Keys do not reach the layers below the page.
    fixture.asked();
    fixture.key("enter");
    fixture.write("hello");
    fixture.tell(crate::msg::AppEvent::Pasted("hello".to_owned()));
    assert!(fixture.asked().is_empty());
    fixture.key("esc");
    assert!(fixture.shows("DASHBOARD"), "{}", fixture.screen());
    fixture.key("f5");
    assert!(!fixture.shows("hello"), "{}", fixture.screen());
}

#[test]
fn ban_dialog_80x24() {
    let mut fixture = dashboard(80, 24);
    fixture.key("D");
    fixture.answer("participants", participants());
    fixture.write("l");
    fixture.key("down");
    assert_snapshot!(fixture.screen());
}

#[test]
fn end_dialog_44x20() {
    let mut fixture = dashboard(44, 20);
    fixture.key("X");
    fixture.write("we are done");
    assert_snapshot!(fixture.screen());
}

#[rstest]
#[case("X", &[])]
#[case("d", &["m", "a", "l", "enter"])]
#[case("D", &["m", "a", "l", "enter"])]
fn stray_keys_neither_end_a_meeting_nor_remove_anyone(
    #[case] opens: &str,
    #[case] keys: &[&str],
    #[values(&["enter"], &["enter", "enter"], &["X", "enter"], &["d", "enter", "esc"])]
    stray: &[&str],
) {
    let mut fixture = dashboard(80, 24);
    fixture.key(opens);
    if !keys.is_empty() {
        fixture.answer("participants", participants());
    }
    for key in keys.iter().chain(stray) {
        fixture.key(key);
    }
    assert_eq!(sent_actions(&mut fixture), [], "{}", fixture.screen());
}

/// The moderation requests that were sent.
fn sent_actions(fixture: &mut Fixture) -> Vec<Moderate> {
    let asked = fixture.asked().into_iter();
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
#[case("X", &["y", "enter", "enter"], None, RequestedAction::End, "Ended Budget review 7/1")]
#[case("+", &["enter", "w", "h", "y", "enter"], Some("why"), RequestedAction::Extend(Extension { minutes: Some(30), todatetime: None }), "Extended Budget review 7/1")]
#[case("+", &["1", "5", "enter", "enter"], None, RequestedAction::Extend(Extension { minutes: Some(15), todatetime: None }), "Extended Budget review 7/1")]
#[case("+", &["end", "backspace", "5", "enter", "enter"], None, RequestedAction::Extend(Extension { minutes: Some(35), todatetime: None }), "Extended Budget review 7/1")]
#[case("l", &["enter"], None, RequestedAction::Lock, "Locked Budget review 7/1")]
#[case("r", &["n", "o", "enter"], Some("no"), RequestedAction::ReadOnly, "Made Budget review 7/1 read-only")]
#[case("n", &["h", "i", "enter"], None, RequestedAction::Announce { body: MessageBody::parse("hi").expect("a body") }, "Announcement sent to Budget review 7/1")]
#[case("m", &["m", "a", "enter", "x", "enter"], Some("x"), RequestedAction::Mute(mallory()), "Muted mallory in Budget review 7/1")]
#[case("u", &["down", "down", "enter", "enter"], None, RequestedAction::Unmute(mallory()), "Unmuted mallory in")]
#[case("d", &["m", "a", "l", "enter", "y", "e", "s", "enter", "enter"], None, RequestedAction::Remove(mallory()), "Removed mallory from")]
#[case("D", &["m", "a", "l", "enter", "Y", "enter", "enter"], None, RequestedAction::Ban(mallory()), "Banned mallory from")]
fn keys_send_every_action(
    #[case] begins: &str,
    #[case] keys: &[&str],
    #[case] reason: Option<&str>,
    #[case] action: RequestedAction,
    #[case] done: &str,
) {
    let mut fixture = dashboard(80, 24);
    fixture.asked();
    fixture.key(begins);
    if fixture
        .effects
        .iter()
        .any(|effect| format!("{effect:?}").contains("Participants("))
    {
        fixture.answer("participants", participants());
    }
    assert_eq!(
        sent_actions(&mut fixture),
        [],
        "sent before it was confirmed"
    );
    for key in keys {
        fixture.key(key);
    }
    let effects = fixture.effects.clone();
    let moderated = sent_actions(&mut fixture);
    assert_eq!(moderated.len(), 1, "{}", fixture.screen());
    assert_eq!(moderated[0].instance, id(7, 1));
    assert_eq!(moderated[0].action, action);
    assert_eq!(moderated[0].reason.as_deref(), reason);
    fixture.effects = effects;
    fixture.answer("moderate", posted(20));
    assert!(fixture.shows(done), "{}", fixture.screen());
}

#[test]
fn absent_user_is_named_by_email() {
    let mut fixture = dashboard(80, 24);
    fixture.key("U");
    fixture.answer("participants", participants());
    fixture.write("eve");
    fixture.key("enter");
    assert!(fixture.shows("Type the full email"), "{}", fixture.screen());
    fixture.write("@example.org");
    fixture.key("enter");
    fixture.key("enter");
    let moderated = sent_actions(&mut fixture);
    assert_eq!(moderated[0].action, RequestedAction::Unban(address()));
}

#[test]
fn locked_meeting_is_unlocked_and_esc_cancels() {
    let mut fixture = dashboard(80, 24);
    fixture.key("/");
    fixture.write("platform");
    fixture.key("enter");
    fixture.key("l");
    assert!(
        fixture.shows("Unlock Platform sync 42/1?"),
        "{}",
        fixture.screen()
    );
    fixture.key("esc");
    assert!(fixture.shows("Nothing changed"), "{}", fixture.screen());
    assert_eq!(sent_actions(&mut fixture), []);
    fixture.key("+");
    fixture.write("x");
    fixture.key("enter");
    assert!(
        fixture.shows("Type a number from 1 to"),
        "{}",
        fixture.screen()
    );
}

#[test]
fn action_applies_to_all_marked_meetings() {
    let mut fixture = dashboard(80, 24);
    fixture.key("space");
    fixture.key("space");
    fixture.key("n");
    assert!(
        fixture.shows("Announcement for 2 meetings:"),
        "{}",
        fixture.screen()
    );
    fixture.write("fire drill");
    fixture.key("enter");
    let moderated = sent_actions(&mut fixture);
    assert_eq!(moderated.len(), 2);
    assert_ne!(moderated[0].cmid, moderated[1].cmid);
    assert_ne!(moderated[0].instance, moderated[1].instance);
}

#[test]
fn refusal_names_the_action_and_the_reason() {
    let mut fixture = dashboard(120, 36);
    fixture.key("l");
    fixture.key("enter");
    fixture.refuse("moderate", Reject::from(Code::AlreadySo));
    let text = "Could not lock Budget review 7/1: Already done";
    assert!(fixture.shows(text), "{}", fixture.screen());
    fixture.key("l");
    fixture.key("enter");
    fixture.lose_link();
    assert!(
        fixture.shows("Connection lost, result unknown"),
        "{}",
        fixture.screen()
    );
    // The subscription is renewed after a reconnect.
    fixture.asked();
    fixture.greet(vec![]);
    let watches = |verb: &Verb| *verb == Verb::Watch(Watch::default());
    assert!(
        fixture
            .asked()
            .iter()
            .any(|(_, request)| watches(&request.verb))
    );
}

#[test]
fn paused_snapshot_keeps_rows_and_old_one_is_stale() {
    let mut fixture = dashboard(120, 36);
    fixture.key("f");
    let gone = DashboardUpdate {
        removed: vec![id(44, 1)],
        ..DashboardUpdate::default()
    };
    fixture.push(Push::Dashboard(Box::new(gone)));
    assert!(
        fixture.shows("PAUSED") && fixture.shows("Incident"),
        "{}",
        fixture.screen()
    );
    fixture.key("f");
    assert!(!fixture.shows("Incident"), "{}", fixture.screen());
    assert!(!fixture.shows("⚠ stale"), "{}", fixture.screen());
    fixture.wait_ms(6_000);
    assert!(fixture.shows("⚠ stale"), "{}", fixture.screen());
}

#[test]
fn chat_returns_to_the_same_row() {
    let mut fixture = dashboard(120, 36);
    fixture.key("/");
    fixture.write("platform");
    fixture.key("enter");
    fixture.asked();
    fixture.key("o");
    assert!(
        fixture.shows("Opened 42/1 from the dashboard"),
        "{}",
        fixture.screen()
    );
    fixture.answer("open", opened(vec![], vec![(8, "13:31")]));
    assert!(!fixture.shows("DASHBOARD"), "{}", fixture.screen());
    fixture.key("esc");
    assert!(
        fixture.shows("DASHBOARD") && fixture.shows("platform"),
        "{}",
        fixture.screen()
    );
    fixture.key("f5");
    assert!(!fixture.shows("DASHBOARD"), "{}", fixture.screen());
    let stopped = Verb::Watch(Watch {
        stop: true,
        instance: None,
    });
    let asked = fixture.asked();
    assert!(
        asked.iter().any(|(_, request)| request.verb == stopped),
        "{asked:?}"
    );
}

#[test]
fn dashboard_needs_an_admin() {
    let mut fixture = Fixture::ready(80, 24);
    fixture.asked();
    fixture.key("f5");
    assert!(
        fixture.shows("Only an admin may do this"),
        "{}",
        fixture.screen()
    );
    assert!(fixture.asked().is_empty());
}

#[test]
fn nothing_panics_at_any_size() {
    for (columns, rows) in [(1, 1), (20, 6), (21, 7), (30, 10), (60, 20), (300, 100)] {
        let mut fixture = dashboard(columns, rows);
        for key in ["j", "G", "pageup", "X", "esc", "/", "x", "enter", "f", "L"] {
            fixture.key(key);
            fixture.screen();
        }
    }
}
