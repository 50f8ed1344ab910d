//! The keys of the dashboard, which admins have.

use super::row;
use crate::command::Context::{Anywhere, Asking, Board};
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::Dashboard,
        Anywhere,
        "dashboard",
        &["f5"],
        "the dashboard of admins, or back from it",
    ),
    row(Command::BoardUp, Board, "board-up", &["up", "k"], "row up"),
    row(
        Command::BoardDown,
        Board,
        "board-down",
        &["down", "j"],
        "row down",
    ),
    row(
        Command::BoardFirst,
        Board,
        "board-first",
        &["home", "g"],
        "first row",
    ),
    row(
        Command::BoardLast,
        Board,
        "board-last",
        &["end", "G"],
        "last row",
    ),
    row(
        Command::BoardPageUp,
        Board,
        "board-page-up",
        &["pageup"],
        "page up",
    ),
    row(
        Command::BoardPageDown,
        Board,
        "board-page-down",
        &["pagedown"],
        "page down",
    ),
    row(
        Command::BoardEnter,
        Board,
        "board-enter",
        &["enter"],
        "into the meeting: people and events; there: what one of them said",
    )
    .hint("open"),
    row(
        Command::BoardRead,
        Board,
        "board-read",
        &["o"],
        "read along in the meeting; Esc comes back",
    ),
    row(
        Command::BoardExplain,
        Board,
        "board-explain",
        &["w"],
        "why somebody may join, or may not",
    )
    .hint("why"),
    row(
        Command::BoardFilter,
        Board,
        "board-filter",
        &["/"],
        "show rows with these words only; !word: without it",
    )
    .hint("filter"),
    row(
        Command::BoardSort,
        Board,
        "board-sort",
        &["L", "N", "H", "T", "E", "M", "A", "R"],
        "sort by left, name, here, late, early, messages, last, reconnecting; again: the other way round",
    )
    .hint("sort"),
    row(
        Command::BoardFreeze,
        Board,
        "board-freeze",
        &["f"],
        "let the picture stand still, or go on",
    )
    .hint("freeze"),
    row(
        Command::BoardMark,
        Board,
        "board-mark",
        &["space"],
        "mark: what is done then is done to all that are marked",
    )
    .hint("mark"),
    row(
        Command::BoardExtend,
        Board,
        "board-extend",
        &["+"],
        "move the end to later",
    )
    .hint("extend"),
    row(Command::BoardEnd, Board, "board-end", &["X"], "end it now").hint("end"),
    row(
        Command::BoardLock,
        Board,
        "board-lock",
        &["l"],
        "let nobody join any more, or let them again",
    )
    .hint("lock"),
    row(
        Command::BoardReadOnly,
        Board,
        "board-read-only",
        &["r"],
        "let nobody write any more, or let them again",
    )
    .hint("read-only"),
    row(
        Command::BoardAnnounce,
        Board,
        "board-announce",
        &["n"],
        "tell everybody in it something",
    )
    .hint("announce"),
    row(
        Command::BoardMute,
        Board,
        "board-mute",
        &["m"],
        "let somebody write no more",
    ),
    row(
        Command::BoardUnmute,
        Board,
        "board-unmute",
        &["u"],
        "let them write again",
    ),
    row(
        Command::BoardRemove,
        Board,
        "board-remove",
        &["d"],
        "take somebody out; they may come back",
    )
    .hint("remove"),
    row(
        Command::BoardBan,
        Board,
        "board-ban",
        &["D"],
        "take somebody out for good",
    ),
    row(
        Command::BoardUnban,
        Board,
        "board-unban",
        &["U"],
        "let somebody come back who was taken out for good",
    ),
    row(
        Command::BoardServer,
        Board,
        "board-server",
        &["s"],
        "how the server and its stores are",
    )
    .hint("server"),
    row(
        Command::AskingEnter,
        Asking,
        "asking-enter",
        &["enter"],
        "go on; at the last question: do it",
    )
    .hint("go on"),
    row(
        Command::AskingUp,
        Asking,
        "asking-up",
        &["up"],
        "the person above",
    ),
    row(
        Command::AskingDown,
        Asking,
        "asking-down",
        &["down"],
        "the person below",
    ),
];
