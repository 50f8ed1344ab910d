//! Property tests with any size and hostile texts: nothing panics, and no escape sequence reaches
//! the terminal.

use plenary_shared::domain::{EventKind, InstanceState, Reason, UserRef};
use plenary_shared::protocol::{DashboardUpdate, Push, ServerStatus, WaitOk};
use plenary_shared::text::MessageBody;
use proptest::prelude::*;

use super::fixture::{Fixture, event, instance, join, message, opened, posted, sync, user};
use super::schedule::{open_schedule_with, schedule};
use crate::msg::{AppEvent, Mouse};

/// Texts that break screens: control characters, joiners, bidi, stacked combining marks, a word of
/// 10,000 characters.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("👩‍👩‍👧🏽‍❤️‍💋‍👨 日本語 e\u{301}\u{301}\u{301}".to_owned()),
        Just("\u{202e}evil\u{202c} שלום עולם مرحبا \u{200b}\u{feff}".to_owned()),
        Just("w".repeat(10_000)),
        Just("w".repeat(3_000)),
        Just("日".repeat(1_300)),
        Just(format!("z{}", "\u{301}".repeat(2_000))),
        Just("a\n\n\n\tb\n".to_owned()),
        Just("@ada \u{fe0f}\u{20e3} 🇩🇪🇩 ก็ำ ᄀᄀᄀ각 ক্ষি".to_owned()),
        Just("\u{1b}[2J\u{9b}31m\u{7}".to_owned()),
        "\\PC{0,80}",
        any::<String>(),
    ]
}

const KEYS: &[&str] = &[
    "enter",
    "alt-enter",
    "tab",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "backspace",
    "delete",
    "ctrl-w",
    "ctrl-u",
    "ctrl-k",
    "ctrl-y",
    "alt-y",
    "alt-d",
    "ctrl-t",
    "ctrl-_",
    "ctrl-^",
    "shift-tab",
    "alt-backspace",
    "ctrl-left",
    "ctrl-x",
    "ctrl-s",
    "k",
    "j",
    "G",
    "n",
    "y",
    "o",
    "u",
    "alt-l",
    "alt-m",
    "alt-p",
    "alt-n",
    "@",
    "g",
    "ctrl-g",
    "ctrl-n",
    "ctrl-p",
    "alt-1",
    "alt-9",
    "alt-a",
    "alt-s",
    "alt-u",
    "f1",
    "f2",
    "f3",
    "pageup",
    "pagedown",
    "shift-up",
    "shift-down",
    "alt-home",
    "alt-end",
    "esc",
    "ctrl-l",
    "ctrl-q",
    "x",
    "/",
];

