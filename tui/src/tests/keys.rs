//! Keys, and confirmations before anything is lost.

use plenary_shared::domain::EventKind;
use plenary_shared::protocol::{Changed, ChangedList, Push, ResumeMode, TerminalsOk};

use rstest::rstest;

use super::fixture::{
    Fixture, ME, at, demo_meetings, event, id, instance, join, message, opened, posted, sync,
};
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
    assert!(fixture.shows("Press ⌃C again to quit and leave") && !quits(&fixture));
    fixture.wait_ms(2_100);
    fixture.key("ctrl-c");
    assert!(!quits(&fixture));
    fixture.key("ctrl-c");
    assert!(quits(&fixture));
    assert!(
        !fixture.effects.contains(&Effect::KeepSeats),
        "a quit is not a lost connection"
    );
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
    assert!(quits(&fixture) && fixture.effects.contains(&Effect::KeepSeats));
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
    assert!(fixture.shows("x keys.toml:3: unknown command 'fly' (and 1 more: /config)"));
    fixture.write("/config");
    fixture.key("enter");
    assert!(fixture.shows("theme.toml:1: no"), "{}", fixture.screen());
    fixture.key("esc");
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

#[test]
fn a_question_mark_on_an_empty_input_opens_the_help_and_two_write_one() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("?");
    assert!(fixture.shows("Here: Message"), "{}", fixture.screen());
    fixture.key("?");
    assert!(fixture.model.layers.is_top::<Chat>());
    assert_eq!(written(&fixture), "?");
    fixture.write("? really?");
    assert_eq!(written(&fixture), "?? really?");
}

#[rstest]
#[case("f2")]
#[case("ctrl-s")]
#[case("/who")]
fn question_mark_opens_the_help_in_lists_and_q_goes_back(#[case] opens: &str) {
    let mut fixture = Fixture::talking(80, 24);
    if opens.starts_with('/') {
        fixture.write(opens);
        fixture.key("enter");
    } else {
        fixture.key(opens);
    }
    fixture.key("?");
    assert!(fixture.shows("Here: "), "{}", fixture.screen());
    fixture.key("esc");
    assert!(!fixture.model.layers.is_top::<Chat>());
    fixture.key("q");
    assert!(fixture.model.layers.is_top::<Chat>());
    assert_eq!(written(&fixture), "");
}

#[test]
fn help_is_filtered_as_one_types() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("draft");
    fixture.key("f1");
    fixture.write("unread");
    assert!(fixture.shows("next unread") || fixture.shows("Next unread"));
    assert!(!fixture.shows("Word left"), "{}", fixture.screen());
    fixture.write(" zebra");
    assert!(fixture.shows("No match"), "{}", fixture.screen());
    fixture.key("ctrl-u");
    fixture.key("pagedown");
    fixture.key("esc");
    assert_eq!(written(&fixture), "draft");
}

#[test]
fn a_notice_ends_with_its_cause() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("/foo");
    fixture.key("enter");
    assert!(fixture.shows("No command /foo"));
    fixture.key("left");
    assert!(fixture.shows("No command /foo"), "while it is corrected");
    fixture.key("ctrl-u");
    fixture.key("ctrl-k");
    assert!(!fixture.shows("No command"), "{}", fixture.screen());
    fixture.write("/foo");
    fixture.key("enter");
    fixture.write(" bar");
    fixture.key("ctrl-a");
    fixture.key("ctrl-k");
    fixture.write("hello");
    fixture.key("enter");
    assert!(!fixture.shows("No command"), "{}", fixture.screen());

    fixture.lose_link();
    fixture.write("/who");
    fixture.key("enter");
    assert!(fixture.shows("Not connected"));
    fixture.greet(vec![(sync(), ResumeMode::Delta)]);
    assert!(!fixture.shows("Not connected"), "{}", fixture.screen());

    fixture.key("f2");
    fixture.key("x");
    assert!(fixture.shows("No such key here"));
    fixture.key("down");
    assert!(!fixture.shows("No such key here"), "{}", fixture.screen());
}

#[test]
fn extra_words_after_a_command_are_an_error() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.asked();
    for (line, error) in [
        ("/leave now", "/leave takes no argument"),
        ("/who grace", "/who takes no argument"),
        ("/help me", "/help takes no argument"),
        ("/read everything", "Usage: /read, or /read all"),
        ("/meeting one", "Usage: /meeting NUMBER"),
    ] {
        fixture.write(line);
        fixture.key("enter");
        assert!(fixture.shows(error), "{line}: {}", fixture.screen());
        assert_eq!(written(&fixture), line);
        fixture.key("ctrl-u");
    }
    assert!(fixture.asked().is_empty());
}

#[test]
fn an_action_is_shown_with_the_name_of_its_author() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("/me waves");
    fixture.key("enter");
    assert!(fixture.shows("*  ada waves"), "{}", fixture.screen());
    assert_eq!(written(&fixture), "");
    fixture.hears(20, 8, "/me waves back");
    assert!(fixture.shows("*  grace waves back"), "{}", fixture.screen());
    fixture.write("/me");
    fixture.key("enter");
    assert!(fixture.shows("Usage: /me TEXT"));
}

#[test]
fn tab_completes_names_without_an_at_sign() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("lin");
    fixture.key("tab");
    assert_eq!(written(&fixture), "linus: ");
    fixture.write("ask mar");
    fixture.key("tab");
    assert_eq!(written(&fixture), "linus: ask margaret ");
    fixture.write("xyz");
    fixture.key("tab");
    assert!(fixture.shows("No completions"));
}

