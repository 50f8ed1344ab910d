//! Searching everything: what is asked, what is shown, going there and coming back, gaps.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Event, InstanceState, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{EventsOk, Message, OpenOk, SearchHit, SearchOk, Verb};
use plenary_shared::search::Place;
use plenary_shared::text::MessageBody;

use super::fixture::{Fixture, at, event, id, message, opened, people, seq, sync, time, user};

/// The meeting that is over.
fn budget() -> InstanceId {
    id(7, 1)
}

fn found(within: InstanceId, number: u64, when: &str, body: &str) -> SearchHit {
    let title = if within == sync() {
        "Platform sync"
    } else {
        "Budget review"
    };
    let who = user(8 + number % 2);
    let cmid = uuid::Uuid::from_u128(number.into());
    SearchHit {
        instance: within,
        title: title.into(),
        live: within == sync(),
        message: Message {
            user: who,
            body: MessageBody::parse(body).expect("a body"),
            timestamp: time(when),
            seq: seq(number),
            cmid: plenary_shared::ids::Cmid(cmid),
            name: if number.is_multiple_of(2) {
                "grace"
            } else {
                "linus"
            }
            .into(),
            reply_to: None,
            edited: None,
            deleted: None,
        },
    }
}

const LONG: &str = "Before anything else we go through last year's numbers, which are not what \
    anybody hoped for, and then the new budget comes, line by line, until everybody is content.";

fn page(next: bool) -> SearchOk {
    SearchOk {
        hits: vec![
            found(
                sync(),
                6,
                "2026-09-22T13:33:00Z",
                "Rollout is at 40 %, the error budget is fine",
            ),
            found(budget(), 41, "2026-09-22T12:40:00Z", LONG),
            found(
                budget(),
                40,
                "2025-03-01T12:39:00Z",
                "Budget?\nBUDGET \u{202e}!",
            ),
        ],
        next: next.then(|| Place {
            timestamp: at("12:39"),
            instance: budget(),
            seq: seq(40),
        }),
    }
}

fn query(fixture: &mut Fixture) -> (String, Option<Place>) {
    let asked = fixture
        .effects
        .iter()
        .rev()
        .find_map(|effect| match effect {
            crate::effect::Effect::Ask(request) => match &request.verb {
                Verb::Search(search) => Some((search.query.clone(), search.before)),
                _ => None,
            },
            _ => None,
        });
    asked.expect("a search was asked")
}

/// A draft is written, and `budget` was searched for.
fn searched(columns: u16, rows: u16) -> Fixture {
    let mut fixture = Fixture::talking(columns, rows);
    fixture.write("a draft");
    fixture.key("f6");
    fixture.write("budget");
    fixture.key("enter");
    assert_eq!(query(&mut fixture), ("budget".into(), None));
    fixture
}

fn listed(columns: u16, rows: u16) -> Fixture {
    let mut fixture = searched(columns, rows);
    fixture.answer("search", page(true));
    fixture
}

fn selected(fixture: &Fixture) -> Option<u64> {
    fixture.model.selected().map(|event| event.seq.get())
}

/// The log of the meeting that is over: 400 messages, of which the last 200 are read first.
fn log_of(range: std::ops::RangeInclusive<u64>) -> Vec<Event> {
    let said = |number| {
        let mut one = event(
            number,
            at("12:45"),
            message(8, number, &format!("line {number}")),
        );
        one.instance = budget();
        one
    };
    range.map(said).collect()
}

fn read(range: std::ops::RangeInclusive<u64>) -> EventsOk {
    EventsOk {
        more: *range.start() > 1,
        events: log_of(range),
        users: people(),
    }
}

fn budget_opened() -> OpenOk {
    let mut ok = opened(log_of(201..=400), vec![]);
    let all = super::fixture::demo_meetings();
    ok.instance = all
        .into_iter()
        .find(|one| one.id == budget())
        .expect("there");
    assert_eq!(ok.instance.state, InstanceState::Ended);
    ok
}

