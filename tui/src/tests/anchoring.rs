//! Scroll anchoring: visible rows stay in place when events arrive below or above, and at any size.

use plenary_shared::domain::Event;
use plenary_shared::protocol::{Events, EventsOk, Verb};
use proptest::prelude::*;

use super::fixture::{Fixture, event, message, opened, people, posted, seq};
use crate::effect::Effect;
use crate::model::scroll::{self, Place};
use crate::msg::AppEvent;

/// The first event known after opening.
const FIRST: u64 = 400;
/// The last event known after opening.
const LAST: u64 = 520;
/// Events in a later page.
const PAGE: u64 = 60;

#[derive(Clone, Debug)]
enum Action {
    Key(&'static str),
    Receive(usize),
    Resize(u16, u16),
}

fn action() -> impl Strategy<Value = Action> {
    let keys = prop::sample::select(vec![
        "pageup",
        "pageup",
        "pagedown",
        "shift-up",
        "shift-down",
        "alt-home",
        "alt-end",
        "alt-u",
    ]);
    prop_oneof![
        3 => keys.prop_map(Action::Key),
        2 => (1_usize..300).prop_map(Action::Receive),
        1 => ((20_u16..=200), (8_u16..=60)).prop_map(|(columns, rows)| Action::Resize(columns, rows)),
    ]
}

fn posted_event(number: u64, fixture: &Fixture, cells: usize) -> Event {
    let words = "word ".repeat(cells / 5 + 1);
    event(
        number,
        fixture.now,
        message(8 + number % 2, number, &format!("{number} {words}")),
    )
}

fn open(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::ready(columns, rows);
    fixture.key("enter");
    fixture.answer("join", posted(LAST));
    let length = |number: u64| usize::try_from(number * 37 % 200).expect("small");
    let events = (FIRST..=LAST).map(|number| posted_event(number, &fixture, length(number)));
    let events = events.collect();
    fixture.answer("open", opened(events, vec![(7, "13:52")]));
    fixture
}

/// Returns the rows on the screen: their block, row number and text.
fn shown(fixture: &Fixture) -> Vec<(Place, isize, String)> {
    let room = fixture.model.room().expect("open");
    let rows = scroll::window(&fixture.model.room_view(room), fixture.model.chat_rows());
    let rows = rows.into_iter();
    rows.map(|row| (row.place, row.row, row.line.to_string()))
        .collect()
}

fn is_at_end(fixture: &Fixture) -> bool {
    fixture
        .model
        .room()
        .is_some_and(|room| room.scroll.is_newest())
}

/// Answers requests for events, and checks that the visible rows stay in place.
fn fill(fixture: &mut Fixture) {
    let asked = |effect: &Effect| match effect {
        Effect::Ask(request) => match &request.verb {
            Verb::Events(events) => Some(events.clone()),
            _ => None,
        },
        _ => None,
    };
    while let Some(Events {
        before: Some(before),
        ..
    }) = fixture.effects.iter().find_map(asked)
    {
        let first = before.get().saturating_sub(PAGE).max(1);
        let events = (first..before.get())
            .map(|number| posted_event(number, fixture, 40))
            .collect();
        let (was, at_end) = (shown(fixture), is_at_end(fixture));
        let page = EventsOk {
            events,
            more: first > 1,
            users: people(),
        };
        fixture.answer("events", page);
        if !at_end {
            let now = shown(fixture);
            let own = |rows: &[(Place, isize, String)]| -> Vec<(Place, isize, String)> {
                rows.iter().filter(|row| row.1 >= 0).cloned().collect()
            };
            assert_eq!(
                own(&now).first(),
                own(&was).first(),
                "older ones came above"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn visible_rows_stay_in_place(
        size in ((20_u16..=200), (8_u16..=60)),
        actions in prop::collection::vec(action(), 1..24),
    ) {
        let mut fixture = open(size.0, size.1);
        let mut last = LAST;
        for action in actions {
            let (was, at_end) = (shown(&fixture), is_at_end(&fixture));
            // A window that has grown may show the end without following it: new rows first fill
            // it, and after shrinking the position is the same.
            let end = Place::Event(seq(last));
            let shows_end = was.last().is_none_or(|row| row.0 >= end);
            match action {
                Action::Key(key) => fixture.key(key),
                Action::Receive(cells) => {
                    last += 1;
                    let event = posted_event(last, &fixture, cells);
                    fixture.event(last, event.kind);
                    if at_end {
                        let lowest = shown(&fixture).last().map(|row| row.0);
                        prop_assert!(lowest >= Some(Place::Event(event.seq)), "the end follows");
                    } else if !shows_end {
                        // Only the divider may appear, above an event.
                        let own = |rows: Vec<(Place, isize, String)>| {
                            rows.into_iter().find(|row| row.1 >= 0)
                        };
                        prop_assert_eq!(own(shown(&fixture)), own(was));
                    }
                }
                Action::Resize(columns, rows) => {
                    fixture.tell(AppEvent::Resized(columns, rows));
                    let now = shown(&fixture);
                    let top = was.iter().find(|row| row.1 >= 0).map(|row| row.0);
                    let is_there = now.iter().any(|row| Some(row.0) == top);
                    prop_assert!(at_end == is_at_end(&fixture) && (shows_end || is_there), "{top:?}: {now:?}");
                }
            }
            fill(&mut fixture);
            let height = fixture.model.chat_rows();
            prop_assert!(shown(&fixture).len() <= height);
        }
    }
}
