//! What a move takes along: the tables, how their rows are found in order, and rows in a form that
//! belongs to no database.
//!
//! Left behind is what each home has of its own: its migrations, its nonce, and what is live, which
//! is built anew from the record.

use plenary_shared::time::Timestamp;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A whole number.
    Number,
    /// UTF-8.
    Text,
    /// A point in time, to the millisecond.
    Time,
    /// Any bytes.
    Bytes,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
}

/// A kind of things that are moved: the rows of one table.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The table's name.
    pub table: &'static str,
    /// What people call these rows.
    pub name: &'static str,
    /// Its columns; those of its key come first.
    pub columns: &'static [Column],
    /// How many columns the key has.
    pub key: usize,
    /// Whether the database numbers the rows.
    pub is_numbered: bool,
}

impl Kind {
    /// The columns of the key, in its order.
    pub fn key_columns(&self) -> &'static [Column] {
        &self.columns[..self.key]
    }
}

/// What stands in one column of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Number(i64),
    /// UTF-8.
    Text(String),
    /// A point in time.
    Time(Timestamp),
    /// Any bytes.
    Bytes(Vec<u8>),
}

/// A row: a cell for each column of its kind, in their order; or for each of its key.
pub type Cells = Vec<Cell>;

/// What both homes of a move remember of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The same in both homes, and nowhere else: 32 hexadecimal digits.
    pub token: String,
    /// The other home, as people are told of it.
    pub place: String,
    /// When it was begun.
    pub begun_at: Timestamp,
    /// When it was completed, if it is.
    pub completed_at: Option<Timestamp>,
}

const fn number(name: &'static str) -> Column {
    let holds = Holds::Number;
    Column { name, holds }
}

const fn text(name: &'static str) -> Column {
    let holds = Holds::Text;
    Column { name, holds }
}

const fn time(name: &'static str) -> Column {
    let holds = Holds::Time;
    Column { name, holds }
}

const fn bytes(name: &'static str) -> Column {
    let holds = Holds::Bytes;
    Column { name, holds }
}

/// Everything, each kind behind those that it speaks of.
pub const KINDS: &[Kind] = &[
    Kind {
        table: "user",
        name: "people",
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
    Kind {
        table: "session",
        name: "sessions",
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
    Kind {
        table: "meeting",
        name: "meetings",
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
    Kind {
        table: "audience",
        name: "invitations",
        columns: &[number("meetingID"), text("email")],
        key: 2,
        is_numbered: false,
    },
    Kind {
        table: "meeting_instance",
        name: "instances",
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
    Kind {
        table: "event_log",
        name: "events",
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
    Kind {
        table: "message",
        name: "messages",
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
    Kind {
        table: "read_position",
        name: "reading positions",
        columns: &[
            number("userID"),
            number("meetingID"),
            number("orderID"),
            number("seq"),
        ],
        key: 3,
        is_numbered: false,
    },
    Kind {
        table: "audit",
        name: "audit entries",
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
