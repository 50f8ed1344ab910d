//! Presence: who is here, idle, reconnecting, has left, or has not joined.

use insta::assert_snapshot;
use plenary_shared::domain::{EventKind, Presence, Reason};
use plenary_shared::limits::IDLE_AFTER_MS;
use plenary_shared::protocol::{
    Absent, Changed, ChangedList, InvitedUser, ParticipantsOk, PresenceChange, Push, Verb,
};
use rstest::rstest;

use super::fixture::{Fixture, join, opened, sync, talk, user};

fn push_presence(fixture: &mut Fixture, who: u64, how: Presence) {
    let since = fixture.now;
    fixture.push(Push::Presence(PresenceChange {
        instance: sync(),
        user: user(who),
        state: how,
        since,
    }));
}

fn absent(count: usize) -> Absent {
    let names = ["alan", "donald", "joan", "ken.i@example.org", "shafi"];
    let people = names
        .iter()
        .take(count)
        .zip(30..)
        .map(|(name, id)| InvitedUser {
            id: (!name.contains('@')).then(|| user(id)),
            name: (*name).to_owned(),
        });
    Absent {
        count,
        users: people.collect(),
    }
}

/// Returns a private meeting with participants reconnecting, idle and absent.
fn private_meeting(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::talking(columns, rows);
    push_presence(&mut fixture, 9, Presence::Reconnecting);
    push_presence(&mut fixture, 8, Presence::Idle);
    let room = fixture.model.rooms.get_mut(&sync()).expect("it is open");
    room.absent = Some(absent(7));
    fixture.wait_ms(4 * 60_000);
    fixture
}

#[rstest]
#[case(120, 36)]
#[case(80, 24)]
#[case(44, 20)]
fn participants(#[case] columns: u16, #[case] rows: u16) {
    let mut fixture = private_meeting(columns, rows);
    if columns < 120 {
        fixture.key("f3");
    }
    assert_snapshot!(format!("people_{columns}x{rows}"), fixture.screen());
}

#[test]
fn presence_follows_pushes() {
    let mut fixture = Fixture::talking(120, 36);
    assert!(fixture.shows("● linus"));
    push_presence(&mut fixture, 9, Presence::Reconnecting);
    assert!(
        fixture.shows("◌ linus    reconnecting"),
        "{}",
        fixture.screen()
    );
    push_presence(&mut fixture, 9, Presence::Present);
    assert!(
        fixture.shows("● linus") && fixture.shows("14:31"),
        "{}",
        fixture.screen()
    );
    push_presence(&mut fixture, 9, Presence::Idle);
    fixture.wait_ms(12 * 60_000);
    assert!(
        fixture.shows("◐ linus  idle 12m 14:31"),
        "{}",
        fixture.screen()
    );
    let reason = Reason::ConnectionLost;
    let user = user(9);
    fixture.event(20, EventKind::Leave { user, reason });
    fixture.event(21, join(9, "linus"));
    assert!(!fixture.shows("◐ linus") && !fixture.shows("◌ linus"));
    assert!(fixture.shows("● linus"));
}

#[test]
fn joining_removes_an_absent_user() {
    let mut fixture = private_meeting(120, 36);
    assert!(fixture.shows(" NOT JOINED 7") && fixture.shows("· alan") && fixture.shows("…2 more"));
    fixture.event(20, join(30, "alan"));
    assert!(fixture.shows(" NOT JOINED 6") && !fixture.shows("· alan"));
    fixture.event(21, join(99, "nobody of the list"));
    assert!(fixture.shows(" NOT JOINED 6"));
}

#[test]
fn presence_is_read_again_after_reconnecting() {
    let mut fixture = private_meeting(120, 36);
    fixture.lose_link();
    assert!(!fixture.shows("◌ linus"), "nothing is known");
    fixture.greet(vec![]);
    let mut ok = opened(talk(), vec![(7, "14:30"), (9, "14:31")]);
    ok.roster[1].presence = Presence::Reconnecting;
    ok.absent = Some(absent(1));
    fixture.answer("open", ok.clone());
    assert!(fixture.shows("◌ linus") && fixture.shows(" NOT JOINED 1"));
    fixture.asked();
    fixture.push(Push::Changed(Changed {
        instance: Some(sync()),
        changed: ChangedList::Participants,
    }));
    ok.roster[1].presence = Presence::Present;
    let participants = ok.roster;
    let absent = None;
    fixture.answer(
        "participants",
        ParticipantsOk {
            participants,
            absent,
        },
    );
    assert!(fixture.shows("● linus") && !fixture.shows("NOT JOINED"));
}

/// Returns the idle states reported to the server.
fn idle_reports(fixture: &mut Fixture) -> Vec<bool> {
    let asked = fixture.asked().into_iter();
    asked
        .filter_map(|(_, request)| match request.verb {
            Verb::Idle(said) => Some(said.idle),
            _ => None,
        })
        .collect()
}

#[test]
fn idle_is_reported_until_a_key_press() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.wait_ms(IDLE_AFTER_MS - 1_000);
    assert!(idle_reports(&mut fixture).is_empty());
    fixture.wait_ms(1_000);
    assert_eq!(idle_reports(&mut fixture), [true]);
    fixture.wait_ms(IDLE_AFTER_MS);
    assert!(idle_reports(&mut fixture).is_empty(), "once");
    fixture.key("a");
    assert_eq!(idle_reports(&mut fixture), [false]);
    fixture.key("b");
    assert!(idle_reports(&mut fixture).is_empty(), "once");
    // A new connection starts without the idle state.
    fixture.wait_ms(IDLE_AFTER_MS);
    assert_eq!(idle_reports(&mut fixture), [true]);
    fixture.lose_link();
    fixture.greet(vec![(sync(), plenary_shared::protocol::ResumeMode::Delta)]);
    fixture.wait_ms(1_000);
    assert_eq!(idle_reports(&mut fixture), [true]);
}

#[test]
fn plain_mode_never_reports_idle() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.model.terminal.plain = true;
    fixture.wait_ms(2 * IDLE_AFTER_MS);
    assert!(idle_reports(&mut fixture).is_empty());
}
