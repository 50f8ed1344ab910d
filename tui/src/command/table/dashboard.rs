//! The keys of the admins' dashboard and its dialogs.

use super::row;
use crate::command::Context::{Anywhere, Asking, Board};
use crate::command::{Command, Row};

/// The keys of the dashboard.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::Dashboard,
        Anywhere,
        "dashboard",
        &["f5"],
        "Open or close the admin dashboard",
    ),
    row(Command::BoardUp, Board, "board-up", &["up", "k"], "Up"),
    row(
        Command::BoardDown,
        Board,
        "board-down",
        &["down", "j"],
        "Down",
    ),
    row(
        Command::BoardFirst,
        Board,
        "board-first",
        &["home", "g"],
        "First row",
    ),
    row(
        Command::BoardLast,
        Board,
        "board-last",
        &["end", "G"],
        "Last row",
    ),
    row(
        Command::BoardPageUp,
        Board,
        "board-page-up",
        &["pageup"],
        "Page up",
    ),
    row(
        Command::BoardPageDown,
        Board,
        "board-page-down",
        &["pagedown"],
        "Page down",
    ),
    row(
        Command::BoardEnter,
        Board,
        "board-enter",
        &["enter"],
        "Open the meeting, or the messages of a participant",
    )
    .hint("open"),
    row(
        Command::BoardRead,
        Board,
        "board-read",
        &["o"],
        "Open the chat of the meeting (Esc returns)",
    ),
    row(
        Command::BoardExplain,
        Board,
        "board-explain",
        &["w"],
        "Check why a user can or cannot join",
    )
    .hint("access"),
    row(
        Command::BoardFilter,
        Board,
        "board-filter",
        &["/"],
        "Filter by words (!word excludes)",
    )
    .hint("filter"),
    row(
        Command::BoardSort,
        Board,
        "board-sort",
        &["L", "N", "H", "T", "E", "M", "A", "R"],
        "Sort by time left, name, participants, late, early, messages, last message, reconnecting. Again: reverse",
    )
    .hint("sort"),
    row(
        Command::BoardFreeze,
        Board,
        "board-freeze",
        &["f"],
        "Pause or resume updates",
    )
    .hint("pause"),
    row(
        Command::BoardMark,
        Board,
        "board-mark",
        &["space"],
        "Mark for the next action, or unmark",
    )
    .hint("mark"),
    row(
        Command::BoardExtend,
        Board,
        "board-extend",
        &["+"],
        "Extend the meeting",
    )
    .hint("extend"),
    row(Command::BoardEnd, Board, "board-end", &["X"], "End the meeting now").hint("end"),
    row(
        Command::BoardLock,
        Board,
        "board-lock",
        &["l"],
        "Lock the meeting (no one can join), or unlock it",
    )
    .hint("lock"),
    row(
        Command::BoardReadOnly,
        Board,
        "board-read-only",
        &["r"],
        "Turn read-only on or off",
    )
    .hint("read-only"),
    row(
        Command::BoardAnnounce,
        Board,
        "board-announce",
        &["n"],
        "Make an announcement to all participants",
    )
    .hint("announce"),
    row(
        Command::BoardMute,
        Board,
        "board-mute",
        &["m"],
        "Mute a participant",
    ),
    row(
        Command::BoardUnmute,
        Board,
        "board-unmute",
        &["u"],
        "Unmute a participant",
    ),
    row(
        Command::BoardRemove,
        Board,
        "board-remove",
        &["d"],
        "Remove a participant (they can rejoin)",
    )
    .hint("remove"),
    row(
        Command::BoardBan,
        Board,
        "board-ban",
        &["D"],
        "Ban a participant (they cannot rejoin)",
    ),
    row(
        Command::BoardUnban,
        Board,
        "board-unban",
        &["U"],
        "Unban a user",
    ),
    row(
        Command::BoardServer,
        Board,
        "board-server",
        &["s"],
        "Show the health of servers and stores",
    )
    .hint("servers"),
    row(
        Command::AskingEnter,
        Asking,
        "asking-enter",
        &["enter"],
        "Next field, or OK",
    )
    .hint("confirm"),
    row(
        Command::AskingUp,
        Asking,
        "asking-up",
        &["up"],
        "Previous participant",
    ),
    row(
        Command::AskingDown,
        Asking,
        "asking-down",
        &["down"],
        "Next participant",
    ),
];
