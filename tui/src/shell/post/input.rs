//! Converts input to messages. All input is checked before the first message is posted.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::limits::MESSAGE_BODY_BYTES_MAX;
use plenary_shared::text::{MessageBody, TextError};
use plenary_shared::unicode::{nfc, without_bom};

/// Size limit of standard input, in bytes.
pub const INPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Converts the input to one message. Line ends become `\n`, trailing ones are removed.
pub fn whole(input: Vec<u8>) -> Result<MessageBody, Reject> {
    let text = normalize_line_ends(utf8(input)?);
    check(text.trim_end_matches('\n'), 1)
}

/// Converts each line of the input to a message and skips blank lines.
pub fn lines(input: Vec<u8>) -> Result<Vec<MessageBody>, Reject> {
    let text = normalize_line_ends(utf8(input)?);
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

/// Decodes the input, without a byte order mark and in the normal form of messages, so that the places in
/// error messages are those of the message.
fn utf8(input: Vec<u8>) -> Result<String, Reject> {
    let text = String::from_utf8(input).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = before.split(|byte| *byte == b'\n').count();
        Reject::new(
            Code::Malformed,
            format!("Line {line} is not valid UTF-8 (byte {at} of the input). Nothing was posted."),
        )
    })?;
    Ok(nfc(without_bom(&text)).into_owned())
}

fn normalize_line_ends(text: String) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    }
}

/// Parses one message that starts at line `first_line` of the input.
fn check(text: &str, first_line: usize) -> Result<MessageBody, Reject> {
    MessageBody::parse(text).map_err(|error| match &error {
        TextError::TooLong { bytes, .. } => {
            // The line with the first byte above the limit.
            let fits = &text.as_bytes()[..MESSAGE_BODY_BYTES_MAX];
            let line = first_line - 1 + fits.split(|byte| *byte == b'\n').count();
            Reject::new(
                Code::BodyTooLong,
                format!(
                    "The message is too long: {bytes} bytes, the limit of \
                     {MESSAGE_BODY_BYTES_MAX} bytes is exceeded in line {line}. Nothing was posted."
                ),
            )
        }
        TextError::Control { code, at, .. } => {
            let line = first_line + text[..*at].matches('\n').count();
            Reject::new(
                Code::BodyControl,
                format!(
                    "Line {line} contains the control character U+{code:04X}. \
                     Nothing was posted."
                ),
            )
        }
        TextError::Empty { .. } | TextError::Invisible { .. } | TextError::Form { .. } => {
            Reject::from(error)
        }
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
    #[case("\u{feff}hello\n", Some("hello"))]
    #[case("Zu\u{308}rich", Some("Zürich"))]
    #[case("", None)]
    #[case("\u{feff}", None)]
    #[case("\n\n", None)]
    fn input_becomes_one_message(#[case] input: &str, #[case] expected: Option<&str>) {
        let body = whole(input.as_bytes().to_vec()).ok();
        assert_eq!(body.as_ref().map(MessageBody::as_str), expected);
    }

    #[test]
    fn each_line_becomes_a_message() {
        let bodies = lines("\u{feff}a\r\n\n  \nb\tc\nd".into()).expect("good lines");
        let texts: Vec<&str> = bodies.iter().map(MessageBody::as_str).collect();
        assert_eq!(texts, ["a", "b\tc", "d"]);
        assert_eq!(
            lines(b"\n\n".to_vec()).expect_err("empty").code,
            Code::BodyEmpty
        );
    }

    #[test]
    fn size_error_names_the_line() {
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

    #[test]
    fn places_of_errors_are_those_of_the_message() {
        // NFC is three times as long as this input.
        let error = whole("\u{1d160}\n".repeat(800).into_bytes()).expect_err("too long");
        assert_eq!(error.code, Code::BodyTooLong);
        let error = whole("e\u{301}\ne\u{301}\x07".into()).expect_err("a control character");
        assert!(error.detail.contains("Line 2"), "{error}");
    }

    #[rstest]
    #[case(b"a\nb\x1b[2J", Code::BodyControl, "Line 2")]
    #[case(b"a\n\nb\x07", Code::BodyControl, "Line 3")]
    #[case(b"a\nb\xff", Code::Malformed, "Line 2")]
    fn invalid_input_error_names_the_line(
        #[case] input: &[u8],
        #[case] code: Code,
        #[case] line: &str,
    ) {
        for error in [
            whole(input.to_vec()).expect_err("rejected"),
            lines(input.to_vec()).expect_err("rejected"),
        ] {
            assert_eq!(error.code, code);
            assert!(error.detail.contains(line), "{error}");
        }
    }
}
