//! Running migrations: all that are missing in one transaction.

use std::path::Path;

use plenary_shared::time::Timestamp;
use rusqlite::{Connection, TransactionBehavior, named_params};

use super::{OpenError, SqliteStore, addresses, link, statement};
use crate::store::sql::migrations::{self, MigrateError, Migration, SQLITE};

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl SqliteStore {
    /// Brings the tables up to date and returns the names of the migrations that it ran.
    pub fn migrate(directory: &Path, now: Timestamp) -> Result<Vec<String>, OpenError> {
        let mut conn = link::open(directory)?;
        Ok(migrate(&mut conn, now)?)
    }
}

/// Brings the tables up to date and returns the names of the migrations that it ran, and normalizes addresses
/// that other programs wrote. Processes that start
/// together do it one after the other.
pub(super) fn migrate(conn: &mut Connection, now: Timestamp) -> Result<Vec<String>, MigrateError> {
    let work = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    work.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (
           version    INTEGER NOT NULL PRIMARY KEY,
           name       TEXT NOT NULL,
           checksum   TEXT NOT NULL,
           applied_at INTEGER NOT NULL,
           dirty      INTEGER NOT NULL
         ) STRICT",
    )?;
    let mut names = Vec::new();
    for migration in missing(&work)? {
        let Migration { version, name, sql } = *migration;
        work.execute_batch(sql)
            .map_err(|error| MigrateError::Failed {
                version,
                name,
                fault: error.into(),
            })?;
        work.execute(
            "INSERT INTO migration (version, name, checksum, applied_at, dirty)
             VALUES (:version, :name, :checksum, :at, 0)",
            named_params! {
                ":version": version,
                ":name": name,
                ":checksum": migration.checksum(),
                ":at": now.as_ms(),
            },
        )?;
        names.push(migration.full_name());
    }
    addresses::normalize(&work)?;
    work.commit()?;
    Ok(names)
}

/// The names of the migrations that are missing. Changes nothing.
pub(super) fn pending(conn: &Connection) -> Result<Vec<String>, MigrateError> {
    let has_table: bool = conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration')",
        [],
        |row| row.get(0),
    )?;
    if has_table {
        let missing = missing(conn)?;
        return Ok(missing.into_iter().map(Migration::full_name).collect());
    }
    check_empty(conn)?;
    Ok(SQLITE.iter().map(Migration::full_name).collect())
}

/// The migrations that are missing, if this program can continue from those that were run.
pub(super) fn missing(conn: &Connection) -> Result<Vec<&'static Migration>, MigrateError> {
    let applied = statement::all(conn, migrations::applied())?;
    if applied.is_empty() {
        check_empty(conn)?;
    }
    migrations::missing(SQLITE, &applied)
}

/// A file without migrations must have no other table either: tables of other programs are left alone.
fn check_empty(conn: &Connection) -> Result<(), MigrateError> {
    let mut statement = conn.prepare(
        "SELECT name
         FROM sqlite_schema
         WHERE type = 'table'
           AND name <> 'migration'
           AND name NOT LIKE 'sqlite_%'
         ORDER BY name
         LIMIT 1",
    )?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Err(MigrateError::Occupied { table: row.get(0)? }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_run_once() {
        let mut conn = Connection::open_in_memory().expect("memory");
        let now = Timestamp::from_ms(1);
        let ran = migrate(&mut conn, now).expect("tables");
        assert_eq!(ran.len(), SQLITE.len());
        assert_eq!(ran[0], "0001_users");
        assert!(migrate(&mut conn, now).expect("tables").is_empty());
        conn.execute("UPDATE migration SET checksum = 'x' WHERE version = 2", [])
            .expect("an update");
        let edited = migrate(&mut conn, now).expect_err("an edited migration");
        assert!(edited.to_string().contains("migration 2 'schedule'"));
    }

    #[test]
    fn tables_of_other_programs_are_left_alone() {
        let mut conn = Connection::open_in_memory().expect("memory");
        conn.execute_batch("CREATE TABLE theirs (x)")
            .expect("a table");
        let occupied = migrate(&mut conn, Timestamp::from_ms(1)).expect_err("a table in the way");
        assert!(occupied.to_string().contains("'theirs'"), "{occupied}");
    }
}
