//! The keys of the search through everything that was said.

use super::row;
use crate::command::Context::{Chat, Seek};
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::Seek,
        Chat,
        "search",
        &["ctrl-r"],
        "search everything that was said, as /search WORDS",
    ),
    row(Command::SeekUp, Seek, "seek-up", &["up", "ctrl-p"], "up").hint("up"),
    row(
        Command::SeekDown,
        Seek,
        "seek-down",
        &["down", "ctrl-n"],
        "down, and older ones",
    )
    .hint("down"),
    row(
        Command::SeekPageUp,
        Seek,
        "seek-page-up",
        &["pageup"],
        "page up",
    ),
    row(
        Command::SeekPageDown,
        Seek,
        "seek-page-down",
        &["pagedown"],
        "page down",
    ),
    row(
        Command::SeekEnter,
        Seek,
        "seek-enter",
        &["enter"],
        "search; on what was found: go there, Esc comes back",
    )
    .hint("search, go there"),
    row(
        Command::SeekScope,
        Seek,
        "seek-scope",
        &["tab"],
        "only in this meeting; again: in everything",
    )
    .hint("where"),
];
