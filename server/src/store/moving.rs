//! A move from the one file to Redis and `MySQL`: everything that lasts goes along, with every id,
//! number and time.
//!
//! ```text
//! look      the file is served by nobody, the database and Redis are empty, or hold this same move
//! mark      both homes: from here on nobody serves the old one, and not yet the new one
//! copy      kind after kind, page after page in the order of the keys, each page a transaction
//! verify    as many rows of each kind there as here
//! complete  the new home, then the old one
//! ```
//!
//! It may be cut off anywhere. Both marks bear the same token, by which the next run knows its own
//! beginning; what is there is always a beginning of what is to come, so it goes on behind the last
//! key. What is live is not copied: the first server finds a Redis that knows nothing, and builds it
//! from the record, in a new generation.

use plenary_shared::domain::{Code, Reject};

use crate::clock::Clock;
use crate::error::{Answer, Error, Fault};

use super::belongings::{Cell, KINDS, Kind, Mark};
use super::mysql::{MigrateError, MysqlStore, Reception, Taken};
use super::redis::RedisStore;
use super::sqlite::{Departure, OpenError};

/// Rows of one page: they are one transaction there, and are held in memory here.
const PAGE_ROWS: usize = 1_000;

/// Where everything goes.
pub struct NewHome {
    /// What is to last.
    pub mysql: MysqlStore,
    /// What is to be live.
    pub redis: RedisStore,
    /// Both, as people are told of them: without passwords.
    pub place: String,
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// How many of each kind.
    pub kinds: Vec<(&'static str, u64)>,
    /// How many of them by this run; an earlier one moved the others.
    pub now: u64,
}

/// Why not everything is moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// It must not be: what is to be done first.
    #[error(transparent)]
    Refused(Reject),
    /// The old home cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new home's tables are not as this program needs them.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// A store is away, or something broke. What is done stays; another run completes it.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<Error> for MoveError {
    fn from(error: Error) -> Self {
        match error {
            Error::Reject(reject) => Self::Refused(reject),
            Error::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Moves everything, or completes what another run began. `token` names the move, if it is a new one.
pub async fn move_home(
    from: Departure,
    to: &NewHome,
    token: String,
    clock: &Clock,
) -> Result<Moved, MoveError> {
    let before = from.mark()?;
    if let Some(place) = before
        .as_ref()
        .filter(|mark| mark.completed_at.is_some())
        .map(|mark| &mark.place)
    {
        let directory = from.directory().display();
        return Err(refused(format!(
            "{directory} was moved already, to {place}: serve that. To move it once more, \
             take it back first by plenary-server serve --force"
        )));
    }
    let Some(mut reception) = to.mysql.reception().await? else {
        return Err(refused("another move into this database is going on"));
    };
    let mut mark = before.unwrap_or(Mark {
        token,
        place: String::new(),
        begun_at: clock(),
        completed_at: None,
    });
    mark.place.clone_from(&to.place);
    let copied = match state_of(&mut reception, &mark).await? {
        State::Empty => {
            check_live(&to.redis, false).await?;
            reception.clear_half_made().await?;
            copy(&from, to, &mut reception, &mark, clock).await?
        }
        State::Begun => {
            check_live(&to.redis, true).await?;
            copy(&from, to, &mut reception, &mark, clock).await?
        }
        // The run before had nothing left to do but to say so here. People may be there already.
        State::Completed => {
            from.begin(&mark)?;
            0
        }
    };
    let mut kinds = Vec::with_capacity(KINDS.len());
    for kind in KINDS {
        kinds.push((kind.name, from.count(kind)?));
    }
    from.complete(clock())?;
    Ok(Moved { kinds, now: copied })
}

/// What is in the new home's database.
enum State {
    /// Nothing.
    Empty,
    /// A beginning of this move.
    Begun,
    /// All of it.
    Completed,
}

async fn state_of(reception: &mut Reception, ours: &Mark) -> Result<State, MoveError> {
    if let Some(there) = reception.mark().await? {
        return match (there.token == ours.token, there.completed_at) {
            (true, None) => Ok(State::Begun),
            (true, Some(_)) => Ok(State::Completed),
            (false, None) => Err(refused(format!(
                "the database holds the beginning of another move, from {}: \
                 complete that one, or name an empty database",
                there.place
            ))),
            (false, Some(at)) => Err(refused(format!(
                "the database holds what was moved there from {} on {at}: name an empty one",
                there.place
            ))),
        };
    }
    let found = reception.found().await?;
    if found.is_empty() {
        return Ok(State::Empty);
    }
    Err(refused(format!(
        "the database is not empty, it has {}: name an empty one",
        found.join(", ")
    )))
}

async fn check_live(live: &RedisStore, but_stays: bool) -> Result<(), MoveError> {
    let traces = live.traces(but_stays).await?;
    if traces.is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "Redis is not empty, it has keys of Plenary: {}. Stop the server that uses it, if one does; \
         then name another Redis or another number of a database in it, or empty this one",
        traces.join(", ")
    )))
}

