//! Snapshots of screens at the supported sizes.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Reject};
use plenary_shared::protocol::{JoinEventType, JoinLog, JoinTimes, JoinTimesOk};

use super::fixture::{Fixture, ME, at, id, sync, user};
use crate::effect::Effect;
use crate::model::layer::sign_in::SignIn;
use crate::msg::AppEvent;
use crate::theme::Theme;

/// Returns a chat with a rejected message, a pending one and a draft.
pub(super) fn busy(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::talking(columns, rows);
    fixture.write("this one is refused");
    fixture.key("enter");
    fixture.refuse(
        "post",
        Reject::new(Code::TooLarge, "The request is too large: make it smaller."),
    );
    fixture.write("sending the runbook link now");
    fixture.key("enter");
    fixture.wait_ms(1_200);
    fixture.write("Runbook: https://wiki/oncall");
    fixture.key("alt-enter");
    fixture.write("please read");
    fixture
}

#[test]
fn chat_120x36() {
    assert_snapshot!(busy(120, 36).screen());
}

#[test]
fn chat_100x30() {
    assert_snapshot!(busy(100, 30).screen());
}

#[test]
fn chat_80x24() {
    assert_snapshot!(busy(80, 24).screen());
}

#[test]
fn chat_60x20() {
    assert_snapshot!(busy(60, 20).screen());
}

#[test]
fn chat_44x20() {
    assert_snapshot!(busy(44, 20).screen());
}

#[test]
fn chat_20x6() {
    assert_snapshot!(busy(20, 6).screen());
}

#[test]
fn too_small_19x5() {
    assert_snapshot!(busy(19, 5).screen());
}

#[test]
fn chat_in_ascii() {
    let mut fixture = busy(80, 24);
    fixture.model.theme = Theme::new(false, true);
    assert_snapshot!(fixture.screen());
}

#[test]
fn sign_in_80x24() {
    let mut fixture = Fixture::begin(80, 24, None, Theme::new(true, false));
    fixture.write("ada@example.org");
    fixture.key("tab");
    fixture.write("not the one");
    fixture.key("enter");
    fixture.wait_ms(3_000);
    let form = fixture.model.layers.get_mut::<SignIn>();
    form.expect("the form").error = Some((fixture.now, "Email or password is wrong.".into()));
    assert_snapshot!(fixture.screen());
}

#[test]
fn sign_in_44x20() {
    let fixture = Fixture::begin(44, 20, None, Theme::new(true, false));
    assert_snapshot!(fixture.screen());
}

#[test]
fn a_meeting_before_it_is_joined_120x36() {
    assert_snapshot!(Fixture::ready(120, 36).screen());
}

#[test]
fn the_list_as_a_drawer_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("f2");
    fixture.key("down");
    assert_snapshot!(fixture.screen());
}

#[test]
fn the_people_as_a_drawer_44x20() {
    let mut fixture = Fixture::talking(44, 20);
    fixture.key("f3");
    assert_snapshot!(fixture.screen());
}

#[test]
fn help_120x36() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.key("f1");
    assert_snapshot!(fixture.screen());
}

#[test]
fn help_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("f1");
    fixture.key("pagedown");
    assert_snapshot!(fixture.screen());
}

#[test]
fn finding_a_meeting_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("ctrl-g");
    fixture.write("re");
    fixture.key("down");
    assert_snapshot!(fixture.screen());
}

#[test]
fn choosing_a_command_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("/");
    fixture.key("tab");
    fixture.key("tab");
    assert_snapshot!(fixture.screen());
}

#[test]
fn choosing_a_name_44x20_in_ascii() {
    let mut fixture = Fixture::talking(44, 20);
    fixture.model.theme = Theme::new(false, true);
    fixture.write("ask @");
    fixture.key("shift-tab");
    assert_snapshot!(fixture.screen());
}

#[test]
fn join_times_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("/joins");
    fixture.key("enter");
    let log = |who, name: &str, hm| JoinLog {
        user: user(who),
        event_type: JoinEventType::Join,
        timestamp: at(hm),
        name: name.into(),
    };
    let meetings = vec![
        JoinTimes {
            meeting: "Platform sync".into(),
            join_logs: vec![log(8, "grace", "13:31"), log(ME, "ada", "13:52")],
            instance: sync(),
        },
        JoinTimes {
            meeting: "Incident 4471".into(),
            join_logs: vec![],
            instance: id(44, 1),
        },
    ];
    fixture.answer("join_times", JoinTimesOk { meetings });
    assert_snapshot!(fixture.screen());
}

#[test]
fn offline_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.lose_link();
    fixture.write("said while away");
    fixture.key("enter");
    fixture.wait_ms(1_500);
    assert_snapshot!(fixture.screen());
}

#[test]
fn the_last_minute_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.wait_ms(22 * 60_000 + 5_000);
    assert_snapshot!(fixture.screen());
}

#[test]
fn notices_use_the_whole_line() {
    let mut fixture = Fixture::talking(44, 20);
    fixture.write("/jion");
    fixture.key("enter");
    assert!(fixture.shows("No command /jion; did you mean /join?"));
    fixture.key("ctrl-u");
    fixture.key("ctrl-q");
    assert!(fixture.shows("l leave · s quit, keep seat · Esc cancel"));
}

#[test]
fn sign_in_error_is_wrapped_and_the_password_kept_44x20() {
    let mut fixture = Fixture::begin(44, 20, None, Theme::new(true, false));
    fixture.write("ada@example.org");
    fixture.key("tab");
    fixture.write("not the one");
    fixture.key("enter");
    let why = "Email or password is wrong. The server allows 3 more attempts in this minute.";
    fixture.tell(AppEvent::SignedIn(Err(why.into())));
    assert_snapshot!(fixture.screen());
    // It can be corrected, or typing replaces it.
    fixture.key("end");
    fixture.write("!");
    let password = |fixture: &Fixture| {
        let form = fixture.model.layers.get::<SignIn>().expect("the form");
        form.password.text().to_owned()
    };
    assert_eq!(password(&fixture), "not the one!");
    fixture.key("enter");
    fixture.tell(AppEvent::SignedIn(Err(why.into())));
    fixture.write("other");
    assert_eq!(password(&fixture), "other");
}

#[test]
fn http_is_assumed_when_signing_in_to_this_machine() {
    let mut fixture = Fixture::begin(80, 24, None, Theme::new(true, false));
    fixture.key("shift-tab");
    fixture.key("ctrl-u");
    fixture.write("localhost:21000");
    fixture.key("tab");
    fixture.write("ada@example.org");
    fixture.key("tab");
    fixture.write("secret");
    fixture.key("enter");
    let signs_in = |effect: &Effect| matches!(effect, Effect::SignIn { server, .. } if server == "http://localhost:21000");
    assert!(
        fixture.effects.iter().any(signs_in),
        "{:?}",
        fixture.effects
    );
}
