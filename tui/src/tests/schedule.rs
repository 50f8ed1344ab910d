//! The schedule: its screens, and every change by keys.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, InstanceState, Meeting, Reject, Role};
use plenary_shared::ids::MeetingId;
use plenary_shared::protocol::{
    Done, ImportReport, Overlap, Plan, PlanOk, PlannedInstance, PlannedMeeting, RejectedLine, Verb,
};
use rstest::rstest;

use super::fixture::{Fixture, at, demo_meetings, id};
use crate::effect::Effect;
use crate::msg::AppEvent;
use crate::theme::Theme;

fn meeting(number: u64) -> MeetingId {
    MeetingId::new(number).expect("small")
}

fn planned(number: u64, title: &str, audience: &[&str]) -> PlannedMeeting {
    PlannedMeeting {
        meeting: Meeting {
            id: meeting(number),
            title: title.to_owned(),
            description: "What we do next, and who does it.".to_owned(),
            is_public: audience.is_empty(),
        },
        audience: audience.iter().map(|one| (*one).to_owned()).collect(),
        instances: Vec::new(),
    }
}

fn instance(
    number: u64,
    order: u64,
    from: &str,
    to: &str,
    state: InstanceState,
) -> PlannedInstance {
    PlannedInstance {
        id: id(number, order),
        fromdatetime: at(from),
        todatetime: at(to),
        state,
        reason: (state == InstanceState::Ended).then(|| "cancelled".to_owned()),
        ended_at: None,
    }
}

pub(super) fn schedule() -> PlanOk {
    use InstanceState::{Active, Ended, Scheduled};
    let mut sync = planned(
        42,
        "Platform sync",
        &["ada@example.org", "grace@example.org"],
    );
    sync.instances = vec![
        instance(42, 1, "12:00", "12:30", Ended),
        instance(42, 2, "13:30", "14:15", Active),
        instance(42, 3, "15:30", "16:15", Scheduled),
    ];
    PlanOk {
        meetings: vec![planned(7, "All hands", &[]), sync],
        ..PlanOk::default()
    }
}

/// The schedule of an admin.
fn open_schedule(columns: u16, rows: u16) -> Fixture {
    open_schedule_with(columns, rows, &schedule())
}

/// The schedule of an admin, with these meetings.
pub(super) fn open_schedule_with(columns: u16, rows: u16, schedule: &PlanOk) -> Fixture {
    let mut fixture = Fixture::new(columns, rows);
    fixture.role = Role::Admin;
    fixture.greet(vec![]);
    fixture.answer_meetings(demo_meetings());
    fixture.key("f5");
    fixture.answer("watch", Done {});
    fixture.key("p");
    fixture.answer("plan", schedule);
    fixture
}

/// The requests that were sent.
fn plans(fixture: &mut Fixture) -> Vec<Plan> {
    let asked = fixture.asked().into_iter();
    asked
        .filter_map(|(_, request)| match request.verb {
            Verb::Plan(plan) => Some(plan),
            _ => None,
        })
        .collect()
}

#[test]
fn schedule_120x36() {
    let mut fixture = open_schedule(120, 36);
    fixture.key("o");
    fixture.key("down");
    assert_snapshot!(fixture.screen());
}

#[test]
fn schedule_80x24_with_a_form() {
    let mut fixture = open_schedule(80, 24);
    fixture.key("down");
    fixture.key("down");
    fixture.key("m");
    assert_snapshot!(fixture.screen());
}

#[test]
fn schedule_44x20_in_ascii() {
    let mut fixture = open_schedule(44, 20);
    fixture.model.theme = Theme::new(false, true);
    fixture.key("a");
    fixture.key("enter");
    fixture.key("enter");
    fixture.key("enter");
    assert_snapshot!(fixture.screen());
}

#[test]
fn planned_meeting_80x24() {
    let mut fixture = open_schedule(80, 24);
    fixture.key("enter");
    assert_snapshot!(fixture.screen());
}

