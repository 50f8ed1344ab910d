//! The table of keys: what each does, where, by which keys, and how the help describes it. Each
//! file below holds the rows of one area.

mod account;
mod app;
mod chat;
mod dashboard;
mod meeting_detail;
mod meetings;
mod navigation;
mod schedule;
mod search;
mod selection;
mod writing;

use super::{Command, Context, Row};

const AREAS: &[&[Row]] = &[
    writing::KEYS,
    meetings::KEYS,
    search::KEYS,
    chat::KEYS,
    selection::KEYS,
    navigation::KEYS,
    meeting_detail::KEYS,
    dashboard::KEYS,
    schedule::KEYS,
    account::KEYS,
    app::KEYS,
];

/// Every row, in the order of the hints and of the help.
pub const KEYS: &[Row] = &all::<{ count() }>();

const fn count() -> usize {
    let (mut count, mut area) = (0, 0);
    while area < AREAS.len() {
        count += AREAS[area].len();
        area += 1;
    }
    count
}

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
