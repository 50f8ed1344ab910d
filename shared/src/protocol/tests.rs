//! The shapes on the wire, to the letter.

use super::*;
use crate::domain::{Code, EventKind};

const EVENT: &str = r#"{"meetingID":1,"orderID":4,"gen":3,"seq":1051,"event":"message","userID":7,"cmid":"01890a5d-ac96-774b-bcce-b302099a8057","body":"hi","timestamp":"2026-05-06T13:00:00.000Z"}"#;

#[test]
fn a_request_is_its_verb_beside_its_id() {
    let json = r#"{"id":2,"post":{"meetingID":1,"orderID":4,"cmid":"01890a5d-ac96-774b-bcce-b302099a8057","body":"hello"}}"#;
    let request: Request = serde_json::from_str(json).expect("a request");
    assert_eq!(serde_json::to_string(&request).expect("JSON"), json);
    let json = json.replace("}}", r#","ack":"durable"}}"#);
    let request: Request = serde_json::from_str(&json).expect("a request");
    assert_eq!(serde_json::to_string(&request).expect("JSON"), json);
    for name in ["meetings", "join_times"] {
        let json = format!(r#"{{"id":1,"{name}":{{}}}}"#);
        let request: Request = serde_json::from_str(&json).expect("a request");
        assert_eq!(serde_json::to_string(&request).expect("JSON"), json);
    }
}

#[test]
fn lines_from_the_server_are_told_apart() {
    let ServerLine::Push(Push::Event(event)) = ServerLine::parse(EVENT).expect("a line") else {
        panic!("not an event");
    };
    assert!(matches!(event.kind, EventKind::Message { .. }));
    assert_eq!(serde_json::to_string(&event).expect("JSON"), EVENT);

    let line = r#"{"id":2,"error":{"code":"not_participant","detail":"no"}}"#;
    let ServerLine::Reply(reply) = ServerLine::parse(line).expect("a line") else {
        panic!("not a reply");
    };
    assert!(matches!(reply.outcome, Outcome::Error(r) if r.code == Code::NotParticipant));

    for (line, expected) in [
        (
            r#"{"meetingID":1,"orderID":4,"gen":3,"durable":9}"#,
            "Durable",
        ),
        (r#"{"meetingID":1,"orderID":4,"gen":4,"fence":9}"#, "Fence"),
        (r#"{"meetingID":1,"orderID":4,"read":9}"#, "Read"),
        (r#"{"meetingID":1,"orderID":4,"typing":9}"#, "Typing"),
        (
            r#"{"meetingID":1,"orderID":4,"presence":9,"state":"idle","since":"2026-11-22T10:00:00.000Z"}"#,
            "Idle",
        ),
        (
            r#"{"meetingID":1,"orderID":4,"waiting":9,"name":"ada","isWaiting":true,"count":2}"#,
            "Waiting",
        ),
        (r#"{"changed":"meetings"}"#, "Changed"),
        (
            r#"{"meetingID":1,"orderID":4,"changed":"participants"}"#,
            "Participants",
        ),
        (r#"{"dashboard":{"reset":true}}"#, "Dashboard"),
        (
            r#"{"detail":{"meetingID":1,"orderID":4,"timeline":[{"number":1,"at":"2026-05-06T13:00:00.000Z","userID":7,"name":"ada","kind":"denied","code":"locked"}]}}"#,
            "Locked",
        ),
    ] {
        let parsed = format!("{:?}", ServerLine::parse(line).expect("a line"));
        assert!(parsed.contains(expected), "{parsed}");
    }
    assert!(ServerLine::parse("{}").is_err());
}
