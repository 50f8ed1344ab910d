//! Keys of one meeting on the dashboard.

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
        "Sort participants by joined, stayed, messages, name. Again: reverse",
    )
    .hint("sort participants"),
    row(
        Command::Nav(Nav::Enter),
        Detail,
        "detail-messages",
        &["enter"],
        "Open the messages of a participant",
    )
    .hint("messages"),
];
