//! The keys of a selected message, and searching from it.

use super::row;
use crate::command::Context::{Search, Select};
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::SelectUp,
        Select,
        "select-up",
        &["k", "up"],
        "message up",
    )
    .hint("up"),
    row(
        Command::SelectDown,
        Select,
        "select-down",
        &["j", "down"],
        "message down",
    )
    .hint("down"),
    row(
        Command::SelectFirst,
        Select,
        "select-first",
        &["g", "home"],
        "first message at hand",
    ),
    row(
        Command::SelectLast,
        Select,
        "select-last",
        &["G", "end"],
        "last message",
    ),
    row(Command::Reply, Select, "select-reply", &["r"], "answer it").hint("reply"),
    row(
        Command::Change,
        Select,
        "select-edit",
        &["e"],
        "change it, if it is yours",
    )
    .hint("edit"),
    row(
        Command::Delete,
        Select,
        "select-delete",
        &["d"],
        "delete it, if it is yours: twice",
    )
    .hint("delete"),
    row(
        Command::Search,
        Select,
        "search-up",
        &["/"],
        "search upwards in the messages at hand",
    )
    .hint("search"),
    row(
        Command::SearchOlder,
        Select,
        "search-older",
        &["n"],
        "the one found before",
    )
    .hint("older"),
    row(
        Command::SearchNewer,
        Select,
        "search-newer",
        &["N"],
        "the one found after",
    ),
    row(
        Command::CopyText,
        Select,
        "copy",
        &["y"],
        "copy what it says",
    )
    .hint("copy"),
    row(
        Command::CopyLine,
        Select,
        "copy-line",
        &["Y"],
        "copy it with time and name",
    ),
    row(
        Command::OpenLink,
        Select,
        "open-link",
        &["o"],
        "open its link; again: its next one",
    )
    .hint("open link"),
    row(
        Command::UnreadFrom,
        Select,
        "unread-from",
        &["u"],
        "unread from here on",
    )
    .hint("unread"),
    row(
        Command::SelectEnter,
        Select,
        "fill",
        &["enter"],
        "at the first message: read older ones; else back",
    ),
    row(
        Command::SearchEnter,
        Search,
        "search-enter",
        &["enter"],
        "search upwards",
    )
    .hint("search"),
];
