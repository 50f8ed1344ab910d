//! Keys, and confirmations before anything is lost.

use plenary_shared::domain::What;

use rstest::rstest;

use super::stage::{ME, Stage, at, event, id, instance, join, message, opened, posted, sync};
use crate::effect::Effect;
use crate::model::layer::Chat;
use crate::model::overlay::Overlay;
use crate::msg::AppEvent;

fn quits(stage: &Stage) -> bool {
    stage.effects.contains(&Effect::Quit)
}

fn written(stage: &Stage) -> &str {
    stage
        .model
        .composer()
        .map_or("", |composer| composer.editor.text())
}

#[test]
fn ctrl_c_clears_then_asks_then_quits() {
    let mut stage = Stage::talking(80, 24);
    stage.write("half a thought");
    stage.key("ctrl-c");
    assert_eq!(written(&stage), "");
    stage.key("ctrl-y");
    assert_eq!(written(&stage), "half a thought");
    stage.key("ctrl-c");
    stage.key("ctrl-c");
    assert!(stage.shows("Press ⌃C again to quit") && !quits(&stage));
    stage.wait_ms(2_100);
    stage.key("ctrl-c");
    assert!(!quits(&stage));
    stage.key("ctrl-c");
    assert!(quits(&stage));
}

#[test]
fn quitting_a_live_meeting_asks_to_leave() {
    let mut stage = Stage::talking(120, 36);
    stage.key("ctrl-q");
    assert!(stage.shows("l: leave") && !quits(&stage));
    stage.key("esc");
    stage.key("ctrl-q");
    stage.key("l");
    assert!(!quits(&stage));
    stage.answer("leave", posted(20));
    assert!(quits(&stage));

    let mut stage = Stage::talking(120, 36);
    stage.key("ctrl-q");
    stage.key("s");
    assert!(quits(&stage));
    assert!(stage.asked().iter().all(|(name, _)| name != "leave"));

    let mut stage = Stage::talking(120, 36);
    stage.key("ctrl-q");
    stage.key("l");
    stage.wait_ms(2_100);
    assert!(quits(&stage), "a server that does not answer keeps nobody");
}

#[test]
fn ctrl_q_quits_at_once_outside_meetings() {
    let mut stage = Stage::ready(80, 24);
    stage.key("ctrl-q");
    assert!(quits(&stage));
}

#[test]
fn escape_deletes_nothing() {
    let mut stage = Stage::talking(80, 24);
    stage.write("draft");
    stage.key("f1");
    stage.key("esc");
    stage.key("f2");
    stage.key("esc");
    stage.key("ctrl-g");
    stage.write("x");
    for _ in 0..4 {
        stage.key("esc");
    }
    assert_eq!(written(&stage), "draft");
}

#[rstest]
#[case("f2")]
#[case("f1")]
#[case("ctrl-s")]
#[case("ctrl-q")]
fn typing_above_the_chat_is_swallowed(#[case] opens: &str) {
    let mut stage = Stage::talking(80, 24);
    stage.write("draft");
    stage.key(opens);
    stage.write("zx!");
    stage.key("f9");
    assert_eq!(written(&stage), "draft");
    assert!(!stage.model.layers.is_top::<Chat>());
    stage.key("esc");
    assert!(stage.model.layers.is_top::<Chat>());
    stage.write("!");
    assert_eq!(written(&stage), "draft!");
    assert!(stage.asked().iter().all(|(name, _)| name != "post"));
}

#[test]
fn a_swallowed_key_says_how_to_get_help() {
    let mut stage = Stage::talking(80, 24);
    stage.key("f2");
    stage.write("x");
    assert!(
        stage.shows("No such key here; F1 for help"),
        "{}",
        stage.screen()
    );
}

#[test]
fn drafts_are_stored_by_meeting() {
    let mut stage = Stage::talking(120, 36);
    stage.write("for the sync");
    stage.key("ctrl-n");
    assert_eq!(stage.model.shown, Some(id(44, 1)));
    assert_eq!(written(&stage), "");
    stage.write("for the incident");
    stage.key("ctrl-p");
    assert_eq!(written(&stage), "for the sync");
    stage.wait_ms(1_100);
    let kept = stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::SaveDrafts(drafts) => Some(drafts.clone()),
        _ => None,
    });
    let expected = vec![
        (sync(), "for the sync".to_owned()),
        (id(44, 1), "for the incident".to_owned()),
    ];
    assert_eq!(kept, Some(expected));
}

#[test]
fn termination_stores_drafts() {
    let mut stage = Stage::talking(120, 36);
    stage.write("unsaid");
    stage.tell(AppEvent::Terminated);
    let keeps = |effect: &Effect| matches!(effect, Effect::SaveDrafts(drafts) if drafts.len() == 1);
    assert!(stage.effects.iter().any(keeps) && quits(&stage));
}

#[test]
fn enter_announces_the_start_or_opens_an_ended_meeting() {
    let mut stage = Stage::ready(120, 36);
    stage.key("alt-3");
    stage.key("enter");
    assert!(stage.shows("You'll join Design review Tue 15:00 (in 8m)"));
    stage.key("alt-6");
    stage.key("enter");
    let asked = stage.asked();
    assert!(asked.iter().any(|(name, _)| name == "open"));
    assert!(asked.iter().all(|(name, _)| name != "join"));
}

