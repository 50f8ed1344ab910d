//! Editing: keys in the input, history, completion, the external editor.

use rstest::rstest;

use super::fixture::{Fixture, id, sync};
use crate::effect::Effect;
use crate::msg::AppEvent;

fn written(fixture: &Fixture) -> &str {
    fixture
        .model
        .composer()
        .map_or("", |composer| composer.editor.text())
}

/// Returns the text with the cursor as a bar.
fn line(fixture: &Fixture) -> String {
    let Some(composer) = fixture.model.composer() else {
        return "|".to_owned();
    };
    let (text, before) = (composer.editor.text(), composer.editor.before());
    format!("{before}|{}", &text[before.len()..])
}

#[rstest]
#[case("one two", "ctrl-a", "|one two")]
#[case("one two", "home", "|one two")]
#[case("one two", "ctrl-a ctrl-e", "one two|")]
#[case("one two", "ctrl-b ctrl-b", "one t|wo")]
#[case("one two", "ctrl-b ctrl-b ctrl-f", "one tw|o")]
#[case("one two", "alt-b", "one |two")]
#[case("one two", "ctrl-left ctrl-left", "|one two")]
#[case("one two", "ctrl-a alt-f", "one| two")]
#[case("one two", "ctrl-a ctrl-right ctrl-right", "one two|")]
#[case("a http://b.c/d", "ctrl-w", "a |")]
#[case("a http://b.c/d", "alt-backspace", "a http://b.c/|")]
#[case("one two", "ctrl-a alt-d", "| two")]
#[case("one two", "alt-b ctrl-u", "|two")]
#[case("one two", "alt-b ctrl-k", "one |")]
#[case("one two", "ctrl-w ctrl-y ctrl-y", "one twotwo|")]
#[case("one two", "ctrl-w left ctrl-u ctrl-y alt-y", "two| ")]
#[case("abc", "ctrl-t", "acb|")]
#[case("abc", "ctrl-_", "|")]
#[case("abc def", "ctrl-_", "abc |")]
#[case("abc def", "ctrl-_ ctrl-^", "abc def|")]
#[case("abc def", "ctrl-a alt-d ctrl-_", "|abc def")]
#[case("abc", "ctrl-a delete", "|bc")]
#[case("abc", "left backspace", "a|c")]
#[case("👩‍👩‍👧é", "left left right", "👩‍👩‍👧|é")]
#[case("👩‍👩‍👧é", "backspace backspace", "|")]
#[case("a", "alt-enter ctrl-j shift-enter", "a\n\n\n|")]
#[case("a", "alt-enter b ctrl-home", "|a\nb")]
#[case("a", "alt-enter b up ctrl-end", "a\nb|")]
fn editing_keys(#[case] text: &str, #[case] keys: &str, #[case] expected: &str) {
    let mut fixture = Fixture::talking(80, 24);
    for c in text.chars() {
        // As a terminal sends them: the characters of a cluster arrive one by one.
        fixture.tell(AppEvent::Key(
            crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char(c)).into(),
        ));
    }
    for key in keys.split(' ') {
        fixture.key(key);
    }
    assert_eq!(line(&fixture), expected);
}

#[test]
fn cuts_can_be_yanked_in_another_meeting() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("wrong room");
    fixture.key("ctrl-u");
    fixture.key("ctrl-n");
    fixture.key("ctrl-y");
    assert_eq!(fixture.model.shown, Some(id(44, 1)));
    assert_eq!(written(&fixture), "wrong room");
}

#[test]
fn password_cuts_stay_in_the_password_field() {
    let theme = crate::theme::Theme::new(true, false);
    let mut fixture = Fixture::begin(80, 24, None, theme);
    fixture.write("ada@example.org");
    fixture.key("tab");
    fixture.write("secret");
    fixture.key("ctrl-u");
    fixture.key("shift-tab");
    fixture.key("ctrl-y");
    assert!(!fixture.shows("secret"));
    fixture.key("tab");
    fixture.key("ctrl-y");
    assert_eq!(
        fixture
            .model
            .layers
            .get::<crate::model::layer::sign_in::SignIn>()
            .expect("the form")
            .password
            .text(),
        "secret"
    );
}

