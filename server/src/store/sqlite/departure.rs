//! Taking everything out of the file, for a move to another home; and the mark that keeps whoever
//! serves it by habit from serving it still.

use std::path::{Path, PathBuf};

use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params, params_from_iter};

use crate::error::Fault;
use crate::store::belongings::{Cell, Cells, Column, Holds, Kind, Mark};

use super::lock::Lock;
use super::{OpenError, link, migrate, row};

/// A file that is being moved: nobody serves it, and once the move has begun nobody changes it.
pub struct Departure {
    conn: Connection,
    directory: PathBuf,
    /// Held until the move is over.
    _lock: Lock,
}

impl Departure {
    /// Opens the file of a directory, which must be there and served by nobody, and brings its
    /// tables up to date.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Self, OpenError> {
        let path = directory.join(link::FILE);
        if !path.exists() {
            return Err(OpenError::Missing { path });
        }
        let lock = Lock::take(directory)?;
        let mut conn = link::open(directory)?;
        migrate::migrate(&mut conn, now)?;
        Ok(Self {
            conn,
            directory: directory.to_owned(),
            _lock: lock,
        })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What it remembers of a move.
    pub fn mark(&self) -> Result<Option<Mark>, Fault> {
        mark(&self.conn)
    }

    /// Marks the file, for good, and keeps everybody else from changing it until the end.
    pub fn begin(&self, mark: &Mark) -> Result<(), Fault> {
        self.conn.execute(
            "INSERT INTO moving (id, token, place, begun_at)
             VALUES (1, :token, :place, :begun_at)
             ON CONFLICT (id) DO UPDATE
             SET token = excluded.token, place = excluded.place, begun_at = excluded.begun_at",
            named_params! {
                ":token": mark.token,
                ":place": mark.place,
                ":begun_at": mark.begun_at.as_ms(),
            },
        )?;
        Ok(self.conn.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// The first rows behind this key, or of all, in the order of their keys.
    pub fn page(
        &self,
        kind: &Kind,
        after: Option<&[Cell]>,
        limit: usize,
    ) -> Result<Vec<Cells>, Fault> {
        let keys = names(kind.key_columns());
        let behind = match after {
            Some(_) => format!("WHERE ({keys}) > ({})", vec!["?"; kind.key].join(", ")),
            None => String::new(),
        };
        let sql = format!(
            "SELECT {}
             FROM {}
             {behind}
             ORDER BY {keys}
             LIMIT {limit}",
            names(kind.columns),
            kind.table,
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(after.unwrap_or_default()))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            page.push(cells(row, kind.columns)?);
        }
        Ok(page)
    }

    /// How many rows there are.
    pub fn count(&self, kind: &Kind) -> Result<u64, Fault> {
        let sql = format!("SELECT COUNT(*) FROM {}", kind.table);
        Ok(self.conn.query_row(&sql, [], |row| row.get(0))?)
    }

    /// The highest number that a row ever had, whether it is there still or not.
    pub fn last_number(&self, kind: &Kind) -> Result<Option<u64>, Fault> {
        let found = self
            .conn
            .query_row(
                "SELECT seq
                 FROM sqlite_sequence
                 WHERE name = :table",
                named_params! { ":table": kind.table },
                |row| row.get(0),
            )
            .optional()?;
        Ok(found)
    }

    /// Who is in without a connection that could be lost: where, who, and the join's number.
    pub fn lasting_stays(&self) -> Result<Vec<(InstanceId, UserId, Seq)>, Fault> {
        Ok(row::all(
            &self.conn,
            "stay",
            "SELECT meetingID, orderID, userID, seq
             FROM stay
             WHERE lasting = 1
             ORDER BY meetingID, orderID, seq",
            [],
            |row| {
                let user = row::user_id(row, "userID")?;
                Ok((row::instance_id(row)?, user, row::seq(row, "seq")?))
            },
        )?)
    }

    /// Says that everything is in the other home.
    pub fn complete(self, now: Timestamp) -> Result<(), Fault> {
        self.conn.execute(
            "UPDATE moving
             SET completed_at = :now",
            named_params! { ":now": now.as_ms() },
        )?;
        Ok(self.conn.execute_batch("COMMIT")?)
    }
}

/// What a file remembers of a move.
pub(super) fn mark(conn: &Connection) -> Result<Option<Mark>, Fault> {
    Ok(row::one(
        conn,
        "moving",
        "SELECT token, place, begun_at, completed_at
         FROM moving
         WHERE id = 1",
        [],
        |row| {
            Ok(Mark {
                token: row::text(row, "token").ok_or(row::Unusable("token"))?,
                place: row::text(row, "place").ok_or(row::Unusable("place"))?,
                begun_at: row::time(row, "begun_at")?,
                completed_at: row::maybe_time(row, "completed_at"),
            })
        },
    )?)
}

/// Refuses a file that was moved, or that is about to be.
pub(super) fn check_not_moved(conn: &Connection, directory: &Path) -> Result<(), OpenError> {
    let path = directory.to_owned();
    match mark(conn)? {
        None => Ok(()),
        Some(Mark {
            place,
            completed_at: Some(at),
            ..
        }) => Err(OpenError::Moved { path, place, at }),
        Some(Mark { place, .. }) => Err(OpenError::Moving { path, place }),
    }
}

/// Forgets a move; whether there was one.
pub(super) fn forget(conn: &Connection) -> Result<bool, Fault> {
    Ok(conn.execute("DELETE FROM moving", [])? > 0)
}

fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    names.join(", ")
}

