//! Searching everything: what is asked, what is shown, going there and coming back, gaps.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, Event, InstanceState, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{EventsOk, Found, Message, OpenOk, SearchOk, Verb};
use plenary_shared::search::Place;
use plenary_shared::text::MessageBody;

use super::stage::{Stage, at, event, id, message, opened, people, seq, sync, time, user};

/// The meeting that is over.
fn budget() -> InstanceId {
    id(7, 1)
}

fn found(within: InstanceId, number: u64, when: &str, body: &str) -> Found {
    let title = if within == sync() {
        "Platform sync"
    } else {
        "Budget review"
    };
    let who = user(8 + number % 2);
    let cmid = uuid::Uuid::from_u128(number.into());
    Found {
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
        found: vec![
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

fn query(stage: &mut Stage) -> (String, Option<Place>) {
    let asked = stage.effects.iter().rev().find_map(|effect| match effect {
        crate::effect::Effect::Ask(request) => match &request.verb {
            Verb::Search(search) => Some((search.query.clone(), search.before)),
            _ => None,
        },
        _ => None,
    });
    asked.expect("a search was asked")
}

/// A draft is written, and `budget` was searched for.
fn searched(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::talking(columns, rows);
    stage.write("a draft");
    stage.key("ctrl-r");
    stage.write("budget");
    stage.key("enter");
    assert_eq!(query(&mut stage), ("budget".into(), None));
    stage
}

fn listed(columns: u16, rows: u16) -> Stage {
    let mut stage = searched(columns, rows);
    stage.answer("search", page(true));
    stage
}

fn selected(stage: &Stage) -> Option<u64> {
    stage.model.selected().map(|event| event.seq.get())
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
    let all = super::stage::demo_meetings();
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
    let mut stage = listed(80, 24);
    stage.key("down");
    assert_snapshot!(stage.screen());
}

#[test]
fn found_44x20() {
    assert_snapshot!(listed(44, 20).screen());
}

#[test]
fn searching_60x20() {
    let mut stage = Stage::talking(60, 20);
    stage.write("/search");
    stage.key("enter");
    assert_snapshot!(stage.screen());
}

#[test]
fn it_says_how_it_goes() {
    let mut stage = searched(80, 24);
    assert!(stage.shows("Searching…"));
    stage.answer(
        "search",
        SearchOk {
            found: vec![],
            next: None,
        },
    );
    assert!(stage.shows("No results"));
    stage.write(" from:x from:y");
    assert!(stage.shows("search again"));
    stage.key("enter");
    assert!(stage.shows("more than once"), "{}", stage.screen());
    stage.key("ctrl-u");
    stage.write("more");
    stage.key("enter");
    stage.refuse("search", Reject::new(Code::Unavailable, "Not just now."));
    assert!(stage.shows("✗ Not just now."));
    stage.lose_link();
    stage.key("enter");
    assert!(stage.shows("Not connected"));
}

#[test]
fn nothing_in_many_candidates_goes_on_by_itself() {
    let mut stage = searched(80, 24);
    let mut none = page(true);
    none.found.clear();
    stage.answer("search", none);
    assert_eq!(query(&mut stage).1, page(true).next);
    assert!(stage.shows("Searching…"));
    stage.answer("search", page(false));
    assert!(stage.shows("1 of 3"));
}

#[test]
fn more_comes_as_one_goes_down_and_nothing_twice() {
    let mut stage = listed(80, 24);
    stage.effects.clear();
    stage.key("down");
    assert_eq!(query(&mut stage).1, page(true).next);
    let mut more = page(false);
    more.found.push(found(
        budget(),
        39,
        "2025-03-01T12:38:00Z",
        "the first budget",
    ));
    stage.answer("search", more);
    assert!(stage.shows("2 of 4,"), "{}", stage.screen());
    stage.key("pagedown");
    assert!(stage.shows("the first budget"));
    assert!(stage.shows("4 of 4,"));
    stage.key("pageup");
    assert!(stage.shows("1 of 4,"));
}

#[test]
fn only_in_this_meeting_or_in_everything() {
    let mut stage = listed(80, 24);
    stage.key("tab");
    assert_eq!(query(&mut stage).0, "in:42/1 budget");
    assert!(stage.shows("Search in Platform sync 42/1"));
    // The answer to what was asked before that is not listed.
    stage.key("tab");
    stage.answer("search", page(true));
    assert!(stage.shows("Search all meetings") && stage.shows("Searching…"));
    stage.answer("search", page(false));
    assert!(stage.shows("1 of 3"));
}

#[test]
fn words_behind_the_word_are_searched_at_once() {
    let mut stage = Stage::talking(80, 24);
    stage.write("/search budget from:grace");
    stage.key("enter");
    assert_eq!(query(&mut stage).0, "budget from:grace");
}

#[test]
fn there_and_back_in_the_same_meeting() {
    let mut stage = listed(80, 24);
    stage.key("enter");
    assert_eq!(selected(&stage), Some(6));
    assert!(!stage.shows("Search all meetings"));
    stage.key("esc");
    assert!(stage.shows("1 of 3"));
    stage.key("esc");
    assert!(!stage.shows("Search all meetings"));
    assert_eq!(selected(&stage), None);
    assert!(stage.shows("› a draft█"));
    // Esc does not return to the search once the reader has moved on.
    let mut stage = listed(80, 24);
    stage.key("enter");
    stage.key("alt-end");
    stage.write("!");
    assert!(stage.shows("› a draft!█"));
    stage.key("esc");
    assert!(!stage.shows("Search all meetings"));
}

#[test]
fn there_and_back_in_a_meeting_that_is_over() {
    let mut stage = listed(80, 24);
    stage.key("down");
    stage.effects.clear();
    stage.key("enter");
    assert!(stage.shows("Budget review"));
    stage.answer("open", budget_opened());
    let asked = stage.effects.iter().find_map(|effect| match effect {
        crate::effect::Effect::Ask(request) => match &request.verb {
            Verb::Events(events) => Some((events.before, events.limit)),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(asked, Some((Some(seq(101)), 120)));
    stage.answer("events", read(1..=100));
    assert_eq!(selected(&stage), Some(41));
    let screen = stage.screen();
    for line in ["line 33", "line 41", "line 49"] {
        assert!(screen.contains(line), "{screen}");
    }
    stage.key("esc");
    assert!(stage.shows("2 of 3"));
    stage.key("esc");
    assert!(stage.shows("Platform sync") && stage.shows("› a draft█"));
    assert_eq!(stage.model.shown, Some(sync()));
}

#[test]
fn what_was_not_read_is_a_line_that_is_filled() {
    let mut stage = listed(80, 24);
    stage.key("down");
    stage.key("enter");
    stage.answer("open", budget_opened());
    stage.answer("events", read(1..=100));
    for _ in 41..100 {
        stage.key("j");
    }
    assert_eq!(selected(&stage), Some(100));
    // It was asked for before one got there.
    let asked = |stage: &Stage| stage.model.room().and_then(|room| room.requested_older);
    assert_eq!(asked(&stage), Some(seq(201)));
    stage.key("j");
    assert_eq!(selected(&stage), Some(100), "nothing is passed over");
    stage.answer("events", read(101..=150));
    stage.key("j");
    assert_eq!(selected(&stage), Some(101));
    assert!(stage.shows("line 101"));
    for _ in 101..150 {
        stage.key("j");
    }
    assert_eq!(asked(&stage), Some(seq(201)));
    stage.answer("events", read(151..=200));
    stage.key("j");
    assert_eq!(selected(&stage), Some(151));
    for _ in 151..230 {
        stage.key("j");
    }
    assert_eq!(selected(&stage), Some(230));
    assert!(!stage.shows("not read"));
}

#[test]
fn enter_beside_a_gap_reads_on_from_either_side() {
    let mut stage = listed(80, 24);
    stage.key("down");
    stage.key("enter");
    stage.answer("open", budget_opened());
    stage.answer("events", read(1..=100));
    // From below: nothing was asked for yet, as nobody has scrolled there.
    stage.model.room_mut().expect("a room").scroll = crate::model::scroll::Scroll::From {
        place: crate::model::scroll::Place::Event(seq(201)),
        row: -1,
    };
    stage
        .model
        .layers
        .remove::<crate::model::select::Selecting>();
    stage
        .model
        .layers
        .insert_over_chat(crate::model::select::Selecting {
            at: seq(201),
            ..Default::default()
        });
    assert!(stage.shows("100 events not loaded · select a message here and press ⏎"));
    stage.effects.clear();
    stage.key("enter");
    let before = stage.effects.iter().find_map(|effect| match effect {
        crate::effect::Effect::Ask(request) => match &request.verb {
            Verb::Events(events) => Some(events.before),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(before, Some(Some(seq(201))));
    stage.answer("events", read(101..=200));
    stage.key("k");
    assert_eq!(selected(&stage), Some(200));
}

#[test]
fn a_gap_that_is_stepped_upon_comes_in_sight() {
    let mut stage = listed(80, 24);
    stage.key("down");
    stage.key("enter");
    stage.answer("open", budget_opened());
    stage.answer("events", read(1..=100));
    while selected(&stage) != Some(100) {
        let before = selected(&stage);
        stage.key("j");
        assert_ne!(selected(&stage), before, "{}", stage.screen());
    }
    // The message fills the last row, and what is missing stands below it.
    stage.key("j");
    assert!(stage.shows("100 events not loaded"), "{}", stage.screen());
    assert_eq!(selected(&stage), Some(100));
}

#[test]
fn a_message_that_is_gone_is_said_to_be() {
    let mut stage = listed(80, 24);
    stage.key("down");
    stage.key("enter");
    stage.answer("open", budget_opened());
    let mut short = read(1..=100);
    short.events.retain(|event| event.seq != seq(41));
    stage.answer("events", short);
    assert!(
        stage.shows("Message 41 no longer exists"),
        "{}",
        stage.screen()
    );
}

#[test]
fn a_meeting_that_may_not_be_read_brings_one_back() {
    let mut stage = listed(80, 24);
    stage.key("down");
    stage.key("enter");
    stage.refuse(
        "open",
        Reject::new(Code::NotAllowed, "It is not yours to read."),
    );
    assert!(stage.shows("2 of 3"), "{}", stage.screen());
}

#[test]
fn what_ended_long_ago_is_read_by_its_number() {
    for by in ["word", "finder"] {
        let mut stage = Stage::talking(80, 24);
        if by == "word" {
            stage.write("/join 7/9");
        } else {
            stage.key("ctrl-g");
            stage.write("7/9");
            assert!(stage.shows("meeting 7/9"));
        }
        stage.key("enter");
        let mut ok = budget_opened();
        ok.instance.id = id(7, 9);
        ok.instance.title = "Long over".into();
        stage.answer("open", ok);
        assert!(
            stage.shows("Long over") && stage.shows("line 400"),
            "{}",
            stage.screen()
        );
        // The list coming again changes nothing of it.
        stage.push(plenary_shared::protocol::Push::Changed(
            plenary_shared::protocol::Changed {
                instance: None,
                changed: plenary_shared::protocol::ChangedList::Meetings,
            },
        ));
        stage.answer_meetings(super::stage::demo_meetings());
        assert!(stage.shows("line 400"));
    }
    let mut stage = Stage::talking(80, 24);
    stage.write("/join 7/9");
    stage.key("enter");
    stage.refuse(
        "open",
        Reject::new(Code::NotAllowed, "It is not yours to read."),
    );
    assert_eq!(stage.model.shown, Some(sync()));
    assert!(stage.shows("It is not yours to read."));
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
        let mut stage = Stage::talking(80, 24);
        stage.write(line);
        stage.key("enter");
        let asked = stage.effects.iter().find_map(|effect| match effect {
            crate::effect::Effect::Export {
                instance,
                format,
                file,
                ..
            } => Some((*instance, *format, file.as_deref())),
            _ => None,
        });
        assert_eq!(asked, Some((sync(), format, file)), "{line}");
        assert!(stage.shows("Exporting Platform sync 42/1"));
        stage.tell(crate::msg::AppEvent::Exported(Err(
            "x.md cannot be written".into(),
        )));
        assert!(stage.shows("✗ x.md cannot be written"));
    }
}
