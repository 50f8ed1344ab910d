//! The target of a transfer: rows arrive in the order of their keys, a page in a transaction, so that
//! what is stored is always a prefix of what is to come.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Row, Value};
use tokio::time::{Duration, timeout};

use super::error::{DUPLICATE, server_code};
use super::pool::{MysqlStore, Transaction, within};
use super::statement::{decoded, named};
use crate::error::{Answer, Fault};
use crate::store::sql::tables::{
    self, Column, ColumnType, Mark, TABLES, Table, Values, column_names,
};
use crate::store::sql::{Change, Query, Row as _, params, transfer};

/// The numbers of rows in one INSERT: more rows are not faster, and there are only these few statements
/// to prepare.
const SIZES: &[usize] = &[100, 25, 5, 1];

/// How long counting a whole table may take.
const COUNTING: Duration = Duration::from_mins(10);

/// Existing rows of a table are counted up to this number to say why a transfer is refused.
const COUNTED_MAX: u64 = 1_000;

/// The lock of transfers into this database. Lock names are shared by all databases of a server.
const TRANSFER_LOCK: &str = "CONCAT('plenary move ', SHA1(DATABASE()))";

/// The lock of migrations.
const MIGRATE_LOCK: &str = "CONCAT('plenary migrate ', SHA1(DATABASE()))";

/// The tables that no transfer fills. `migration` says that there are others, so it is removed last.
const OWN_TABLES: &[&str] = &["deployment", "moving", "migration"];

/// The error number of a text that is longer than its column.
const TOO_LONG: u16 = 1406;

/// The right to fill a database, which one transfer at a time has until its connection ends.
pub struct Import {
    conn: Conn,
}

/// The outcome of inserting a page.
#[derive(Debug)]
pub enum Inserted {
    /// All rows are stored.
    All,
    /// The rows before this one are stored; the database refuses the row.
    Until { key: Values, why: String },
}

impl MysqlStore {
    /// Begins an import. `None`: another transfer is running.
    pub async fn import(&self) -> Answer<Option<Import>> {
        let mut conn = self.own_conn().await?;
        within(conn.query_drop("SET autocommit = 1 /*M!100100 , max_statement_time = 0 */"))
            .await?;
        let mut import = Import { conn };
        let is_ours = import.lock(TRANSFER_LOCK).await?;
        Ok(is_ours.then_some(import))
    }

    /// The mark of a transfer into this database. The tables must exist.
    pub async fn transfer_mark(&self) -> Answer<Option<Mark>> {
        Ok(self.one(transfer::mark()).await?)
    }

    /// Marks the database: no server starts until the transfer is complete.
    pub async fn begin_import(&self, mark: &Mark) -> Answer<()> {
        let insert = Change::new(
            "INSERT INTO moving (id, token, place, begun_at)
             VALUES (1, :token, :place, :begun_at)
             ON DUPLICATE KEY UPDATE place = VALUES(place)",
            params! {
                "token": mark.token.as_str(),
                "place": mark.place.as_str(),
                "begun_at": mark.begun_at,
            },
        );
        self.execute(insert).await?;
        Ok(())
    }

    /// The key of the last stored row of a table.
    pub async fn last_key(&self, table: &'static Table) -> Answer<Option<Values>> {
        let descending: Vec<String> = table
            .key_columns()
            .iter()
            .map(|column| format!("{} DESC", column.name))
            .collect();
        let sql = format!(
            "SELECT {}
             FROM `{}`
             ORDER BY {}
             LIMIT 1",
            column_names(table.key_columns()),
            table.name,
            descending.join(", "),
        );
        let found = self.select(&sql, Params::Empty).await?;
        let key = found.first().map(|row| {
            let columns = table.key_columns().iter();
            columns.map(|column| value(row, *column)).collect()
        });
        Ok(key.transpose()?)
    }

