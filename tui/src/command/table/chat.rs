//! The keys of the chat.

use super::row;
use crate::command::Context::Chat;
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::PageUp,
        Chat,
        "page-up",
        &["pageup"],
        "page up, and older messages",
    )
    .hint("scroll"),
    row(
        Command::PageDown,
        Chat,
        "page-down",
        &["pagedown"],
        "page down",
    ),
    row(Command::RowUp, Chat, "row-up", &["shift-up"], "one line up"),
    row(
        Command::RowDown,
        Chat,
        "row-down",
        &["shift-down"],
        "one line down",
    ),
    row(
        Command::Oldest,
        Chat,
        "oldest",
        &["alt-home"],
        "oldest message at hand",
    ),
    row(
        Command::Newest,
        Chat,
        "newest",
        &["alt-end"],
        "newest message",
    ),
    row(
        Command::FirstUnread,
        Chat,
        "first-unread",
        &["alt-u"],
        "first unread message",
    ),
    row(
        Command::PreviousMention,
        Chat,
        "previous-mention",
        &["alt-p"],
        "the message before that speaks of you",
    ),
    row(
        Command::NextMention,
        Chat,
        "next-mention",
        &["alt-n"],
        "the next message that speaks of you",
    ),
    row(
        Command::Select,
        Chat,
        "select",
        &["ctrl-s"],
        "select a message: to copy, search, open",
    ),
    row(
        Command::PlainView,
        Chat,
        "plain",
        &["alt-l"],
        "nothing but the chat, to copy from; again: back",
    ),
    row(
        Command::Mouse,
        Chat,
        "mouse",
        &["alt-m"],
        "give the mouse to the terminal; again: back",
    ),
];
