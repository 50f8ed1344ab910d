//! The tables that a transfer between stores copies, and how their rows are read in order.
//!
//! Each store keeps its own migrations and nonce, and rebuilds the live state from the archive.

use plenary_shared::time::Timestamp;

pub use super::Value;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    Number,
    /// UTF-8.
    Text,
    /// A point in time, to the millisecond.
    Time,
    Bytes,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub holds: ColumnType,
}

/// A table.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// What users call its rows.
    pub rows: &'static str,
    /// Its columns; those of its key come first.
    pub columns: &'static [Column],
    /// The number of columns of its key.
    pub key: usize,
    /// Whether the database generates its ids.
    pub is_numbered: bool,
}

impl Table {
    /// The columns of the key, in its order.
    pub fn key_columns(&self) -> &'static [Column] {
        &self.columns[..self.key]
    }
}

/// `a, b, c`
pub fn column_names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    names.join(", ")
}

/// A row: a value for each column of its table, or for each column of the key.
pub type Values = Vec<Value>;

/// What both stores of a transfer remember of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Identifies the transfer in both stores: 32 hexadecimal digits.
    pub token: String,
    /// The other store, without passwords.
    pub place: String,
    pub begun_at: Timestamp,
    pub completed_at: Option<Timestamp>,
}

const fn number(name: &'static str) -> Column {
    let holds = ColumnType::Number;
    Column { name, holds }
}

const fn text(name: &'static str) -> Column {
    let holds = ColumnType::Text;
    Column { name, holds }
}

const fn time(name: &'static str) -> Column {
    let holds = ColumnType::Time;
    Column { name, holds }
}

const fn bytes(name: &'static str) -> Column {
    let holds = ColumnType::Bytes;
    Column { name, holds }
}

/// All tables, each after those that it references.
pub const TABLES: &[Table] = &[
    Table {
        name: "user",
        rows: "users",
        columns: &[
            number("userID"),
            text("name"),
            number("age"),
            text("gender"),
            text("email"),
            text("role"),
            text("passwordHash"),
            time("disabled_at"),
        ],
        key: 1,
        is_numbered: true,
    },
    Table {
        name: "session",
        rows: "sessions",
        columns: &[
            bytes("tokenHash"),
            number("userID"),
            time("created_at"),
            time("expires_at"),
            time("seen_at"),
            text("label"),
        ],
        key: 1,
        is_numbered: false,
    },
    Table {
        name: "meeting",
        rows: "meetings",
        columns: &[
            number("meetingID"),
            text("title"),
            text("description"),
            number("isPublic"),
            number("revision"),
        ],
        key: 1,
        is_numbered: true,
    },
    Table {
        name: "audience",
        rows: "invitations",
        columns: &[number("meetingID"), text("email")],
        key: 2,
        is_numbered: false,
    },
    Table {
        name: "meeting_instance",
        rows: "instances",
        columns: &[
            number("meetingID"),
            number("orderID"),
            time("fromdatetime"),
            time("todatetime"),
            text("state"),
            number("gen"),
            number("archived_seq"),
            text("reason"),
            time("ended_at"),
        ],
        key: 2,
        is_numbered: false,
    },
    Table {
        name: "event_log",
        rows: "events",
        columns: &[
            number("eventID"),
            number("meetingID"),
            number("orderID"),
            number("seq"),
            number("userID"),
            text("eventType"),
            time("timestamp"),
            text("reason"),
            number("target"),
            text("cmid"),
            text("action"),
            number("subject"),
            number("was"),
            text("note"),
        ],
        key: 1,
        is_numbered: true,
    },
    Table {
        name: "message",
        rows: "messages",
        columns: &[
            number("meetingID"),
            number("orderID"),
            number("seq"),
            number("userID"),
            text("cmid"),
            text("body"),
            time("timestamp"),
            number("replyTo"),
            time("edited_at"),
            time("deleted_at"),
        ],
        key: 3,
        is_numbered: false,
    },
    Table {
        name: "read_position",
        rows: "read positions",
        columns: &[
            number("userID"),
            number("meetingID"),
            number("orderID"),
            number("seq"),
        ],
        key: 3,
        is_numbered: false,
    },
    Table {
        name: "audit",
        rows: "audit entries",
        columns: &[
            number("auditID"),
            time("at"),
            number("actor"),
            text("action"),
            text("target"),
            text("detail"),
        ],
        key: 1,
        is_numbered: true,
    },
];
