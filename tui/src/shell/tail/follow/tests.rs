//! What is asked and shown, line by line.

use plenary_shared::ids::{MeetingId, OrderId};
use serde_json::{Value, json};

use super::*;

/// One conversation: what was shown, noted and asked so far.
struct Talk {
    follow: Follow,
    shown: Vec<u64>,
    notes: Vec<String>,
    asked: Vec<Value>,
    last_id: u64,
    outcome: Option<Result<(), Failure>>,
    waits: usize,
}

impl Talk {
    fn new(since: Option<u64>) -> Self {
        let instance = InstanceId::new(
            MeetingId::new(1).expect("small"),
            OrderId::new(4).expect("small"),
        );
        let since = since.map(|seq| Seq::new(seq).expect("small"));
        Self {
            follow: Follow::new(instance, Token::new("t"), since),
            shown: vec![],
            notes: vec![],
            asked: vec![],
            last_id: 0,
            outcome: None,
            waits: 0,
        }
    }

    /// Connected, greeted, and `open` answered.
    fn opened(since: Option<u64>, seq: u64, events: &[u64]) -> Self {
        let mut talk = Self::new(since);
        talk.connect();
        talk.reply(&hello(None));
        talk.reply(&open(1, seq, events));
        talk
    }

    fn connect(&mut self) {
        let steps = self.follow.connected();
        self.follow_steps(steps);
    }

    fn again(&mut self) {
        let steps = self.follow.again();
        self.follow_steps(steps);
    }

    fn reply(&mut self, ok: &Value) {
        self.line(&json!({"id": self.last_id, "ok": ok}));
    }

    fn refuse(&mut self, code: &str) {
        self.line(&json!({"id": self.last_id, "error": {"code": code, "detail": "no"}}));
    }

    fn push(&mut self, generation: u64, seq: u64) {
        self.line(&event(generation, seq));
    }

    fn line(&mut self, line: &Value) {
        let line = ServerLine::parse(&line.to_string()).expect("a line");
        let steps = self.follow.heard(line);
        self.follow_steps(steps);
    }

    fn follow_steps(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Ask(request) => {
                    self.last_id = request.id;
                    let mut said = serde_json::to_value(&request).expect("JSON");
                    said.as_object_mut().expect("an object").remove("id");
                    self.asked.push(said);
                }
                Step::Show(event) => self.shown.push(event.seq.get()),
                Step::Note(text) => self.notes.push(text),
                Step::WaitThenAgain(_) => self.waits += 1,
                Step::End => self.outcome = Some(Ok(())),
                Step::Fail(failure) => self.outcome = Some(Err(failure)),
            }
        }
    }

    /// The verb that was asked last, and its content.
    fn last_asked(&self) -> (&str, &Value) {
        let said = self.asked.last().expect("something was asked");
        let (verb, content) = said
            .as_object()
            .and_then(|said| said.iter().next())
            .expect("a verb");
        (verb, content)
    }
}

fn event(generation: u64, seq: u64) -> Value {
    json!({"meetingID": 1, "orderID": 4, "gen": generation, "seq": seq, "event": "message",
        "userID": 7, "cmid": "01890a5d-ac96-774b-bcce-b302099a8057", "body": "hi",
        "timestamp": "2026-05-06T13:00:00.000Z"})
}

fn closed(generation: u64, seq: u64) -> Value {
    json!({"meetingID": 1, "orderID": 4, "gen": generation, "seq": seq, "event": "closed",
        "reason": "scheduled", "timestamp": "2026-05-06T13:00:00.000Z"})
}

fn hello(mode: Option<&str>) -> Value {
    let resumed: Vec<Value> = mode
        .map(|mode| json!({"meetingID": 1, "orderID": 4, "mode": mode}))
        .into_iter()
        .collect();
    json!({"userID": 7, "name": "ada", "email": "ada@example.org", "role": "member",
        "server": "0.1.0", "now": "2026-05-06T13:00:00Z", "resumed": resumed})
}

fn open(generation: u64, seq: u64, events: &[u64]) -> Value {
    let events: Vec<Value> = events.iter().map(|seq| event(generation, *seq)).collect();
    let state = if generation == 0 { "ended" } else { "active" };
    json!({"title": "t", "description": "", "isPublic": true, "meetingID": 1, "orderID": 4,
        "fromdatetime": "2026-05-06T13:00:00Z", "todatetime": "2026-05-06T14:00:00Z",
        "state": state, "participants": 0, "gen": generation, "seq": seq, "durable": 0,
        "people": [], "events": events, "more": false, "users": [{"userID": 7, "name": "ada"}]})
}

fn page(generation: u64, events: &[u64], more: bool) -> Value {
    let events: Vec<Value> = events.iter().map(|seq| event(generation, *seq)).collect();
    json!({"events": events, "more": more, "users": []})
}

#[test]
fn it_begins_with_the_last_events_and_goes_on() {
    let mut talk = Talk::opened(None, 42, &[41, 42]);
    assert_eq!(talk.last_asked().1["limit"], 10);
    talk.push(1, 43);
    talk.push(1, 43);
    assert_eq!(talk.shown, [41, 42, 43]);
    assert_eq!(talk.follow.name(UserId::new(7).expect("small")), "ada");
    talk.line(&closed(1, 44));
    assert_eq!(talk.shown, [41, 42, 43, 44]);
    assert_eq!(talk.outcome, Some(Ok(())));
}

