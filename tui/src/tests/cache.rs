//! Cached screens: shown at once, marked, and replaced by the server's data.

use plenary_shared::domain::{Code, EventKind, InstanceState, Reason, Reject, Role};
use plenary_shared::protocol::HelloOk;

use super::fixture::{Fixture, ME, demo_meetings, id, message, opened, sync, talk, time, user};
use crate::effect::Effect;
use crate::model::EnterDoes;
use crate::theme::Theme;

/// Returns a restarted client before the server answers.
fn again() -> Fixture {
    Fixture::talking(120, 36).restarted()
}

fn hello(who: u64) -> HelloOk {
    HelloOk {
        user: user(who),
        name: "ada".into(),
        email: "ada@example.org".into(),
        role: Role::Member,
        server: "0.1.0".into(),
        now: time(super::fixture::NOW),
        resumed: vec![],
    }
}

#[test]
fn cached_screens_show_before_the_server_answers() {
    let fixture = again();
    insta::assert_snapshot!(fixture.screen());
    assert!(fixture.model.connection.link != crate::model::Link::Ready);
    for (columns, rows) in [(80, 24), (44, 20)] {
        let fixture = Fixture::talking(columns, rows).restarted();
        assert!(fixture.shows("Cached 14:52"), "{}", fixture.screen());
    }
}

#[test]
fn server_data_replaces_cached_screens() {
    let mut fixture = again();
    fixture.greet(vec![]);
    let names: Vec<String> = fixture
        .effects
        .iter()
        .map(|effect| format!("{effect:?}"))
        .collect();
    assert!(names.iter().any(|name| name.contains("Open(")), "{names:?}");
    fixture.answer_meetings(demo_meetings());
    assert!(fixture.shows("Cached"), "not read yet");
    assert!(!fixture.shows("as of"), "the list is");
    let mut events = talk();
    events.push(super::fixture::event(
        20,
        fixture.now,
        message(8, 20, "said meanwhile"),
    ));
    fixture.answer("open", opened(events, vec![(8, "13:31"), (ME, "13:52")]));
    let screen = fixture.screen();
    assert!(!screen.contains("Cached"), "{screen}");
    assert_eq!(screen.matches("said meanwhile").count(), 1);
    assert_eq!(screen.matches("ok, holding.").count(), 1);
    assert!(
        fixture.model.rooms[&sync()].wants_to_join,
        "as the server says"
    );
    assert!(!screen.contains("offline"), "one was not offline but away");
}

#[test]
fn cached_rooms_are_neither_resumed_nor_reported_read() {
    let mut fixture = again();
    fixture.open_link();
    let asked = fixture.asked();
    let plenary_shared::protocol::Verb::Hello(said) = &asked[0].1.verb else {
        panic!("{asked:?}")
    };
    assert!(said.resume.is_empty());
    assert!(fixture.told().is_empty());
}

#[test]
fn unreadable_cached_meeting_is_removed() {
    let mut fixture = again();
    fixture.greet(vec![]);
    fixture.answer_meetings(vec![]);
    fixture.refuse(
        "open",
        Reject::new(Code::NotAllowed, "This meeting is not yours to read."),
    );
    assert!(!fixture.shows("ok, holding."), "{}", fixture.screen());
    assert!(fixture.model.rooms.is_empty());
}

#[test]
fn temporary_error_keeps_the_cached_meeting() {
    let mut fixture = again();
    fixture.greet(vec![]);
    fixture.refuse(
        "open",
        Reject::new(Code::Unavailable, "The store is unavailable."),
    );
    assert!(fixture.shows("ok, holding.") && fixture.shows("Cached"));
    fixture.wait_ms(2_000);
    fixture.answer("open", opened(talk(), vec![(ME, "13:52")]));
    assert!(!fixture.shows("Cached"));
}

#[test]
fn another_user_sees_no_cached_screens() {
    let mut fixture = again();
    fixture.open_link();
    fixture.answer("hello", hello(ME + 1));
    assert!(!fixture.shows("ok, holding.") && !fixture.shows("Incident"));
    assert!(fixture.model.rooms.is_empty() && fixture.model.shown.is_none());
}

#[test]
fn ended_cached_meeting_is_not_shown() {
    let mut fixture = Fixture::talking(120, 36);
    fixture.event(
        20,
        EventKind::Closed {
            reason: Reason::Scheduled,
        },
    );
    let cache = fixture.model.cache().expect("somebody is signed in");
    assert_eq!(cache.shown, Some(sync()));
    let fixture = fixture.restarted();
    assert_eq!(fixture.model.shown, Some(id(44, 1)));
    let listed = fixture.model.instance(sync()).expect("listed").state;
    assert_eq!(listed, InstanceState::Active, "the list did not say so yet");
    assert!(fixture.model.enter_does() == EnterDoes::Join);
}

#[test]
fn text_sent_before_the_answer_stays_in_the_input() {
    let mut fixture = again();
    fixture.write("too early");
    fixture.key("enter");
    assert!(fixture.shows("still connecting") && fixture.shows("› too early"));
    fixture.greet(vec![]);
    fixture.answer("open", opened(talk(), vec![(ME, "13:52")]));
    fixture.key("enter");
    assert!(fixture.asked().iter().any(|(name, _)| name == "post"));
}

#[test]
fn cache_is_written_after_a_delay_and_on_quit() {
    let kept = |fixture: &mut Fixture| {
        let effects = std::mem::take(&mut fixture.effects);
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::SaveCache(_)))
            .count()
    };
    let mut fixture = Fixture::talking(80, 24);
    fixture.wait_ms(9_000);
    assert_eq!(kept(&mut fixture), 0);
    fixture.wait_ms(2_000);
    assert_eq!(kept(&mut fixture), 1);
    fixture.wait_ms(60_000);
    assert_eq!(kept(&mut fixture), 0, "nothing has changed");
    fixture.hears(20, 8, "event");
    fixture.key("ctrl-q");
    fixture.key("s");
    assert_eq!(kept(&mut fixture), 1);
    let mut form = Fixture::begin(80, 24, None, Theme::new(true, false));
    form.key("ctrl-q");
    assert_eq!(kept(&mut form), 0, "nobody is signed in");
}
