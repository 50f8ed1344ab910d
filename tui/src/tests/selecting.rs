//! A selected message: from one to the next, searching, copying, links, unread from here.

use insta::assert_snapshot;

use super::stage::{Stage, seq};
use crate::effect::Effect;
use crate::model::room::Divider;
use crate::model::scroll::Scroll;
use crate::model::select::Selecting;
use crate::msg::{AppEvent, Mouse};

fn selected(stage: &Stage) -> Option<u64> {
    stage.model.selected().map(|event| event.seq.get())
}

fn copied(stage: &Stage) -> Vec<&str> {
    let copies = stage.effects.iter().filter_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    });
    copies.collect()
}

/// Somebody says many things.
fn long(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::talking(columns, rows);
    for number in 20..60 {
        stage.hears(number, 8, &format!("number {number}"));
    }
    stage
}

#[test]
fn up_and_down_from_message_to_message() {
    let mut stage = Stage::talking(80, 24);
    stage.write("draft");
    stage.key("ctrl-s");
    assert_eq!(selected(&stage), Some(18), "the lowest that is a message");
    for (key, expected) in [
        ("k", 17),
        ("up", 16),
        ("j", 17),
        ("g", 6),
        ("k", 6),
        ("j", 7),
        ("G", 18),
        ("j", 18),
    ] {
        stage.key(key);
        assert_eq!(selected(&stage), Some(expected), "{key}");
    }
    stage.key("esc");
    assert_eq!(selected(&stage), None);
    assert_eq!(stage.model.room().expect("a room").scroll, Scroll::Newest);
    assert!(stage.shows("› draft█"));
}

