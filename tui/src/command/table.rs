//! The table of keys: every command with its name, its default keys and its help, by area.

mod chat;
mod dashboard;
mod meeting_detail;
mod meetings;
mod pages;
mod schedule;
mod seek;
mod select;
mod writing;

use super::{Command, Context, Row};

/// The areas, as the hints show them.
const AREAS: &[&[Row]] = &[
    writing::KEYS,
    meetings::KEYS,
    seek::KEYS,
    chat::KEYS,
    select::KEYS,
    meeting_detail::KEYS,
    dashboard::KEYS,
    schedule::KEYS,
    pages::KEYS,
];

/// Every key. The first key of a row is the one that hints and help show first.
pub const KEYS: &[Row] = &all::<{ count() }>();

const fn count() -> usize {
    let (mut count, mut area) = (0, 0);
    while area < AREAS.len() {
        count += AREAS[area].len();
        area += 1;
    }
    count
}

/// The rows of all areas, one after the other.
const fn all<const COUNT: usize>() -> [Row; COUNT] {
    let mut rows = [AREAS[0][0]; COUNT];
    let (mut at, mut area) = (0, 0);
    while area < AREAS.len() {
        let mut nth = 0;
        while nth < AREAS[area].len() {
            rows[at] = AREAS[area][nth];
            (at, nth) = (at + 1, nth + 1);
        }
        area += 1;
    }
    rows
}

const fn row(
    command: Command,
    context: Context,
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
) -> Row {
    Row {
        command,
        context,
        name,
        keys,
        help,
        hint: None,
    }
}
