//! The keys inside one meeting on the dashboard; those of the dashboard hold there too.

use super::row;
use crate::command::Context::Drill;
use crate::command::{Command, Row};

/// Those rows.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::DrillPane,
        Drill,
        "drill-pane",
        &["tab"],
        "from the people to what happens, and back",
    )
    .hint("people, events"),
    row(
        Command::DrillSort,
        Drill,
        "drill-sort",
        &["J", "S", "M", "N"],
        "sort people by joined, stayed, messages, name; again: the other way round",
    )
    .hint("sort people"),
];
