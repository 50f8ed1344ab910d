//! Presence: who is here, idle, reconnecting, has left, or has not joined.

use insta::assert_snapshot;
use plenary_shared::domain::{Presence, Reason, What};
use plenary_shared::limits::IDLE_AFTER_MS;
use plenary_shared::protocol::{
    Absent, Changed, ChangedList, Invited, PeopleOk, PresenceTold, Push, Verb,
};
use rstest::rstest;

use super::stage::{Stage, join, opened, sync, talk, user};

fn push_presence(stage: &mut Stage, who: u64, how: Presence) {
    let since = stage.now;
    stage.push(Push::Presence(PresenceTold {
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
        .map(|(name, id)| Invited {
            id: (!name.contains('@')).then(|| user(id)),
            name: (*name).to_owned(),
        });
    Absent {
        count,
        people: people.collect(),
    }
}

/// Returns a private meeting with participants reconnecting, idle and absent.
fn private_meeting(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::talking(columns, rows);
    push_presence(&mut stage, 9, Presence::Reconnecting);
    push_presence(&mut stage, 8, Presence::Idle);
    let room = stage.model.rooms.get_mut(&sync()).expect("it is open");
    room.absent = Some(absent(7));
    stage.wait_ms(4 * 60_000);
    stage
}

#[rstest]
#[case(120, 36)]
#[case(80, 24)]
#[case(44, 20)]
fn participants(#[case] columns: u16, #[case] rows: u16) {
    let mut stage = private_meeting(columns, rows);
    if columns < 120 {
        stage.key("f3");
    }
    assert_snapshot!(format!("people_{columns}x{rows}"), stage.screen());
}

#[test]
fn presence_follows_pushes() {
    let mut stage = Stage::talking(120, 36);
    assert!(stage.shows("● linus"));
    push_presence(&mut stage, 9, Presence::Reconnecting);
    assert!(stage.shows("◌ linus    reconnecting"), "{}", stage.screen());
    push_presence(&mut stage, 9, Presence::Here);
    assert!(
        stage.shows("● linus") && stage.shows("14:31"),
        "{}",
        stage.screen()
    );
    push_presence(&mut stage, 9, Presence::Idle);
    stage.wait_ms(12 * 60_000);
    assert!(stage.shows("◐ linus  idle 12m 14:31"), "{}", stage.screen());
    let reason = Reason::ConnectionLost;
    let user = user(9);
    stage.event(20, What::Leave { user, reason });
    stage.event(21, join(9, "linus"));
    assert!(!stage.shows("◐ linus") && !stage.shows("◌ linus"));
    assert!(stage.shows("● linus"));
}

#[test]
fn joining_removes_an_absent_user() {
    let mut stage = private_meeting(120, 36);
    assert!(stage.shows(" NOT JOINED 7") && stage.shows("· alan") && stage.shows("…2 more"));
    stage.event(20, join(30, "alan"));
    assert!(stage.shows(" NOT JOINED 6") && !stage.shows("· alan"));
    stage.event(21, join(99, "nobody of the list"));
    assert!(stage.shows(" NOT JOINED 6"));
}

#[test]
fn presence_is_read_again_after_reconnecting() {
    let mut stage = private_meeting(120, 36);
    stage.lose_link();
    assert!(!stage.shows("◌ linus"), "nothing is known");
    stage.greet(vec![]);
    let mut ok = opened(talk(), vec![(7, "14:30"), (9, "14:31")]);
    ok.people[1].presence = Presence::Reconnecting;
    ok.absent = Some(absent(1));
    stage.answer("open", ok.clone());
    assert!(stage.shows("◌ linus") && stage.shows(" NOT JOINED 1"));
    stage.asked();
    stage.push(Push::Changed(Changed {
        instance: Some(sync()),
        changed: ChangedList::People,
    }));
    ok.people[1].presence = Presence::Here;
    let participants = ok.people;
    let absent = None;
    stage.answer(
        "people",
        PeopleOk {
            participants,
            absent,
        },
    );
    assert!(stage.shows("● linus") && !stage.shows("NOT JOINED"));
}

/// Returns the idle states reported to the server.
fn idle_reports(stage: &mut Stage) -> Vec<bool> {
    let asked = stage.asked().into_iter();
    asked
        .filter_map(|(_, request)| match request.verb {
            Verb::Idle(said) => Some(said.idle),
            _ => None,
        })
        .collect()
}

#[test]
fn idle_is_reported_until_a_key_press() {
    let mut stage = Stage::talking(120, 36);
    stage.wait_ms(IDLE_AFTER_MS - 1_000);
    assert!(idle_reports(&mut stage).is_empty());
    stage.wait_ms(1_000);
    assert_eq!(idle_reports(&mut stage), [true]);
    stage.wait_ms(IDLE_AFTER_MS);
    assert!(idle_reports(&mut stage).is_empty(), "once");
    stage.key("a");
    assert_eq!(idle_reports(&mut stage), [false]);
    stage.key("b");
    assert!(idle_reports(&mut stage).is_empty(), "once");
    // A new connection starts without the idle state.
    stage.wait_ms(IDLE_AFTER_MS);
    assert_eq!(idle_reports(&mut stage), [true]);
    stage.lose_link();
    stage.greet(vec![(sync(), plenary_shared::protocol::ResumeMode::Delta)]);
    stage.wait_ms(1_000);
    assert_eq!(idle_reports(&mut stage), [true]);
}

#[test]
fn plain_mode_never_reports_idle() {
    let mut stage = Stage::talking(120, 36);
    stage.model.plain = true;
    stage.wait_ms(2 * IDLE_AFTER_MS);
    assert!(idle_reports(&mut stage).is_empty());
}