/// Returns whether every symbol is within the screen and free of control characters.
fn fits(fixture: &Fixture) -> bool {
    let cells = fixture.cells();
    let area = cells.area;
    area.positions().all(|at| {
        let symbol = cells[at].symbol();
        let width = u16::try_from(crate::text::width(symbol)).unwrap_or(u16::MAX);
        at.x.saturating_add(width) <= area.right() && !symbol.chars().any(char::is_control)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn admin_screens_fit_every_size(
        columns in 1_u16..=250,
        rows in 1_u16..=80,
        title in text(),
        name in text(),
        keys in proptest::collection::vec(0..KEYS.len(), 0..12),
    ) {
        let mut plan = schedule();
        for planned in &mut plan.meetings {
            planned.meeting.title.clone_from(&title);
            planned.meeting.description.clone_from(&name);
            planned.audience.push(name.clone());
        }
        let mut fixture = open_schedule_with(columns, rows, &plan);
        prop_assert!(fits(&fixture));
        for key in ["enter", "esc", "a", "esc", "s", "esc", "o", "esc"] {
            fixture.key(key);
            prop_assert!(fits(&fixture));
        }
        let mut rows = super::dashboard::rows();
        for row in &mut rows {
            row.title.clone_from(&title);
        }
        let server = ServerStatus { name: name.clone(), ..ServerStatus::default() };
        let news = DashboardUpdate { rows, servers: vec![server], ..DashboardUpdate::default() };
        fixture.push(Push::Dashboard(Box::new(news)));
        for key in ["s", "esc", "enter", "w", "esc", "esc"] {
            fixture.key(key);
            prop_assert!(fits(&fixture));
        }
        for key in keys {
            fixture.key(KEYS[key]);
            prop_assert!(fits(&fixture));
        }
    }

    #[test]
    fn waiting_room_and_finder_fit_every_size(
        columns in 1_u16..=250,
        rows in 1_u16..=80,
        names in proptest::collection::vec(text(), 0..9),
        written in text(),
        keys in proptest::collection::vec(0..KEYS.len(), 0..12),
    ) {
        let mut fixture = Fixture::ready(columns, rows);
        fixture.key("alt-3");
        let people = (7..).zip(&names).map(|(id, name)| UserRef { id: user(id), name: name.clone() });
        let found = WaitOk { count: names.len() * 3, users: people.collect() };
        fixture.answer("wait", found);
        prop_assert!(fits(&fixture));
        for page in ["f1", "esc", "f3", "f2", "ctrl-g"] {
            fixture.key(page);
            prop_assert!(fits(&fixture));
        }
        fixture.tell(AppEvent::Pasted(written));
        prop_assert!(fits(&fixture));
        for key in keys {
            fixture.key(KEYS[key]);
            prop_assert!(fits(&fixture));
        }
    }

    #[test]
    fn nothing_panics(
        sizes in proptest::collection::vec((1_u16..=250, 1_u16..=80), 1..4),
        texts in proptest::collection::vec(text(), 1..12),
        title in text(),
        name in text(),
        keys in proptest::collection::vec(0..KEYS.len(), 0..24),
    ) {
        let (columns, rows) = sizes[0];
        let mut fixture = Fixture::new(columns, rows);
        fixture.greet(vec![]);
        let mut meeting = instance(
            sync(), &title, "2026-09-22T13:30:00Z", "2026-09-22T13:53:30Z", InstanceState::Active,
        );
        meeting.description.clone_from(&texts[0]);
        meeting.is_public = false;
        fixture.answer_meetings(vec![meeting.clone()]);
        fixture.screen();
        fixture.key("enter");
        fixture.answer("join", posted(2));
        let mut events = vec![event(1, fixture.now, EventKind::Opened), event(2, fixture.now, join(8, &name))];
        for (index, body) in texts.iter().enumerate() {
            if MessageBody::parse(body.clone()).is_ok() {
                let next = events.len() as u64 + 1;
                events.push(event(next, fixture.now, message(8 + index as u64 % 2, next, body)));
            }
        }
        let last = events.len() as u64;
        let mut ok = opened(events, vec![(7, "13:30")]);
        ok.instance = meeting;
        ok.users[1].name.clone_from(&name);
        fixture.answer("open", ok);
        for body in &texts {
            fixture.tell(AppEvent::Pasted(body.clone()));
            fixture.screen();
            fixture.key("enter");
        }
        fixture.screen();
        for (index, key) in keys.iter().enumerate() {
            fixture.key(KEYS[*key]);
            if index % 4 == 0 {
                let (column, row) = (columns / 2, rows / 2);
                fixture.tell(AppEvent::Mouse(Mouse::Click { column, row }));
                fixture.tell(AppEvent::Mouse(Mouse::WheelUp));
            }
            if index % 5 == 0 {
                let (columns, rows) = sizes[index % sizes.len()];
                fixture.tell(AppEvent::Resized(columns, rows));
            }
            let shown = fixture.screen();
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
            prop_assert!(fits(&fixture));
        }
        fixture.hears(last + 1, 8, "event");
        fixture.event(last + 2, EventKind::Leave { user: user(8), reason: Reason::Left });
        fixture.event(last + 3, EventKind::Closed { reason: Reason::Scheduled });
        fixture.wait_ms(90_000);
        fixture.lose_link();
        fixture.wait_ms(2_500);
        fixture.screen();
    }

    #[test]
    fn sign_in_form_fits_every_size(
        columns in 1_u16..=250,
        rows in 1_u16..=80,
        written in text(),
        keys in proptest::collection::vec(0..KEYS.len(), 0..12),
    ) {
        let theme = crate::theme::Theme::new(false, true);
        let mut fixture = Fixture::begin(columns, rows, None, theme);
        for key in keys {
            fixture.key(KEYS[key]);
            fixture.tell(AppEvent::Pasted(written.clone()));
            fixture.screen();
        }
    }
}

#[test]
fn every_size_is_drawn() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.write("draft");
    for columns in (1..=130).chain([160, 199, 200, 201, 250]) {
        for rows in [1, 2, 3, 5, 6, 7, 8, 9, 11, 12, 14, 24, 40, 80] {
            fixture.tell(AppEvent::Resized(columns, rows));
            assert!(columns < 9 || fixture.shows("draft"), "{columns}x{rows}");
        }
    }
}

#[test]
fn smaller_terminal_than_reported_is_drawn() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.model.terminal.size = (200, 60);
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(44, 20))
        .expect("no terminal can fail");
    terminal
        .draw(|frame| drop(crate::view::view(&fixture.model, frame)))
        .expect("no terminal can fail");
}
