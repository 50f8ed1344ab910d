//! Parses requests. Every line of a frame is one; a malformed line is answered with an error.

use std::collections::BTreeMap;

use plenary_shared::domain::{Code, Reject};
use plenary_shared::protocol::{Request, Verb};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::json::{self, Origin};

/// A line that is not a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BadRequest {
    /// The id of the request, or 0 if it has none.
    pub(super) id: u64,
    pub(super) reject: Reject,
}

/// Parses one line. The arguments are parsed once, as the type that their verb needs.
pub(super) fn parse(line: &str) -> Result<Request, BadRequest> {
    let mut fields: BTreeMap<String, &RawValue> =
        serde_json::from_str(line).map_err(|error| match error.classify() {
            Category::Data => malformed(0, "A request must be a JSON object."),
            Category::Io | Category::Syntax | Category::Eof => {
                malformed(0, &format!("The request is not valid JSON: {error}."))
            }
        })?;
    let id = fields.remove("id").and_then(|id| id.get().parse().ok());
    let Some(id) = id else {
        return Err(malformed(
            0,
            "A request needs an id: a whole number from 0.",
        ));
    };
    let mut entries = fields.into_iter();
    let (Some((name, arguments)), None) = (entries.next(), entries.next()) else {
        return Err(malformed(id, "A request needs an id and exactly one verb."));
    };
    match verb(&name, arguments) {
        Ok(verb) => Ok(Request { id, verb }),
        Err(reject) => Err(BadRequest { id, reject }),
    }
}

fn malformed(id: u64, detail: &str) -> BadRequest {
    let reject = Reject::new(Code::Malformed, detail);
    BadRequest { id, reject }
}

fn verb(name: &str, raw: &RawValue) -> Result<Verb, Reject> {
    Ok(match name {
        "hello" => Verb::Hello(arguments(name, raw)?),
        "meetings" => Verb::Meetings {},
        "open" => Verb::Open(arguments(name, raw)?),
        "close" => Verb::Close(arguments(name, raw)?),
        "join" => Verb::Join(arguments(name, raw)?),
        "leave" => Verb::Leave(arguments(name, raw)?),
        "post" => Verb::Post(arguments(name, raw)?),
        "edit" => Verb::Edit(arguments(name, raw)?),
        "delete" => Verb::Delete(arguments(name, raw)?),
        "read" => Verb::Read(arguments(name, raw)?),
        "typing" => Verb::Typing(arguments(name, raw)?),
        "idle" => Verb::Idle(arguments(name, raw)?),
        "wait" => Verb::Wait(arguments(name, raw)?),
        "moderate" => Verb::Moderate(arguments(name, raw)?),
        "plan" => Verb::Plan(arguments(name, raw)?),
        "watch" => Verb::Watch(arguments(name, raw)?),
        "explain" => Verb::Explain(arguments(name, raw)?),
        "search" => Verb::Search(arguments(name, raw)?),
        "events" => Verb::Events(arguments(name, raw)?),
        "participants" => Verb::Participants(arguments(name, raw)?),
        "terminals" => Verb::Terminals {},
        "join_times" => Verb::JoinTimes {},
        "user_messages" => Verb::UserMessages(arguments(name, raw)?),
        _ => {
            let known = Verb::NAMES.join(", ");
            let detail = format!("Unknown verb; the known verbs are {known}.");
            return Err(Reject::new(Code::Malformed, detail));
        }
    })
}

fn arguments<T: DeserializeOwned>(name: &str, raw: &RawValue) -> Result<T, Reject> {
    json::parse(raw.get().as_bytes(), Origin::Verb(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    /// A line; the id, the code and a part of the sentence in the answer.
    const BAD: &[(&str, u64, Code, &str)] = &[
        ("", 0, Code::Malformed, "not valid JSON"),
        ("[]", 0, Code::Malformed, "JSON object"),
        ("{}", 0, Code::Malformed, "needs an id"),
        (
            r#"{"id":-1,"meetings":{}}"#,
            0,
            Code::Malformed,
            "whole number from 0",
        ),
        (r#"{"id":7}"#, 7, Code::Malformed, "exactly one verb"),
        (
            r#"{"id":7,"meetings":{},"post":{}}"#,
            7,
            Code::Malformed,
            "exactly one verb",
        ),
        (
            r#"{"id":7,"dance":{}}"#,
            7,
            Code::Malformed,
            "verbs are hello",
        ),
        (
            r#"{"id":7,"join":{"meetingID":1}}"#,
            7,
            Code::Invalid,
            "orderID",
        ),
        (
            r#"{"id":7,"join":{"meetingID":1,"orderID":-1}}"#,
            7,
            Code::Invalid,
            "whole number",
        ),
        (
            r#"{"id":7,"join":{"meetingID":1,"orderID":18446744073709551616}}"#,
            7,
            Code::Invalid,
            "whole number",
        ),
        (
            r#"{"id":7,"post":{"meetingID":1,"orderID":1,"body":"x"}}"#,
            7,
            Code::Invalid,
            "cmid",
        ),
        (
            r#"{"id":7,"post":{"meetingID":1,"orderID":1,"cmid":"x","body":"x"}}"#,
            7,
            Code::Invalid,
            "post.cmid",
        ),
        (
            r#"{"id":7,"post":{"body":"  "}}"#,
            7,
            Code::BodyEmpty,
            "empty",
        ),
        (
            r#"{"id":7,"post":{"body":"\u001b[2J"}}"#,
            7,
            Code::BodyControl,
            "U+001B",
        ),
        (
            r#"{"id":7,"edit":{"meetingID":1,"orderID":1,"body":""}}"#,
            7,
            Code::BodyEmpty,
            "empty",
        ),
        (
            r#"{"id":7,"edit":{"meetingID":1,"orderID":1,"cmid":"01890a5d-ac96-774b-bcce-b302099a8057","target":-1,"body":"x"}}"#,
            7,
            Code::Invalid,
            "edit.target",
        ),
        (
            r#"{"id":7,"read":{"meetingID":1,"orderID":1,"seq":-1}}"#,
            7,
            Code::Invalid,
            "read.seq",
        ),
        (r#"{"id":7,"search":{}}"#, 7, Code::Invalid, "query"),
        (
            r#"{"id":7,"search":{"query":"x","before":"1' OR 1=1"}}"#,
            7,
            Code::Invalid,
            "search.before",
        ),
        (
            r#"{"id":7,"typing":{"meetingID":1}}"#,
            7,
            Code::Invalid,
            "orderID",
        ),
        (
            r#"{"id":7,"delete":{"meetingID":1,"orderID":1,"target":4}}"#,
            7,
            Code::Invalid,
            "cmid",
        ),
        (
            r#"{"id":7,"post":{"meetingID":1,"orderID":1,"cmid":"01890a5d-ac96-774b-bcce-b302099a8057","body":"x","replyTo":"y"}}"#,
            7,
            Code::Invalid,
            "replyTo",
        ),
        (r#"{"id":7,"post":{"body":7}}"#, 7, Code::Invalid, "post"),
    ];

    #[test]
    fn malformed_line_is_explained() {
        for &(line, id, code, part) in BAD {
            let bad = parse(line).expect_err(line);
            assert_eq!((bad.id, bad.reject.code), (id, code), "{line}");
            assert!(
                bad.reject.detail.contains(part),
                "{line}: {}",
                bad.reject.detail
            );
        }
    }
}