    /// Inserts a page that follows the stored rows.
    pub async fn insert_page(&self, table: &Table, rows: &[Values]) -> Answer<Inserted> {
        let mut work = self.transaction().await?;
        match insert(&mut work, table, rows).await {
            Ok(()) => {
                work.commit().await?;
                return Ok(Inserted::All);
            }
            Err(fault @ Fault::Unavailable { .. }) => return Err(fault.into()),
            // Inserting the rows one by one finds the refused one.
            Err(Fault::Broken { .. }) => drop(work),
        }
        for row in rows {
            let mut work = self.transaction().await?;
            match insert(&mut work, table, std::slice::from_ref(row)).await {
                Ok(()) => work.commit().await?,
                Err(fault @ Fault::Unavailable { .. }) => return Err(fault.into()),
                Err(fault @ Fault::Broken { .. }) => {
                    let key = row[..table.key].to_vec();
                    let why = why(&fault);
                    return Ok(Inserted::Until { key, why });
                }
            }
        }
        Ok(Inserted::All)
    }

    /// Makes the database generate ids above `last`. A lower number than its next one changes nothing.
    pub async fn number_above(&self, table: &Table, last: u64) -> Answer<()> {
        let sql = format!(
            "ALTER TABLE `{}` AUTO_INCREMENT = {}",
            table.name,
            last.saturating_add(1)
        );
        self.change(&sql, Params::Empty).await?;
        Ok(())
    }

    /// Marks the transfer as complete.
    pub async fn complete_import(&self, mark: &Mark) -> Answer<()> {
        let complete = Change::new(
            "UPDATE moving
             SET completed_at = :at
             WHERE token = :token",
            params! { "token": mark.token.as_str(), "at": mark.completed_at },
        );
        self.execute(complete).await?;
        Ok(())
    }
}

impl Import {
    /// The mark of a transfer into this database, whether the tables exist or not.
    pub async fn mark(&mut self) -> Answer<Option<Mark>> {
        if !self.has_table("moving").await? {
            return Ok(None);
        }
        let Query {
            table, sql, decode, ..
        } = transfer::mark();
        let rows: Vec<Row> = within(self.conn.query(sql.as_ref())).await?;
        Ok(decoded(&rows, table, decode).into_iter().flatten().next())
    }

    /// The existing rows of the tables to fill, such as `12 users`.
    pub async fn existing_rows(&mut self) -> Answer<Vec<String>> {
        let mut found = Vec::new();
        for table in TABLES {
            if !self.has_table(table.name).await? {
                continue;
            }
            let sql = format!(
                "SELECT COUNT(*) AS rows_found
                 FROM (SELECT 1 FROM `{}` LIMIT {}) some",
                table.name,
                COUNTED_MAX + 1
            );
            match self.number(&sql, "rows_found").await? {
                0 => {}
                many if many > COUNTED_MAX => {
                    found.push(format!("over {COUNTED_MAX} {}", table.rows));
                }
                few => found.push(format!("{few} {}", table.rows)),
            }
        }
        Ok(found)
    }

    /// Removes the tables if an earlier run was interrupted while it created them: only if a migration is
    /// incomplete, no table is another program's, and [`Import::existing_rows`] found none.
    pub async fn remove_incomplete_tables(&mut self) -> Answer<()> {
        // Another server may be creating them now.
        if !self.lock(MIGRATE_LOCK).await? {
            return Ok(());
        }
        let outcome = self.remove_if_incomplete().await;
        let release = format!("DO RELEASE_LOCK({MIGRATE_LOCK})");
        within(self.conn.query_drop(release)).await?;
        outcome
    }