#[test]
fn found_120x36() {
    assert_snapshot!(listed(120, 36).screen());
}

#[test]
fn found_80x24() {
    let mut fixture = listed(80, 24);
    fixture.key("down");
    assert_snapshot!(fixture.screen());
}

#[test]
fn found_44x20() {
    assert_snapshot!(listed(44, 20).screen());
}

#[test]
fn searching_60x20() {
    let mut fixture = Fixture::talking(60, 20);
    fixture.write("/search");
    fixture.key("enter");
    assert_snapshot!(fixture.screen());
}

#[test]
fn it_says_how_it_goes() {
    let mut fixture = searched(80, 24);
    assert!(fixture.shows("Searching…"));
    fixture.answer(
        "search",
        SearchOk {
            hits: vec![],
            next: None,
        },
    );
    assert!(fixture.shows("No results"));
    fixture.write(" from:x from:y");
    assert!(fixture.shows("search again"));
    fixture.key("enter");
    assert!(fixture.shows("repeated"), "{}", fixture.screen());
    fixture.key("ctrl-u");
    fixture.write("more");
    fixture.key("enter");
    fixture.refuse("search", Reject::new(Code::Unavailable, "Not just now."));
    assert!(fixture.shows("✗ Not just now."));
    fixture.lose_link();
    fixture.key("enter");
    assert!(fixture.shows("Not connected"));
}

#[test]
fn nothing_in_many_candidates_goes_on_by_itself() {
    let mut fixture = searched(80, 24);
    let mut none = page(true);
    none.hits.clear();
    fixture.answer("search", none);
    assert_eq!(query(&mut fixture).1, page(true).next);
    assert!(fixture.shows("Searching…"));
    fixture.answer("search", page(false));
    assert!(fixture.shows("1 of 3"));
}

#[test]
fn more_comes_as_one_goes_down_and_nothing_twice() {
    let mut fixture = listed(80, 24);
    fixture.effects.clear();
    fixture.key("down");
    assert_eq!(query(&mut fixture).1, page(true).next);
    let mut more = page(false);
    more.hits.push(found(
        budget(),
        39,
        "2025-03-01T12:38:00Z",
        "the first budget",
    ));
    fixture.answer("search", more);
    assert!(fixture.shows("2 of 4,"), "{}", fixture.screen());
    fixture.key("pagedown");
    assert!(fixture.shows("the first budget"));
    assert!(fixture.shows("4 of 4,"));
    fixture.key("pageup");
    assert!(fixture.shows("1 of 4,"));
}

#[test]
fn only_in_this_meeting_or_in_everything() {
    let mut fixture = listed(80, 24);
    fixture.key("tab");
    assert_eq!(query(&mut fixture).0, "in:42/1 budget");
    assert!(fixture.shows("Search in Platform sync 42/1"));
    // The answer to what was asked before that is not listed.
    fixture.key("tab");
    fixture.answer("search", page(true));
    assert!(fixture.shows("Search all meetings") && fixture.shows("Searching…"));
    fixture.answer("search", page(false));
    assert!(fixture.shows("1 of 3"));
}

#[test]
fn words_behind_the_word_are_searched_at_once() {
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("/search budget from:grace");
    fixture.key("enter");
    assert_eq!(query(&mut fixture).0, "budget from:grace");
}

#[test]
fn there_and_back_in_the_same_meeting() {
    let mut fixture = listed(80, 24);
    fixture.key("enter");
    assert_eq!(selected(&fixture), Some(6));
    assert!(!fixture.shows("Search all meetings"));
    fixture.key("esc");
    assert!(fixture.shows("1 of 3"));
    fixture.key("esc");
    assert!(!fixture.shows("Search all meetings"));
    assert_eq!(selected(&fixture), None);
    assert!(fixture.shows("› a draft█"));
    // Esc does not return to the search once the reader has moved on.
    let mut fixture = listed(80, 24);
    fixture.key("enter");
    fixture.key("alt-end");
    fixture.write("!");
    assert!(fixture.shows("› a draft!█"));
    fixture.key("esc");
    assert!(!fixture.shows("Search all meetings"));
}