/// Brings everything there that is not there yet; how many rows.
async fn copy(
    from: &Departure,
    to: &NewHome,
    reception: &mut Reception,
    mark: &Mark,
    clock: &Clock,
) -> Result<u64, MoveError> {
    to.mysql.migrate().await?;
    // The old home first: it must not be served any more once there is something in the new one.
    from.begin(mark)?;
    let there = Mark {
        place: from.directory().display().to_string(),
        ..mark.clone()
    };
    to.mysql.begin_arrival(&there).await?;
    let mut copied = 0;
    for kind in KINDS {
        copied += copy_kind(from, &to.mysql, kind).await?;
    }
    for kind in KINDS.iter().filter(|kind| kind.is_numbered) {
        if let Some(last) = from.last_number(kind)? {
            to.mysql.number_above(kind, last).await?;
        }
    }
    verify(from, reception).await?;
    to.redis.announce_stays(&from.lasting_stays()?).await?;
    let completed = Mark {
        completed_at: Some(clock()),
        ..there
    };
    to.mysql.complete_arrival(&completed).await?;
    Ok(copied)
}

async fn copy_kind(from: &Departure, mysql: &MysqlStore, kind: &Kind) -> Result<u64, MoveError> {
    let mut copied = 0;
    let mut last = mysql.last_key(kind).await?;
    loop {
        let page = from.page(kind, last.as_deref(), PAGE_ROWS)?;
        let Some(row) = page.last() else {
            tracing::info!(kind = kind.name, rows = copied, "moved");
            return Ok(copied);
        };
        last = Some(row[..kind.key].to_vec());
        match mysql.take(kind, &page).await? {
            Taken::All => copied += page.len() as u64,
            Taken::Until { key, why } => {
                let key: Vec<String> = kind.key_columns().iter().zip(&key).map(told).collect();
                return Err(refused(format!(
                    "a row of the table {} cannot be moved, {}: {why}. Mend it in the file, {}, \
                     and run the same move again",
                    kind.table,
                    key.join(", "),
                    from.directory().display()
                )));
            }
        }
    }
}

/// A column of a key, for people.
fn told((column, cell): (&super::belongings::Column, &Cell)) -> String {
    let value = match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => format!("'{text}'"),
        Cell::Time(at) => at.to_string(),
        // The hash of a token, which nobody needs to see.
        Cell::Bytes(bytes) => format!("{} bytes", bytes.len()),
    };
    format!("{} {value}", column.name)
}

async fn verify(from: &Departure, reception: &mut Reception) -> Result<(), MoveError> {
    for kind in KINDS {
        let (here, there) = (from.count(kind)?, reception.count(kind).await?);
        if here != there {
            return Err(refused(format!(
                "the file has {here} {name} and the database has {there}: somebody else changes it. \
                 Empty the database and Redis, take the file back by plenary-server serve \
                 --force, and move again",
                name = kind.name
            )));
        }
    }
    Ok(())
}

fn refused(sentence: impl Into<String>) -> MoveError {
    MoveError::Refused(Reject::new(Code::Invalid, sentence.into()))
}

/// Refuses a database into which not everything has been moved that is to be there.
pub async fn check_arrived(mysql: &MysqlStore) -> Answer<()> {
    match mysql.mark().await? {
        Some(Mark {
            place,
            completed_at: None,
            ..
        }) => Err(Reject::new(
            Code::Invalid,
            format!(
                "the move from {place} into this database is not completed: \
                 run the same plenary-server move again, or name another database"
            ),
        )
        .into()),
        Some(_) | None => Ok(()),
    }
}
