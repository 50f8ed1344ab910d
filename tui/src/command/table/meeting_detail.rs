//! The keys of a meeting's detail. The keys of the dashboard work there too.

use super::row;
use crate::command::Context::Drill;
use crate::command::{Command, Row};

/// The keys of the detail.
pub(super) const KEYS: &[Row] = &[
    row(
        Command::DrillPane,
        Drill,
        "drill-pane",
        &["tab"],
        "Switch between participants and timeline",
    )
    .hint("other pane"),
    row(
        Command::DrillSort,
        Drill,
        "drill-sort",
        &["J", "S", "M", "N"],
        "Sort participants by joined, stayed, messages, name. Again: reverse",
    )
    .hint("sort participants"),
];
