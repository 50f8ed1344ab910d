//! Requests and printed events for scripted conversations with a server.

use plenary_shared::ids::{MeetingId, OrderId};
use serde_json::{Value, json};

use super::*;

/// A scripted conversation, with what was printed, noted and requested so far.
struct Conversation {
    follow: Follow,
    printed: Vec<u64>,
    notes: Vec<String>,
    sent: Vec<Value>,
    last_id: u64,
    outcome: Option<Result<(), Failure>>,
    waits: usize,
}

impl Conversation {
    fn new(since: Option<u64>) -> Self {
        let instance = InstanceId::new(
            MeetingId::new(1).expect("small"),
            OrderId::new(4).expect("small"),
        );
        let since = since.map(|seq| Seq::new(seq).expect("small"));
        Self {
            follow: Follow::new(instance, Token::new("t"), since),
            printed: vec![],
            notes: vec![],
            sent: vec![],
            last_id: 0,
            outcome: None,
            waits: 0,
        }
    }

    /// Returns a conversation in which hello and `open` are answered.
    fn opened(since: Option<u64>, seq: u64, events: &[u64]) -> Self {
        let mut chat = Self::new(since);
        chat.connect();
        chat.reply(&hello(None));
        chat.reply(&open(1, seq, events));
        chat
    }

    fn connect(&mut self) {
        let steps = self.follow.connected();
        self.follow_steps(steps);
    }

    fn retry(&mut self) {
        let steps = self.follow.retry();
        self.follow_steps(steps);
    }

    fn reply(&mut self, ok: &Value) {
        self.line(&json!({"id": self.last_id, "ok": ok}));
    }

    fn reject(&mut self, code: &str) {
        self.line(&json!({"id": self.last_id, "error": {"code": code, "detail": "no"}}));
    }

    fn push(&mut self, generation: u64, seq: u64) {
        self.line(&event(generation, seq));
    }

    fn line(&mut self, line: &Value) {
        let line = ServerLine::parse(&line.to_string()).expect("a line");
        let steps = self.follow.line(line);
        self.follow_steps(steps);
    }

    fn follow_steps(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Send(request) => {
                    self.last_id = request.id;
                    let mut json = serde_json::to_value(&request).expect("JSON");
                    json.as_object_mut().expect("an object").remove("id");
                    self.sent.push(json);
                }
                Step::Print(event) => self.printed.push(event.seq.get()),
                Step::Note(text) => self.notes.push(text),
                Step::RetryAfter(_) => self.waits += 1,
                Step::End => self.outcome = Some(Ok(())),
                Step::Fail(failure) => self.outcome = Some(Err(failure)),
            }
        }
    }

    /// Returns the verb and the content of the last request.
    fn last_sent(&self) -> (&str, &Value) {
        let json = self.sent.last().expect("something was sent");
        let (verb, content) = json
            .as_object()
            .and_then(|json| json.iter().next())
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
        "roster": [], "events": events, "more": false, "users": [{"userID": 7, "name": "ada"}]})
}

fn page(generation: u64, events: &[u64], more: bool) -> Value {
    let events: Vec<Value> = events.iter().map(|seq| event(generation, *seq)).collect();
    json!({"events": events, "more": more, "users": []})
}

#[test]
fn tail_starts_with_the_last_events_and_continues() {
    let mut chat = Conversation::opened(None, 42, &[41, 42]);
    assert_eq!(chat.last_sent().1["limit"], 10);
    chat.push(1, 43);
    chat.push(1, 43);
    assert_eq!(chat.printed, [41, 42, 43]);
    assert_eq!(chat.follow.name(UserId::new(7).expect("small")), "ada");
    chat.line(&closed(1, 44));
    assert_eq!(chat.printed, [41, 42, 43, 44]);
    assert_eq!(chat.outcome, Some(Ok(())));
}

