//! Keys that go from meeting to meeting, in the list of meetings, and in the finder.

use super::row;
use crate::command::Context::{Finder, MeetingList, Meetings};
use crate::command::{Command, MeetingsCommand, Nav, Row};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::Meetings(MeetingsCommand::Find),
        Meetings,
        "find",
        &["ctrl-g"],
        "Find a meeting, a participant or a command",
    )
    .hint("find"),
    row(
        Command::Meetings(MeetingsCommand::Next),
        Meetings,
        "next-meeting",
        &["ctrl-n"],
        "Next meeting",
    )
    .hint("next"),
    row(
        Command::Meetings(MeetingsCommand::Previous),
        Meetings,
        "previous-meeting",
        &["ctrl-p"],
        "Previous meeting",
    ),
    row(
        Command::Meetings(MeetingsCommand::Nth),
        Meetings,
        "meeting",
        &[
            "alt-1", "alt-2", "alt-3", "alt-4", "alt-5", "alt-6", "alt-7", "alt-8", "alt-9",
        ],
        "Meeting by number, also /meeting 3",
    ),
    row(
        Command::Meetings(MeetingsCommand::NextUnread),
        Meetings,
        "next-unread",
        &["alt-a"],
        "Next unread meeting, mentions first",
    ),
    row(
        Command::Meetings(MeetingsCommand::Last),
        Meetings,
        "last",
        &["alt-s"],
        "Meeting shown before",
    ),
    row(
        Command::Meetings(MeetingsCommand::List),
        Meetings,
        "meetings",
        &["f2"],
        "Open the list of meetings",
    )
    .hint("meetings"),
    row(
        Command::Meetings(MeetingsCommand::Participants),
        Meetings,
        "participants",
        &["f3"],
        "Show or hide the participants",
    )
    .hint("who"),
    row(
        Command::Meetings(MeetingsCommand::HideList),
        Meetings,
        "hide-meetings",
        &["shift-f2"],
        "Hide or show the meetings beside the chat",
    ),
    row(
        Command::Nav(Nav::Enter),
        MeetingList,
        "list-join",
        &["enter"],
        "Join the meeting, or open an ended one",
    )
    .hint("join"),
    row(
        Command::Nav(Nav::Down),
        Finder,
        "finder-next",
        &["ctrl-r"],
        "Next match",
    ),
    row(
        Command::Nav(Nav::Enter),
        Finder,
        "finder-go",
        &["enter"],
        "Go to the match, mention it, or run it",
    )
    .hint("go"),
];
