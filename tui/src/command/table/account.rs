//! Keys of the password dialog and of the list of sessions.

use super::row;
use crate::command::Context::{PasswordDialog, Sessions};
use crate::command::{Command, Nav, Row, SessionsCommand};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::Nav(Nav::Enter),
        PasswordDialog,
        "password-change",
        &["enter"],
        "Change the password",
    )
    .hint("change"),
    row(
        Command::Sessions(SessionsCommand::End),
        Sessions,
        "session-end",
        &["x"],
        "End the selected session",
    )
    .hint("end"),
    row(
        Command::Sessions(SessionsCommand::EndOthers),
        Sessions,
        "session-end-others",
        &["X"],
        "End all sessions but this one",
    )
    .hint("end others"),
];
