//! Keys that move in lists, pages and forms, whatever they show.

use super::row;
use crate::command::Context::{Choices, Forms, Lists};
use crate::command::{Command, Nav, Row};

pub(super) const KEYS: &[Row] = &[
    row(Command::Nav(Nav::Up), Lists, "list-up", &["up", "k"], "Up").hint("up"),
    row(
        Command::Nav(Nav::Down),
        Lists,
        "list-down",
        &["down", "j"],
        "Down",
    )
    .hint("down"),
    row(
        Command::Nav(Nav::PageUp),
        Lists,
        "list-page-up",
        &["pageup"],
        "Page up",
    ),
    row(
        Command::Nav(Nav::PageDown),
        Lists,
        "list-page-down",
        &["pagedown"],
        "Page down",
    )
    .hint("page"),
    row(
        Command::Nav(Nav::First),
        Lists,
        "list-first",
        &["home", "g"],
        "To the start",
    ),
    row(
        Command::Nav(Nav::Last),
        Lists,
        "list-last",
        &["end", "G"],
        "To the end",
    ),
    row(
        Command::Nav(Nav::Up),
        Choices,
        "choice-up",
        &["up", "ctrl-p"],
        "Up",
    )
    .hint("up"),
    row(
        Command::Nav(Nav::Down),
        Choices,
        "choice-down",
        &["down", "ctrl-n"],
        "Down",
    )
    .hint("down"),
    row(
        Command::Nav(Nav::PageUp),
        Choices,
        "choice-page-up",
        &["pageup"],
        "Page up",
    ),
    row(
        Command::Nav(Nav::PageDown),
        Choices,
        "choice-page-down",
        &["pagedown"],
        "Page down",
    ),
    row(
        Command::Nav(Nav::NextField),
        Forms,
        "field-next",
        &["tab", "down"],
        "Next field",
    )
    .hint("next"),
    row(
        Command::Nav(Nav::PreviousField),
        Forms,
        "field-previous",
        &["shift-tab", "up"],
        "Previous field",
    ),
];
