//! Documents of one meeting in which people try everything.

use plenary_shared::domain::{Event, InstanceState};
use plenary_shared::ids::{Cmid, Generation};
use plenary_shared::text::MessageBody;

use super::*;

fn user(n: u64) -> UserId {
    UserId::new(n).expect("small")
}

fn seq(n: u64) -> Seq {
    Seq::new(n).expect("small")
}

/// So many seconds after one.
fn at(seconds: i64) -> Timestamp {
    let one: Timestamp = "2026-05-06T13:00:00Z".parse().expect("a time");
    one.plus_ms(seconds * 1_000)
}

fn message(who: u64, body: &str, reply_to: Option<u64>) -> What {
    What::Message {
        user: user(who),
        cmid: Cmid(uuid::Uuid::nil()),
        body: MessageBody::parse(body).expect("a body"),
        reply_to: reply_to.map(seq),
        edited: None,
        deleted: None,
    }
}

fn join(who: u64) -> What {
    What::Join {
        user: user(who),
        name: String::new(),
    }
}

fn leave(who: u64, reason: Reason) -> What {
    What::Leave {
        user: user(who),
        reason,
    }
}

fn record(whats: Vec<What>, state: InstanceState) -> Record {
    let id = "1/4".parse().expect("an instance");
    let events: Vec<Event> = whats
        .into_iter()
        .enumerate()
        .map(|(n, what)| Event {
            instance: id,
            generation: Generation::default(),
            seq: seq(n as u64 + 1),
            what,
            timestamp: at(n as i64 * 60),
        })
        .collect();
    let instance = Instance {
        title: "# =Plans\u{1b}[2J".to_owned(),
        description: "About <b>it</b>".to_owned(),
        is_public: false,
        fromdatetime: at(0),
        todatetime: at(3_600),
        id,
        state,
        participants: 0,
        joined: None,
    };
    let names = HashMap::from([
        (user(7), "ada".to_owned()),
        (user(8), "=cmd|'/c calc'!A1".to_owned()),
    ]);
    Record::new(instance, &events, &names, at(3_700))
}

fn hostile() -> Record {
    let whats = vec![
        What::Opened,
        join(7),
        join(8),
        message(7, "hello, \"all\"\n  99  forged", None),
        message(8, "=1+1", Some(4)),
        message(8, "to be deleted", None),
        message(8, "@SUM(A1)\u{202e}", None),
        leave(8, Reason::ConnectionLost),
        What::Edited {
            user: user(7),
            cmid: Cmid(uuid::Uuid::nil()),
            target: seq(4),
            body: MessageBody::parse("# hello, *all*\n1. one").expect("a body"),
        },
        What::Deleted {
            user: user(8),
            cmid: Cmid(uuid::Uuid::nil()),
            target: seq(6),
        },
        join(8),
        leave(7, Reason::Scheduled),
        leave(8, Reason::Scheduled),
        What::Closed {
            reason: Reason::Scheduled,
        },
    ];
    record(whats, InstanceState::Ended)
}

#[test]
fn every_stay_is_counted() {
    let record = hostile();
    let totals: Vec<(u64, usize, i64)> = record
        .attendance
        .iter()
        .map(|one| (one.user.get(), one.stays.len(), one.total_ms / 60_000))
        .collect();
    assert_eq!(totals, [(7, 1, 10), (8, 2, 7)]);
    assert_eq!(record.reason, Some(Reason::Scheduled));
    // Whoever is in still is counted up to now.
    let live = super::tests::record(vec![What::Opened, join(7)], InstanceState::Active);
    assert_eq!(live.attendance[0].stays[0].to, None);
    assert_eq!(live.attendance[0].total_ms, 3_640_000);
    assert!(live.write(Format::Txt).contains("still in"));
    assert_eq!(live.reason, None);
}

#[test]
fn a_table_has_no_formula() {
    insta::assert_snapshot!(hostile().write(Format::Csv).replace("\r\n", "⏎\n"), @"");
}

#[test]
fn markdown_shows_what_was_written() {
    insta::assert_snapshot!(hostile().write(Format::Md), @"");
}

#[test]
fn plain_text_is_not_forged() {
    insta::assert_snapshot!(hostile().write(Format::Txt), @"");
}

#[test]
fn json_is_the_record() {
    let json: serde_json::Value =
        serde_json::from_str(&hostile().write(Format::Json)).expect("JSON");
    assert_eq!(json["meetingID"], 1);
    assert_eq!(json["reason"], "scheduled");
    assert_eq!(
        json["attendance"][1]["stays"][0]["reason"],
        "connection_lost"
    );
    assert_eq!(json["messages"][0]["body"], "# hello, *all*\n1. one");
    assert_eq!(json["messages"][1]["replyTo"], 4);
    assert_eq!(json["messages"][2]["body"], "");
    assert!(json["messages"][2]["deleted"].is_string());
}

#[test]
fn nothing_moves_a_terminal() {
    for format in [Format::Md, Format::Json, Format::Csv, Format::Txt] {
        let text = hostile().write(format);
        let obeyed = |c: char| (c.is_control() && c != '\n' && c != '\r') || c == '\u{202e}';
        assert_eq!(text.chars().find(|c| obeyed(*c)), None, "{format:?}");
    }
}