#[test]
fn numbers_of_meetings_stay_while_others_start_and_end() {
    let mut fixture = Fixture::ready(120, 36);
    let number = |fixture: &Fixture, wanted| {
        let model = &fixture.model;
        let entries = model.meetings.entries(model.now, model.zone);
        let found = entries.iter().find(|entry| entry.instance.id == wanted);
        found.map(|entry| entry.number)
    };
    let mut meetings = demo_meetings();
    let kept = meetings.last().expect("a meeting").id;
    let gone = meetings.remove(0).id;
    let (before, free) = (number(&fixture, kept), number(&fixture, gone));
    meetings.push(instance(
        id(900, 1),
        "New",
        "2026-09-22T13:00:00Z",
        "2026-09-22T15:40:00Z",
        plenary_shared::domain::InstanceState::Active,
    ));
    fixture.push(Push::Changed(Changed {
        instance: None,
        changed: ChangedList::Meetings,
    }));
    fixture.answer_meetings(meetings);
    assert_eq!(number(&fixture, kept), before);
    assert_eq!(number(&fixture, id(900, 1)), free);
    fixture.key(&format!("alt-{}", free.expect("a number")));
    assert_eq!(fixture.model.shown, Some(id(900, 1)));
}

#[test]
fn sent_messages_are_searched_with_ctrl_r() {
    let mut fixture = Fixture::talking(120, 36);
    for text in ["the first plan", "something else", "the second plan"] {
        fixture.write(text);
        fixture.key("enter");
    }
    fixture.write("draft");
    fixture.key("ctrl-r");
    fixture.write("plan");
    assert!(fixture.shows("▌the second plan") && !fixture.shows(" something else │"));
    fixture.key("ctrl-r");
    fixture.key("enter");
    assert_eq!(written(&fixture), "the first plan");
    fixture.key("ctrl-_");
    assert_eq!(written(&fixture), "draft");
}

#[test]
fn lists_beside_the_chat_can_be_hidden() {
    let mut fixture = Fixture::talking(120, 36);
    let width = |fixture: &Fixture| fixture.model.panes().chat.width;
    assert_eq!(width(&fixture), 70);
    fixture.key("f3");
    assert!(!fixture.shows("PARTICIPANTS"), "{}", fixture.screen());
    assert_eq!(width(&fixture), 95);
    fixture.key("shift-f2");
    assert!(!fixture.shows("MEETINGS"), "{}", fixture.screen());
    assert_eq!(width(&fixture), 120);
    fixture.key("f2");
    assert!(fixture.shows("MEETINGS"), "as a drawer");
    fixture.key("esc");
    fixture.key("f3");
    fixture.key("shift-f2");
    assert!(fixture.shows("PARTICIPANTS") && fixture.shows("MEETINGS"));
}

#[test]
fn urls_of_the_meeting_are_listed() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.hears(20, 8, "see https://a.example/x and https://b.example/y");
    fixture.write("/urls");
    fixture.key("enter");
    let screen = fixture.screen();
    assert!(fixture.shows("Links in this meeting"), "{screen}");
    assert!(fixture.shows("  https://a.example/x") && fixture.shows("  https://b.example/y"));
    assert!(fixture.shows("https://grafana.corp/d/rollout"), "{screen}");
}

#[test]
fn titles_that_start_with_the_word_come_first() {
    let mut fixture = Fixture::ready(120, 36);
    fixture.answer_list(&["First things", "Standup"]);
    fixture.write("/join st");
    fixture.key("tab");
    assert_eq!(written(&fixture), "/join 2/1", "{}", fixture.screen());
    fixture.key("ctrl-u");
    fixture.write("/join st");
    fixture.key("enter");
    assert_eq!(fixture.model.shown, Some(id(2, 1)));
}

#[test]
fn quitting_says_that_another_terminal_stays() {
    for (columns, rows) in [(120, 36), (80, 24), (44, 20)] {
        let mut fixture = Fixture::talking(columns, rows);
        fixture.key("ctrl-q");
        assert!(!fixture.shows("stays"), "{}", fixture.screen());
        let elsewhere = vec![sync()];
        fixture.answer("terminals", TerminalsOk { elsewhere });
        let screen = fixture.screen();
        assert!(
            fixture.shows("quit here") || fixture.shows("s quit"),
            "{screen}"
        );
        assert!(!fixture.shows("keep"), "{screen}");
        fixture.key("esc");
        fixture.key("ctrl-c");
        let elsewhere = vec![sync()];
        fixture.answer("terminals", TerminalsOk { elsewhere });
        assert!(fixture.shows(if columns < 60 {
            "You stay in"
        } else {
            "terminal stays"
        }));
    }
}

#[test]
fn short_codes_become_emoji() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("nice :smile:");
    assert_eq!(written(&fixture), "nice 😄");
    fixture.key("ctrl-_");
    assert_eq!(written(&fixture), "nice :smile:");
    fixture.key("ctrl-u");
    fixture.write("at 10:30: std::io::Error :nothing_like_it:");
    assert_eq!(
        written(&fixture),
        "at 10:30: std::io::Error :nothing_like_it:"
    );
    fixture.key("ctrl-u");
    fixture.write(":roc");
    assert!(fixture.shows(":rocket:"), "{}", fixture.screen());
    fixture.key("tab");
    assert!(written(&fixture).starts_with('🪨') || written(&fixture).starts_with('🚀'));
}