#[test]
fn join_by_title_and_by_number() {
    let mut stage = Stage::ready(120, 36);
    stage.write("/join incident");
    stage.key("enter");
    assert!(stage.asked().iter().any(|(name, _)| name == "join"));
    assert_eq!(stage.model.shown, Some(id(44, 1)));
    assert_eq!(written(&stage), "");
    stage.write("/join 42/1");
    stage.key("enter");
    assert_eq!(stage.model.shown, Some(sync()));
    stage.write("/join nothing like it");
    stage.key("enter");
    assert!(stage.shows("No meeting matches 'nothing like it'"));
}

#[test]
fn pasted_lines_are_inserted_not_sent() {
    let mut stage = Stage::talking(80, 24);
    stage.tell(AppEvent::Pasted("one\r\ntwo\u{1b}[2J".into()));
    assert_eq!(written(&stage), "one\ntwo[2J");
    assert!(stage.asked().iter().all(|(name, _)| name != "post"));
}

#[test]
fn finder_opens_a_meeting() {
    let mut stage = Stage::talking(80, 24);
    stage.key("ctrl-g");
    stage.write("review bud");
    assert!(stage.shows("Budget review"));
    stage.key("enter");
    assert_eq!(stage.model.shown, Some(id(7, 1)));
    assert!(stage.model.layers.is_top::<Chat>());
}

#[test]
fn finder_inserts_mentions_and_runs_commands() {
    let mut stage = Stage::talking(120, 36);
    stage.write("hello ");
    stage.key("ctrl-g");
    stage.write("@mrgt");
    stage.key("enter");
    assert_eq!(written(&stage), "hello @margaret ");
    stage.key("ctrl-g");
    stage.write("/who");
    assert!(stage.shows("▌/who"));
    stage.key("enter");
    assert!(stage.asked().iter().any(|(name, _)| name == "people"));
    assert_eq!(written(&stage), "hello @margaret ", "a draft is no command");
    stage.key("esc");
    stage.key("ctrl-g");
    stage.write("/last");
    stage.key("enter");
    stage.key("ctrl-g");
    stage.write("/messages");
    stage.key("enter");
    assert!(stage.shows("/messages needs an argument"));
    stage.key("ctrl-u");
    stage.key("ctrl-g");
    stage.write("/messages");
    stage.key("enter");
    assert_eq!(written(&stage), "/messages ");
}

#[test]
fn key_commands_have_slash_commands() {
    let mut stage = Stage::talking(120, 36);
    for (word, shown) in [
        ("/meeting 2", id(44, 1)),
        ("/last", sync()),
        ("/next-meeting", id(44, 1)),
    ] {
        stage.write(word);
        stage.key("enter");
        assert_eq!(stage.model.shown, Some(shown), "{word}");
    }
    assert_eq!(written(&stage), "");
    stage.write("/next-unread");
    stage.key("enter");
    assert!(stage.shows("No unread messages"));
}

#[test]
fn configuration_applies_at_once_and_reports_errors() {
    let mut stage = Stage::talking(120, 36);
    let (keymap, wrong) = crate::keymap::Keymap::configured("help = \"f12\"\nfind = []\n");
    assert!(wrong.is_empty());
    let theme = crate::theme::Theme::new(true, true);
    let wrong = ["keys.toml:3: there is no command 'fly'", "theme.toml:1: no"];
    stage.tell(AppEvent::Configured {
        keymap,
        theme,
        wrong: wrong.map(str::to_owned).to_vec(),
    });
    assert!(stage.shows("x keys.toml:3: there is no command 'fly' (and 1 more)"));
    assert!(stage.shows("F12 help") && !stage.shows("^G"));
    stage.key("f1");
    assert!(stage.model.layers.is_top::<Chat>());
    stage.key("f12");
    assert!(stage.model.layers.is_top::<Overlay>());
}

#[test]
fn joined_meetings_are_reopened_on_start() {
    let mut stage = Stage::new(80, 24);
    stage.greet(vec![]);
    let mut joined = instance(
        id(44, 1),
        "Incident",
        "2026-09-22T13:40:00Z",
        "2026-09-22T15:40:00Z",
        plenary_shared::domain::InstanceState::Active,
    );
    joined.joined = Some(at("13:45"));
    stage.answer_meetings(vec![joined]);
    assert!(stage.asked().iter().any(|(name, _)| name == "open"));
    assert_eq!(stage.model.shown, Some(id(44, 1)));
}

#[test]
fn consecutive_joins_share_a_row() {
    let mut stage = Stage::ready(120, 36);
    stage.key("enter");
    stage.answer("join", posted(2));
    let events = vec![
        event(1, at("13:30"), What::Opened),
        event(2, at("13:31"), join(ME, "ada")),
    ];
    stage.answer("open", opened(events, vec![(ME, "13:31")]));
    for number in 3..40 {
        stage.event(number, join(number + 100, &format!("guest{number}")));
    }
    assert!(stage.shows("→ 38 joined: you, guest3"));
    stage.event(40, message(103, 40, "hello"));
    stage.event(41, join(300, "late"));
    assert!(stage.shows("→ late joined"));
}

#[test]
fn help_returns_to_the_sign_in_form() {
    let theme = crate::theme::Theme::new(true, false);
    let mut stage = Stage::begin(80, 24, None, theme);
    stage.write("ada");
    stage.key("f1");
    assert!(stage.shows("Here: Sign-in"));
    stage.key("pagedown");
    stage.key("esc");
    stage.write("@example.org");
    assert!(stage.shows("[ ada@example.org"));
    stage.key("ctrl-c");
    assert!(quits(&stage));
}
