//! Parsing of text that users type: message bodies, names, titles, email addresses, passwords.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits;

/// Why a text is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text is empty or only white space.
    #[error("{field} is empty")]
    Empty {
        /// The name of the field.
        field: &'static str,
    },
    /// The text is too long.
    #[error("{field} is {bytes} bytes; the limit is {bytes_max}")]
    TooLong {
        /// The name of the field.
        field: &'static str,
        /// The length of the text, in bytes of UTF-8.
        bytes: usize,
        /// The limit, in bytes of UTF-8.
        bytes_max: usize,
    },
    /// The text contains a control or escape character.
    #[error("{field} contains the control character U+{code:04X} at byte {at}")]
    Control {
        /// The name of the field.
        field: &'static str,
        /// The code point of the character.
        code: u32,
        /// The offset of the character, in bytes.
        at: usize,
    },
    /// The text does not have the required form.
    #[error("{field} {what}")]
    Form {
        /// The name of the field.
        field: &'static str,
        /// The required form.
        what: &'static str,
    },
}

/// The body of a message: 1 to 4,096 bytes of UTF-8, not only white space, without control characters
/// other than line ends and tabs. The body of a deleted message is empty; parsing never returns it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct MessageBody(String);

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for MessageBody {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        crate::openapi::message_body()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for MessageBody {}

impl MessageBody {
    /// Checks `text` and keeps it unchanged.
    pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        check("body", &text, limits::MESSAGE_BODY_BYTES_MAX, Lines::Many)?;
        Ok(Self(text))
    }

    /// Returns the body of a deleted message.
    pub const fn deleted() -> Self {
        Self(String::new())
    }

    /// Whether the message is deleted.
    pub fn is_deleted(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// Bodies must not reach a log.
impl fmt::Debug for MessageBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageBody({} bytes)", self.0.len())
    }
}

impl fmt::Display for MessageBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for MessageBody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if text.is_empty() {
            return Ok(Self::deleted());
        }
        Self::parse(text).map_err(serde::de::Error::custom)
    }
}