#[test]
fn since_reads_pages_and_keeps_events_pushed_meanwhile() {
    let mut chat = Conversation::new(Some(0));
    chat.connect();
    chat.reply(&hello(None));
    // Pushed before `open` is answered.
    chat.push(1, 7);
    chat.reply(&open(1, 6, &[5, 6]));
    assert!(chat.printed.is_empty());
    assert_eq!(
        chat.last_sent(),
        (
            "events",
            &json!({"meetingID": 1, "orderID": 4, "after": 0, "limit": 1000})
        )
    );
    chat.push(1, 8);
    chat.reply(&page(1, &[1, 2], true));
    assert_eq!(chat.last_sent().1["after"], 2);
    chat.reply(&page(1, &[3, 4], true));
    assert_eq!(chat.printed, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(chat.sent.len(), 4, "nothing more is sent");
}

#[test]
fn since_after_the_last_event_waits() {
    let mut chat = Conversation::opened(Some(44), 42, &[42]);
    for seq in 43..=46 {
        chat.push(1, seq);
    }
    assert_eq!(chat.printed, [45, 46]);
}

#[test]
fn gap_is_requested() {
    let mut chat = Conversation::opened(Some(3), 3, &[3]);
    chat.push(1, 6);
    assert_eq!(chat.last_sent().1["after"], 3);
    chat.reply(&page(1, &[], false));
    assert_eq!(chat.waits, 1, "the store is behind");
    chat.push(1, 7);
    chat.retry();
    chat.reply(&page(1, &[4, 5], false));
    assert_eq!(chat.printed, [4, 5, 6, 7]);
}

#[test]
fn reconnect_resumes_without_gaps_or_duplicates() {
    let mut chat = Conversation::opened(Some(3), 4, &[4]);
    chat.connect();
    assert_eq!(
        chat.last_sent().1["resume"],
        json!([{"meetingID": 1, "orderID": 4, "gen": 1, "seq": 4}])
    );
    chat.reply(&hello(Some("delta")));
    chat.push(1, 4);
    chat.push(1, 5);
    assert_eq!(chat.printed, [4, 5]);

    chat.connect();
    chat.reply(&hello(Some("snapshot")));
    chat.reply(&open(1, 9, &[8, 9]));
    chat.reply(&page(1, &[6, 7], true));
    assert_eq!(chat.printed, [4, 5, 6, 7, 8, 9]);

    chat.connect();
    chat.reply(&hello(Some("ended")));
    chat.reply(&page(0, &[10], true));
    assert_eq!(chat.outcome, None);
    chat.reply(&page(0, &[11], false));
    assert_eq!(chat.printed, [4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(chat.outcome, Some(Ok(())));
}

#[test]
fn ended_instance_is_printed_to_its_end() {
    let chat = Conversation::opened(None, 42, &[]);
    assert_eq!(chat.outcome, None);
    let mut chat = Conversation::new(Some(2));
    chat.connect();
    chat.reply(&hello(None));
    chat.reply(&open(0, 4, &[3, 4]));
    assert_eq!(chat.printed, [3, 4]);
    assert_eq!(chat.outcome, Some(Ok(())));
}

#[test]
fn fence_discards_lost_events_and_new_ones_are_printed() {
    let mut chat = Conversation::opened(Some(0), 3, &[1, 2, 3]);
    chat.line(&json!({"meetingID": 1, "orderID": 4, "gen": 2, "fence": 2}));
    assert!(chat.notes[0].contains("number 2"), "{:?}", chat.notes);
    assert_eq!(chat.last_sent().0, "open");
    chat.push(2, 3);
    chat.reply(&open(2, 3, &[1, 2, 3]));
    chat.push(2, 4);
    assert_eq!(chat.printed, [1, 2, 3, 3, 4]);
}

#[test]
fn event_of_another_generation_reopens() {
    let mut chat = Conversation::opened(Some(0), 2, &[1, 2]);
    chat.push(2, 3);
    assert_eq!(chat.last_sent().0, "open");
    chat.push(2, 4);
    chat.reply(&open(2, 3, &[1, 2, 3]));
    assert_eq!(chat.printed, [1, 2, 3, 4]);
    assert_eq!(chat.sent.len(), 3);
}

#[test]
fn other_instances_and_late_replies_are_ignored() {
    let mut chat = Conversation::opened(None, 2, &[2]);
    let mut other = event(1, 3);
    other["orderID"] = json!(5);
    chat.line(&other);
    chat.line(&json!({"id": 999, "ok": {}}));
    chat.line(&json!({"changed": "meetings"}));
    assert_eq!(chat.printed, [2]);
    assert_eq!(chat.outcome, None);
}

#[test]
fn transient_rejection_is_retried_and_others_fail() {
    let mut chat = Conversation::new(None);
    chat.connect();
    chat.reply(&hello(None));
    chat.reject("unavailable");
    assert_eq!((chat.waits, chat.outcome.is_none()), (1, true));
    chat.retry();
    assert_eq!(chat.last_sent().0, "open");
    chat.reject("not_allowed");
    let failure = chat.outcome.expect("the end").expect_err("a failure");
    assert_eq!(failure.exit_code(), 4);

    let mut chat = Conversation::new(None);
    chat.connect();
    chat.reject("not_signed_in");
    let failure = chat.outcome.expect("the end").expect_err("a failure");
    assert_eq!(failure.exit_code(), 3);

    let mut chat = Conversation::opened(None, 2, &[2]);
    chat.connect();
    chat.reply(&hello(Some("gone")));
    let failure = chat.outcome.expect("the end").expect_err("a failure");
    assert_eq!(failure.exit_code(), 4);
}
