//! The tables, by embedded and numbered migrations: all that are missing in one transaction.

use std::path::Path;

use plenary_shared::time::Timestamp;
use rusqlite::{Connection, TransactionBehavior, named_params};
use sha2::{Digest, Sha256};

use crate::error::Fault;
use crate::store::TokenHash;

use super::{OpenError, SqliteStore, link};

/// One step of the tables. It is never edited after it has landed.
struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal in $file:literal,)+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../../sql/sqlite/", $file)),
        }),+]
    };
}

const MIGRATIONS: &[Migration] = migrations![
    1 "people" in "0001_people.sql",
    2 "schedule" in "0002_schedule.sql",
    3 "record" in "0003_record.sql",
    4 "operation" in "0004_operation.sql",
    5 "moving" in "0005_moving.sql",
    6 "cmids" in "0006_cmids.sql",
    7 "changes" in "0007_changes.sql",
    8 "reading" in "0008_reading.sql",
    9 "search" in "0009_search.sql",
    10 "renewal" in "0010_renewal.sql",
    11 "steering" in "0011_steering.sql",
    12 "disabling" in "0012_disabling.sql",
    13 "planning" in "0013_planning.sql",
    14 "idling" in "0014_idling.sql",
];

/// Why the tables are not as this program needs them.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The file could not be asked.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// Another program has been here that is newer than this one.
    #[error(
        "the data file is newer than this program: it has migration {version} '{name}', \
         which is not known here; use the program's newer version"
    )]
    Newer {
        /// The migration's number.
        version: u32,
        /// The migration's name.
        name: String,
    },
    /// A migration was run whose text is not the one that this program has.
    #[error(
        "migration {version} '{name}' of the data file is another than this program's: \
         use the program that made it, or restore the file"
    )]
    Edited {
        /// The migration's number.
        version: u32,
        /// The migration's name, in the file.
        name: String,
    },
    /// The file is not empty, and not ours.
    #[error(
        "the data file has a table '{table}' that this program did not make: \
         name another directory with --data"
    )]
    Occupied {
        /// One of the tables in the way.
        table: String,
    },
    /// A statement of a migration failed, and nothing was changed.
    #[error("migration {version} '{name}' failed, and nothing was changed: {fault}")]
    Failed {
        /// The migration's number.
        version: u32,
        /// The migration's name.
        name: &'static str,
        /// What went wrong.
        fault: Fault,
    },
}

impl From<rusqlite::Error> for MigrateError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl SqliteStore {
    /// Brings the tables up to date; the names of the migrations that were run for it.
    pub fn migrate(directory: &Path, now: Timestamp) -> Result<Vec<String>, OpenError> {
        let mut conn = link::open(directory)?;
        Ok(migrate(&mut conn, now)?)
    }
}

/// Brings the tables to what this program needs; the names of the migrations that were run for it.
/// Processes that start together do it one after the other.
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
    let applied = check(&work)?;
    if applied.is_empty() {
        check_empty(&work)?;
    }
    let mut names = Vec::new();
    for Migration { version, name, sql } in MIGRATIONS {
        if applied.contains(version) {
            continue;
        }
        work.execute_batch(sql)
            .map_err(|error| MigrateError::Failed {
                version: *version,
                name,
                fault: error.into(),
            })?;
        work.execute(
            "INSERT INTO migration (version, name, checksum, applied_at, dirty)
             VALUES (:version, :name, :checksum, :at, 0)",
            named_params! {
                ":version": version,
                ":name": name,
                ":checksum": fingerprint(sql),
                ":at": now.as_ms(),
            },
        )?;
        names.push(format!("{version:04}_{name}"));
    }
    work.commit()?;
    Ok(names)
}

/// The names of the migrations that the file lacks. Changes nothing.
pub(super) fn pending(conn: &Connection) -> Result<Vec<String>, MigrateError> {
    let has_table: bool = conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration')",
        [],
        |row| row.get(0),
    )?;
    let applied = if has_table { check(conn)? } else { Vec::new() };
    if applied.is_empty() {
        check_empty(conn)?;
    }
    Ok(MIGRATIONS
        .iter()
        .filter(|migration| !applied.contains(&migration.version))
        .map(|migration| format!("{:04}_{}", migration.version, migration.name))
        .collect())
}

/// The migrations that the file has, if this program may go on from them.
pub(super) fn check(conn: &Connection) -> Result<Vec<u32>, MigrateError> {
    let mut statement = conn.prepare(
        "SELECT version, name, checksum
         FROM migration
         ORDER BY version",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, u32>(0)?, row.get(1)?, row.get::<_, String>(2)?))
    })?;
    let mut applied = Vec::new();
    for row in rows {
        let (version, name, checksum): (u32, String, String) = row?;
        let Some(ours) = MIGRATIONS.iter().find(|m| m.version == version) else {
            return Err(MigrateError::Newer { version, name });
        };
        if checksum != fingerprint(ours.sql) || name != ours.name {
            return Err(MigrateError::Edited { version, name });
        }
        applied.push(version);
    }
    Ok(applied)
}

/// A file without any migration must have no table either: nothing is mixed into what others made.
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

/// SHA-256 of a migration's text, in hexadecimal; line ends may be of either kind.
fn fingerprint(sql: &str) -> String {
    let digest = Sha256::digest(sql.replace("\r\n", "\n").as_bytes());
    TokenHash(digest.into()).to_hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_run_once() {
        let mut conn = Connection::open_in_memory().expect("memory");
        let now = Timestamp::from_ms(1);
        let ran = migrate(&mut conn, now).expect("tables");
        assert_eq!(
            ran,
            [
                "0001_people",
                "0002_schedule",
                "0003_record",
                "0004_operation",
                "0005_moving",
                "0006_cmids",
                "0007_changes",
                "0008_reading",
                "0009_search",
                "0010_renewal",
                "0011_steering",
                "0012_disabling",
                "0013_planning",
                "0014_idling"
            ]
        );
        assert!(migrate(&mut conn, now).expect("tables").is_empty());
        conn.execute("UPDATE migration SET checksum = 'x' WHERE version = 2", [])
            .expect("an update");
        let edited = migrate(&mut conn, now).expect_err("an edited migration");
        assert!(edited.to_string().contains("migration 2 'schedule'"));
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let mut conn = Connection::open_in_memory().expect("memory");
        conn.execute_batch("CREATE TABLE theirs (x)")
            .expect("a table");
        let occupied = migrate(&mut conn, Timestamp::from_ms(1)).expect_err("a table in the way");
        assert!(occupied.to_string().contains("'theirs'"), "{occupied}");
    }

    /// A migration that has landed is never edited: a new one is written instead.
    #[test]
    fn migrations_are_what_they_were() {
        let prints: Vec<String> = MIGRATIONS
            .iter()
            .map(|m| format!("{} {}", m.name, &fingerprint(m.sql)[..16]))
            .collect();
        assert_eq!(
            prints,
            [
                "people ab81361824bd23a5",
                "schedule 09e409cae58a03d3",
                "record 4303cea69640e6f7",
                "operation e922b8151e71b390",
                "moving 2aaef7c0887af60f",
                "cmids a1dc53b09ecf2329",
                "changes 688a29049c4bfc78",
                "reading 3d16af26e3ca8b83",
                "search 5ac83cdd25fa4f0e",
                "renewal 0249b4d752dea3cf",
                "steering 69e506c32b17df66",
                "disabling ea07c4165f9b9630",
                "planning 6b0f7df7a26f1d5c",
                "idling 60df3e695b5f0e6d",
            ]
        );
    }
}