#[test]
fn history_starts_at_the_first_line_and_keeps_the_draft() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("first");
    fixture.key("enter");
    fixture.write("draft");
    fixture.key("alt-enter");
    fixture.write("of two lines");
    fixture.key("up");
    assert_eq!(written(&fixture), "draft\nof two lines");
    fixture.key("up");
    assert_eq!(written(&fixture), "first");
    // The draft is stored, not the history entry on screen.
    fixture.wait_ms(1_100);
    let kept = fixture
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            Effect::SaveDrafts(drafts) => Some(drafts.clone()),
            _ => None,
        });
    let draft = "draft\nof two lines".to_owned();
    assert_eq!(kept, Some(vec![(sync(), draft.clone())]));
    fixture.key("down");
    assert_eq!(written(&fixture), draft);
    fixture.key("up");
    fixture.key("up");
    fixture.key("enter");
    assert_eq!(
        written(&fixture),
        draft,
        "it comes back when the other is sent"
    );
    let sent = fixture.effects.iter().filter_map(|effect| match effect {
        Effect::AppendHistory { text, .. } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(
        sent.collect::<Vec<_>>(),
        ["first"],
        "twice the same is kept once"
    );
}

#[test]
fn tab_cycles_completions() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("/jo");
    assert!(fixture.shows("/join ") && fixture.shows("/joins") && fixture.shows("─ commands"));
    fixture.key("tab");
    assert_eq!(written(&fixture), "/join");
    fixture.key("tab");
    assert_eq!(written(&fixture), "/joins");
    assert!(fixture.shows("▌/joins") && fixture.shows("2/2"));
    fixture.key("shift-tab");
    assert_eq!(written(&fixture), "/join");
    fixture.key("esc");
    assert_eq!(written(&fixture), "/jo", "what was written is back");
    assert!(!fixture.shows("─ commands"));
    fixture.write("ins");
    assert!(
        !fixture.shows("─ commands"),
        "what is written out needs no help"
    );
    fixture.key("ctrl-u");
    fixture.write("ask @mar");
    fixture.key("tab");
    assert_eq!(written(&fixture), "ask @margaret ");
    fixture.key("ctrl-_");
    assert_eq!(written(&fixture), "ask @mar");
}

#[rstest]
#[case("mail a@lin", "mail a@lin")]
#[case("@lin", "@linus ")]
#[case("/messages gr", "/messages grace ")]
#[case("/join des", "/join 12/3 ")]
#[case("/join 44", "/join 44/1 ")]
#[case("nothing", "nothing")]
#[case("@nobody", "@nobody")]
fn tab_completes(#[case] text: &str, #[case] expected: &str) {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write(text);
    fixture.key("tab");
    assert_eq!(written(&fixture), expected);
}

#[test]
fn typing_accepts_a_completion() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("hello @");
    fixture.key("tab");
    assert_eq!(written(&fixture), "hello @grace", "who is here comes first");
    fixture.write(",");
    assert_eq!(written(&fixture), "hello @grace,");
    fixture.key("enter");
    assert_eq!(written(&fixture), "");
    assert!(fixture.asked().iter().any(|(name, _)| name == "post"));
}

#[test]
fn external_editor_returns_text_to_its_meeting() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("begun here");
    fixture.key("ctrl-x");
    let effect = Effect::Edit {
        at: Some(sync()),
        text: "begun here".into(),
    };
    assert!(fixture.effects.contains(&effect));
    fixture.key("ctrl-n");
    fixture.tell(AppEvent::Edited {
        at: Some(sync()),
        text: "begun here\nended there".into(),
    });
    assert_eq!(written(&fixture), "");
    fixture.key("ctrl-p");
    assert_eq!(written(&fixture), "begun here\nended there");
    fixture.key("ctrl-_");
    assert_eq!(written(&fixture), "begun here");
    fixture.tell(AppEvent::Failed("'vi' not found".into()));
    assert!(fixture.shows("✗ 'vi' not found"));
    fixture.tell(AppEvent::Edited {
        at: Some(sync()),
        text: "x".repeat(100_000),
    });
    assert!(fixture.shows("Text too long (100,000 bytes, limit 65,536)"));
    assert_eq!(written(&fixture), "begun here");
}

#[test]
fn long_input_scrolls_with_the_cursor() {
    let mut fixture = Fixture::talking(80, 24);
    let lines: Vec<String> = (1..=9)
        .map(|number| format!("line number {number}"))
        .collect();
    fixture.tell(AppEvent::Pasted(lines.join("\n")));
    assert!(fixture.shows("line number 9") && !fixture.shows("line number 3"));
    for _ in 0..8 {
        fixture.key("up");
    }
    assert!(fixture.shows("› line number 1") && !fixture.shows("line number 7"));
}

#[rstest]
#[case(30)]
#[case(200)]
fn long_paste_shows_its_length_and_that_there_is_more(#[case] lines: usize) {
    let mut fixture = Fixture::talking(80, 24);
    let text = vec!["a line of text"; lines].join("\n");
    fixture.tell(AppEvent::Pasted(text.clone()));
    let bytes = crate::text::number(text.len());
    let screen = fixture.screen();
    assert!(
        fixture.shows(&format!("{lines} lines, {bytes}/4,096 bytes")),
        "{screen}"
    );
    assert!(fixture.shows(" ▲ a line of text"), "{screen}");
    fixture.key("ctrl-home");
    assert!(fixture.shows(" ▼ a line of text"), "{}", fixture.screen());
}

#[test]
fn input_wraps_between_words() {
    let mut fixture = Fixture::talking(44, 20);
    fixture.write("the quick brown fox jumps over the lazy dog again");
    let screen = fixture.screen();
    assert!(
        fixture.shows(" › the quick brown fox jumps over the lazy\n   dog again█"),
        "{screen}"
    );
    fixture.key("up");
    fixture.write("!");
    assert!(fixture.shows("the quick!"), "{}", fixture.screen());
}
