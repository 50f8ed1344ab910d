//! The schedule: its screens, and every change by keys.

use insta::assert_snapshot;
use plenary_shared::domain::{Code, InstanceState, Meeting, Reject, Role};
use plenary_shared::ids::MeetingId;
use plenary_shared::protocol::{
    Done, ImportReport, Overlap, Plan, PlanOk, Planned, PlannedInstance, Verb, WrongLine,
};
use rstest::rstest;

use super::stage::{Stage, at, demo_meetings, id};
use crate::effect::Effect;
use crate::msg::AppEvent;
use crate::theme::Theme;

fn meeting(number: u64) -> MeetingId {
    MeetingId::new(number).expect("small")
}

fn planned(number: u64, title: &str, audience: &[&str]) -> Planned {
    Planned {
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
fn open_schedule(columns: u16, rows: u16) -> Stage {
    open_schedule_with(columns, rows, &schedule())
}

/// The schedule of an admin, with these meetings.
pub(super) fn open_schedule_with(columns: u16, rows: u16, schedule: &PlanOk) -> Stage {
    let mut stage = Stage::new(columns, rows);
    stage.role = Role::Admin;
    stage.greet(vec![]);
    stage.answer_meetings(demo_meetings());
    stage.key("f5");
    stage.answer("watch", Done {});
    stage.key("p");
    stage.answer("plan", schedule);
    stage
}

/// The requests that were sent.
fn plans(stage: &mut Stage) -> Vec<Plan> {
    let asked = stage.asked().into_iter();
    asked
        .filter_map(|(_, request)| match request.verb {
            Verb::Plan(plan) => Some(plan),
            _ => None,
        })
        .collect()
}

#[test]
fn schedule_120x36() {
    let mut stage = open_schedule(120, 36);
    stage.key("o");
    stage.key("down");
    assert_snapshot!(stage.screen());
}

#[test]
fn schedule_80x24_with_a_form() {
    let mut stage = open_schedule(80, 24);
    stage.key("down");
    stage.key("down");
    stage.key("m");
    assert_snapshot!(stage.screen());
}

#[test]
fn schedule_44x20_in_ascii() {
    let mut stage = open_schedule(44, 20);
    stage.model.theme = Theme::new(false, true);
    stage.key("a");
    stage.key("enter");
    stage.key("enter");
    stage.key("enter");
    assert_snapshot!(stage.screen());
}

#[test]
fn planned_meeting_80x24() {
    let mut stage = open_schedule(80, 24);
    stage.key("enter");
    assert_snapshot!(stage.screen());
}

#[test]
fn report_80x24() {
    let mut stage = open_schedule(80, 24);
    stage.key("s");
    stage.write("in 1h");
    stage.key("enter");
    stage.key("enter");
    let mut ok = schedule();
    ok.meetings.remove(0);
    ok.instance = Some(id(42, 3));
    ok.overlaps = vec![Overlap {
        instance: id(9, 4),
        title: "Budget review".to_owned(),
        fromdatetime: at("15:00"),
        todatetime: at("16:00"),
        shared: 12,
        people: vec!["ada@example.org".to_owned()],
    }];
    ok.report = Some(ImportReport {
        added: 3,
        known: 1,
        removed: 0,
        wrong: vec![WrongLine {
            line: 7,
            text: "ada at example.org".to_owned(),
            why: "no e-mail address: an @ is missing".to_owned(),
        }],
    });
    stage.answer("plan", ok);
    assert_snapshot!(stage.screen());
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
#[case(&["down", "down", "X"], &["no time"], Plan::Cancel {
    instance: id(42, 3), reason: Some("no time".to_owned()),
}, "Cancelled Platform sync 42/3")]
fn keys_send_every_change(
    #[case] keys: &[&str],
    #[case] written: &[&str],
    #[case] expected: Plan,
    #[case] done: &str,
) {
    let mut stage = open_schedule(80, 24);
    stage.asked();
    for key in keys {
        stage.key(key);
    }
    for text in written {
        assert_eq!(plans(&mut stage), [], "sent before the last field");
        if let Some(text) = text.strip_prefix(" \u{8}") {
            stage.key("ctrl-u");
            stage.write(text);
        } else {
            stage.write(text);
        }
        stage.key("enter");
    }
    let asked = stage.effects.clone();
    assert_eq!(plans(&mut stage), [expected], "{}", stage.screen());
    // Pressed again before the answer, Enter sends nothing.
    stage.key("enter");
    assert_eq!(plans(&mut stage), []);
    stage.effects = asked;
    stage.answer("plan", schedule());
    assert!(stage.shows(done), "{}", stage.screen());
    assert!(!stage.shows("Esc Cancel"), "{}", stage.screen());
}

