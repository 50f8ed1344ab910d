//! Keys of the chat above the input.

use super::row;
use crate::command::Context::Chat;
use crate::command::{ChatCommand, Command, Nav, Row};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::Nav(Nav::PageUp),
        Chat,
        "page-up",
        &["pageup"],
        "Page up; loads older messages",
    )
    .hint("scroll"),
    row(
        Command::Nav(Nav::PageDown),
        Chat,
        "page-down",
        &["pagedown"],
        "Page down",
    ),
    row(
        Command::Chat(ChatCommand::RowUp),
        Chat,
        "row-up",
        &["shift-up"],
        "Line up",
    ),
    row(
        Command::Chat(ChatCommand::RowDown),
        Chat,
        "row-down",
        &["shift-down"],
        "Line down",
    ),
    row(
        Command::Chat(ChatCommand::Oldest),
        Chat,
        "oldest",
        &["alt-home"],
        "Oldest loaded message",
    ),
    row(
        Command::Chat(ChatCommand::Newest),
        Chat,
        "newest",
        &["alt-end"],
        "Newest message",
    ),
    row(
        Command::Chat(ChatCommand::FirstUnread),
        Chat,
        "first-unread",
        &["alt-u"],
        "First unread message",
    ),
    row(
        Command::Chat(ChatCommand::PreviousMention),
        Chat,
        "previous-mention",
        &["alt-p"],
        "Previous mention",
    ),
    row(
        Command::Chat(ChatCommand::NextMention),
        Chat,
        "next-mention",
        &["alt-n"],
        "Next mention",
    ),
    row(
        Command::Chat(ChatCommand::Select),
        Chat,
        "select",
        &["ctrl-s"],
        "Select a message to copy, reply, edit or open links",
    ),
    row(
        Command::Chat(ChatCommand::Search),
        Chat,
        "search",
        &["f6"],
        "Search all messages, also /search WORDS",
    ),
    row(
        Command::Chat(ChatCommand::History),
        Chat,
        "history",
        &["ctrl-r"],
        "Search the messages you sent here, to send one again",
    ),
    row(
        Command::Chat(ChatCommand::CopyMode),
        Chat,
        "copy-mode",
        &["alt-l"],
        "Show only the chat, to copy from; again: back",
    ),
    row(
        Command::Chat(ChatCommand::Mouse),
        Chat,
        "mouse",
        &["alt-m"],
        "Turn mouse capture on or off",
    ),
];
