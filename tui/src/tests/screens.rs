//! Snapshots of screens at the supported sizes.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Reject};
use plenary_shared::protocol::{JoinLog, JoinTimes, JoinTimesOk, JoinWord};

use super::stage::{ME, Stage, at, id, sync, user};
use crate::model::sign_in::SignIn;
use crate::theme::Theme;

/// Returns a chat with a rejected message, a pending one and a draft.
pub(super) fn busy(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::talking(columns, rows);
    stage.write("this one is refused");
    stage.key("enter");
    stage.refuse(
        "post",
        Reject::new(Code::TooLarge, "The request is too large: make it smaller."),
    );
    stage.write("sending the runbook link now");
    stage.key("enter");
    stage.wait_ms(1_200);
    stage.write("Runbook: https://wiki/oncall");
    stage.key("alt-enter");
    stage.write("please read");
    stage
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
    let mut stage = busy(80, 24);
    stage.model.theme = Theme::new(false, true);
    assert_snapshot!(stage.screen());
}

#[test]
fn sign_in_80x24() {
    let mut stage = Stage::begin(80, 24, None, Theme::new(true, false));
    stage.write("ada@example.org");
    stage.key("tab");
    stage.write("not the one");
    stage.key("enter");
    stage.wait_ms(3_000);
    let form = stage.model.layers.get_mut::<SignIn>();
    form.expect("the form").error =
        Some((stage.now, "E-mail address or password is wrong.".into()));
    assert_snapshot!(stage.screen());
}

#[test]
fn sign_in_44x20() {
    let stage = Stage::begin(44, 20, None, Theme::new(true, false));
    assert_snapshot!(stage.screen());
}

#[test]
fn a_meeting_before_it_is_joined_120x36() {
    assert_snapshot!(Stage::ready(120, 36).screen());
}

#[test]
fn the_list_as_a_drawer_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.key("f2");
    stage.key("down");
    assert_snapshot!(stage.screen());
}

#[test]
fn the_people_as_a_drawer_44x20() {
    let mut stage = Stage::talking(44, 20);
    stage.key("f3");
    assert_snapshot!(stage.screen());
}

#[test]
fn help_120x36() {
    let mut stage = Stage::talking(120, 36);
    stage.key("f1");
    assert_snapshot!(stage.screen());
}

#[test]
fn help_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.key("f1");
    stage.key("pagedown");
    assert_snapshot!(stage.screen());
}

#[test]
fn finding_a_meeting_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.key("ctrl-g");
    stage.write("re");
    stage.key("down");
    assert_snapshot!(stage.screen());
}

#[test]
fn choosing_a_command_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.write("/");
    stage.key("tab");
    stage.key("tab");
    assert_snapshot!(stage.screen());
}

#[test]
fn choosing_a_name_44x20_in_ascii() {
    let mut stage = Stage::talking(44, 20);
    stage.model.theme = Theme::new(false, true);
    stage.write("ask @");
    stage.key("shift-tab");
    assert_snapshot!(stage.screen());
}

#[test]
fn join_times_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.write("/joins");
    stage.key("enter");
    let log = |who, name: &str, hm| JoinLog {
        user: user(who),
        event_type: JoinWord::Join,
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
    stage.answer("join_times", JoinTimesOk { meetings });
    assert_snapshot!(stage.screen());
}

#[test]
fn offline_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.lose_link();
    stage.write("said while away");
    stage.key("enter");
    stage.wait_ms(1_500);
    assert_snapshot!(stage.screen());
}

#[test]
fn the_last_minute_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.wait_ms(22 * 60_000 + 5_000);
    assert_snapshot!(stage.screen());
}

#[test]
fn notices_use_the_whole_line() {
    let mut stage = Stage::talking(44, 20);
    stage.write("/jion");
    stage.key("enter");
    assert!(stage.shows("No command /jion; did you mean /join?"));
    stage.key("ctrl-u");
    stage.key("ctrl-q");
    assert!(stage.shows("l leave · s quit, keep seat · Esc cancel"));
}
