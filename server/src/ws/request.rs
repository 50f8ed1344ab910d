//! Reading requests: every line of a frame is one, and a bad one is answered, not punished.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::protocol::{Request, Verb};
use plenary_shared::text::MessageBody;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A line that is no request, and what its sender is told.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bad {
    /// The request's number; 0 when it has none.
    pub(super) id: u64,
    /// Why it is none.
    pub(super) reject: Reject,
}

/// Reads one line.
pub(super) fn read(line: &str) -> Result<Request, Bad> {
    let value: Value = serde_json::from_str(line).map_err(|error| Bad {
        id: 0,
        reject: Reject::new(Code::Malformed, format!("This is no JSON: {error}.")),
    })?;
    let Value::Object(mut fields) = value else {
        return Err(bad(0, Code::Malformed, "A request is a JSON object."));
    };
    let id = match fields.remove("id") {
        Some(Value::Number(number)) if number.is_u64() => number.as_u64().unwrap_or_default(),
        _ => {
            let what = "A request has an id: a whole number that is not negative.";
            return Err(bad(0, Code::Malformed, what));
        }
    };
    let mut entries = fields.into_iter();
    let (Some((name, arguments)), None) = (entries.next(), entries.next()) else {
        return Err(bad(
            id,
            Code::Malformed,
            "A request has an id and one verb.",
        ));
    };
    let verb = verb(&name, arguments).map_err(|reject| Bad { id, reject })?;
    Ok(Request { id, verb })
}

fn bad(id: u64, code: Code, what: &str) -> Bad {
    Bad {
        id,
        reject: Reject::new(code, what),
    }
}

fn verb(name: &str, arguments: Value) -> Result<Verb, Reject> {
    Ok(match name {
        "hello" => Verb::Hello(fields(name, arguments)?),
        "meetings" => Verb::Meetings {},
        "open" => Verb::Open(fields(name, arguments)?),
        "close" => Verb::Close(fields(name, arguments)?),
        "join" => Verb::Join(fields(name, arguments)?),
        "leave" => Verb::Leave(fields(name, arguments)?),
        "post" => Verb::Post(fields(name, checked_body(arguments)?)?),
        "edit" => Verb::Edit(fields(name, checked_body(arguments)?)?),
        "delete" => Verb::Delete(fields(name, arguments)?),
        "read" => Verb::Read(fields(name, arguments)?),
        "typing" => Verb::Typing(fields(name, arguments)?),
        "idle" => Verb::Idle(fields(name, arguments)?),
        "wait" => Verb::Wait(fields(name, arguments)?),
        "moderate" => Verb::Moderate(fields(name, checked_body(arguments)?)?),
        "plan" => Verb::Plan(fields(name, arguments)?),
        "watch" => Verb::Watch(fields(name, arguments)?),
        "explain" => Verb::Explain(fields(name, arguments)?),
        "search" => Verb::Search(fields(name, arguments)?),
        "events" => Verb::Events(fields(name, arguments)?),
        "people" => Verb::People(fields(name, arguments)?),
        "join_times" => Verb::JoinTimes {},
        "user_messages" => Verb::UserMessages(fields(name, arguments)?),
        _ => {
            let detail = format!(
                "This verb is not known: known are {}.",
                Verb::NAMES.join(", ")
            );
            return Err(Reject::new(Code::Malformed, detail));
        }
    })
}

fn fields<T: DeserializeOwned>(name: &str, arguments: Value) -> Result<T, Reject> {
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." {
            name.to_owned()
        } else {
            format!("{name}.{path}")
        };
        Reject::new(
            Code::Invalid,
            format!("The field {field} is wrong: {}.", error.inner()),
        )
    })
}

/// A body that may not be has a code of its own, which a field's error could not carry.
fn checked_body(arguments: Value) -> Result<Value, Reject> {
    let body = |fields: &Map<String, Value>| {
        fields
            .get("body")
            .and_then(Value::as_str)
            .map(MessageBody::parse)
    };
    match arguments.as_object().and_then(body) {
        Some(Err(error)) => Err(error.into()),
        Some(Ok(_)) | None => Ok(arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line, and what its sender is told: the request's number, a code, a part of the sentence.
    const BAD: &[(&str, u64, Code, &str)] = &[
        ("", 0, Code::Malformed, "no JSON"),
        ("[]", 0, Code::Malformed, "JSON object"),
        ("{}", 0, Code::Malformed, "has an id"),
        (
            r#"{"id":-1,"meetings":{}}"#,
            0,
            Code::Malformed,
            "not negative",
        ),
        (r#"{"id":7}"#, 7, Code::Malformed, "one verb"),
        (
            r#"{"id":7,"meetings":{},"post":{}}"#,
            7,
            Code::Malformed,
            "one verb",
        ),
        (
            r#"{"id":7,"dance":{}}"#,
            7,
            Code::Malformed,
            "known are hello",
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
            "write something",
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
            "write something",
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
        (
            r#"{"id":7,"post":{"body":7}}"#,
            7,
            Code::Invalid,
            "The field post",
        ),
    ];

    #[test]
    fn bad_lines_are_told_what_is_wrong() {
        for &(line, id, code, part) in BAD {
            let bad = read(line).expect_err(line);
            assert_eq!((bad.id, bad.reject.code), (id, code), "{line}");
            assert!(
                bad.reject.detail.contains(part),
                "{line}: {}",
                bad.reject.detail
            );
        }
    }
}
