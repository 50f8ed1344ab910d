//! The keys of the schedule and its forms.

use super::row;
use crate::command::Context::{Board, PlanForm, Planning};
use crate::command::{Command, Row};

/// The keys of the schedule.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::Planning,
        Board,
        "planning",
        &["p"],
        "Open the schedule",
    )
    .hint("schedule"),
    row(Command::PlanUp, Planning, "plan-up", &["up", "k"], "Up"),
    row(
        Command::PlanDown,
        Planning,
        "plan-down",
        &["down", "j"],
        "Down",
    ),
    row(
        Command::PlanFirst,
        Planning,
        "plan-first",
        &["home", "g"],
        "First row",
    ),
    row(
        Command::PlanLast,
        Planning,
        "plan-last",
        &["end", "G"],
        "Last row",
    ),
    row(
        Command::PlanPageUp,
        Planning,
        "plan-page-up",
        &["pageup"],
        "Page up",
    ),
    row(
        Command::PlanPageDown,
        Planning,
        "plan-page-down",
        &["pagedown"],
        "Page down",
    ),
    row(
        Command::PlanEnter,
        Planning,
        "plan-enter",
        &["enter"],
        "Show description, instances and audience",
    )
    .hint("details"),
    row(
        Command::PlanAdd,
        Planning,
        "plan-add",
        &["a"],
        "Add a meeting",
    )
    .hint("add"),
    row(
        Command::PlanEdit,
        Planning,
        "plan-edit",
        &["e"],
        "Edit title, description and access",
    )
    .hint("edit"),
    row(
        Command::PlanSchedule,
        Planning,
        "plan-schedule",
        &["s"],
        "Schedule an instance",
    )
    .hint("schedule"),
    row(
        Command::PlanMove,
        Planning,
        "plan-move",
        &["m"],
        "Move the instance to another time",
    )
    .hint("move"),
    row(
        Command::PlanCancel,
        Planning,
        "plan-cancel",
        &["X"],
        "Cancel the instance",
    )
    .hint("cancel"),
    row(
        Command::PlanInvite,
        Planning,
        "plan-invite",
        &["+"],
        "Invite users to the meeting",
    )
    .hint("invite"),
    row(
        Command::PlanUninvite,
        Planning,
        "plan-uninvite",
        &["-"],
        "Remove users from the audience",
    ),
    row(
        Command::PlanImport,
        Planning,
        "plan-import",
        &["i"],
        "Import the audience from a file",
    )
    .hint("import"),
    row(
        Command::PlanFilter,
        Planning,
        "plan-filter",
        &["/"],
        "Filter by words (!word excludes)",
    )
    .hint("filter"),
    row(
        Command::PlanPast,
        Planning,
        "plan-past",
        &["o"],
        "Show or hide ended instances",
    )
    .hint("show past"),
    row(
        Command::PlanRead,
        Planning,
        "plan-read",
        &["r"],
        "Reload the schedule",
    ),
    row(
        Command::PlanConfirm,
        PlanForm,
        "plan-confirm",
        &["enter"],
        "Next field, or OK",
    )
    .hint("confirm"),
    row(
        Command::PlanNext,
        PlanForm,
        "plan-next",
        &["tab", "down"],
        "Next field",
    )
    .hint("next"),
    row(
        Command::PlanPrevious,
        PlanForm,
        "plan-previous",
        &["shift-tab", "up"],
        "Previous field",
    ),
];
