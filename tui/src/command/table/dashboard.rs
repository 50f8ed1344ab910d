//! The keys of the dashboard, of actions on meetings and their dialog, and of filters.

use super::row;
use crate::command::Context::{Anywhere, Dashboard, Filter, MeetingActions, ModerationDialog};
use crate::command::{AppCommand, Command, DashboardCommand, MeetingAction, Nav, Row};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::App(AppCommand::Dashboard),
        Anywhere,
        "dashboard",
        &["f5"],
        "Open or close the dashboard (admins)",
    ),
    row(
        Command::Nav(Nav::Enter),
        Dashboard,
        "dashboard-open",
        &["enter"],
        "Open the meeting: participants and timeline",
    )
    .hint("open"),
    row(
        Command::Dashboard(DashboardCommand::Filter),
        Dashboard,
        "dashboard-filter",
        &["/"],
        "Filter by words; !word excludes",
    )
    .hint("filter"),
    row(
        Command::Dashboard(DashboardCommand::Sort),
        Dashboard,
        "dashboard-sort",
        &["L", "N", "H", "T", "E", "M", "A", "R"],
        "Sort by time left, name, participants, late, early, messages, last message, reconnecting; again: reverse",
    )
    .hint("sort"),
    row(
        Command::Dashboard(DashboardCommand::Mark),
        Dashboard,
        "dashboard-mark",
        &["space"],
        "Mark the meeting; actions apply to all marked meetings",
    )
    .hint("mark"),
    row(
        Command::Dashboard(DashboardCommand::Servers),
        Dashboard,
        "dashboard-servers",
        &["s"],
        "Show the health of servers and stores",
    )
    .hint("servers"),
    row(
        Command::Dashboard(DashboardCommand::Schedule),
        Dashboard,
        "schedule",
        &["p"],
        "Open the schedule; Esc returns",
    )
    .hint("schedule"),
    row(
        Command::MeetingAction(MeetingAction::Explain),
        MeetingActions,
        "meeting-access",
        &["w"],
        "Check why a user can or cannot join",
    )
    .hint("access"),
    row(
        Command::MeetingAction(MeetingAction::Chat),
        MeetingActions,
        "meeting-chat",
        &["o"],
        "Open the chat of the meeting; Esc returns",
    )
    .hint("chat"),
    row(
        Command::MeetingAction(MeetingAction::Pause),
        MeetingActions,
        "dashboard-pause",
        &["f"],
        "Pause or resume updates",
    )
    .hint("pause"),
    row(
        Command::MeetingAction(MeetingAction::Extend),
        MeetingActions,
        "meeting-extend",
        &["+"],
        "Extend the meeting",
    )
    .hint("extend"),
    row(
        Command::MeetingAction(MeetingAction::End),
        MeetingActions,
        "meeting-end",
        &["X"],
        "End the meeting now",
    )
    .hint("end"),
    row(
        Command::MeetingAction(MeetingAction::Lock),
        MeetingActions,
        "meeting-lock",
        &["l"],
        "Lock the meeting (no one can join), or unlock it",
    )
    .hint("lock"),
    row(
        Command::MeetingAction(MeetingAction::ReadOnly),
        MeetingActions,
        "meeting-read-only",
        &["r"],
        "Turn read-only on or off",
    )
    .hint("read-only"),
    row(
        Command::MeetingAction(MeetingAction::Announce),
        MeetingActions,
        "meeting-announce",
        &["n"],
        "Make an announcement to all participants",
    )
    .hint("announce"),
    row(
        Command::MeetingAction(MeetingAction::Mute),
        MeetingActions,
        "meeting-mute",
        &["m"],
        "Mute a participant",
    ),
    row(
        Command::MeetingAction(MeetingAction::Unmute),
        MeetingActions,
        "meeting-unmute",
        &["u"],
        "Unmute a participant",
    ),
    row(
        Command::MeetingAction(MeetingAction::Remove),
        MeetingActions,
        "meeting-remove",
        &["d"],
        "Remove a participant, who can rejoin",
    )
    .hint("remove"),
    row(
        Command::MeetingAction(MeetingAction::Ban),
        MeetingActions,
        "meeting-ban",
        &["D"],
        "Ban a participant, who cannot rejoin",
    ),
    row(
        Command::MeetingAction(MeetingAction::Unban),
        MeetingActions,
        "meeting-unban",
        &["U"],
        "Unban a user",
    ),
    row(
        Command::Nav(Nav::Enter),
        Filter,
        "filter-apply",
        &["enter"],
        "Apply the filter",
    )
    .hint("apply"),
    row(
        Command::Nav(Nav::Enter),
        ModerationDialog,
        "dialog-confirm",
        &["enter"],
        "Next field; after the last: OK",
    )
    .hint("confirm"),
];
