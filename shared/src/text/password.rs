//! Passwords, prepared as the profile `OpaqueString` of RFC 8265 asks.

use super::{TextError, is_control};
use crate::limits;
use crate::unicode::{find_invisible, into_nfc, invisible_name};

const FIELD: &str = "password";

/// Returns a password as it is hashed and compared: spaces of all scripts as ASCII spaces, in NFC. So a
/// password has the same hash on every keyboard.
pub fn prepare_password(text: &str) -> String {
    let space = |c: char| {
        if c.is_whitespace() && !is_control(c) {
            ' '
        } else {
            c
        }
    };
    into_nfc(text.chars().map(space).collect())
}

/// Checks a new password, and returns it as it is hashed. Refuses control characters and characters that
/// cannot be seen, which nobody can type again.
pub fn check_password(text: &str) -> Result<String, TextError> {
    let password = prepare_password(text);
    let bytes = password.len();
    if bytes < limits::PASSWORD_BYTES_MIN {
        return Err(TextError::Form {
            field: FIELD,
            what: "must be at least 8 bytes",
        });
    }
    if bytes > limits::PASSWORD_BYTES_MAX {
        return Err(TextError::TooLong {
            field: FIELD,
            bytes,
            bytes_max: limits::PASSWORD_BYTES_MAX,
        });
    }
    if let Some((at, c)) = password.char_indices().find(|(_, c)| is_control(*c)) {
        return Err(TextError::Control {
            field: FIELD,
            code: u32::from(c),
            at,
        });
    }
    match find_invisible(&password) {
        Some(c) => Err(TextError::Invisible {
            field: FIELD,
            code: u32::from(c),
            name: invisible_name(c),
        }),
        None => Ok(password),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("pass jose\u{301}", "pass josé")]
    #[case("a\u{3000}b\u{a0}c\u{2003}d\u{1680}e", "a b c d e")]
    #[case("Keep Case ﬁ", "Keep Case ﬁ")]
    #[case("correct 🐎 👩‍👩‍👧", "correct 🐎 👩‍👩‍👧")]
    fn password_is_the_same_on_every_keyboard(#[case] typed: &str, #[case] expected: &str) {
        assert_eq!(prepare_password(typed), expected);
        assert_eq!(check_password(typed).as_deref(), Ok(expected));
    }

    #[rstest]
    #[case("short", "at least 8 bytes")]
    #[case("with a tab\t", "control character U+0009")]
    #[case("pasted here\u{200b}", "U+200B ZERO WIDTH SPACE")]
    fn unusable_password_is_refused(#[case] typed: &str, #[case] why: &str) {
        let error = check_password(typed).expect_err("not usable").to_string();
        assert!(error.contains(why), "{error}");
    }
}
