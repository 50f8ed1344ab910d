//! Keys that work everywhere, with their letters in lists, and those of sign-in and of the quit dialog.

use super::row;
use crate::command::Context::{Anywhere, Lists, Quit, SignIn};
use crate::command::{AppCommand, Command, Nav, QuitCommand, Row};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::Nav(Nav::Enter),
        SignIn,
        "sign-in",
        &["enter"],
        "Sign in",
    )
    .hint("sign in"),
    row(
        Command::Quit(QuitCommand::Leave),
        Quit,
        "quit-leave",
        &["l"],
        "Leave the meeting and quit",
    )
    .hint("leave and quit"),
    row(
        Command::Quit(QuitCommand::Stay),
        Quit,
        "quit-stay",
        &["s"],
        "Quit and keep your seat for a short time",
    )
    .hint("quit, keep seat"),
    row(
        Command::App(AppCommand::Help),
        Anywhere,
        "help",
        &["f1"],
        "Open or close this help",
    )
    .hint("help"),
    row(
        Command::App(AppCommand::Back),
        Anywhere,
        "back",
        &["esc"],
        "Back: close or cancel; deletes nothing",
    ),
    row(
        Command::App(AppCommand::Redraw),
        Anywhere,
        "redraw",
        &["ctrl-l"],
        "Redraw the screen",
    ),
    row(
        Command::App(AppCommand::Suspend),
        Anywhere,
        "suspend",
        &["ctrl-z"],
        "Suspend",
    ),
    row(
        Command::App(AppCommand::ClearOrQuit),
        Anywhere,
        "clear-or-quit",
        &["ctrl-c"],
        "Clear the input; twice within 2 s: quit",
    ),
    row(
        Command::App(AppCommand::Quit),
        Anywhere,
        "quit",
        &["ctrl-q"],
        "Quit",
    )
    .hint("quit"),
    // After those for everywhere, whose keys are the ones that messages name.
    row(
        Command::App(AppCommand::Help),
        Lists,
        "list-help",
        &["?"],
        "Open the help",
    ),
    row(
        Command::App(AppCommand::Back),
        Lists,
        "list-back",
        &["q"],
        "Back, as Esc",
    ),
];
