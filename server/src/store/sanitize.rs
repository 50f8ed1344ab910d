//! Makes text of rows that other programs may have written fit for display: control characters are replaced,
//! and missing names are filled in.

use plenary_shared::domain::Gender;
use plenary_shared::ids::{MeetingId, UserId};
use plenary_shared::limits;
use plenary_shared::text::{MessageBody, is_control};

pub(super) fn user_name(written: &str, id: UserId) -> String {
    let name = one_line(written);
    if name.is_empty() { nameless(id) } else { name }
}

/// The name of a user without a row or a name.
pub(super) fn nameless(id: UserId) -> String {
    format!("user {id}")
}

pub(super) fn title(written: &str, id: MeetingId) -> String {
    let title = one_line(written);
    if title.is_empty() {
        format!("meeting {id}")
    } else {
        title
    }
}

/// An age, if it is possible.
pub(super) fn age(written: i64) -> Option<u32> {
    u32::try_from(written)
        .ok()
        .filter(|age| *age <= limits::AGE_YEARS_MAX)
}

/// A gender, if it is known.
pub(super) fn gender(written: &str) -> Option<Gender> {
    written.trim().to_lowercase().parse().ok()
}

/// The body of a message, with invalid characters replaced.
pub(super) fn body(written: &str) -> Option<MessageBody> {
    if let Ok(body) = MessageBody::parse(written) {
        return Some(body);
    }
    let mut mended = many_lines(written);
    if mended.is_empty() {
        mended.push(char::REPLACEMENT_CHARACTER);
    }
    let end = mended.floor_char_boundary(limits::MESSAGE_BODY_BYTES_MAX);
    mended.truncate(end);
    MessageBody::parse(mended).ok()
}

/// The text on one line, without control characters.
pub(super) fn one_line(text: &str) -> String {
    printable(text, |_| false)
}

/// The text without control characters other than line ends and tabs.
pub(super) fn many_lines(text: &str) -> String {
    printable(&text.replace("\r\n", "\n"), |c| c == '\n' || c == '\t')
}

fn printable(text: &str, allowed: impl Fn(char) -> bool) -> String {
    text.trim()
        .chars()
        .map(|c| match c {
            c if allowed(c) || !is_control(c) => c,
            '\n' | '\t' | '\r' => ' ',
            _ => char::REPLACEMENT_CHARACTER,
        })
        .collect()
}
