//! A transfer from SQLite to Redis and MySQL: all durable data with every id, number and time.
//!
//! ```text
//! check     no server runs on the SQLite file; MySQL and Redis are empty, or hold this transfer
//! mark      both stores: no server starts on the old store, nor yet on the new one
//! copy      table by table, page by page in the order of the keys, each page in a transaction
//! verify    each table has as many rows in MySQL as in SQLite
//! complete  the new store, then the old one
//! ```
//!
//! A transfer may be interrupted at any point. Both marks have the same token, by which the next run
//! recognizes its own transfer; the rows in MySQL are always a prefix of all rows, so it continues after
//! the last key. The live state is not copied: the first server finds an empty Redis and rebuilds the
//! live state from the archive, in a new generation.

use plenary_shared::domain::{Code, Reject};

use crate::clock::Clock;
use crate::error::{Answer, Error, Fault};

use super::mysql::{Import, Inserted, MysqlStore};
use super::redis::RedisStore;
use super::sql::migrations::MigrateError;
use super::sql::tables::{Column, Mark, TABLES, Table, Value};
use super::sqlite::{Export, OpenError};

/// Rows of one page, which is one transaction and is held in memory.
const PAGE_ROWS: usize = 1_000;

/// The target of a transfer.
pub struct Target {
    pub mysql: MysqlStore,
    pub redis: RedisStore,
    /// Both URLs without passwords.
    pub place: String,
}

/// The result of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// The number of rows of each table, by what its rows are called.
    pub rows: Vec<(&'static str, u64)>,
    /// How many of them this run copied; an earlier run copied the others.
    pub now: u64,
}

/// Why a transfer is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// It is refused, with what to do first.
    #[error(transparent)]
    Refused(Reject),
    /// The SQLite file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The tables in MySQL are not as this program needs them.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A store is unavailable or failed. Another run continues the transfer.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<Error> for TransferError {
    fn from(error: Error) -> Self {
        match error {
            Error::Reject(reject) => Self::Refused(reject),
            Error::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Transfers all durable data, or completes a transfer that an earlier run began. `token` identifies a new
/// transfer.
pub async fn transfer(
    from: Export,
    to: &Target,
    token: String,
    clock: &Clock,
) -> Result<Transferred, TransferError> {
    let before = from.mark()?;
    if let Some(place) = before
        .as_ref()
        .filter(|mark| mark.completed_at.is_some())
        .map(|mark| &mark.place)
    {
        let directory = from.directory().display();
        return Err(refused(format!(
            "{directory} was already moved to {place}: start the server there. To move it again, \
             first run plenary-server serve --force"
        )));
    }
    let Some(mut import) = to.mysql.import().await? else {
        return Err(refused("another move into this database is running"));
    };
    let mut mark = before.unwrap_or(Mark {
        token,
        place: String::new(),
        begun_at: clock(),
        completed_at: None,
    });
    mark.place.clone_from(&to.place);
    let copied = match state_of(&mut import, &mark).await? {
        State::Empty => {
            check_redis(&to.redis, false).await?;
            import.remove_incomplete_tables().await?;
            copy(&from, to, &mut import, &mark, clock).await?
        }
        State::Begun => {
            check_redis(&to.redis, true).await?;
            copy(&from, to, &mut import, &mark, clock).await?
        }
        // The earlier run only failed to mark the old store. The new one may be in use.
        State::Completed => {
            from.begin(&mark)?;
            0
        }
    };
    let mut rows = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        rows.push((table.rows, from.count(table)?));
    }
    from.complete(clock())?;
    Ok(Transferred { rows, now: copied })
}

/// How far this transfer has come in MySQL.
enum State {
    Empty,
    /// Some rows may be copied.
    Begun,
    Completed,
}

async fn state_of(import: &mut Import, ours: &Mark) -> Result<State, TransferError> {
    if let Some(there) = import.mark().await? {
        return match (there.token == ours.token, there.completed_at) {
            (true, None) => Ok(State::Begun),
            (true, Some(_)) => Ok(State::Completed),
            (false, None) => Err(refused(format!(
                "the database has an incomplete move from {}: \
                 complete that move, or name an empty database",
                there.place
            ))),
            (false, Some(at)) => Err(refused(format!(
                "the database has the data that was moved from {} on {at}: name an empty database",
                there.place
            ))),
        };
    }
    let existing = import.existing_rows().await?;
    if existing.is_empty() {
        return Ok(State::Empty);
    }
    Err(refused(format!(
        "the database is not empty, it has {}: name an empty database",
        existing.join(", ")
    )))
}

async fn check_redis(redis: &RedisStore, but_stays: bool) -> Result<(), TransferError> {
    let traces = redis.traces(but_stays).await?;
    if traces.is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "Redis is not empty, it has keys of Plenary: {}. Stop the server that uses it, if one runs; \
         then name another Redis or another of its database numbers, or empty this one",
        traces.join(", ")
    )))
}