/// Whether a text mentions a user: `@name`, case-insensitive, not followed by a letter or digit.
pub fn mentions(body: &str, name: &str) -> bool {
    if name.is_empty() || !body.contains('@') {
        return false;
    }
    let (body, name) = (body.to_lowercase(), format!("@{}", name.to_lowercase()));
    body.match_indices(&name).any(|(at, _)| {
        let after = body[at + name.len()..].chars().next();
        !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Parses a user's name: one line.
pub fn parse_name(text: &str) -> Result<String, TextError> {
    one_line("name", text, limits::NAME_BYTES_MAX)
}

/// Parses a meeting's title: one line.
pub fn parse_title(text: &str) -> Result<String, TextError> {
    one_line("title", text, limits::TITLE_BYTES_MAX)
}

/// Parses the reason of a moderation: one line.
pub fn parse_reason(text: &str) -> Result<String, TextError> {
    one_line("reason", text, limits::REASON_BYTES_MAX)
}

/// Parses a meeting's description: any number of lines, may be empty.
pub fn parse_description(text: &str) -> Result<String, TextError> {
    let text = text.trim();
    if !text.is_empty() {
        check(
            "description",
            text,
            limits::DESCRIPTION_BYTES_MAX,
            Lines::Many,
        )?;
    }
    Ok(text.to_owned())
}

/// Parses an email address: `local@domain` without white space, in lower case.
///
/// Checks only this form, not the grammar of RFC 5321 or whether the address exists.
pub fn parse_email(text: &str) -> Result<String, TextError> {
    const FIELD: &str = "email";
    let email = one_line(FIELD, text, limits::EMAIL_BYTES_MAX)?.to_lowercase();
    let well_formed = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    if !well_formed || email.chars().any(|c| c.is_whitespace() || c == ',') {
        return Err(TextError::Form {
            field: FIELD,
            what: "must be an address like ada@example.org",
        });
    }
    Ok(email)
}

/// Checks the length of a new password.
pub fn check_password(text: &str) -> Result<(), TextError> {
    const FIELD: &str = "password";
    if text.len() < limits::PASSWORD_BYTES_MIN {
        return Err(TextError::Form {
            field: FIELD,
            what: "must be at least 8 bytes",
        });
    }
    if text.len() > limits::PASSWORD_BYTES_MAX {
        return Err(TextError::TooLong {
            field: FIELD,
            bytes: text.len(),
            bytes_max: limits::PASSWORD_BYTES_MAX,
        });
    }
    Ok(())
}

/// Whether a terminal might interpret this character: C0, DEL and C1.
pub fn is_control(c: char) -> bool {
    c.is_control()
}

/// Whether this character reorders or hides text: bidi controls and invisible formatting characters,
/// except the joiners and selectors that emoji and scripts need.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}')
}

/// Returns the text as a terminal may show it on one line: without control characters, with spaces for
/// line ends and tabs, with bidi and invisible controls as `<U+202E>`.
pub fn for_terminal(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || c == '\t' {
            shown.push(' ');
        } else if is_invisible(c) {
            use fmt::Write;
            // Writing to a String cannot fail.
            let _ = write!(shown, "<U+{:04X}>", u32::from(c));
        } else if !is_control(c) {
            shown.push(c);
        }
    }
    shown
}

#[derive(Clone, Copy, PartialEq)]
enum Lines {
    One,
    Many,
}

fn one_line(field: &'static str, text: &str, bytes_max: usize) -> Result<String, TextError> {
    let text = text.trim();
    check(field, text, bytes_max, Lines::One)?;
    Ok(text.to_owned())
}

fn check(field: &'static str, text: &str, bytes_max: usize, lines: Lines) -> Result<(), TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty { field });
    }
    if text.len() > bytes_max {
        return Err(TextError::TooLong {
            field,
            bytes: text.len(),
            bytes_max,
        });
    }
    let forbidden = |c: char| is_control(c) && !(lines == Lines::Many && (c == '\n' || c == '\t'));
    match text.char_indices().find(|(_, c)| forbidden(*c)) {
        Some((at, c)) => Err(TextError::Control {
            field,
            code: u32::from(c),
            at,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("hello", None)]
    #[case("two\nlines\tand a tab", None)]
    #[case("👩‍👩‍👧 日本 é 🇩🇪 שלום", None)]
    #[case("'; DROP TABLE user; --", None)]
    #[case("redis.call('FLUSHALL')", None)]
    #[case("", Some("empty"))]
    #[case(" \n\t ", Some("empty"))]
    #[case("\u{1b}[2J", Some("U+001B at byte 0"))]
    #[case("bell\u{7}", Some("U+0007 at byte 4"))]
    #[case("c1 \u{9b}2J", Some("U+009B at byte 3"))]
    #[case("nul\0", Some("U+0000"))]
    #[case("cr\r\n", Some("U+000D"))]
    fn bodies(#[case] text: &str, #[case] refused: Option<&str>) {
        match (MessageBody::parse(text), refused) {
            (Ok(body), None) => assert_eq!(body.as_str(), text),
            (Err(error), Some(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("{text:?}: {got:?}"),
        }
    }

    #[rstest]
    #[case("@ada look", "ada", true)]
    #[case("look, @Ada!", "ada", true)]
    #[case("@adam", "ada", false)]
    #[case("ada", "ada", false)]
    #[case("a@b @ada", "ada", true)]
    #[case("@Ada Lovelace: hello", "Ada Lovelace", true)]
    fn who_is_meant(#[case] body: &str, #[case] name: &str, #[case] meant: bool) {
        assert_eq!(mentions(body, name), meant);
    }

    #[test]
    fn a_deleted_body_is_read_and_written_but_never_parsed() {
        let gone: MessageBody = serde_json::from_str("\"\"").expect("a body that is gone");
        assert!(gone.is_deleted());
        assert_eq!(serde_json::to_string(&gone).expect("JSON"), "\"\"");
        assert!(MessageBody::parse("").is_err());
    }

    #[test]
    fn a_body_has_at_most_4096_bytes() {
        assert!(MessageBody::parse("x".repeat(4_096)).is_ok());
        let error = MessageBody::parse("x".repeat(4_097)).expect_err("one byte too many");
        assert_eq!(
            error,
            TextError::TooLong {
                field: "body",
                bytes: 4_097,
                bytes_max: 4_096
            }
        );
        // Bytes, not characters.
        assert!(MessageBody::parse("é".repeat(2_049)).is_err());
    }

    #[rstest]
    #[case("Ada@Example.ORG", Some("ada@example.org"))]
    #[case(" ada@example.org ", Some("ada@example.org"))]
    #[case("ada", None)]
    #[case("@example.org", None)]
    #[case("ada@", None)]
    #[case("a@b@c", None)]
    #[case("a b@c", None)]
    #[case("a,b@c", None)]
    fn emails(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(parse_email(text).ok().as_deref(), expected);
    }

    #[test]
    fn a_terminal_is_told_nothing() {
        assert_eq!(
            for_terminal("a\u{1b}]0;x\u{7}b\u{202e}c\nd"),
            "a]0;xb<U+202E>c d"
        );
    }
}