#[test]
fn since_pages_from_there_and_misses_nothing_that_comes_meanwhile() {
    let mut talk = Talk::new(Some(0));
    talk.connect();
    talk.reply(&hello(None));
    // Pushed before `open` is answered.
    talk.push(1, 7);
    talk.reply(&open(1, 6, &[5, 6]));
    assert!(talk.shown.is_empty());
    assert_eq!(
        talk.last_asked(),
        (
            "events",
            &json!({"meetingID": 1, "orderID": 4, "after": 0, "limit": 1000})
        )
    );
    talk.push(1, 8);
    talk.reply(&page(1, &[1, 2], true));
    assert_eq!(talk.last_asked().1["after"], 2);
    talk.reply(&page(1, &[3, 4], true));
    assert_eq!(talk.shown, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(talk.asked.len(), 4, "nothing more is asked");
}

#[test]
fn since_beyond_the_end_waits_for_it() {
    let mut talk = Talk::opened(Some(44), 42, &[42]);
    for seq in 43..=46 {
        talk.push(1, seq);
    }
    assert_eq!(talk.shown, [45, 46]);
}

#[test]
fn a_hole_is_asked_for() {
    let mut talk = Talk::opened(Some(3), 3, &[3]);
    talk.push(1, 6);
    assert_eq!(talk.last_asked().1["after"], 3);
    talk.reply(&page(1, &[], false));
    assert_eq!(talk.waits, 1, "the store is behind");
    talk.push(1, 7);
    talk.again();
    talk.reply(&page(1, &[4, 5], false));
    assert_eq!(talk.shown, [4, 5, 6, 7]);
}

#[test]
fn a_reconnect_resumes_without_hole_or_double() {
    let mut talk = Talk::opened(Some(3), 4, &[4]);
    talk.connect();
    assert_eq!(
        talk.last_asked().1["resume"],
        json!([{"meetingID": 1, "orderID": 4, "gen": 1, "seq": 4}])
    );
    talk.reply(&hello(Some("delta")));
    talk.push(1, 4);
    talk.push(1, 5);
    assert_eq!(talk.shown, [4, 5]);

    talk.connect();
    talk.reply(&hello(Some("snapshot")));
    talk.reply(&open(1, 9, &[8, 9]));
    talk.reply(&page(1, &[6, 7], true));
    assert_eq!(talk.shown, [4, 5, 6, 7, 8, 9]);

    talk.connect();
    talk.reply(&hello(Some("ended")));
    talk.reply(&page(0, &[10], true));
    assert_eq!(talk.outcome, None);
    talk.reply(&page(0, &[11], false));
    assert_eq!(talk.shown, [4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(talk.outcome, Some(Ok(())));
}

#[test]
fn what_is_over_is_shown_to_its_end() {
    let talk = Talk::opened(None, 42, &[]);
    assert_eq!(talk.outcome, None);
    let mut talk = Talk::new(Some(2));
    talk.connect();
    talk.reply(&hello(None));
    talk.reply(&open(0, 4, &[3, 4]));
    assert_eq!(talk.shown, [3, 4]);
    assert_eq!(talk.outcome, Some(Ok(())));
}

#[test]
fn a_fence_voids_what_is_above_it_and_the_new_row_is_shown() {
    let mut talk = Talk::opened(Some(0), 3, &[1, 2, 3]);
    talk.line(&json!({"meetingID": 1, "orderID": 4, "gen": 2, "fence": 2}));
    assert!(talk.notes[0].contains("number 2"), "{:?}", talk.notes);
    assert_eq!(talk.last_asked().0, "open");
    talk.push(2, 3);
    talk.reply(&open(2, 3, &[1, 2, 3]));
    talk.push(2, 4);
    assert_eq!(talk.shown, [1, 2, 3, 3, 4]);
}

#[test]
fn an_event_of_another_generation_opens_it_again() {
    let mut talk = Talk::opened(Some(0), 2, &[1, 2]);
    talk.push(2, 3);
    assert_eq!(talk.last_asked().0, "open");
    talk.push(2, 4);
    talk.reply(&open(2, 3, &[1, 2, 3]));
    assert_eq!(talk.shown, [1, 2, 3, 4]);
    assert_eq!(talk.asked.len(), 3);
}

#[test]
fn other_instances_and_late_answers_mean_nothing() {
    let mut talk = Talk::opened(None, 2, &[2]);
    let mut other = event(1, 3);
    other["orderID"] = json!(5);
    talk.line(&other);
    talk.line(&json!({"id": 999, "ok": {}}));
    talk.line(&json!({"changed": "meetings"}));
    assert_eq!(talk.shown, [2]);
    assert_eq!(talk.outcome, None);
}

#[test]
fn a_no_for_now_is_tried_again_and_any_other_is_the_end() {
    let mut talk = Talk::new(None);
    talk.connect();
    talk.reply(&hello(None));
    talk.refuse("unavailable");
    assert_eq!((talk.waits, talk.outcome.is_none()), (1, true));
    talk.again();
    assert_eq!(talk.last_asked().0, "open");
    talk.refuse("not_allowed");
    let failure = talk.outcome.expect("the end").expect_err("a failure");
    assert_eq!(failure.exit_code(), 4);

    let mut talk = Talk::new(None);
    talk.connect();
    talk.refuse("not_signed_in");
    let failure = talk.outcome.expect("the end").expect_err("a failure");
    assert_eq!(failure.exit_code(), 3);

    let mut talk = Talk::opened(None, 2, &[2]);
    talk.connect();
    talk.reply(&hello(Some("gone")));
    let failure = talk.outcome.expect("the end").expect_err("a failure");
    assert_eq!(failure.exit_code(), 4);
}
