//! Keys, and confirmations before anything is lost.

use plenary_shared::domain::EventKind;

use rstest::rstest;

use super::fixture::{Fixture, ME, at, event, id, instance, join, message, opened, posted, sync};
use crate::effect::Effect;
use crate::model::layer::Chat;
use crate::model::layer::page::Page;
use crate::msg::AppEvent;

fn quits(fixture: &Fixture) -> bool {
    fixture.effects.contains(&Effect::Quit)
}

fn written(fixture: &Fixture) -> &str {
    fixture
        .model
        .composer()
        .map_or("", |composer| composer.editor.text())
}

#[test]
fn ctrl_c_clears_then_asks_then_quits() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("half a thought");
    fixture.key("ctrl-c");
    assert_eq!(written(&fixture), "");
    fixture.key("ctrl-y");
    assert_eq!(written(&fixture), "half a thought");
    fixture.key("ctrl-c");
    fixture.key("ctrl-c");
    assert!(fixture.shows("Press ⌃C again to quit") && !quits(&fixture));
    fixture.wait_ms(2_100);
    fixture.key("ctrl-c");
    assert!(!quits(&fixture));
    fixture.key("ctrl-c");
    assert!(quits(&fixture));
}

#[test]
fn quitting_a_live_meeting_asks_to_leave() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.key("ctrl-q");
    assert!(fixture.shows("l: leave") && !quits(&fixture));
    fixture.key("esc");
    fixture.key("ctrl-q");
    fixture.key("l");
    assert!(!quits(&fixture));
    fixture.answer("leave", posted(20));
    assert!(quits(&fixture));

    let mut fixture = Fixture::talking(120, 36);
    fixture.key("ctrl-q");
    fixture.key("s");
    assert!(quits(&fixture));
    assert!(fixture.asked().iter().all(|(name, _)| name != "leave"));

    let mut fixture = Fixture::talking(120, 36);
    fixture.key("ctrl-q");
    fixture.key("l");
    fixture.wait_ms(2_100);
    assert!(
        quits(&fixture),
        "a server that does not answer keeps nobody"
    );
}

#[test]
fn ctrl_q_quits_at_once_outside_meetings() {
    let mut fixture = Fixture::ready(80, 24);
    fixture.key("ctrl-q");
    assert!(quits(&fixture));
}

#[test]
fn escape_deletes_nothing() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("draft");
    fixture.key("f1");
    fixture.key("esc");
    fixture.key("f2");
    fixture.key("esc");
    fixture.key("ctrl-g");
    fixture.write("x");
    for _ in 0..4 {
        fixture.key("esc");
    }
    assert_eq!(written(&fixture), "draft");
}

#[rstest]
#[case("f2")]
#[case("f1")]
#[case("ctrl-s")]
#[case("ctrl-q")]
fn typing_above_the_chat_is_swallowed(#[case] opens: &str) {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("draft");
    fixture.key(opens);
    fixture.write("zx!");
    fixture.key("f9");
    assert_eq!(written(&fixture), "draft");
    assert!(!fixture.model.layers.is_top::<Chat>());
    fixture.key("esc");
    assert!(fixture.model.layers.is_top::<Chat>());
    fixture.write("!");
    assert_eq!(written(&fixture), "draft!");
    assert!(fixture.asked().iter().all(|(name, _)| name != "post"));
}

#[test]
fn a_swallowed_key_says_how_to_get_help() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("f2");
    fixture.write("x");
    assert!(
        fixture.shows("No such key here; F1 for help"),
        "{}",
        fixture.screen()
    );
}

#[test]
fn drafts_are_stored_by_meeting() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("for the sync");
    fixture.key("ctrl-n");
    assert_eq!(fixture.model.shown, Some(id(44, 1)));
    assert_eq!(written(&fixture), "");
    fixture.write("for the incident");
    fixture.key("ctrl-p");
    assert_eq!(written(&fixture), "for the sync");
    fixture.wait_ms(1_100);
    let kept = fixture
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
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
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("unsaid");
    fixture.tell(AppEvent::Terminated);
    let keeps = |effect: &Effect| matches!(effect, Effect::SaveDrafts(drafts) if drafts.len() == 1);
    assert!(fixture.effects.iter().any(keeps) && quits(&fixture));
}

#[test]
fn enter_announces_the_start_or_opens_an_ended_meeting() {
    let mut fixture = Fixture::ready(120, 36);
    fixture.key("alt-3");
    fixture.key("enter");
    assert!(fixture.shows("You'll join Design review Tue 15:00 (in 8m)"));
    fixture.key("alt-6");
    fixture.key("enter");
    let asked = fixture.asked();
    assert!(asked.iter().any(|(name, _)| name == "open"));
    assert!(asked.iter().all(|(name, _)| name != "join"));
}

#[test]
fn join_by_title_and_by_number() {
    let mut fixture = Fixture::ready(120, 36);
    fixture.write("/join incident");
    fixture.key("enter");
    assert!(fixture.asked().iter().any(|(name, _)| name == "join"));
    assert_eq!(fixture.model.shown, Some(id(44, 1)));
    assert_eq!(written(&fixture), "");
    fixture.write("/join 42/1");
    fixture.key("enter");
    assert_eq!(fixture.model.shown, Some(sync()));
    fixture.write("/join nothing like it");
    fixture.key("enter");
    assert!(fixture.shows("No meeting matches 'nothing like it'"));
}

