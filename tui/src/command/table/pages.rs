//! The keys of pages, the form, quitting, and everywhere.

use super::row;
use crate::command::Context::{Anywhere, Leaving, Overlay, SignIn};
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::OverlayUp,
        Overlay,
        "overlay-up",
        &["up"],
        "line up",
    )
    .hint("up"),
    row(
        Command::OverlayDown,
        Overlay,
        "overlay-down",
        &["down"],
        "line down",
    )
    .hint("down"),
    row(
        Command::OverlayPageUp,
        Overlay,
        "overlay-page-up",
        &["pageup"],
        "page up",
    ),
    row(
        Command::OverlayPageDown,
        Overlay,
        "overlay-page-down",
        &["pagedown"],
        "page down",
    )
    .hint("page"),
    row(
        Command::FieldNext,
        SignIn,
        "field-next",
        &["tab", "down"],
        "next field",
    )
    .hint("next"),
    row(
        Command::FieldPrevious,
        SignIn,
        "field-previous",
        &["shift-tab", "up"],
        "field before",
    )
    .hint("back"),
    row(Command::SignIn, SignIn, "sign-in", &["enter"], "sign in").hint("sign in"),
    row(
        Command::QuitLeaving,
        Leaving,
        "quit-leaving",
        &["l"],
        "leave the meeting and quit",
    )
    .hint("leave and quit"),
    row(
        Command::QuitStaying,
        Leaving,
        "quit-staying",
        &["s", "ctrl-q", "ctrl-c"],
        "quit only: who is not back soon has left",
    )
    .hint("only quit"),
    row(Command::Help, Anywhere, "help", &["f1"], "this help").hint("help"),
    row(
        Command::Back,
        Anywhere,
        "back",
        &["esc"],
        "one step back; deletes nothing",
    ),
    row(
        Command::Redraw,
        Anywhere,
        "redraw",
        &["ctrl-l"],
        "draw everything again",
    ),
    row(
        Command::Suspend,
        Anywhere,
        "suspend",
        &["ctrl-z"],
        "suspend",
    ),
    row(
        Command::ClearOrQuit,
        Anywhere,
        "clear-or-quit",
        &["ctrl-c"],
        "clear the input; twice within 2 s: quit",
    ),
    row(Command::Quit, Anywhere, "quit", &["ctrl-q"], "quit").hint("quit"),
];
