//! Keys of the search through all messages.

use super::row;
use crate::command::Context::Search;
use crate::command::{Command, Nav, Row, SearchCommand};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::Nav(Nav::Enter),
        Search,
        "search-enter",
        &["enter"],
        "Run the search; on a result: open it, Esc returns",
    )
    .hint("search, open"),
    row(
        Command::Search(SearchCommand::Scope),
        Search,
        "search-scope",
        &["tab"],
        "Search this meeting only, or all meetings",
    )
    .hint("scope"),
];
