//! From what was typed or piped to the messages to post; everything is checked before any is.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::limits::MESSAGE_BODY_BYTES_MAX;
use plenary_shared::text::{MessageBody, TextError};

/// Standard input is read so far, in bytes; more is refused.
pub const INPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// All of it is one message. Line ends become `\n`; the ones at the end are no part of it.
pub fn whole(input: Vec<u8>) -> Result<MessageBody, Reject> {
    let text = normalised(utf8(input)?);
    check(text.trim_end_matches('\n'), 1)
}

/// Each line is one; lines of white space alone are none.
pub fn lines(input: Vec<u8>) -> Result<Vec<MessageBody>, Reject> {
    let text = normalised(utf8(input)?);
    let bodies = text
        .split('\n')
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| check(line, at + 1))
        .collect::<Result<Vec<MessageBody>, Reject>>()?;
    if bodies.is_empty() {
        return Err(Code::BodyEmpty.into());
    }
    Ok(bodies)
}

fn utf8(input: Vec<u8>) -> Result<String, Reject> {
    String::from_utf8(input).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = before.split(|byte| *byte == b'\n').count();
        Reject::new(
            Code::Malformed,
            format!("Line {line} is not UTF-8 (byte {at} of the input): nothing was sent."),
        )
    })
}

fn normalised(text: String) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    }
}

/// Checks one message whose first line is line `first_line` of the input.
fn check(text: &str, first_line: usize) -> Result<MessageBody, Reject> {
    MessageBody::parse(text).map_err(|error| match &error {
        TextError::TooLong { bytes, .. } => {
            // The line in which the first byte too many stands.
            let fits = &text.as_bytes()[..MESSAGE_BODY_BYTES_MAX];
            let line = first_line - 1 + fits.split(|byte| *byte == b'\n').count();
            Reject::new(
                Code::BodyTooLong,
                format!(
                    "The message has {bytes} bytes and may have {MESSAGE_BODY_BYTES_MAX}, \
                     which end in line {line}: shorten or split it. Nothing was sent."
                ),
            )
        }
        TextError::Control { code, at, .. } => {
            let line = first_line + text[..*at].matches('\n').count();
            Reject::new(
                Code::BodyControl,
                format!(
                    "Line {line} contains the control character U+{code:04X}: remove it. \
                     Nothing was sent."
                ),
            )
        }
        TextError::Empty { .. } | TextError::Form { .. } => Reject::from(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("hello", Some("hello"))]
    #[case("hello\n", Some("hello"))]
    #[case("hello\r\n\r\n", Some("hello"))]
    #[case("a\r\nb\rc\n", Some("a\nb\nc"))]
    #[case("  a\n\n b \n", Some("  a\n\n b "))]
    #[case("", None)]
    #[case("\n\n", None)]
    fn all_of_it_is_one_message(#[case] input: &str, #[case] expected: Option<&str>) {
        let body = whole(input.as_bytes().to_vec()).ok();
        assert_eq!(body.as_ref().map(MessageBody::as_str), expected);
    }

    #[test]
    fn each_line_is_a_message() {
        let bodies = lines(b"a\r\n\n  \nb\tc\nd".to_vec()).expect("good lines");
        let texts: Vec<&str> = bodies.iter().map(MessageBody::as_str).collect();
        assert_eq!(texts, ["a", "b\tc", "d"]);
        assert_eq!(
            lines(b"\n\n".to_vec()).expect_err("nothing").code,
            Code::BodyEmpty
        );
    }

    #[test]
    fn the_first_byte_too_many_has_its_line() {
        let three = format!("one\n{}\nthree", "x".repeat(5_000));
        let error = whole(three.clone().into_bytes()).expect_err("too long");
        assert_eq!(error.code, Code::BodyTooLong);
        assert!(
            error.detail.contains("5010 bytes") && error.detail.contains("in line 2"),
            "{error}"
        );
        let error = lines(three.into_bytes()).expect_err("too long");
        assert!(
            error.detail.contains("5000 bytes") && error.detail.contains("in line 2"),
            "{error}"
        );
        assert!(whole(vec![b'x'; 4_096]).is_ok());
        assert!(whole([vec![b'x'; 4_096], vec![b'\n']].concat()).is_ok());
        assert!(whole("é".repeat(2_049).into_bytes()).is_err());
    }

    #[rstest]
    #[case(b"a\nb\x1b[2J", Code::BodyControl, "Line 2")]
    #[case(b"a\n\nb\x07", Code::BodyControl, "Line 3")]
    #[case(b"a\nb\xff", Code::Malformed, "Line 2")]
    fn what_may_not_be_said_has_its_line(
        #[case] input: &[u8],
        #[case] code: Code,
        #[case] line: &str,
    ) {
        for error in [
            whole(input.to_vec()).expect_err("refused"),
            lines(input.to_vec()).expect_err("refused"),
        ] {
            assert_eq!(error.code, code);
            assert!(error.detail.contains(line), "{error}");
        }
    }
}