#[test]
fn pasted_lines_are_inserted_not_sent() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.tell(AppEvent::Pasted("one\r\ntwo\u{1b}[2J".into()));
    assert_eq!(written(&fixture), "one\ntwo[2J");
    assert!(fixture.asked().iter().all(|(name, _)| name != "post"));
}

#[test]
fn finder_opens_a_meeting() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("ctrl-g");
    fixture.write("review bud");
    assert!(fixture.shows("Budget review"));
    fixture.key("enter");
    assert_eq!(fixture.model.shown, Some(id(7, 1)));
    assert!(fixture.model.layers.is_top::<Chat>());
}

#[test]
fn finder_inserts_mentions_and_runs_commands() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("hello ");
    fixture.key("ctrl-g");
    fixture.write("@mrgt");
    fixture.key("enter");
    assert_eq!(written(&fixture), "hello @margaret ");
    fixture.key("ctrl-g");
    fixture.write("/who");
    assert!(fixture.shows("▌/who"));
    fixture.key("enter");
    assert!(
        fixture
            .asked()
            .iter()
            .any(|(name, _)| name == "participants")
    );
    assert_eq!(
        written(&fixture),
        "hello @margaret ",
        "a draft is not a command"
    );
    fixture.key("esc");
    fixture.key("ctrl-g");
    fixture.write("/last");
    fixture.key("enter");
    fixture.key("ctrl-g");
    fixture.write("/messages");
    fixture.key("enter");
    assert!(fixture.shows("/messages needs an argument"));
    fixture.key("ctrl-u");
    fixture.key("ctrl-g");
    fixture.write("/messages");
    fixture.key("enter");
    assert_eq!(written(&fixture), "/messages ");
}

#[test]
fn key_commands_have_slash_commands() {
    let mut fixture = Fixture::talking(120, 36);
    for (word, shown) in [
        ("/meeting 2", id(44, 1)),
        ("/last", sync()),
        ("/next-meeting", id(44, 1)),
    ] {
        fixture.write(word);
        fixture.key("enter");
        assert_eq!(fixture.model.shown, Some(shown), "{word}");
    }
    assert_eq!(written(&fixture), "");
    fixture.write("/next-unread");
    fixture.key("enter");
    assert!(fixture.shows("No unread messages"));
}

#[test]
fn configuration_applies_at_once_and_reports_errors() {
    let mut fixture = Fixture::talking(120, 36);
    let (keymap, wrong) = crate::keymap::Keymap::configured("help = \"f12\"\nfind = []\n");
    assert!(wrong.is_empty());
    let theme = crate::theme::Theme::new(true, true);
    let wrong = ["keys.toml:3: unknown command 'fly'", "theme.toml:1: no"];
    fixture.tell(AppEvent::Configured {
        keymap,
        theme: Box::new(theme),
        wrong: wrong.map(str::to_owned).to_vec(),
    });
    assert!(fixture.shows("x keys.toml:3: unknown command 'fly' (and 1 more)"));
    assert!(fixture.shows("F12 help") && !fixture.shows("^G"));
    fixture.key("f1");
    assert!(fixture.model.layers.is_top::<Chat>());
    fixture.key("f12");
    assert!(fixture.model.layers.is_top::<Page>());
}

#[test]
fn joined_meetings_are_reopened_on_start() {
    let mut fixture = Fixture::new(80, 24);
    fixture.greet(vec![]);
    let mut joined = instance(
        id(44, 1),
        "Incident",
        "2026-09-22T13:40:00Z",
        "2026-09-22T15:40:00Z",
        plenary_shared::domain::InstanceState::Active,
    );
    joined.joined = Some(at("13:45"));
    fixture.answer_meetings(vec![joined]);
    assert!(fixture.asked().iter().any(|(name, _)| name == "open"));
    assert_eq!(fixture.model.shown, Some(id(44, 1)));
}

#[test]
fn consecutive_joins_share_a_row() {
    let mut fixture = Fixture::ready(120, 36);
    fixture.key("enter");
    fixture.answer("join", posted(2));
    let events = vec![
        event(1, at("13:30"), EventKind::Opened),
        event(2, at("13:31"), join(ME, "ada")),
    ];
    fixture.answer("open", opened(events, vec![(ME, "13:31")]));
    for number in 3..40 {
        fixture.event(number, join(number + 100, &format!("guest{number}")));
    }
    assert!(fixture.shows("→ 38 joined: you, guest3"));
    fixture.event(40, message(103, 40, "hello"));
    fixture.event(41, join(300, "late"));
    assert!(fixture.shows("→ late joined"));
}

#[test]
fn help_returns_to_the_sign_in_form() {
    let theme = crate::theme::Theme::new(true, false);
    let mut fixture = Fixture::begin(80, 24, None, theme);
    fixture.write("ada");
    fixture.key("f1");
    assert!(fixture.shows("Here: Sign-in"));
    fixture.key("pagedown");
    fixture.key("esc");
    fixture.write("@example.org");
    assert!(fixture.shows("[ ada@example.org"));
    fixture.key("ctrl-c");
    assert!(quits(&fixture));
}
