//! A selected message: from one to the next, searching, copying, links, unread from here.

use insta::assert_snapshot;

use super::fixture::{Fixture, seq};
use crate::effect::Effect;
use crate::model::layer::selection::Selection;
use crate::model::room::Divider;
use crate::model::scroll::Scroll;
use crate::msg::{AppEvent, Mouse};

fn selected(fixture: &Fixture) -> Option<u64> {
    fixture.model.selected().map(|event| event.seq.get())
}

fn copied(fixture: &Fixture) -> Vec<&str> {
    let copies = fixture.effects.iter().filter_map(|effect| match effect {
        Effect::Copy(text) => Some(text.as_str()),
        _ => None,
    });
    copies.collect()
}

/// Somebody says many things.
fn long(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::talking(columns, rows);
    for number in 20..60 {
        fixture.hears(number, 8, &format!("number {number}"));
    }
    fixture
}

#[test]
fn up_and_down_from_message_to_message() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("draft");
    fixture.key("ctrl-s");
    assert_eq!(selected(&fixture), Some(18), "the lowest that is a message");
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
        fixture.key(key);
        assert_eq!(selected(&fixture), Some(expected), "{key}");
    }
    fixture.key("esc");
    assert_eq!(selected(&fixture), None);
    assert_eq!(fixture.model.room().expect("a room").scroll, Scroll::Newest);
    assert!(fixture.shows("› draft█"));
}

#[test]
fn the_selected_message_is_in_sight_and_stays_there() {
    let mut fixture = long(80, 24);
    fixture.key("ctrl-s");
    for _ in 0..30 {
        fixture.key("k");
        assert!(fixture.shows(&format!("number {}", selected(&fixture).expect("one"))));
    }
    let screen = fixture.screen();
    let chat = |screen: &str| {
        screen
            .lines()
            .skip(2)
            .take(19)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for number in 60..70 {
        fixture.hears(number, 9, "meanwhile");
    }
    assert_eq!(chat(&fixture.screen()), chat(&screen));
    for _ in 0..30 {
        fixture.key("j");
        assert!(fixture.shows(&format!("number {}", selected(&fixture).expect("one"))));
    }
}

#[test]
fn letters_without_a_meaning_are_swallowed_and_never_written() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("ctrl-s");
    let before = selected(&fixture);
    fixture.write("zx");
    assert_eq!(selected(&fixture), before);
    assert!(fixture.shows("No such key here"));
    fixture.key("esc");
    fixture.write("hello");
    assert!(fixture.shows("› hello█"));
}

#[test]
fn searching_goes_upwards_and_back() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("draft");
    fixture.key("ctrl-s");
    fixture.key("/");
    fixture.write("HOLD");
    assert!(fixture.shows("/ HOLD█"));
    fixture.key("enter");
    assert_eq!(selected(&fixture), Some(8));
    fixture.key("n");
    assert_eq!(selected(&fixture), Some(7));
    fixture.key("n");
    assert!(fixture.shows("Not found above"));
    fixture.key("N");
    assert_eq!(selected(&fixture), Some(8));
    fixture.key("/");
    fixture.key("esc");
    assert_eq!(selected(&fixture), Some(8), "only the search is left");
    fixture.key("esc");
    assert!(fixture.shows("› draft█"));
}

#[test]
fn what_is_copied_and_opened() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.key("ctrl-s");
    fixture.key("g");
    fixture.key("y");
    let said =
        "Rollout is at 40 %, error budget is fine. Dashboard is at https://grafana.corp/d/rollout";
    assert_eq!(copied(&fixture), [said]);
    assert!(fixture.shows("Copied"));
    fixture.key("Y");
    assert_eq!(copied(&fixture)[1], format!("14:33 grace: {said}"));
    fixture.key("o");
    let link = "https://grafana.corp/d/rollout".to_owned();
    assert!(fixture.effects.contains(&Effect::Open(link)));
    fixture.key("j");
    fixture.key("o");
    assert!(fixture.shows("No link in this message"));
}

#[test]
fn unread_from_here_lasts_until_one_comes_back() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.key("ctrl-s");
    for _ in 0..4 {
        fixture.key("k");
    }
    fixture.key("u");
    let room = fixture.model.room().expect("a room");
    assert_eq!((room.unread, room.mentions), (5, 0));
    let after = room.divider.map(|Divider { after, .. }| after);
    assert_eq!(after, Some(seq(13)));
    fixture.wait_ms(60_000);
    assert!(fixture.shows("+5"), "looking on does not read it");
    fixture.hears(20, 8, "@ada one more");
    assert!(fixture.shows("!1 +6"));
    fixture.key("ctrl-n");
    fixture.key("alt-s");
    assert_eq!(fixture.model.room().expect("a room").unread, 0);
}

