//! Taking in everything that comes from another home: rows in the order of their keys, a page a
//! transaction, so that what is here is always a beginning of what is to come.

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Row, Value, params};
use tokio::time::{Duration, timeout};

use crate::error::{Answer, Fault};
use crate::store::belongings::{Cell, Cells, Column, Holds, KINDS, Kind, Mark};

use super::link::{DUPLICATE, MysqlStore, Work, server_code, within};
use super::row;

/// Rows of one INSERT: as fast as it gets, and few statements to prepare.
const SIZES: &[usize] = &[100, 25, 5, 1];

/// How long counting a whole table may take.
const COUNTING: Duration = Duration::from_mins(10);

/// Rows that are counted to say what stands in the way.
const TOLD_MAX: u64 = 1_000;

/// The lock of moves into this database; lock names are common to all databases of a server.
const MOVE_LOCK: &str = "CONCAT('plenary move ', SHA1(DATABASE()))";

/// The lock of migrations.
const MIGRATE_LOCK: &str = "CONCAT('plenary migrate ', SHA1(DATABASE()))";

/// The tables that no move fills. The last one says that there are others, and goes last.
const OWN_TABLES: &[&str] = &["deployment", "moving", "migration"];

/// The database's word for a text that is longer than its column.
const TOO_LONG: u16 = 1406;

/// The right to fill a database: one move at a time has it, until its connection ends.
pub struct Reception {
    conn: Conn,
}

/// What became of a page.
#[derive(Debug)]
pub enum Taken {
    /// All of it is here.
    All,
    /// What stands before this row is here; the row cannot be.
    Until {
        /// The row's key.
        key: Cells,
        /// Why it is refused.
        why: String,
    },
}

impl MysqlStore {
    /// Takes the right to fill this database; `None`: another move has it.
    pub async fn reception(&self) -> Answer<Option<Reception>> {
        let mut conn = self.own_conn().await?;
        within(conn.query_drop("SET autocommit = 1 /*M!100100 , max_statement_time = 0 */"))
            .await?;
        let mut reception = Reception { conn };
        let is_ours = reception.lock(MOVE_LOCK).await?;
        Ok(is_ours.then_some(reception))
    }

    /// What the database remembers of a move into it. Its tables must be there.
    pub async fn mark(&self) -> Answer<Option<Mark>> {
        let row = self.row(MARK, Params::Empty).await?;
        Ok(row::usable_one(row.as_ref(), "moving", mark))
    }

    /// Marks the database: until the move is completed, nobody serves it.
    pub async fn begin_arrival(&self, mark: &Mark) -> Answer<()> {
        self.change(
            "INSERT INTO moving (id, token, place, begun_at)
             VALUES (1, :token, :place, :begun_at)
             ON DUPLICATE KEY UPDATE place = VALUES(place)",
            params! {
                "token" => &mark.token,
                "place" => &mark.place,
                "begun_at" => row::at(mark.begun_at),
            },
        )
        .await?;
        Ok(())
    }

    /// The key of the last row that is here.
    pub async fn last_key(&self, kind: &Kind) -> Answer<Option<Cells>> {
        let descending: Vec<String> = kind
            .key_columns()
            .iter()
            .map(|column| format!("{} DESC", column.name))
            .collect();
        let sql = format!(
            "SELECT {}
             FROM `{}`
             ORDER BY {}
             LIMIT 1",
            names(kind.key_columns()),
            kind.table,
            descending.join(", "),
        );
        let found = self.row(&sql, Params::Empty).await?;
        let key = found
            .map(|row| {
                let columns = kind.key_columns().iter();
                columns.map(|column| cell(&row, *column)).collect()
            })
            .transpose()?;
        Ok(key)
    }

    /// Takes in a page, which follows what is here.
    pub async fn take(&self, kind: &Kind, rows: &[Cells]) -> Answer<Taken> {
        let mut work = self.transaction().await?;
        match insert(&mut work, kind, rows).await {
            Ok(()) => {
                work.commit().await?;
                return Ok(Taken::All);
            }
            Err(fault @ Fault::Unavailable { .. }) => return Err(fault.into()),
            // Which of them it was is found by trying each by itself.
            Err(Fault::Broken { .. }) => drop(work),
        }
        for row in rows {
            let mut work = self.transaction().await?;
            match insert(&mut work, kind, std::slice::from_ref(row)).await {
                Ok(()) => work.commit().await?,
                Err(fault @ Fault::Unavailable { .. }) => return Err(fault.into()),
                Err(fault @ Fault::Broken { .. }) => {
                    let key = row[..kind.key].to_vec();
                    let why = why(&fault);
                    return Ok(Taken::Until { key, why });
                }
            }
        }
        Ok(Taken::All)
    }

    /// Makes the database go on numbering above `last`.
    pub async fn number_above(&self, kind: &Kind, last: u64) -> Answer<()> {
        let sql = format!(
            "ALTER TABLE `{}` AUTO_INCREMENT = {}",
            kind.table,
            last.saturating_add(1)
        );
        // A lower number than it would give by itself changes nothing.
        self.change(&sql, Params::Empty).await?;
        Ok(())
    }

    /// Says that everything is here.
    pub async fn complete_arrival(&self, mark: &Mark) -> Answer<()> {
        self.change(
            "UPDATE moving
             SET completed_at = :at
             WHERE token = :token",
            params! {
                "token" => &mark.token,
                "at" => mark.completed_at.map(row::at),
            },
        )
        .await?;
        Ok(())
    }
}

