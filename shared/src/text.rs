//! Parsing of text that users type: message bodies, names, titles, email addresses, passwords.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::limits;
use crate::unicode;

mod email;
mod mention;
mod password;

pub use crate::unicode::{is_control, is_invisible};
pub use email::{email_key, parse_email, split_emails};
pub use mention::mentions;
pub use password::{check_password, prepare_password};

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
    /// The text contains a character that cannot be seen.
    #[error("{field} contains the invisible character U+{code:04X} {name}: remove it")]
    Invisible {
        /// The name of the field.
        field: &'static str,
        /// The code point of the character.
        code: u32,
        /// The name of the character.
        name: &'static str,
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

/// The body of a message: 1 to 4,096 bytes of UTF-8 in NFC, not only white space, without control characters
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
    /// Checks `text` and keeps it in NFC.
    pub fn parse(text: impl Into<String>) -> Result<Self, TextError> {
        let text = unicode::into_nfc(text.into());
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

/// Parses a user's name: one line that can be seen, in NFC, with single spaces as RFC 8266 asks.
pub fn parse_name(text: &str) -> Result<String, TextError> {
    const FIELD: &str = "name";
    let is_space = |c: char| c.is_whitespace() && !is_control(c);
    let words = text.split(is_space).filter(|word| !word.is_empty());
    let name = one_line(
        FIELD,
        &words.collect::<Vec<_>>().join(" "),
        limits::NAME_BYTES_MAX,
    )?;
    match unicode::find_invisible(&name) {
        Some(c) => Err(TextError::Invisible {
            field: FIELD,
            code: u32::from(c),
            name: unicode::invisible_name(c),
        }),
        None => Ok(name),
    }
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
    let text = unicode::nfc(text.trim());
    if !text.is_empty() {
        check(
            "description",
            &text,
            limits::DESCRIPTION_BYTES_MAX,
            Lines::Many,
        )?;
    }
    Ok(text.into_owned())
}

/// Returns the text as a terminal may show it on one line: without control characters, with spaces for
/// line ends and tabs, with bidi and invisible controls as `<U+202E>`.
pub fn for_terminal(text: &str) -> String {
    unicode::reveal(text, |c| matches!(c, '\n' | '\t').then_some(' '))
}

#[derive(Clone, Copy, PartialEq)]
enum Lines {
    One,
    Many,
}

fn one_line(field: &'static str, text: &str, bytes_max: usize) -> Result<String, TextError> {
    let text = unicode::nfc(text.trim());
    check(field, &text, bytes_max, Lines::One)?;
    if !unicode::has_visible(&text) {
        return Err(TextError::Empty { field });
    }
    Ok(text.into_owned())
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
    #[case("Ada", Ok("Ada"))]
    #[case("  Ada \u{a0}\u{3000} Lovelace ", Ok("Ada Lovelace"))]
    #[case("Zoe\u{301}", Ok("Zoé"))]
    #[case("Ada 👩\u{200d}💻", Ok("Ada 👩\u{200d}💻"))]
    #[case("", Err("empty"))]
    #[case("\u{200d}\u{fe0f}", Err("empty"))]
    #[case("\u{3164}", Err("empty"))]
    #[case("\u{2800} \u{2800}", Err("empty"))]
    #[case("\u{e0041}\u{e0064}", Err("empty"))]
    #[case("Ad\u{200b}a", Err("U+200B ZERO WIDTH SPACE"))]
    #[case("Ad\u{200d}a", Err("U+200D ZERO WIDTH JOINER"))]
    #[case("A\tda", Err("control character U+0009"))]
    fn name_can_be_seen(#[case] text: &str, #[case] expected: Result<&str, &str>) {
        match (parse_name(text), expected) {
            (Ok(name), Ok(expected)) => assert_eq!(name, expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("{text:?}: {got:?}"),
        }
    }

    #[test]
    fn bodies_and_titles_are_in_nfc() {
        let body = MessageBody::parse("Zu\u{308}rich \u{1112}\u{1161}\u{11ab}").expect("a body");
        assert_eq!(body.as_str(), "Zürich 한");
        assert_eq!(parse_title("Zu\u{308}rich").as_deref(), Ok("Zürich"));
        assert_eq!(parse_description("Zu\u{308}rich").as_deref(), Ok("Zürich"));
        // The limit applies to what is stored: NFC of this character is three times as long.
        assert!(MessageBody::parse("\u{1d160}".repeat(1_024)).is_err());
    }

    #[test]
    fn a_terminal_is_told_nothing() {
        assert_eq!(
            for_terminal("a\u{1b}]0;x\u{7}b\u{202e}c\nd"),
            "a]0;xb<U+202E>c d"
        );
    }
}