#[test]
fn mentions_are_gone_through() {
    let mut fixture = long(80, 24);
    fixture.hears(60, 9, "@ada, what do you say?");
    fixture.hears(61, 9, "nothing?");
    fixture.key("alt-p");
    assert_eq!(selected(&fixture), Some(60));
    fixture.key("alt-p");
    assert_eq!(selected(&fixture), Some(10));
    fixture.key("alt-p");
    assert!(fixture.shows("No earlier mentions"));
    fixture.key("alt-n");
    assert_eq!(selected(&fixture), Some(60));
    fixture.key("esc");
    fixture.write("/previous-mention");
    fixture.key("enter");
    assert_eq!(selected(&fixture), Some(60));
}

#[test]
fn older_messages_are_read_from_the_first() {
    let mut fixture = Fixture::ready(80, 24);
    fixture.key("enter");
    fixture.answer("join", super::fixture::posted(19));
    let events = super::fixture::talk().split_off(5);
    fixture.answer(
        "open",
        super::fixture::opened(events, vec![(super::fixture::ME, "13:52")]),
    );
    fixture.asked();
    fixture.model.room_mut().expect("a room").requested_older = None;
    fixture.key("ctrl-s");
    fixture.key("g");
    fixture.asked();
    fixture.model.room_mut().expect("a room").requested_older = None;
    fixture.key("enter");
    assert!(fixture.asked().iter().any(|(name, _)| name == "events"));
    assert_eq!(selected(&fixture), Some(6));
}

#[test]
fn the_mouse_selects_scrolls_and_can_be_given_back() {
    let mut fixture = long(120, 36);
    assert!(fixture.effects.contains(&Effect::Mouse(true)));
    fixture.tell(AppEvent::Mouse(Mouse::Click {
        column: 40,
        row: 10,
    }));
    let row = fixture.screen().lines().nth(10).expect("a row").to_owned();
    let number = selected(&fixture).expect("one");
    assert!(row.contains(&format!("number {number}")), "{row}");
    fixture.tell(AppEvent::Mouse(Mouse::WheelUp));
    assert!(!fixture.model.room().expect("a room").scroll.is_newest());
    fixture.key("esc");
    // The second meeting of the list.
    fixture.tell(AppEvent::Mouse(Mouse::Click { column: 5, row: 4 }));
    assert_eq!(fixture.model.shown, Some(super::fixture::id(44, 1)));
    fixture.key("alt-m");
    assert_eq!(fixture.effects.last(), Some(&Effect::Mouse(false)));
    assert!(fixture.shows("Mouse capture off"));
}

#[test]
fn plain_shows_the_chat_alone() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("draft");
    fixture.key("alt-l");
    assert!(!fixture.shows("MEETINGS") && !fixture.shows("HERE") && !fixture.shows("│"));
    assert!(fixture.shows("› draft█") && fixture.shows("fine by me"));
    assert_eq!(fixture.effects.last(), Some(&Effect::Mouse(false)));
    fixture.key("esc");
    assert!(fixture.shows("MEETINGS"));
    assert_eq!(fixture.effects.last(), Some(&Effect::Mouse(true)));
}

#[test]
fn a_selected_message_that_goes_is_selected_no_more() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("ctrl-s");
    let selection = fixture.model.layers.get_mut::<Selection>();
    selection.expect("selected").at = seq(99);
    fixture.wait_ms(60_000);
    assert!(fixture.model.layers.get::<Selection>().is_none());
}

#[test]
fn selected_120x36() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.key("ctrl-s");
    fixture.key("/");
    fixture.write("pages");
    fixture.key("enter");
    assert_snapshot!(fixture.screen());
}

#[test]
fn searching_44x20_in_ascii() {
    let mut fixture = Fixture::talking(44, 20);
    fixture.model.theme = crate::theme::Theme::new(false, true);
    fixture.key("ctrl-s");
    fixture.key("/");
    fixture.write("ho");
    assert_snapshot!(fixture.screen());
}

#[test]
fn plain_80x24() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.key("alt-l");
    assert_snapshot!(fixture.screen());
}