#[test]
fn report_80x24() {
    let mut fixture = open_schedule(80, 24);
    fixture.key("s");
    fixture.write("in 1h");
    fixture.key("enter");
    fixture.key("enter");
    let mut ok = schedule();
    ok.meetings.remove(0);
    ok.instance = Some(id(42, 3));
    ok.overlaps = vec![Overlap {
        instance: id(9, 4),
        title: "Budget review".to_owned(),
        fromdatetime: at("15:00"),
        todatetime: at("16:00"),
        shared_users: 12,
        emails: vec!["ada@example.org".to_owned()],
    }];
    ok.report = Some(ImportReport {
        added: 3,
        existing: 1,
        removed: 0,
        rejected: vec![RejectedLine {
            line: 7,
            text: "ada at example.org".to_owned(),
            reason: "no e-mail address: an @ is missing".to_owned(),
        }],
    });
    fixture.answer("plan", ok);
    assert_snapshot!(fixture.screen());
}

#[rstest]
#[case(&["a"], &["Retro", "", ""], Plan::Add {
    title: "Retro".to_owned(), description: String::new(), is_public: true, audience: vec![],
}, "Added All hands 7")]
#[case(&["a"], &["Retro", "all", " \u{8}bob@x.org, eve@x.org bob@x.org"], Plan::Add {
    title: "Retro".to_owned(), description: "all".to_owned(), is_public: false,
    audience: vec!["bob@x.org".to_owned(), "eve@x.org".to_owned()],
}, "Added All hands 7")]
#[case(&["e"], &["!", "", ""], Plan::Edit {
    meeting: meeting(42), title: Some("Platform sync!".to_owned()),
    description: Some("What we do next, and who does it.".to_owned()), is_public: Some(false),
}, "Edited Platform sync 42")]
#[case(&["+"], &["bob@x.org; <eve@x.org>"], Plan::Audience {
    meeting: meeting(42), add: vec!["bob@x.org".to_owned(), "eve@x.org".to_owned()], remove: vec![],
}, "Invited users to Platform sync 42")]
#[case(&["-"], &["ada@example.org"], Plan::Audience {
    meeting: meeting(42), add: vec![], remove: vec!["ada@example.org".to_owned()],
}, "Removed users from the audience of")]
#[case(&["s"], &["2026-09-23 10:00", ""], Plan::Schedule {
    meeting: meeting(42), fromdatetime: "2026-09-23T09:00:00Z".parse().expect("a time"),
    todatetime: "2026-09-23T09:45:00Z".parse().expect("a time"),
}, "Scheduled Platform sync 42")]
#[case(&["down", "down", "m"], &["", ""], Plan::Move {
    instance: id(42, 3), fromdatetime: at("15:30"), todatetime: at("16:15"),
}, "Moved Platform sync 42/3")]
#[case(&["down", "down", "X"], &["y", "no time"], Plan::Cancel {
    instance: id(42, 3), reason: Some("no time".to_owned()),
}, "Cancelled Platform sync 42/3")]
fn keys_send_every_change(
    #[case] keys: &[&str],
    #[case] written: &[&str],
    #[case] expected: Plan,
    #[case] done: &str,
) {
    let mut fixture = open_schedule(80, 24);
    fixture.asked();
    for key in keys {
        fixture.key(key);
    }
    for text in written {
        assert_eq!(plans(&mut fixture), [], "sent before the last field");
        if let Some(text) = text.strip_prefix(" \u{8}") {
            fixture.key("ctrl-u");
            fixture.write(text);
        } else {
            fixture.write(text);
        }
        fixture.key("enter");
    }
    let asked = fixture.effects.clone();
    assert_eq!(plans(&mut fixture), [expected], "{}", fixture.screen());
    // Pressed again before the answer, Enter sends nothing.
    fixture.key("enter");
    assert_eq!(plans(&mut fixture), []);
    fixture.effects = asked;
    fixture.answer("plan", schedule());
    assert!(fixture.shows(done), "{}", fixture.screen());
    assert!(!fixture.shows("Esc Cancel"), "{}", fixture.screen());
}

