//! Reads the JSON that clients send: one pass into typed values, with errors that name the field.

use std::fmt;

use plenary_shared::domain::{Code, Reject};
use plenary_shared::text::MessageBody;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Where a JSON value comes from. Errors name it.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// The body of an HTTP request.
    HttpBody,
    /// The arguments of a WebSocket verb.
    Verb(&'a str),
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HttpBody => f.write_str("The request body"),
            Self::Verb(name) => write!(f, "The verb {name}"),
        }
    }
}

/// Parses one JSON value.
///
/// Returns `malformed` if the bytes are not JSON, the code of [`MessageBody`] if the field `body` is
/// not a message body, and `invalid` with the name of the field for every other mismatch.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], origin: Origin<'_>) -> Result<T, Reject> {
    if let Err(error) = std::str::from_utf8(bytes) {
        let detail = format!("{origin} is not UTF-8 at byte {}.", error.valid_up_to());
        return Err(Reject::new(Code::Malformed, detail));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let field = error.path().to_string();
        explain(bytes, origin, &field, error.inner())
    })?;
    let end = reader.end();
    end.map_err(|error| explain(bytes, origin, ".", &error))?;
    Ok(value)
}

fn explain(bytes: &[u8], origin: Origin<'_>, field: &str, error: &serde_json::Error) -> Reject {
    let text = error.to_string();
    if error.classify() != Category::Data {
        let detail = format!("{origin} is not valid JSON: {text}.");
        return Reject::new(Code::Malformed, detail);
    }
    if let Some(reject) = body_error(bytes) {
        return reject;
    }
    // The position helps only with malformed JSON; a field has a name.
    let what = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(what, _)| what);
    let detail = match origin {
        _ if field == "." => format!("{origin}: {what}."),
        Origin::HttpBody => format!("Field {field}: {what}."),
        Origin::Verb(name) => format!("Field {name}.{field}: {what}."),
    };
    Reject::new(Code::Invalid, detail)
}

/// Returns why the field `body` is not a message body. That has codes of its own, which an error of
/// serde cannot carry.
fn body_error(bytes: &[u8]) -> Option<Reject> {
    #[derive(Deserialize)]
    struct WithBody {
        body: String,
    }
    let WithBody { body } = serde_json::from_slice(bytes).ok()?;
    MessageBody::parse(body).err().map(Reject::from)
}

#[cfg(test)]
mod tests {
    use plenary_shared::protocol::Login;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"email":"a@b","password":"x"}"#, None, "")]
    #[case(r#"{"email":"a@b","password":"x","more":1}"#, None, "")]
    #[case(
        r#"{"email":"a@b"}"#,
        Some(Code::Invalid),
        "The request body: missing field `password`."
    )]
    #[case(
        r#"{"email":7,"password":"x"}"#,
        Some(Code::Invalid),
        "Field email: invalid type: integer `7`, expected a string."
    )]
    #[case(
        r#"{"email":"a","email":"b","password":"x"}"#,
        Some(Code::Invalid),
        "The request body: duplicate field `email`."
    )]
    #[case("[]", Some(Code::Invalid), "The request body: ")]
    #[case("null", Some(Code::Invalid), "The request body: ")]
    #[case("", Some(Code::Malformed), "The request body is not valid JSON: EOF")]
    #[case("{", Some(Code::Malformed), "The request body is not valid JSON: EOF")]
    #[case("{}x", Some(Code::Invalid), "The request body: missing field `email`.")]
    #[case(
        r#"{"email":"a@b","password":"x"} x"#,
        Some(Code::Malformed),
        "The request body is not valid JSON: trailing characters"
    )]
    #[case("\u{1}", Some(Code::Malformed), "The request body is not valid JSON")]
    #[case(r#"{"email":"a@b","body":" "}"#, Some(Code::BodyEmpty), "")]
    fn errors_name_the_field(#[case] body: &str, #[case] code: Option<Code>, #[case] detail: &str) {
        let reject = parse::<Login>(body.as_bytes(), Origin::HttpBody).err();
        assert_eq!(reject.as_ref().map(|reject| reject.code), code);
        let got = reject.map(|reject| reject.detail).unwrap_or_default();
        assert!(got.starts_with(detail), "{got}");
    }

    #[test]
    fn body_must_be_utf8() {
        let parsed = parse::<Login>(b"{\"email\":\"\xff\"}", Origin::HttpBody);
        let reject = parsed.map(|_| ()).expect_err("not UTF-8");
        let expected = "The request body is not UTF-8 at byte 10.";
        assert_eq!(
            (reject.code, reject.detail.as_str()),
            (Code::Malformed, expected)
        );
    }
}
