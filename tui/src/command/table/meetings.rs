//! The keys of going among meetings, and finding one.

use super::row;
use crate::command::Context::{Find, List, Meetings};
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::Find,
        Meetings,
        "find",
        &["ctrl-g"],
        "find a meeting, a person, a command",
    )
    .hint("find"),
    row(
        Command::NextMeeting,
        Meetings,
        "next-meeting",
        &["ctrl-n"],
        "next meeting",
    )
    .hint("next"),
    row(
        Command::PreviousMeeting,
        Meetings,
        "previous-meeting",
        &["ctrl-p"],
        "previous meeting",
    ),
    row(
        Command::NthMeeting,
        Meetings,
        "meeting",
        &[
            "alt-1", "alt-2", "alt-3", "alt-4", "alt-5", "alt-6", "alt-7", "alt-8", "alt-9",
        ],
        "meeting by its number, as /meeting 3",
    ),
    row(
        Command::NextUnread,
        Meetings,
        "next-unread",
        &["alt-a"],
        "next unread, mentions first",
    ),
    row(
        Command::LastMeeting,
        Meetings,
        "last",
        &["alt-s"],
        "last meeting",
    ),
    row(
        Command::MeetingsList,
        Meetings,
        "meetings",
        &["f2"],
        "into the list of meetings",
    )
    .hint("meetings"),
    row(
        Command::PeopleList,
        Meetings,
        "people",
        &["f3"],
        "people, where the screen is narrow",
    )
    .hint("people"),
    row(Command::ListUp, List, "list-up", &["up"], "up").hint("up"),
    row(Command::ListDown, List, "list-down", &["down"], "down").hint("down"),
    row(
        Command::ListEnter,
        List,
        "list-enter",
        &["enter"],
        "join, or read what has ended",
    )
    .hint("join"),
    row(Command::FindUp, Find, "find-up", &["up", "ctrl-p"], "up").hint("up"),
    row(
        Command::FindDown,
        Find,
        "find-down",
        &["down", "ctrl-n"],
        "down",
    )
    .hint("down"),
    row(
        Command::FindEnter,
        Find,
        "find-enter",
        &["enter"],
        "go there",
    )
    .hint("go there"),
];
