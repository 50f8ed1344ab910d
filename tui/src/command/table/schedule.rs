//! The keys of the schedule and of its forms.

use super::row;
use crate::command::Context::{Schedule, ScheduleForm};
use crate::command::{Command, Nav, Row, ScheduleCommand};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::Nav(Nav::Enter),
        Schedule,
        "schedule-details",
        &["enter"],
        "Show description, instances and audience",
    )
    .hint("details"),
    row(
        Command::Schedule(ScheduleCommand::Add),
        Schedule,
        "schedule-add",
        &["a"],
        "Add a meeting",
    )
    .hint("add"),
    row(
        Command::Schedule(ScheduleCommand::Edit),
        Schedule,
        "schedule-edit",
        &["e"],
        "Edit title, description and access",
    )
    .hint("edit"),
    row(
        Command::Schedule(ScheduleCommand::Schedule),
        Schedule,
        "schedule-instance",
        &["s"],
        "Schedule an instance",
    )
    .hint("schedule"),
    row(
        Command::Schedule(ScheduleCommand::Move),
        Schedule,
        "schedule-move",
        &["m"],
        "Move the instance to another time",
    )
    .hint("move"),
    row(
        Command::Schedule(ScheduleCommand::Cancel),
        Schedule,
        "schedule-cancel",
        &["X"],
        "Cancel the instance",
    )
    .hint("cancel"),
    row(
        Command::Schedule(ScheduleCommand::Invite),
        Schedule,
        "schedule-invite",
        &["+"],
        "Invite users to the meeting",
    )
    .hint("invite"),
    row(
        Command::Schedule(ScheduleCommand::Uninvite),
        Schedule,
        "schedule-uninvite",
        &["-"],
        "Remove users from the audience",
    ),
    row(
        Command::Schedule(ScheduleCommand::Import),
        Schedule,
        "schedule-import",
        &["i"],
        "Import the audience from a file",
    )
    .hint("import"),
    row(
        Command::Schedule(ScheduleCommand::Filter),
        Schedule,
        "schedule-filter",
        &["/"],
        "Filter by words; !word excludes",
    )
    .hint("filter"),
    row(
        Command::Schedule(ScheduleCommand::Past),
        Schedule,
        "schedule-past",
        &["o"],
        "Show or hide ended instances",
    )
    .hint("show past"),
    row(
        Command::Schedule(ScheduleCommand::Reload),
        Schedule,
        "schedule-reload",
        &["r"],
        "Reload the schedule",
    ),
    row(
        Command::Nav(Nav::Enter),
        ScheduleForm,
        "schedule-confirm",
        &["enter"],
        "Next field; after the last: OK",
    )
    .hint("confirm"),
];