#[test]
fn there_and_back_in_a_meeting_that_is_over() {
    let mut fixture = listed(80, 24);
    fixture.key("down");
    fixture.effects.clear();
    fixture.key("enter");
    assert!(fixture.shows("Budget review"));
    fixture.answer("open", budget_opened());
    let asked = fixture.effects.iter().find_map(|effect| match effect {
        crate::effect::Effect::Ask(request) => match &request.verb {
            Verb::Events(events) => Some((events.before, events.limit)),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(asked, Some((Some(seq(101)), 120)));
    fixture.answer("events", read(1..=100));
    assert_eq!(selected(&fixture), Some(41));
    let screen = fixture.screen();
    for line in ["line 33", "line 41", "line 49"] {
        assert!(screen.contains(line), "{screen}");
    }
    fixture.key("esc");
    assert!(fixture.shows("2 of 3"));
    fixture.key("esc");
    assert!(fixture.shows("Platform sync") && fixture.shows("› a draft█"));
    assert_eq!(fixture.model.shown, Some(sync()));
}

#[test]
fn what_was_not_read_is_a_line_that_is_filled() {
    let mut fixture = listed(80, 24);
    fixture.key("down");
    fixture.key("enter");
    fixture.answer("open", budget_opened());
    fixture.answer("events", read(1..=100));
    for _ in 41..100 {
        fixture.key("j");
    }
    assert_eq!(selected(&fixture), Some(100));
    // It was asked for before one got there.
    let asked = |fixture: &Fixture| fixture.model.room().and_then(|room| room.requested_older);
    assert_eq!(asked(&fixture), Some(seq(201)));
    fixture.key("j");
    assert_eq!(selected(&fixture), Some(100), "nothing is passed over");
    fixture.answer("events", read(101..=150));
    fixture.key("j");
    assert_eq!(selected(&fixture), Some(101));
    assert!(fixture.shows("line 101"));
    for _ in 101..150 {
        fixture.key("j");
    }
    assert_eq!(asked(&fixture), Some(seq(201)));
    fixture.answer("events", read(151..=200));
    fixture.key("j");
    assert_eq!(selected(&fixture), Some(151));
    for _ in 151..230 {
        fixture.key("j");
    }
    assert_eq!(selected(&fixture), Some(230));
    assert!(!fixture.shows("not read"));
}

#[test]
fn enter_beside_a_gap_reads_on_from_either_side() {
    let mut fixture = listed(80, 24);
    fixture.key("down");
    fixture.key("enter");
    fixture.answer("open", budget_opened());
    fixture.answer("events", read(1..=100));
    // From below: nothing was asked for yet, as nobody has scrolled there.
    fixture.model.room_mut().expect("a room").scroll = crate::model::scroll::Scroll::From {
        place: crate::model::scroll::Place::Event(seq(201)),
        row: -1,
    };
    fixture
        .model
        .layers
        .remove::<crate::model::layer::selection::Selection>();
    fixture
        .model
        .layers
        .insert_over_chat(crate::model::layer::selection::Selection {
            at: seq(201),
            ..Default::default()
        });
    assert!(fixture.shows("100 events not loaded · select a message here and press ⏎"));
    fixture.effects.clear();
    fixture.key("enter");
    let before = fixture.effects.iter().find_map(|effect| match effect {
        crate::effect::Effect::Ask(request) => match &request.verb {
            Verb::Events(events) => Some(events.before),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(before, Some(Some(seq(201))));
    fixture.answer("events", read(101..=200));
    fixture.key("k");
    assert_eq!(selected(&fixture), Some(200));
}

#[test]
fn a_gap_that_is_stepped_upon_comes_in_sight() {
    let mut fixture = listed(80, 24);
    fixture.key("down");
    fixture.key("enter");
    fixture.answer("open", budget_opened());
    fixture.answer("events", read(1..=100));
    while selected(&fixture) != Some(100) {
        let before = selected(&fixture);
        fixture.key("j");
        assert_ne!(selected(&fixture), before, "{}", fixture.screen());
    }
    // The message fills the last row, and what is missing stands below it.
    fixture.key("j");
    assert!(
        fixture.shows("100 events not loaded"),
        "{}",
        fixture.screen()
    );
    assert_eq!(selected(&fixture), Some(100));
}

#[test]
fn a_message_that_is_gone_is_said_to_be() {
    let mut fixture = listed(80, 24);
    fixture.key("down");
    fixture.key("enter");
    fixture.answer("open", budget_opened());
    let mut short = read(1..=100);
    short.events.retain(|event| event.seq != seq(41));
    fixture.answer("events", short);
    assert!(
        fixture.shows("Message 41 no longer exists"),
        "{}",
        fixture.screen()
    );
}

#[test]
fn a_meeting_that_may_not_be_read_brings_one_back() {
    let mut fixture = listed(80, 24);
    fixture.key("down");
    fixture.key("enter");
    fixture.refuse(
        "open",
        Reject::new(Code::NotAllowed, "It is not yours to read."),
    );
    assert!(fixture.shows("2 of 3"), "{}", fixture.screen());
}

#[test]
fn what_ended_long_ago_is_read_by_its_number() {
    for by in ["word", "finder"] {
        let mut fixture = Fixture::talking(80, 24);
        if by == "word" {
            fixture.write("/join 7/9");
        } else {
            fixture.key("ctrl-g");
            fixture.write("7/9");
            assert!(fixture.shows("meeting 7/9"));
        }
        fixture.key("enter");
        let mut ok = budget_opened();
        ok.instance.id = id(7, 9);
        ok.instance.title = "Long over".into();
        fixture.answer("open", ok);
        assert!(
            fixture.shows("Long over") && fixture.shows("line 400"),
            "{}",
            fixture.screen()
        );
        // The list coming again changes nothing of it.
        fixture.push(plenary_shared::protocol::Push::Changed(
            plenary_shared::protocol::Changed {
                instance: None,
                changed: plenary_shared::protocol::ChangedList::Meetings,
            },
        ));
        fixture.answer_meetings(super::fixture::demo_meetings());
        assert!(fixture.shows("line 400"));
    }
    let mut fixture = Fixture::talking(80, 24);
    fixture.write("/join 7/9");
    fixture.key("enter");
    fixture.refuse(
        "open",
        Reject::new(Code::NotAllowed, "It is not yours to read."),
    );
    assert_eq!(fixture.model.shown, Some(sync()));
    assert!(fixture.shows("It is not yours to read."));
}

#[test]
fn the_shown_meeting_is_exported() {
    use crate::export::Format;
    for (line, format, file) in [
        ("/export", Format::Md, None),
        ("/export csv", Format::Csv, None),
        (
            "/export json my minutes.json",
            Format::Json,
            Some("my minutes.json"),
        ),
        ("/export ~/minutes.txt", Format::Txt, Some("~/minutes.txt")),
        ("/export md x.txt", Format::Md, Some("x.txt")),
    ] {
        let mut fixture = Fixture::talking(80, 24);
        fixture.write(line);
        fixture.key("enter");
        let asked = fixture.effects.iter().find_map(|effect| match effect {
            crate::effect::Effect::Export {
                instance,
                format,
                file,
                ..
            } => Some((*instance, *format, file.as_deref())),
            _ => None,
        });
        assert_eq!(asked, Some((sync(), format, file)), "{line}");
        assert!(fixture.shows("Exporting Platform sync 42/1"));
        fixture.tell(crate::msg::AppEvent::Exported(Err(
            "x.md cannot be written".into(),
        )));
        assert!(fixture.shows("✗ x.md cannot be written"));
    }
}
