//! Editing: keys in the input, history, completion, the external editor.

use rstest::rstest;

use super::stage::{Stage, id, sync};
use crate::effect::Effect;
use crate::msg::AppEvent;

fn written(stage: &Stage) -> &str {
    stage
        .model
        .composer()
        .map_or("", |composer| composer.editor.text())
}

/// Returns the text with the cursor as a bar.
fn line(stage: &Stage) -> String {
    let Some(composer) = stage.model.composer() else {
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
    let mut stage = Stage::talking(80, 24);
    for c in text.chars() {
        // As a terminal sends them: the characters of a cluster arrive one by one.
        stage.tell(AppEvent::Key(
            crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Char(c)).into(),
        ));
    }
    for key in keys.split(' ') {
        stage.key(key);
    }
    assert_eq!(line(&stage), expected);
}

#[test]
fn cuts_can_be_yanked_in_another_meeting() {
    let mut stage = Stage::talking(120, 36);
    stage.write("wrong room");
    stage.key("ctrl-u");
    stage.key("ctrl-n");
    stage.key("ctrl-y");
    assert_eq!(stage.model.shown, Some(id(44, 1)));
    assert_eq!(written(&stage), "wrong room");
}

#[test]
fn password_cuts_stay_in_the_password_field() {
    let theme = crate::theme::Theme::new(true, false);
    let mut stage = Stage::begin(80, 24, None, theme);
    stage.write("ada@example.org");
    stage.key("tab");
    stage.write("secret");
    stage.key("ctrl-u");
    stage.key("shift-tab");
    stage.key("ctrl-y");
    assert!(!stage.shows("secret"));
    stage.key("tab");
    stage.key("ctrl-y");
    assert_eq!(
        stage
            .model
            .layers
            .get::<crate::model::sign_in::SignIn>()
            .expect("the form")
            .password
            .text(),
        "secret"
    );
}

#[test]
fn history_starts_at_the_first_line_and_keeps_the_draft() {
    let mut stage = Stage::talking(80, 24);
    stage.write("first");
    stage.key("enter");
    stage.write("draft");
    stage.key("alt-enter");
    stage.write("of two lines");
    stage.key("up");
    assert_eq!(written(&stage), "draft\nof two lines");
    stage.key("up");
    assert_eq!(written(&stage), "first");
    // The draft is stored, not the history entry on screen.
    stage.wait_ms(1_100);
    let kept = stage.effects.iter().rev().find_map(|effect| match effect {
        Effect::SaveDrafts(drafts) => Some(drafts.clone()),
        _ => None,
    });
    let draft = "draft\nof two lines".to_owned();
    assert_eq!(kept, Some(vec![(sync(), draft.clone())]));
    stage.key("down");
    assert_eq!(written(&stage), draft);
    stage.key("up");
    stage.key("up");
    stage.key("enter");
    assert_eq!(
        written(&stage),
        draft,
        "it comes back when the other is sent"
    );
    let sent = stage.effects.iter().filter_map(|effect| match effect {
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
    let mut stage = Stage::talking(120, 36);
    stage.write("/jo");
    assert!(stage.shows("/join ") && stage.shows("/joins") && stage.shows("─ commands"));
    stage.key("tab");
    assert_eq!(written(&stage), "/join");
    stage.key("tab");
    assert_eq!(written(&stage), "/joins");
    assert!(stage.shows("▌/joins") && stage.shows("2/2"));
    stage.key("shift-tab");
    assert_eq!(written(&stage), "/join");
    stage.key("esc");
    assert_eq!(written(&stage), "/jo", "what was written is back");
    assert!(!stage.shows("─ commands"));
    stage.write("ins");
    assert!(
        !stage.shows("─ commands"),
        "what is written out needs no help"
    );
    stage.key("ctrl-u");
    stage.write("ask @mar");
    stage.key("tab");
    assert_eq!(written(&stage), "ask @margaret ");
    stage.key("ctrl-_");
    assert_eq!(written(&stage), "ask @mar");
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
    let mut stage = Stage::talking(120, 36);
    stage.write(text);
    stage.key("tab");
    assert_eq!(written(&stage), expected);
}

#[test]
fn typing_accepts_a_completion() {
    let mut stage = Stage::talking(120, 36);
    stage.write("hello @");
    stage.key("tab");
    assert_eq!(written(&stage), "hello @grace", "who is here comes first");
    stage.write(",");
    assert_eq!(written(&stage), "hello @grace,");
    stage.key("enter");
    assert_eq!(written(&stage), "");
    assert!(stage.asked().iter().any(|(name, _)| name == "post"));
}

#[test]
fn external_editor_returns_text_to_its_meeting() {
    let mut stage = Stage::talking(120, 36);
    stage.write("begun here");
    stage.key("ctrl-x");
    let effect = Effect::Edit {
        at: Some(sync()),
        text: "begun here".into(),
    };
    assert!(stage.effects.contains(&effect));
    stage.key("ctrl-n");
    stage.tell(AppEvent::Edited {
        at: Some(sync()),
        text: "begun here\nended there".into(),
    });
    assert_eq!(written(&stage), "");
    stage.key("ctrl-p");
    assert_eq!(written(&stage), "begun here\nended there");
    stage.key("ctrl-_");
    assert_eq!(written(&stage), "begun here");
    stage.tell(AppEvent::Failed("there is no 'vi'".into()));
    assert!(stage.shows("✗ there is no 'vi'"));
    stage.tell(AppEvent::Edited {
        at: Some(sync()),
        text: "x".repeat(100_000),
    });
    assert!(stage.shows("Text too long (100,000 bytes, limit 65,536)"));
    assert_eq!(written(&stage), "begun here");
}

#[test]
fn long_input_scrolls_with_the_cursor() {
    let mut stage = Stage::talking(80, 24);
    let lines: Vec<String> = (1..=9)
        .map(|number| format!("line number {number}"))
        .collect();
    stage.tell(AppEvent::Pasted(lines.join("\n")));
    assert!(stage.shows("line number 9") && !stage.shows("line number 3"));
    for _ in 0..8 {
        stage.key("up");
    }
    assert!(stage.shows("› line number 1") && !stage.shows("line number 7"));
}