#[test]
fn import_sends_the_content_of_a_file() {
    let mut fixture = open_schedule(80, 24);
    fixture.key("i");
    fixture.write("~/people.csv");
    fixture.key("enter");
    fixture.key("ctrl-u");
    fixture.write("yes");
    fixture.key("enter");
    let read = fixture.effects.iter().any(|effect| {
        matches!(effect, Effect::ReadList { path, replace: true, .. } if path == "~/people.csv")
    });
    assert!(read, "{:?}", fixture.effects);
    fixture.asked();
    let event = |read| AppEvent::ListRead {
        meeting: meeting(42),
        replace: true,
        read,
    };
    fixture.tell(event(Err("~/people.csv cannot be read".to_owned())));
    assert!(fixture.shows("cannot be read"), "{}", fixture.screen());
    assert_eq!(plans(&mut fixture), []);
    fixture.tell(event(Ok("ada@x.org\n".to_owned())));
    let expected = Plan::Import {
        meeting: meeting(42),
        text: "ada@x.org\n".to_owned(),
        replace: true,
    };
    assert_eq!(plans(&mut fixture), [expected]);
}

#[rstest]
#[case(&["down", "m"], "Already running")]
#[case(&["m"], "Select an instance")]
#[case(&["G", "+"], "The meeting is public")]
#[case(&["a", "enter", "enter", "enter"], "title")]
#[case(&["s", "x", "enter", "enter"], "Invalid time: 'x'")]
#[case(&["s", "n", "o", "w", "enter", "x", "enter"], "Invalid duration")]
fn invalid_input_shows_an_error(#[case] keys: &[&str], #[case] said: &str) {
    let mut fixture = open_schedule(80, 24);
    fixture.asked();
    for key in keys {
        fixture.key(key);
    }
    assert!(fixture.shows(said), "{}", fixture.screen());
    assert_eq!(plans(&mut fixture), []);
}

#[test]
fn refused_form_keeps_its_input_and_esc_closes_step_by_step() {
    let mut fixture = open_schedule(80, 24);
    fixture.key("a");
    fixture.write("Retro");
    fixture.key("enter");
    fixture.key("enter");
    fixture.key("enter");
    fixture.refuse("plan", Reject::from(Code::AdminsOnly));
    assert!(
        fixture.shows(Code::AdminsOnly.sentence()),
        "{}",
        fixture.screen()
    );
    assert!(fixture.shows("Retro"), "{}", fixture.screen());
    fixture.key("enter");
    fixture.lose_link();
    assert!(
        fixture.shows("Connection lost, result unknown"),
        "{}",
        fixture.screen()
    );
    fixture.key("esc");
    assert!(
        fixture.shows("SCHEDULE") || fixture.shows("schedule"),
        "{}",
        fixture.screen()
    );
    fixture.key("/");
    fixture.write("!sync");
    fixture.key("enter");
    assert!(!fixture.shows("Platform"), "{}", fixture.screen());
    fixture.key("esc");
    assert!(fixture.shows("Platform"), "{}", fixture.screen());
    fixture.key("esc");
    assert!(
        fixture.shows("DASHBOARD › meetings"),
        "{}",
        fixture.screen()
    );
}

#[test]
fn schedule_loads_page_by_page() {
    let mut fixture = Fixture::new(80, 24);
    fixture.role = Role::Admin;
    fixture.greet(vec![]);
    fixture.answer_meetings(demo_meetings());
    fixture.key("f5");
    fixture.key("p");
    let mut page = schedule();
    page.more = true;
    fixture.answer("plan", page);
    let expected = Plan::Meetings {
        after: Some(meeting(42)),
    };
    assert!(fixture.shows("loading"), "{}", fixture.screen());
    let asked = fixture.effects.clone();
    assert_eq!(plans(&mut fixture), [expected]);
    fixture.effects = asked;
    fixture.answer(
        "plan",
        PlanOk {
            meetings: vec![planned(99, "Retro", &[])],
            ..PlanOk::default()
        },
    );
    assert!(fixture.shows("3 meetings"), "{}", fixture.screen());
    assert!(!fixture.shows("loading"), "{}", fixture.screen());
}
