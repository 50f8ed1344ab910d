//! Keys of a selected message, and of the text to find among the messages.

use super::row;
use crate::command::Context::{DeleteQuestion, FindInMeeting, Selection};
use crate::command::{Command, Nav, Row, SelectionCommand};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::Selection(SelectionCommand::Reply),
        Selection,
        "selection-reply",
        &["r"],
        "Reply to the message",
    )
    .hint("reply"),
    row(
        Command::Selection(SelectionCommand::Edit),
        Selection,
        "selection-edit",
        &["e"],
        "Edit your message",
    )
    .hint("edit"),
    row(
        Command::Selection(SelectionCommand::Delete),
        Selection,
        "selection-delete",
        &["d"],
        "Delete your message; asks first",
    )
    .hint("delete"),
    row(
        Command::Selection(SelectionCommand::Find),
        Selection,
        "selection-find",
        &["/"],
        "Find text above, in the loaded messages",
    )
    .hint("find"),
    row(
        Command::Selection(SelectionCommand::FindOlder),
        Selection,
        "selection-find-older",
        &["n"],
        "Next match above",
    )
    .hint("older"),
    row(
        Command::Selection(SelectionCommand::FindNewer),
        Selection,
        "selection-find-newer",
        &["N"],
        "Next match below",
    ),
    row(
        Command::Selection(SelectionCommand::CopyText),
        Selection,
        "selection-copy",
        &["y"],
        "Copy the text",
    )
    .hint("copy"),
    row(
        Command::Selection(SelectionCommand::CopyLine),
        Selection,
        "selection-copy-line",
        &["Y"],
        "Copy the text with time and name",
    ),
    row(
        Command::Selection(SelectionCommand::OpenLink),
        Selection,
        "selection-open-link",
        &["o"],
        "Open the link; again: the next link",
    )
    .hint("open link"),
    row(
        Command::Selection(SelectionCommand::MarkUnread),
        Selection,
        "selection-unread",
        &["u"],
        "Mark as unread from here",
    )
    .hint("unread"),
    row(
        Command::Nav(Nav::Enter),
        Selection,
        "selection-enter",
        &["enter"],
        "Load messages missing here; otherwise close",
    ),
    row(
        Command::Selection(SelectionCommand::ConfirmDelete),
        DeleteQuestion,
        "confirm-delete",
        &["y"],
        "Delete the message",
    )
    .hint("delete"),
    row(
        Command::Nav(Nav::Enter),
        FindInMeeting,
        "find-enter",
        &["enter"],
        "Find upwards",
    )
    .hint("find"),
];