fn cells(row: &Row<'_>, columns: &[Column]) -> Result<Cells, Fault> {
    let read = |(at, column): (usize, &Column)| {
        let cell = match (row.get_ref(at)?, column.holds) {
            (ValueRef::Null, _) => Cell::Null,
            (ValueRef::Integer(number), Holds::Number) => Cell::Number(number),
            (ValueRef::Integer(ms), Holds::Time) => Cell::Time(Timestamp::from_ms(ms)),
            (ValueRef::Text(text), Holds::Text) => {
                Cell::Text(String::from_utf8_lossy(text).into_owned())
            }
            (ValueRef::Blob(bytes), Holds::Bytes) => Cell::Bytes(bytes.to_vec()),
            // The tables are strict.
            _ => return Err(Fault::broken("reading the data file", column.name)),
        };
        Ok(cell)
    };
    columns.iter().enumerate().map(read).collect()
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Number(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Time(at) => ToSqlOutput::Owned(Value::Integer(at.as_ms())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::belongings::KINDS;

    /// What each home has of its own.
    const LEFT_BEHIND: &[&str] = &[
        "deployment",
        "holder",
        "live_instance",
        "migration",
        "moving",
        "node",
        "restraint",
        "signed_out",
        "stay",
        // Each home indexes its messages itself.
        "message_place",
        "message_text",
        "message_text_config",
        "message_text_data",
        "message_text_docsize",
        "message_text_idx",
    ];

    #[test]
    fn everything_is_taken_along() {
        let mut conn = Connection::open_in_memory().expect("memory");
        migrate::migrate(&mut conn, Timestamp::from_ms(1)).expect("tables");
        let mut statement = conn
            .prepare(
                "SELECT t.name, c.name
                 FROM pragma_table_list t, pragma_table_info(t.name) c
                 WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%'",
            )
            .expect("a query");
        let there: BTreeSet<(String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("columns")
            .map(|column| column.expect("a column"))
            .filter(|(table, _): &(String, String)| !LEFT_BEHIND.contains(&table.as_str()))
            .collect();
        let taken: BTreeSet<(String, String)> = KINDS
            .iter()
            .flat_map(|kind| kind.columns.iter().map(|column| (kind.table, column.name)))
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .collect();
        assert_eq!(taken, there);
        // A page behind a key is a range of the table's own order.
        for kind in KINDS {
            let keys = names(kind.key_columns());
            let plan: String = conn
                .query_row(
                    &format!(
                        "EXPLAIN QUERY PLAN SELECT * FROM {} WHERE ({keys}) > ({}) ORDER BY {keys}",
                        kind.table,
                        vec!["1"; kind.key].join(", ")
                    ),
                    [],
                    |row| row.get("detail"),
                )
                .expect("a plan");
            assert!(plan.starts_with("SEARCH"), "{}: {plan}", kind.table);
        }
    }
}
