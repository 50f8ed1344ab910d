//! The tables, by embedded and numbered migrations: each is run once, by one server.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, params};
use sha2::{Digest, Sha256};
use tokio::time::{Duration, timeout};

use super::link::{MysqlStore, within};
use super::row;
use crate::error::Fault;

/// How long one migration may take, and how long a server waits for another's.
const MIGRATION: Duration = Duration::from_mins(10);

/// One step of the tables. It is never edited after it has landed.
struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

impl Migration {
    fn full_name(&self) -> String {
        format!("{:04}_{}", self.version, self.name)
    }
}

macro_rules! migrations {
    ($($version:literal $name:literal in $file:literal,)+) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../../sql/mysql/", $file)),
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
    /// The database could not be asked.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// Another program has been here that is newer than this one.
    #[error(
        "the database is newer than this program: it has migration {version} '{name}', \
         which is not known here; use the program's newer version"
    )]
    Newer {
        /// The migration's number.
        version: u32,
        /// The migration's name.
        name: String,
    },
    /// A migration was begun and not completed.
    #[error(
        "migration {version} '{name}' was begun and not completed. Compare the tables with \
         sql/mysql/{version:04}_{name}.sql; then either complete them and run \
         UPDATE migration SET dirty = 0 WHERE version = {version}; or undo what it made and run \
         DELETE FROM migration WHERE version = {version}; and start again"
    )]
    Dirty {
        /// The migration's number.
        version: u32,
        /// The migration's name.
        name: String,
    },
    /// A migration was run whose text is not the one that this program has.
    #[error(
        "migration {version} '{name}' of the database is another than this program's: \
         use the program that made it, or restore the database"
    )]
    Edited {
        /// The migration's number.
        version: u32,
        /// The migration's name, in the database.
        name: String,
    },
    /// The database is not empty, and not ours.
    #[error(
        "the database has a table '{table}' that this program did not make: \
         name an empty database"
    )]
    Occupied {
        /// One of the tables in the way.
        table: String,
    },
    /// A statement of a migration failed.
    #[error("migration {version} '{name}' failed and is marked dirty: {fault}")]
    Failed {
        /// The migration's number.
        version: u32,
        /// The migration's name.
        name: &'static str,
        /// What went wrong.
        fault: Fault,
    },
}

impl MysqlStore {
    /// Brings the tables to what this program needs; the names of the migrations that were run
    /// for it. Servers that start together do it one after the other.
    pub async fn migrate(&self) -> Result<Vec<String>, MigrateError> {
        // Whatever happens, the lock ends with the connection.
        let mut conn = self.own_conn().await?;
        let outcome = run(&mut conn, MIGRATIONS).await;
        within(conn.disconnect()).await?;
        outcome
    }

    /// The names of the migrations that the database lacks. Changes nothing.
    pub(super) async fn pending_migrations(&self) -> Result<Vec<String>, MigrateError> {
        let mut conn = self.own_conn().await?;
        let outcome = pending(&mut conn, MIGRATIONS).await;
        within(conn.disconnect()).await?;
        outcome
    }
}

/// A migration that the database has, or has begun.
struct Applied {
    version: u32,
    name: String,
    checksum: String,
    dirty: bool,
}

async fn run(conn: &mut Conn, migrations: &[Migration]) -> Result<Vec<String>, MigrateError> {
    lock(conn).await?;
    within(conn.query_drop(
        "CREATE TABLE IF NOT EXISTS migration (
           version INT UNSIGNED NOT NULL,
           name VARCHAR(255) NOT NULL,
           checksum CHAR(64) NOT NULL,
           applied_at DATETIME(3) NOT NULL,
           dirty TINYINT(1) NOT NULL,
           PRIMARY KEY (version)
         ) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin",
    ))
    .await?;
    let applied = applied(conn).await?;
    check(&applied, migrations)?;
    if applied.is_empty() {
        check_empty(conn).await?;
    }
    let mut names = Vec::new();
    for migration in migrations {
        if applied.iter().all(|a| a.version != migration.version) {
            apply(conn, migration).await?;
            names.push(migration.full_name());
        }
    }
    Ok(names)
}

async fn pending(conn: &mut Conn, migrations: &[Migration]) -> Result<Vec<String>, MigrateError> {
    let table: Option<Row> = within(conn.query_first(
        "SELECT TABLE_NAME AS name
         FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = DATABASE()
           AND TABLE_NAME = 'migration'",
    ))
    .await?;
    let applied = match table {
        Some(_) => applied(conn).await?,
        None => Vec::new(),
    };
    check(&applied, migrations)?;
    if applied.is_empty() {
        check_empty(conn).await?;
    }
    Ok(migrations
        .iter()
        .filter(|migration| applied.iter().all(|a| a.version != migration.version))
        .map(Migration::full_name)
        .collect())
}