#[test]
fn the_selected_message_is_in_sight_and_stays_there() {
    let mut stage = long(80, 24);
    stage.key("ctrl-s");
    for _ in 0..30 {
        stage.key("k");
        assert!(stage.shows(&format!("number {}", selected(&stage).expect("one"))));
    }
    let screen = stage.screen();
    let chat = |screen: &str| {
        screen
            .lines()
            .skip(2)
            .take(19)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for number in 60..70 {
        stage.hears(number, 9, "meanwhile");
    }
    assert_eq!(chat(&stage.screen()), chat(&screen));
    for _ in 0..30 {
        stage.key("j");
        assert!(stage.shows(&format!("number {}", selected(&stage).expect("one"))));
    }
}

#[test]
fn letters_without_a_meaning_are_swallowed_and_never_written() {
    let mut stage = Stage::talking(80, 24);
    stage.key("ctrl-s");
    let before = selected(&stage);
    stage.write("zx");
    assert_eq!(selected(&stage), before);
    assert!(stage.shows("No such key here"));
    stage.key("esc");
    stage.write("hello");
    assert!(stage.shows("› hello█"));
}

#[test]
fn searching_goes_upwards_and_back() {
    let mut stage = Stage::talking(120, 36);
    stage.write("draft");
    stage.key("ctrl-s");
    stage.key("/");
    stage.write("HOLD");
    assert!(stage.shows("/ HOLD█"));
    stage.key("enter");
    assert_eq!(selected(&stage), Some(8));
    stage.key("n");
    assert_eq!(selected(&stage), Some(7));
    stage.key("n");
    assert!(stage.shows("Not found above"));
    stage.key("N");
    assert_eq!(selected(&stage), Some(8));
    stage.key("/");
    stage.key("esc");
    assert_eq!(selected(&stage), Some(8), "only the search is left");
    stage.key("esc");
    assert!(stage.shows("› draft█"));
}

#[test]
fn what_is_copied_and_opened() {
    let mut stage = Stage::talking(120, 36);
    stage.key("ctrl-s");
    stage.key("g");
    stage.key("y");
    let said =
        "Rollout is at 40 %, error budget is fine. Dashboard is at https://grafana.corp/d/rollout";
    assert_eq!(copied(&stage), [said]);
    assert!(stage.shows("Copied"));
    stage.key("Y");
    assert_eq!(copied(&stage)[1], format!("14:33 grace: {said}"));
    stage.key("o");
    let link = "https://grafana.corp/d/rollout".to_owned();
    assert!(stage.effects.contains(&Effect::Open(link)));
    stage.key("j");
    stage.key("o");
    assert!(stage.shows("No link in this message"));
}

#[test]
fn unread_from_here_lasts_until_one_comes_back() {
    let mut stage = Stage::talking(120, 36);
    stage.key("ctrl-s");
    for _ in 0..4 {
        stage.key("k");
    }
    stage.key("u");
    let room = stage.model.room().expect("a room");
    assert_eq!((room.unread, room.mentions), (5, 0));
    let after = room.divider.map(|Divider { after, .. }| after);
    assert_eq!(after, Some(seq(13)));
    stage.wait_ms(60_000);
    assert!(stage.shows("+5"), "looking on does not read it");
    stage.hears(20, 8, "@ada one more");
    assert!(stage.shows("!1 +6"));
    stage.key("ctrl-n");
    stage.key("alt-s");
    assert_eq!(stage.model.room().expect("a room").unread, 0);
}

#[test]
fn mentions_are_gone_through() {
    let mut stage = long(80, 24);
    stage.hears(60, 9, "@ada, what do you say?");
    stage.hears(61, 9, "nothing?");
    stage.key("alt-p");
    assert_eq!(selected(&stage), Some(60));
    stage.key("alt-p");
    assert_eq!(selected(&stage), Some(10));
    stage.key("alt-p");
    assert!(stage.shows("No earlier mentions"));
    stage.key("alt-n");
    assert_eq!(selected(&stage), Some(60));
    stage.key("esc");
    stage.write("/previous-mention");
    stage.key("enter");
    assert_eq!(selected(&stage), Some(60));
}

#[test]
fn older_messages_are_read_from_the_first() {
    let mut stage = Stage::ready(80, 24);
    stage.key("enter");
    stage.answer("join", super::stage::posted(19));
    let events = super::stage::talk().split_off(5);
    stage.answer(
        "open",
        super::stage::opened(events, vec![(super::stage::ME, "13:52")]),
    );
    stage.asked();
    stage.model.room_mut().expect("a room").requested_older = None;
    stage.key("ctrl-s");
    stage.key("g");
    stage.asked();
    stage.model.room_mut().expect("a room").requested_older = None;
    stage.key("enter");
    assert!(stage.asked().iter().any(|(name, _)| name == "events"));
    assert_eq!(selected(&stage), Some(6));
}

#[test]
fn the_mouse_selects_scrolls_and_can_be_given_back() {
    let mut stage = long(120, 36);
    assert!(stage.effects.contains(&Effect::Mouse(true)));
    stage.tell(AppEvent::Mouse(Mouse::Click {
        column: 40,
        row: 10,
    }));
    let row = stage.screen().lines().nth(10).expect("a row").to_owned();
    let number = selected(&stage).expect("one");
    assert!(row.contains(&format!("number {number}")), "{row}");
    stage.tell(AppEvent::Mouse(Mouse::WheelUp));
    assert!(!stage.model.room().expect("a room").scroll.is_newest());
    stage.key("esc");
    // The second meeting of the list.
    stage.tell(AppEvent::Mouse(Mouse::Click { column: 5, row: 4 }));
    assert_eq!(stage.model.shown, Some(super::stage::id(44, 1)));
    stage.key("alt-m");
    assert_eq!(stage.effects.last(), Some(&Effect::Mouse(false)));
    assert!(stage.shows("Mouse capture off"));
}

#[test]
fn plain_shows_the_chat_alone() {
    let mut stage = Stage::talking(120, 36);
    stage.write("draft");
    stage.key("alt-l");
    assert!(!stage.shows("MEETINGS") && !stage.shows("HERE") && !stage.shows("│"));
    assert!(stage.shows("› draft█") && stage.shows("fine by me"));
    assert_eq!(stage.effects.last(), Some(&Effect::Mouse(false)));
    stage.key("esc");
    assert!(stage.shows("MEETINGS"));
    assert_eq!(stage.effects.last(), Some(&Effect::Mouse(true)));
}

#[test]
fn a_selected_message_that_goes_is_selected_no_more() {
    let mut stage = Stage::talking(80, 24);
    stage.key("ctrl-s");
    let selection = stage.model.layers.get_mut::<Selecting>();
    selection.expect("selected").at = seq(99);
    stage.wait_ms(60_000);
    assert!(stage.model.layers.get::<Selecting>().is_none());
}

#[test]
fn selected_120x36() {
    let mut stage = Stage::talking(120, 36);
    stage.key("ctrl-s");
    stage.key("/");
    stage.write("pages");
    stage.key("enter");
    assert_snapshot!(stage.screen());
}

#[test]
fn searching_44x20_in_ascii() {
    let mut stage = Stage::talking(44, 20);
    stage.model.theme = crate::theme::Theme::new(false, true);
    stage.key("ctrl-s");
    stage.key("/");
    stage.write("ho");
    assert_snapshot!(stage.screen());
}

#[test]
fn plain_80x24() {
    let mut stage = Stage::talking(80, 24);
    stage.key("alt-l");
    assert_snapshot!(stage.screen());
}
