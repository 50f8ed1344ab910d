//! The keys of the schedule, where admins plan.

use super::row;
use crate::command::Context::{Board, PlanForm, Planning};
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::Planning,
        Board,
        "planning",
        &["p"],
        "the schedule: meetings, who may join, and when; Esc comes back",
    )
    .hint("plan"),
    row(Command::PlanUp, Planning, "plan-up", &["up", "k"], "row up"),
    row(
        Command::PlanDown,
        Planning,
        "plan-down",
        &["down", "j"],
        "row down",
    ),
    row(
        Command::PlanFirst,
        Planning,
        "plan-first",
        &["home", "g"],
        "first row",
    ),
    row(
        Command::PlanLast,
        Planning,
        "plan-last",
        &["end", "G"],
        "last row",
    ),
    row(
        Command::PlanPageUp,
        Planning,
        "plan-page-up",
        &["pageup"],
        "page up",
    ),
    row(
        Command::PlanPageDown,
        Planning,
        "plan-page-down",
        &["pagedown"],
        "page down",
    ),
    row(
        Command::PlanEnter,
        Planning,
        "plan-enter",
        &["enter"],
        "all of a meeting: what it is about, and its audience",
    )
    .hint("all of it"),
    row(
        Command::PlanAdd,
        Planning,
        "plan-add",
        &["a"],
        "add a meeting",
    )
    .hint("add"),
    row(
        Command::PlanEdit,
        Planning,
        "plan-edit",
        &["e"],
        "another title, description, or kind",
    )
    .hint("edit"),
    row(
        Command::PlanSchedule,
        Planning,
        "plan-schedule",
        &["s"],
        "one more time for a meeting",
    )
    .hint("schedule"),
    row(
        Command::PlanMove,
        Planning,
        "plan-move",
        &["m"],
        "another time in place of this one",
    )
    .hint("move"),
    row(
        Command::PlanCancel,
        Planning,
        "plan-cancel",
        &["X"],
        "this time does not take place",
    )
    .hint("cancel"),
    row(
        Command::PlanInvite,
        Planning,
        "plan-invite",
        &["+"],
        "let people join",
    )
    .hint("invite"),
    row(
        Command::PlanUninvite,
        Planning,
        "plan-uninvite",
        &["-"],
        "let people join no more",
    ),
    row(
        Command::PlanImport,
        Planning,
        "plan-import",
        &["i"],
        "let the people of a file join",
    )
    .hint("import"),
    row(
        Command::PlanFilter,
        Planning,
        "plan-filter",
        &["/"],
        "show meetings with these words only; !word: without it",
    )
    .hint("filter"),
    row(
        Command::PlanPast,
        Planning,
        "plan-past",
        &["o"],
        "show what is over too, or not",
    )
    .hint("over too"),
    row(
        Command::PlanRead,
        Planning,
        "plan-read",
        &["r"],
        "read the schedule again",
    ),
    row(
        Command::PlanConfirm,
        PlanForm,
        "plan-confirm",
        &["enter"],
        "go on; from the last field: do it",
    )
    .hint("go on"),
    row(
        Command::PlanNext,
        PlanForm,
        "plan-next",
        &["tab", "down"],
        "next field",
    )
    .hint("next"),
    row(
        Command::PlanPrevious,
        PlanForm,
        "plan-previous",
        &["shift-tab", "up"],
        "field before",
    ),
];