impl Reception {
    /// What the database remembers of a move into it, whether it has tables or not.
    pub async fn mark(&mut self) -> Answer<Option<Mark>> {
        if !self.has_table("moving").await? {
            return Ok(None);
        }
        let row: Option<Row> = within(self.conn.query_first(MARK)).await?;
        Ok(row::usable_one(row.as_ref(), "moving", mark))
    }

    /// What is here already, of what is to be moved here: how many of what, in words.
    pub async fn found(&mut self) -> Answer<Vec<String>> {
        let mut found = Vec::new();
        for kind in KINDS {
            if !self.has_table(kind.table).await? {
                continue;
            }
            let sql = format!(
                "SELECT COUNT(*) AS rows_found
                 FROM (SELECT 1 FROM `{}` LIMIT {}) some",
                kind.table,
                TOLD_MAX + 1
            );
            match self.number(&sql, "rows_found").await? {
                0 => {}
                many if many > TOLD_MAX => found.push(format!("over {TOLD_MAX} {}", kind.name)),
                few => found.push(format!("{few} {}", kind.name)),
            }
        }
        Ok(found)
    }

    /// Removes the tables if an earlier run was cut off while it made them: only where a migration was
    /// not completed, no table is another program's, and [`Reception::found`] found nothing.
    pub async fn clear_half_made(&mut self) -> Answer<()> {
        // A server that makes them at this moment is not to be disturbed.
        if !self.lock(MIGRATE_LOCK).await? {
            return Ok(());
        }
        let outcome = self.clear_if_half_made().await;
        let release = format!("DO RELEASE_LOCK({MIGRATE_LOCK})");
        within(self.conn.query_drop(release)).await?;
        outcome
    }

    async fn clear_if_half_made(&mut self) -> Answer<()> {
        if !self.has_table("migration").await? {
            return Ok(());
        }
        let dirty = "SELECT COUNT(*) AS rows_found FROM migration WHERE dirty <> 0";
        if self.number(dirty, "rows_found").await? == 0 {
            return Ok(());
        }
        let ours: Vec<&str> = KINDS
            .iter()
            .rev()
            .map(|kind| kind.table)
            .chain(OWN_TABLES.iter().copied())
            .collect();
        let there: Vec<Row> = within(self.conn.query(
            "SELECT TABLE_NAME AS name
             FROM information_schema.TABLES
             WHERE TABLE_SCHEMA = DATABASE()",
        ))
        .await?;
        let is_ours = |row: &Row| row::text(row, "name").is_some_and(|name| ours.contains(&&*name));
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

    /// How many rows are here.
    pub async fn count(&mut self, kind: &Kind) -> Answer<u64> {
        let sql = format!("SELECT COUNT(*) AS rows_found FROM `{}`", kind.table);
        self.number(&sql, "rows_found").await
    }

    /// Takes a lock that ends with this connection, if nobody has it.
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
            params! { "table" => table },
        ))
        .await?;
        Ok(found.is_some())
    }

    async fn number(&mut self, sql: &str, column: &'static str) -> Answer<u64> {
        let counted = timeout(COUNTING, self.conn.query_first::<Row, _>(sql)).await;
        let Ok(counted) = counted else {
            return Err(Fault::unavailable("MySQL", "it does not count to an end").into());
        };
        let row = within(std::future::ready(counted)).await?;
        row.and_then(|row| row::get(&row, column))
            .ok_or_else(|| Fault::broken("counting rows", "no number").into())
    }
}

const MARK: &str = "
 SELECT token, place, begun_at, completed_at
 FROM moving
 WHERE id = 1";

fn mark(row: &Row) -> Result<Mark, row::Unusable> {
    Ok(Mark {
        token: row::text(row, "token").ok_or(row::Unusable("token"))?,
        place: row::text(row, "place").ok_or(row::Unusable("place"))?,
        begun_at: row::time(row, "begun_at")?,
        completed_at: row::maybe_time(row, "completed_at"),
    })
}

async fn insert(work: &mut Work, kind: &Kind, mut rows: &[Cells]) -> Result<(), Fault> {
    let one = format!("({})", vec!["?"; kind.columns.len()].join(", "));
    while let Some(&size) = SIZES.iter().find(|size| **size <= rows.len()) {
        let (now, later) = rows.split_at(size);
        let sql = format!(
            "INSERT INTO `{}` ({}) VALUES {}",
            kind.table,
            names(kind.columns),
            vec![one.as_str(); size].join(", ")
        );
        let values = now.iter().flatten().map(value).collect();
        work.change(&sql, Params::Positional(values)).await?;
        rows = later;
    }
    Ok(())
}

fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    names.join(", ")
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::NULL,
        Cell::Number(number) => Value::from(*number),
        Cell::Text(text) => Value::from(text.as_str()),
        Cell::Time(at) => row::at(*at),
        Cell::Bytes(bytes) => Value::from(bytes.as_slice()),
    }
}

fn cell(row: &Row, column: Column) -> Result<Cell, Fault> {
    let Column { name, holds } = column;
    let found = match holds {
        Holds::Number => row::get(row, name).map(Cell::Number),
        Holds::Text => row::text(row, name).map(Cell::Text),
        Holds::Time => row::maybe_time(row, name).map(Cell::Time),
        Holds::Bytes => row::get(row, name).map(Cell::Bytes),
    };
    found.ok_or_else(|| Fault::broken("reading the last key", name))
}

/// Why a row is refused, without a word of what stands in it.
fn why(fault: &Fault) -> String {
    match server_code(fault) {
        Some(DUPLICATE) => "another row there has the same of what must be unique".to_owned(),
        Some(TOO_LONG) => "a text of it is longer than the database allows".to_owned(),
        Some(_) | None => fault.to_string(),
    }
}
