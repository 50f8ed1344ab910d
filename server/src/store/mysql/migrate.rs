//! Running migrations: each once, by one server.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, params};
use tokio::time::{Duration, timeout};

use super::pool::{MysqlStore, within};
use super::statement::decoded;
use crate::error::Fault;
use crate::store::sql::migrations::{self, Applied, MYSQL, MigrateError, Migration};
use crate::store::sql::{Query, Row as _};

/// How long one migration may take, and how long a server waits for another server's migrations.
const MIGRATION: Duration = Duration::from_mins(10);

impl MysqlStore {
    /// Brings the tables up to date and returns the names of the migrations that it ran. Servers that
    /// start together do it one after the other.
    pub async fn migrate(&self) -> Result<Vec<String>, MigrateError> {
        // The lock ends with the connection.
        let mut conn = self.own_conn().await?;
        let outcome = run(&mut conn).await;
        within(conn.disconnect()).await?;
        outcome
    }

    /// The names of the migrations that are missing. Changes nothing.
    pub(super) async fn pending_migrations(&self) -> Result<Vec<String>, MigrateError> {
        let mut conn = self.own_conn().await?;
        let outcome = pending(&mut conn).await;
        within(conn.disconnect()).await?;
        outcome
    }
}

async fn run(conn: &mut Conn) -> Result<Vec<String>, MigrateError> {
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
    let missing = migrations::missing(MYSQL, &applied)?;
    if applied.is_empty() {
        check_empty(conn).await?;
    }
    let mut names = Vec::with_capacity(missing.len());
    for migration in missing {
        apply(conn, migration).await?;
        names.push(migration.full_name());
    }
    Ok(names)
}

async fn pending(conn: &mut Conn) -> Result<Vec<String>, MigrateError> {
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
    let missing = migrations::missing(MYSQL, &applied)?;
    if applied.is_empty() {
        check_empty(conn).await?;
    }
    Ok(missing.into_iter().map(Migration::full_name).collect())
}

/// Waits until no other server migrates this database. Lock names are shared by all databases of a
/// server, and have at most 64 characters.
async fn lock(conn: &mut Conn) -> Result<(), Fault> {
    // Creating tables may take longer than the time limit of a session.
    within(conn.query_drop("SET autocommit = 1 /*M!100100 , max_statement_time = 0 */")).await?;
    let got = slowly(conn.exec_first::<Row, _, _>(
        "SELECT GET_LOCK(CONCAT('plenary migrate ', SHA1(DATABASE())), :seconds) AS got",
        params! { "seconds" => MIGRATION.as_secs() },
    ))
    .await?;
    if got.and_then(|row| row.number("got")) == Some(1) {
        Ok(())
    } else {
        Err(Fault::unavailable(
            "MySQL",
            "another server is still migrating",
        ))
    }
}

async fn applied(conn: &mut Conn) -> Result<Vec<Applied>, Fault> {
    let Query {
        table, sql, decode, ..
    } = migrations::applied();
    let rows: Vec<Row> = within(conn.query(sql.as_ref())).await?;
    Ok(decoded(&rows, table, decode)
        .into_iter()
        .flatten()
        .collect())
}

/// A database without migrations must have no other table either: tables of other programs are left
/// alone.
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
    match row.and_then(|row| row.text("name")) {
        Some(table) => Err(MigrateError::Occupied { table }),
        None => Ok(()),
    }
}

/// Runs one migration. MySQL commits each statement about tables, so the row is dirty until all of them
/// are done.
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
        params! { version, name, "checksum" => migration.checksum() },
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
