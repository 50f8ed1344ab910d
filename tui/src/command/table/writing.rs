//! The keys of what is being written.

use super::row;
use crate::command::Context::{Edit, Input};
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::Send,
        Input,
        "send",
        &["enter"],
        "send; on an empty input: join, retry",
    )
    .hint("send"),
    row(
        Command::NewLine,
        Input,
        "new-line",
        &["alt-enter", "ctrl-j", "shift-enter"],
        "new line",
    )
    .hint("new line"),
    row(
        Command::Complete,
        Input,
        "complete",
        &["tab"],
        "complete a /command or an @name; again: the next one",
    )
    .hint("complete"),
    row(
        Command::CompleteBack,
        Input,
        "complete-back",
        &["shift-tab"],
        "complete with the one before",
    ),
    row(
        Command::OpenEditor,
        Input,
        "open-editor",
        &["ctrl-x"],
        "write in $VISUAL or $EDITOR",
    ),
    row(
        Command::Up,
        Edit,
        "up",
        &["up"],
        "line up; at the first line: what was sent before",
    ),
    row(
        Command::Down,
        Edit,
        "down",
        &["down"],
        "line down; at the last line: what was sent after",
    ),
    row(Command::Left, Edit, "left", &["left", "ctrl-b"], "left"),
    row(Command::Right, Edit, "right", &["right", "ctrl-f"], "right"),
    row(
        Command::WordLeft,
        Edit,
        "word-left",
        &["ctrl-left", "alt-left", "alt-b"],
        "word left",
    ),
    row(
        Command::WordRight,
        Edit,
        "word-right",
        &["ctrl-right", "alt-right", "alt-f"],
        "word right",
    ),
    row(
        Command::LineStart,
        Edit,
        "line-start",
        &["home", "ctrl-a"],
        "start of the line",
    ),
    row(
        Command::LineEnd,
        Edit,
        "line-end",
        &["end", "ctrl-e"],
        "end of the line; on an empty input: newest message",
    ),
    row(
        Command::TextStart,
        Edit,
        "text-start",
        &["ctrl-home"],
        "start of the text",
    ),
    row(
        Command::TextEnd,
        Edit,
        "text-end",
        &["ctrl-end"],
        "end of the text",
    ),
    row(
        Command::DeleteLeft,
        Edit,
        "delete-left",
        &["backspace"],
        "delete to the left",
    ),
    row(
        Command::DeleteRight,
        Edit,
        "delete-right",
        &["delete", "ctrl-d"],
        "delete to the right",
    ),
    row(
        Command::DeleteToBlank,
        Edit,
        "delete-to-blank",
        &["ctrl-w"],
        "cut to the blank before",
    ),
    row(
        Command::DeleteWord,
        Edit,
        "delete-word",
        &["alt-backspace"],
        "cut the word before",
    ),
    row(
        Command::DeleteWordRight,
        Edit,
        "delete-word-right",
        &["alt-d", "ctrl-delete"],
        "cut the word after",
    ),
    row(
        Command::DeleteToStart,
        Edit,
        "delete-to-start",
        &["ctrl-u"],
        "cut to the start of the line",
    ),
    row(
        Command::DeleteToEnd,
        Edit,
        "delete-to-end",
        &["ctrl-k"],
        "cut to the end of the line",
    ),
    row(
        Command::Yank,
        Edit,
        "yank",
        &["ctrl-y"],
        "put back what was cut",
    ),
    row(
        Command::YankOlder,
        Edit,
        "yank-older",
        &["alt-y"],
        "then: what was cut before that",
    ),
    row(
        Command::Transpose,
        Edit,
        "transpose",
        &["ctrl-t"],
        "swap two characters",
    ),
    row(
        Command::Undo,
        Edit,
        "undo",
        &["ctrl-_"],
        "take a change back",
    ),
    row(
        Command::Redo,
        Edit,
        "redo",
        &["ctrl-^", "alt-_"],
        "make it again",
    ),
];