/// Waits until no other server migrates this database. Lock names are common to all databases of
/// a server, and have at most 64 characters.
async fn lock(conn: &mut Conn) -> Result<(), Fault> {
    // Tables may take longer to make than a statement of a session may otherwise take.
    within(conn.query_drop("SET autocommit = 1 /*M!100100 , max_statement_time = 0 */")).await?;
    let got = slowly(conn.exec_first::<Row, _, _>(
        "SELECT GET_LOCK(CONCAT('plenary migrate ', SHA1(DATABASE())), :seconds) AS got",
        params! { "seconds" => MIGRATION.as_secs() },
    ))
    .await?;
    if got.and_then(|row| row::get::<i64>(&row, "got")) == Some(1) {
        Ok(())
    } else {
        Err(Fault::unavailable(
            "MySQL",
            "another server's migration goes on",
        ))
    }
}

async fn applied(conn: &mut Conn) -> Result<Vec<Applied>, Fault> {
    let rows: Vec<Row> = within(conn.query(
        "SELECT version, name, checksum, dirty
         FROM migration
         ORDER BY version",
    ))
    .await?;
    Ok(rows
        .iter()
        .map(|row| Applied {
            version: row::get(row, "version").unwrap_or_default(),
            name: row::text(row, "name").unwrap_or_default(),
            checksum: row::text(row, "checksum").unwrap_or_default(),
            dirty: row::get::<i64>(row, "dirty") != Some(0),
        })
        .collect())
}

/// Whether this program may use, and go on from, what is there.
fn check(applied: &[Applied], migrations: &[Migration]) -> Result<(), MigrateError> {
    for Applied {
        version,
        name,
        checksum,
        dirty,
    } in applied
    {
        let (version, name) = (*version, name.clone());
        let Some(ours) = migrations.iter().find(|m| m.version == version) else {
            return Err(MigrateError::Newer { version, name });
        };
        if *dirty {
            return Err(MigrateError::Dirty { version, name });
        }
        if *checksum != fingerprint(ours.sql) || name != ours.name {
            return Err(MigrateError::Edited { version, name });
        }
    }
    Ok(())
}

/// A database without any migration must have no table either: nothing is mixed into what others
/// made.
async fn check_empty(conn: &mut Conn) -> Result<(), MigrateError> {
    let row: Option<Row> = within(conn.query_first(
        "SELECT TABLE_NAME AS name
         FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = DATABASE()
           AND TABLE_NAME <> 'migration'
         ORDER BY TABLE_NAME
         LIMIT 1",
    ))
    .await?;
    match row.and_then(|row| row::text(&row, "name")) {
        Some(table) => Err(MigrateError::Occupied { table }),
        None => Ok(()),
    }
}

/// Runs one migration. Statements about tables commit by themselves, so the row says "dirty" until
/// all of them are done.
async fn apply(conn: &mut Conn, migration: &Migration) -> Result<(), MigrateError> {
    let Migration { version, name, sql } = *migration;
    let failed = |fault| MigrateError::Failed {
        version,
        name,
        fault,
    };
    within(conn.exec_drop(
        "INSERT INTO migration (version, name, checksum, applied_at, dirty)
         VALUES (:version, :name, :checksum, UTC_TIMESTAMP(3), 1)",
        params! { version, name, "checksum" => fingerprint(sql) },
    ))
    .await?;
    slowly(conn.query_drop(sql)).await.map_err(failed)?;
    within(conn.exec_drop(
        "UPDATE migration
         SET dirty = 0, applied_at = UTC_TIMESTAMP(3)
         WHERE version = :version",
        params! { version },
    ))
    .await
    .map_err(failed)
}

/// Waits as long as a migration may take.
async fn slowly<T>(work: impl Future<Output = mysql_async::Result<T>>) -> Result<T, Fault> {
    match timeout(MIGRATION, work).await {
        Ok(outcome) => within(std::future::ready(outcome)).await,
        Err(_) => Err(Fault::unavailable(
            "MySQL",
            format!("a migration took over {} s", MIGRATION.as_secs()),
        )),
    }
}

/// SHA-256 of a migration's text, in hexadecimal; line ends may be of either kind.
fn fingerprint(sql: &str) -> String {
    let digest = Sha256::digest(sql.replace("\r\n", "\n").as_bytes());
    crate::store::TokenHash(digest.into()).to_hex()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_a_hole() {
        for (at, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(migration.version), Ok(at + 1));
        }
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
                "people 30fdfe5af0c38b51",
                "schedule 5368f9b0e960a2bb",
                "record 6c1c7a2c14a0fbae",
                "operation e893b0ef69b16e41",
                "moving 5a2f6903ccff2856",
                "cmids 77b8b8eee47933cf",
                "changes 5be924eb4969a5d1",
                "reading f410765eb33828d6",
                "search c98be78e525aa1ac",
                "renewal 487f8e3a34bdeb52",
                "steering 83546d40a2c55fd2",
                "disabling 4c8f59d791fa7c0a",
                "planning 5dcb0c6a1dd3bbbf",
                "idling e2d0a4cb22fb081c",
            ]
        );
    }
}
