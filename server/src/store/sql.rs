//! Statements that MySQL and SQLite have in common, each beside the type that its rows fill.
//!
//! A [`Query`] or a [`Change`] holds the text and the parameters; a query also knows how to decode a
//! row. The stores run them. Where the syntax of the two databases differs, a function takes the
//! [`Dialect`]. Statements that only one database needs are in that store's own modules.

mod row;
mod statement;
mod value;

pub(super) mod audience;
pub(super) mod audit;
pub(super) mod dashboard;
pub(super) mod history;
pub(super) mod lifecycle;
pub(super) mod meetings;
pub(super) mod migrations;
pub(super) mod page;
pub(super) mod search;
pub mod tables;
pub(super) mod transfer;
pub(super) mod users;

pub(super) use row::{Row, Skipped, Unusable};
pub(super) use statement::{Change, Params, Query, params};
pub use value::Value;

/// The database that a statement is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// MySQL 8 or MariaDB.
    Mysql,
    Sqlite,
}
