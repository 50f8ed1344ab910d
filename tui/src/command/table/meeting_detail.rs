//! The keys of one meeting on the dashboard. Those of the dashboard work there too.

use super::row;
use crate::command::Context::Detail;
use crate::command::{Command, DetailCommand, Nav, Row};

pub(super) const KEYS: &[Row] = &[
    row(
        Command::Detail(DetailCommand::Pane),
        Detail,
        "detail-pane",
        &["tab"],
        "Switch between participants and timeline",
    )
    .hint("other pane"),
    row(
        Command::Detail(DetailCommand::Sort),
        Detail,
        "detail-sort",
        &["J", "S", "M", "N"],
        "Sort participants by join time, stay, messages, name; again: reverse",
    )
    .hint("sort participants"),
    row(
        Command::Nav(Nav::Enter),
        Detail,
        "detail-messages",
        &["enter"],
        "Show the messages of the selected participant",
    )
    .hint("messages"),
    row(
        Command::Detail(DetailCommand::Filter),
        Detail,
        "detail-filter",
        &["/"],
        "Filter by words; !word excludes",
    )
    .hint("filter"),
];
