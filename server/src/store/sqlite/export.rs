//! The source of a transfer to another store, and the mark that keeps servers from starting on it.

use std::path::{Path, PathBuf};

use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params_from_iter};

use crate::error::Fault;
use crate::store::sql::tables::{Column, ColumnType, Mark, Table, Value, Values, column_names};
use crate::store::sql::transfer;

use super::lock::Lock;
use super::{OpenError, link, migrate, statement};

/// A SQLite file that is being transferred: no server runs on it, and once the transfer has begun no
/// process changes it.
pub struct Export {
    conn: Connection,
    directory: PathBuf,
    /// Held until the transfer ends.
    _lock: Lock,
}

impl Export {
    /// Opens the file in a directory and brings its tables up to date. The file must exist, and no server
    /// may run on it.
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

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The mark of a transfer.
    pub fn mark(&self) -> Result<Option<Mark>, Fault> {
        mark(&self.conn)
    }

    /// Marks the file, and locks it against changes until the transfer ends.
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

    /// The first rows above a key, or of the table, in the order of their keys.
    pub fn page(
        &self,
        table: &Table,
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<Values>, Fault> {
        let keys = column_names(table.key_columns());
        let behind = match after {
            Some(_) => format!("WHERE ({keys}) > ({})", vec!["?"; table.key].join(", ")),
            None => String::new(),
        };
        let sql = format!(
            "SELECT {}
             FROM {}
             {behind}
             ORDER BY {keys}
             LIMIT {limit}",
            column_names(table.columns),
            table.name,
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(after.unwrap_or_default()))?;
        let mut page = Vec::new();
        while let Some(row) = rows.next()? {
            page.push(values(row, table.columns)?);
        }
        Ok(page)
    }

    /// The number of rows.
    pub fn count(&self, table: &Table) -> Result<u64, Fault> {
        let sql = format!("SELECT COUNT(*) FROM {}", table.name);
        Ok(self.conn.query_row(&sql, [], |row| row.get(0))?)
    }

    /// The highest id that the table has generated.
    pub fn last_number(&self, table: &Table) -> Result<Option<u64>, Fault> {
        let found = self
            .conn
            .query_row(
                "SELECT seq
                 FROM sqlite_sequence
                 WHERE name = :table",
                named_params! { ":table": table.name },
                |row| row.get(0),
            )
            .optional()?;
        Ok(found)
    }

    /// Participants who joined without a connection: the instance, the user, the seq of the join.
    pub fn lasting_stays(&self) -> Result<Vec<(InstanceId, UserId, Seq)>, Fault> {
        Ok(statement::select_all(
            &self.conn,
            "stay",
            "SELECT meetingID, orderID, userID, seq
             FROM stay
             WHERE lasting = 1
             ORDER BY meetingID, orderID, seq",
            [],
            |row| {
                let user = row.user_id("userID")?;
                Ok((row.instance_id()?, user, row.seq("seq")?))
            },
        )?)
    }

    /// Marks the transfer as complete.
    pub fn complete(self, now: Timestamp) -> Result<(), Fault> {
        self.conn.execute(
            "UPDATE moving
             SET completed_at = :now",
            named_params! { ":now": now.as_ms() },
        )?;
        Ok(self.conn.execute_batch("COMMIT")?)
    }
}

/// The mark of a transfer.
pub(super) fn mark(conn: &Connection) -> Result<Option<Mark>, Fault> {
    Ok(statement::one(conn, transfer::mark())?)
}

/// Refuses a file that was transferred or is being transferred.
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

/// Removes the mark. Returns whether there was one.
pub(super) fn forget(conn: &Connection) -> Result<bool, Fault> {
    Ok(conn.execute("DELETE FROM moving", [])? > 0)
}

fn values(row: &Row<'_>, columns: &[Column]) -> Result<Values, Fault> {
    let read = |(at, column): (usize, &Column)| {
        let value = match (row.get_ref(at)?, column.holds) {
            (ValueRef::Null, _) => Value::Null,
            (ValueRef::Integer(number), ColumnType::Number) => Value::Number(number),
            (ValueRef::Integer(ms), ColumnType::Time) => Value::Time(Timestamp::from_ms(ms)),
            (ValueRef::Text(text), ColumnType::Text) => {
                Value::Text(String::from_utf8_lossy(text).into_owned())
            }
            (ValueRef::Blob(bytes), ColumnType::Bytes) => Value::Bytes(bytes.to_vec()),
            // Unreachable, as the tables are strict.
            _ => return Err(Fault::broken("reading a row", column.name)),
        };
        Ok(value)
    };
    columns.iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::store::sql::tables::TABLES;

    /// The tables that are not transferred.
    const NOT_TRANSFERRED: &[&str] = &[
        "deployment",
        "holder",
        "live_instance",
        "migration",
        "moving",
        "node",
        "restraint",
        "signed_out",
        "stay",
        // Each store indexes its messages itself.
        "message_place",
        "message_text",
        "message_text_config",
        "message_text_data",
        "message_text_docsize",
        "message_text_idx",
    ];

    #[test]
    fn all_other_tables_are_transferred() {
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
            .filter(|(table, _): &(String, String)| !NOT_TRANSFERRED.contains(&table.as_str()))
            .collect();
        let transferred: BTreeSet<(String, String)> = TABLES
            .iter()
            .flat_map(|table| table.columns.iter().map(|column| (table.name, column.name)))
            .map(|(table, column)| (table.to_owned(), column.to_owned()))
            .collect();
        assert_eq!(transferred, there);
        // A page above a key is a range of the table's own order.
        for table in TABLES {
            let keys = column_names(table.key_columns());
            let plan: String = conn
                .query_row(
                    &format!(
                        "EXPLAIN QUERY PLAN SELECT * FROM {} WHERE ({keys}) > ({}) ORDER BY {keys}",
                        table.name,
                        vec!["1"; table.key].join(", ")
                    ),
                    [],
                    |row| row.get("detail"),
                )
                .expect("a plan");
            assert!(plan.starts_with("SEARCH"), "{}: {plan}", table.name);
        }
    }
}