    async fn remove_if_incomplete(&mut self) -> Answer<()> {
        if !self.has_table("migration").await? {
            return Ok(());
        }
        let dirty = "SELECT COUNT(*) AS rows_found FROM migration WHERE dirty <> 0";
        if self.number(dirty, "rows_found").await? == 0 {
            return Ok(());
        }
        let ours: Vec<&str> = TABLES
            .iter()
            .rev()
            .map(|table| table.name)
            .chain(OWN_TABLES.iter().copied())
            .collect();
        let there: Vec<Row> = within(self.conn.query(
            "SELECT TABLE_NAME AS name
             FROM information_schema.TABLES
             WHERE TABLE_SCHEMA = DATABASE()",
        ))
        .await?;
        let is_ours = |row: &Row| row.text("name").is_some_and(|name| ours.contains(&&*name));
        if !there.iter().all(is_ours) {
            return Ok(());
        }
        for table in ours {
            within(
                self.conn
                    .query_drop(format!("DROP TABLE IF EXISTS `{table}`")),
            )
            .await?;
        }
        Ok(())
    }

    /// The number of rows of a table.
    pub async fn count(&mut self, table: &Table) -> Answer<u64> {
        let sql = format!("SELECT COUNT(*) AS rows_found FROM `{}`", table.name);
        self.number(&sql, "rows_found").await
    }

    /// Takes a lock that ends with this connection. Returns whether it was free.
    async fn lock(&mut self, name: &'static str) -> Answer<bool> {
        let lock = format!("SELECT GET_LOCK({name}, 0) AS got");
        Ok(self.number(&lock, "got").await? == 1)
    }

    async fn has_table(&mut self, table: &str) -> Answer<bool> {
        let found: Option<Row> = within(self.conn.exec_first(
            "SELECT 1
             FROM information_schema.TABLES
             WHERE TABLE_SCHEMA = DATABASE()
               AND TABLE_NAME = :table",
            named(params! { "table": table }),
        ))
        .await?;
        Ok(found.is_some())
    }

    async fn number(&mut self, sql: &str, column: &'static str) -> Answer<u64> {
        let counted = timeout(COUNTING, self.conn.query_first::<Row, _>(sql)).await;
        let Ok(counted) = counted else {
            return Err(Fault::unavailable(
                "MySQL",
                format!("counting rows took over {} s", COUNTING.as_secs()),
            )
            .into());
        };
        let row = within(std::future::ready(counted)).await?;
        row.and_then(|row| row.number(column))
            .and_then(|number| u64::try_from(number).ok())
            .ok_or_else(|| Fault::broken("counting rows", "no number").into())
    }
}

async fn insert(work: &mut Transaction, table: &Table, mut rows: &[Values]) -> Result<(), Fault> {
    let one = format!("({})", vec!["?"; table.columns.len()].join(", "));
    while let Some(&size) = SIZES.iter().find(|size| **size <= rows.len()) {
        let (some, later) = rows.split_at(size);
        let sql = format!(
            "INSERT INTO `{}` ({}) VALUES {}",
            table.name,
            column_names(table.columns),
            vec![one.as_str(); size].join(", ")
        );
        let values = some.iter().flatten().cloned().map(Value::from).collect();
        work.change(&sql, Params::Positional(values)).await?;
        rows = later;
    }
    Ok(())
}

fn value(row: &Row, column: Column) -> Result<tables::Value, Fault> {
    let Column { name, holds } = column;
    let found = match holds {
        ColumnType::Number => row.number(name).map(tables::Value::Number),
        ColumnType::Text => row.text(name).map(tables::Value::Text),
        ColumnType::Time => row.maybe_time(name).map(tables::Value::Time),
        ColumnType::Bytes => row.bytes(name).map(tables::Value::Bytes),
    };
    found.ok_or_else(|| Fault::broken("reading the last key", name))
}

/// Why a row is refused, without quoting it.
fn why(fault: &Fault) -> String {
    match server_code(fault) {
        Some(DUPLICATE) => "another row has the same unique key".to_owned(),
        Some(TOO_LONG) => "one of its texts is longer than its column".to_owned(),
        Some(_) | None => fault.to_string(),
    }
}
