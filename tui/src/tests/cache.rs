//! Cached screens: shown at once, marked, and replaced by the server's data.

use plenary_shared::domain::{Code, InstanceState, Reason, Reject, Role, What};
use plenary_shared::protocol::HelloOk;

use super::stage::{ME, Stage, demo_meetings, id, message, opened, sync, talk, time, user};
use crate::effect::Effect;
use crate::model::EnterDoes;
use crate::theme::Theme;

/// Returns a restarted client before the server answers.
fn again() -> Stage {
    Stage::talking(120, 36).again()
}

fn hello(who: u64) -> HelloOk {
    HelloOk {
        user: user(who),
        name: "ada".into(),
        email: "ada@example.org".into(),
        role: Role::Member,
        server: "0.1.0".into(),
        now: time(super::stage::NOW),
        resumed: vec![],
    }
}

#[test]
fn cached_screens_show_before_the_server_answers() {
    let stage = again();
    insta::assert_snapshot!(stage.screen());
    assert!(stage.model.link != crate::model::Link::Ready);
    for (columns, rows) in [(80, 24), (44, 20)] {
        let stage = Stage::talking(columns, rows).again();
        assert!(stage.shows("Cached 14:52"), "{}", stage.screen());
    }
}

#[test]
fn server_data_replaces_cached_screens() {
    let mut stage = again();
    stage.greet(vec![]);
    let names: Vec<String> = stage
        .effects
        .iter()
        .map(|effect| format!("{effect:?}"))
        .collect();
    assert!(names.iter().any(|name| name.contains("Open(")), "{names:?}");
    stage.answer_meetings(demo_meetings());
    assert!(stage.shows("Cached"), "not read yet");
    assert!(!stage.shows("as of"), "the list is");
    let mut events = talk();
    events.push(super::stage::event(
        20,
        stage.now,
        message(8, 20, "said meanwhile"),
    ));
    stage.answer("open", opened(events, vec![(8, "13:31"), (ME, "13:52")]));
    let screen = stage.screen();
    assert!(!screen.contains("Cached"), "{screen}");
    assert_eq!(screen.matches("said meanwhile").count(), 1);
    assert_eq!(screen.matches("ok, holding.").count(), 1);
    assert!(
        stage.model.rooms[&sync()].wants_to_join,
        "as the server says"
    );
    assert!(!screen.contains("offline"), "one was not offline but away");
}

#[test]
fn cached_rooms_are_neither_resumed_nor_reported_read() {
    let mut stage = again();
    stage.open_link();
    let asked = stage.asked();
    let plenary_shared::protocol::Verb::Hello(said) = &asked[0].1.verb else {
        panic!("{asked:?}")
    };
    assert!(said.resume.is_empty());
    assert!(stage.told().is_empty());
}

#[test]
fn unreadable_cached_meeting_is_removed() {
    let mut stage = again();
    stage.greet(vec![]);
    stage.answer_meetings(vec![]);
    stage.refuse(
        "open",
        Reject::new(Code::NotAllowed, "This meeting is not yours to read."),
    );
    assert!(!stage.shows("ok, holding."), "{}", stage.screen());
    assert!(stage.model.rooms.is_empty());
}

#[test]
fn temporary_error_keeps_the_cached_meeting() {
    let mut stage = again();
    stage.greet(vec![]);
    stage.refuse(
        "open",
        Reject::new(Code::Unavailable, "The store is unavailable."),
    );
    assert!(stage.shows("ok, holding.") && stage.shows("Cached"));
    stage.wait_ms(2_000);
    stage.answer("open", opened(talk(), vec![(ME, "13:52")]));
    assert!(!stage.shows("Cached"));
}

#[test]
fn another_user_sees_no_cached_screens() {
    let mut stage = again();
    stage.open_link();
    stage.answer("hello", hello(ME + 1));
    assert!(!stage.shows("ok, holding.") && !stage.shows("Incident"));
    assert!(stage.model.rooms.is_empty() && stage.model.shown.is_none());
}

#[test]
fn ended_cached_meeting_is_not_shown() {
    let mut stage = Stage::talking(120, 36);
    stage.event(
        20,
        What::Closed {
            reason: Reason::Scheduled,
        },
    );
    let cache = stage.model.cache().expect("somebody is signed in");
    assert_eq!(cache.shown, Some(sync()));
    let stage = stage.again();
    assert_eq!(stage.model.shown, Some(id(44, 1)));
    let listed = stage.model.instance(sync()).expect("listed").state;
    assert_eq!(listed, InstanceState::Active, "the list did not say so yet");
    assert!(stage.model.enter_does() == EnterDoes::Join);
}

#[test]
fn text_sent_before_the_answer_stays_in_the_input() {
    let mut stage = again();
    stage.write("too early");
    stage.key("enter");
    assert!(stage.shows("still connecting") && stage.shows("› too early"));
    stage.greet(vec![]);
    stage.answer("open", opened(talk(), vec![(ME, "13:52")]));
    stage.key("enter");
    assert!(stage.asked().iter().any(|(name, _)| name == "post"));
}

#[test]
fn cache_is_written_after_a_delay_and_on_quit() {
    let kept = |stage: &mut Stage| {
        let effects = std::mem::take(&mut stage.effects);
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::SaveCache(_)))
            .count()
    };
    let mut stage = Stage::talking(80, 24);
    stage.wait_ms(9_000);
    assert_eq!(kept(&mut stage), 0);
    stage.wait_ms(2_000);
    assert_eq!(kept(&mut stage), 1);
    stage.wait_ms(60_000);
    assert_eq!(kept(&mut stage), 0, "nothing has changed");
    stage.hears(20, 8, "event");
    stage.key("ctrl-q");
    stage.key("s");
    assert_eq!(kept(&mut stage), 1);
    let mut form = Stage::begin(80, 24, None, Theme::new(true, false));
    form.key("ctrl-q");
    assert_eq!(kept(&mut form), 0, "nobody is signed in");
}