/// Copies the missing rows. Returns how many.
async fn copy(
    from: &Export,
    to: &Target,
    import: &mut Import,
    mark: &Mark,
    clock: &Clock,
) -> Result<u64, TransferError> {
    to.mysql.migrate().await?;
    // The old store first: no server may run on it once the new one has rows.
    from.begin(mark)?;
    let there = Mark {
        place: from.directory().display().to_string(),
        ..mark.clone()
    };
    to.mysql.begin_import(&there).await?;
    let mut copied = 0;
    for table in TABLES {
        copied += copy_table(from, &to.mysql, table).await?;
    }
    for table in TABLES.iter().filter(|table| table.is_numbered) {
        if let Some(last) = from.last_number(table)? {
            to.mysql.number_above(table, last).await?;
        }
    }
    verify(from, import).await?;
    to.redis.announce_stays(&from.lasting_stays()?).await?;
    let completed = Mark {
        completed_at: Some(clock()),
        ..there
    };
    to.mysql.complete_import(&completed).await?;
    Ok(copied)
}

async fn copy_table(
    from: &Export,
    mysql: &MysqlStore,
    table: &'static Table,
) -> Result<u64, TransferError> {
    let mut copied = 0;
    let mut last = mysql.last_key(table).await?;
    loop {
        let page = from.page(table, last.as_deref(), PAGE_ROWS)?;
        let Some(row) = page.last() else {
            tracing::info!(table = table.name, rows = copied, "table copied");
            return Ok(copied);
        };
        last = Some(row[..table.key].to_vec());
        match mysql.insert_page(table, &page).await? {
            Inserted::All => copied += page.len() as u64,
            Inserted::Until { key, why } => {
                let key: Vec<String> = table.key_columns().iter().zip(&key).map(shown).collect();
                return Err(refused(format!(
                    "a row of the table {} cannot be moved, {}: {why}. Correct it in SQLite, {}, \
                     and run the same move again",
                    table.name,
                    key.join(", "),
                    from.directory().display()
                )));
            }
        }
    }
}

/// A column of a key with its value.
fn shown((column, value): (&Column, &Value)) -> String {
    let value = match value {
        Value::Null => "NULL".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("'{text}'"),
        Value::Time(at) => at.to_string(),
        // The hash of a token is not shown.
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
    };
    format!("{} {value}", column.name)
}

async fn verify(from: &Export, import: &mut Import) -> Result<(), TransferError> {
    for table in TABLES {
        let (here, there) = (from.count(table)?, import.count(table).await?);
        if here != there {
            return Err(refused(format!(
                "SQLite has {here} {name} and MySQL has {there}: another program changes it. \
                 Empty MySQL and Redis, run plenary-server serve --force, and move again",
                name = table.rows
            )));
        }
    }
    Ok(())
}

fn refused(sentence: impl Into<String>) -> TransferError {
    TransferError::Refused(Reject::new(Code::Invalid, sentence.into()))
}

/// Refuses a database into which not everything has been moved that is to be there.
pub async fn check_complete(mysql: &MysqlStore) -> Answer<()> {
    match mysql.transfer_mark().await? {
        Some(Mark {
            place,
            completed_at: None,
            ..
        }) => Err(Reject::new(
            Code::Invalid,
            format!(
                "the move from {place} into this database is incomplete: \
                 run the same plenary-server move again, or name another database"
            ),
        )
        .into()),
        Some(_) | None => Ok(()),
    }
}