#[test]
fn import_sends_the_content_of_a_file() {
    let mut stage = open_schedule(80, 24);
    stage.key("i");
    stage.write("~/people.csv");
    stage.key("enter");
    stage.key("ctrl-u");
    stage.write("yes");
    stage.key("enter");
    let read = stage.effects.iter().any(|effect| {
        matches!(effect, Effect::ReadList { path, replace: true, .. } if path == "~/people.csv")
    });
    assert!(read, "{:?}", stage.effects);
    stage.asked();
    let event = |read| AppEvent::ListRead {
        meeting: meeting(42),
        replace: true,
        read,
    };
    stage.tell(event(Err("~/people.csv cannot be read".to_owned())));
    assert!(stage.shows("cannot be read"), "{}", stage.screen());
    assert_eq!(plans(&mut stage), []);
    stage.tell(event(Ok("ada@x.org\n".to_owned())));
    let expected = Plan::Import {
        meeting: meeting(42),
        text: "ada@x.org\n".to_owned(),
        replace: true,
    };
    assert_eq!(plans(&mut stage), [expected]);
}

#[rstest]
#[case(&["down", "m"], "Already running")]
#[case(&["m"], "Select an instance")]
#[case(&["G", "+"], "The meeting is public")]
#[case(&["a", "enter", "enter", "enter"], "title")]
#[case(&["s", "x", "enter", "enter"], "'x' is no time")]
#[case(&["s", "n", "o", "w", "enter", "x", "enter"], "is no length of time")]
fn invalid_input_shows_an_error(#[case] keys: &[&str], #[case] said: &str) {
    let mut stage = open_schedule(80, 24);
    stage.asked();
    for key in keys {
        stage.key(key);
    }
    assert!(stage.shows(said), "{}", stage.screen());
    assert_eq!(plans(&mut stage), []);
}

#[test]
fn refused_form_keeps_its_input_and_esc_closes_step_by_step() {
    let mut stage = open_schedule(80, 24);
    stage.key("a");
    stage.write("Retro");
    stage.key("enter");
    stage.key("enter");
    stage.key("enter");
    stage.refuse("plan", Reject::from(Code::AdminsOnly));
    assert!(
        stage.shows(Code::AdminsOnly.sentence()),
        "{}",
        stage.screen()
    );
    assert!(stage.shows("Retro"), "{}", stage.screen());
    stage.key("enter");
    stage.lose_link();
    assert!(
        stage.shows("Connection lost, result unknown"),
        "{}",
        stage.screen()
    );
    stage.key("esc");
    assert!(
        stage.shows("SCHEDULE") || stage.shows("schedule"),
        "{}",
        stage.screen()
    );
    stage.key("/");
    stage.write("!sync");
    stage.key("enter");
    assert!(!stage.shows("Platform"), "{}", stage.screen());
    stage.key("esc");
    assert!(stage.shows("Platform"), "{}", stage.screen());
    stage.key("esc");
    assert!(stage.shows("DASHBOARD › meetings"), "{}", stage.screen());
}

#[test]
fn schedule_loads_page_by_page() {
    let mut stage = Stage::new(80, 24);
    stage.role = Role::Admin;
    stage.greet(vec![]);
    stage.answer_meetings(demo_meetings());
    stage.key("f5");
    stage.key("p");
    let mut page = schedule();
    page.more = true;
    stage.answer("plan", page);
    let expected = Plan::Meetings {
        after: Some(meeting(42)),
    };
    assert!(stage.shows("loading"), "{}", stage.screen());
    let asked = stage.effects.clone();
    assert_eq!(plans(&mut stage), [expected]);
    stage.effects = asked;
    stage.answer(
        "plan",
        PlanOk {
            meetings: vec![planned(99, "Retro", &[])],
            ..PlanOk::default()
        },
    );
    assert!(stage.shows("3 meetings"), "{}", stage.screen());
    assert!(!stage.shows("loading"), "{}", stage.screen());
}
