//! The connections: one that writes and two that read, each on its own thread.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Answer, Fault};
use crate::store::instrument::{Backend, Call, Instrument, Locks};

use super::OpenError;
use super::fault::STORE;
use super::writer::{QUEUE_MAX, Undo, Verb, WriteTransaction, Writer, asked, panicked};

/// The name of the SQLite file in its directory.
pub(super) const FILE: &str = "plenary.db";

/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// Prepared statements that each connection caches: more than this program has.
const STATEMENTS_MAX: usize = 128;

/// Connections that read: more do not make a small machine faster.
const READERS: usize = 2;

/// Queued reads. When the queue is full, callers wait.
const READINGS_MAX: usize = 1_024;

/// The settings of every connection. A commit is on disk before it is acknowledged. The write-ahead log is
/// copied into the file every 4,000 pages (16 MB), so a page that many posts share is copied once.
const SESSION: &str = "PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA temp_store = MEMORY;
     PRAGMA cache_size = -8192;
     PRAGMA wal_autocheckpoint = 4000;
     PRAGMA journal_size_limit = 67108864;";

type Reading = Box<dyn FnOnce(&Connection) + Send>;

/// Sends verbs and reads to the threads, which end when it is dropped.
#[derive(Clone)]
pub(super) struct Link {
    verbs: mpsc::Sender<Box<dyn Verb>>,
    readings: mpsc::Sender<Reading>,
    failing: Arc<AtomicBool>,
    instrument: Instrument,
}

impl Link {
    /// Starts the threads.
    pub(super) fn start(
        writer: Writer,
        directory: &Path,
        instrument: Instrument,
    ) -> Result<Self, OpenError> {
        let path = directory.join(FILE);
        let (readings, to_read) = mpsc::channel::<Reading>(READINGS_MAX);
        let to_read = Arc::new(Mutex::new(to_read));
        for _ in 0..READERS {
            let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(Fault::from)?;
            let to_read = to_read.clone();
            spawn("plenary-read", move || read_all(&conn, &to_read))?;
        }
        let (verbs, to_write) = mpsc::channel(QUEUE_MAX);
        let failing = writer.failing.clone();
        spawn("plenary-write", move || writer.run(to_write))?;
        Ok(Self {
            verbs,
            readings,
            failing,
            instrument,
        })
    }

    /// Runs a verb. Returns once its commit is on disk.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut WriteTransaction<'_>) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        self.ask(asked(Undo::Alone, verb)).await
    }

    /// Runs a verb that checks everything before it writes, see [`Undo::Nothing`].
    pub(super) async fn write_at_once<T: Send + 'static>(
        &self,
        verb: impl FnOnce(&mut WriteTransaction<'_>) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        self.ask(asked(Undo::Nothing, verb)).await
    }

    async fn ask<T>(
        &self,
        (verb, answered): (Box<dyn Verb>, oneshot::Receiver<Answer<T>>),
    ) -> Answer<T> {
        let asking = async {
            self.verbs.send(verb).await.map_err(|_| stopped())?;
            answered.await.map_err(|_| stopped())?
        };
        self.instrument.call(call(&"write"), asking).await
    }

    /// Reads from one snapshot.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        reading: impl FnOnce(&Connection) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let (answer, answered) = oneshot::channel();
        let reading: Reading = Box::new(move |conn| {
            // The caller may be gone.
            let _ = answer.send(in_one_state(conn, reading));
        });
        let asking = async {
            self.readings.send(reading).await.map_err(|_| stopped())?;
            answered.await.map_err(|_| stopped())?
        };
        self.instrument.call(call(&"read"), asking).await
    }

    /// Whether the last write failed.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// A handle that does not keep the threads running.
    pub(super) fn downgrade(&self) -> WeakLink {
        WeakLink {
            verbs: self.verbs.downgrade(),
            readings: self.readings.downgrade(),
            failing: self.failing.clone(),
        }
    }
}

/// A handle that does not keep the threads running.
pub(super) struct WeakLink {
    verbs: mpsc::WeakSender<Box<dyn Verb>>,
    readings: mpsc::WeakSender<Reading>,
    failing: Arc<AtomicBool>,
}

impl WeakLink {
    pub(super) fn upgrade(&self) -> Option<Link> {
        Some(Link {
            verbs: self.verbs.upgrade()?,
            readings: self.readings.upgrade()?,
            failing: self.failing.clone(),
            // Internal reads are not measured.
            instrument: Instrument::default(),
        })
    }
}

fn call<'a>(text: &'a &'static str) -> Call<'a> {
    Call {
        backend: Backend::Sqlite,
        locks: Locks::Free,
        text,
    }
}

fn stopped() -> Fault {
    Fault::unavailable(STORE, "its thread has stopped")
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
    // Not joined: answered changes are on disk, and unanswered ones may be cut off at any time.
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(|_| ())
        .map_err(|error| Fault::broken("starting a thread", error).into())
}

fn read_all(conn: &Connection, to_read: &Mutex<mpsc::Receiver<Reading>>) {
    loop {
        // One reader waits for the next request, the others for the lock.
        let next = to_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .blocking_recv();
        match next {
            Some(reading) => reading(conn),
            None => return,
        }
    }
}

/// Runs a reading in a transaction of its own. A reading that panics fails alone.
fn in_one_state<T>(conn: &Connection, reading: impl FnOnce(&Connection) -> Answer<T>) -> Answer<T> {
    conn.prepare_cached("BEGIN DEFERRED")?.execute([])?;
    let outcome = catch_unwind(AssertUnwindSafe(|| reading(conn)));
    let ended = conn
        .prepare_cached("COMMIT")
        .and_then(|mut commit| commit.execute([]));
    if ended.is_err() && !conn.is_autocommit() {
        // An open transaction would make every later reading fail.
        conn.execute_batch("ROLLBACK")?;
    }
    ended?;
    outcome.unwrap_or_else(|_| Err(panicked().into()))
}

/// Opens the file in a directory for writing. Creates both if they are missing, for their owner only.
pub(super) fn open(directory: &Path) -> Result<Connection, OpenError> {
    let unusable = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Unusable { path, source }
    };
    if !directory.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(unusable(directory))?;
    }
    let path: PathBuf = directory.join(FILE);
    if !path.exists() {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(unusable(&path))?;
    }
    let conn = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(Fault::from)?;
    let mode: String = conn
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(Fault::from)?;
    if mode != "wal" {
        tracing::warn!(%mode, "this file system has no shared memory: readers and the writer wait for each other");
    }
    Ok(conn)
}

pub(super) fn file_of(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Opens the file in a directory for reading.
pub(super) fn open_to_read(directory: &Path) -> rusqlite::Result<Connection> {
    connect(&file_of(directory), OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A file that SQLite keeps beside another: `-wal`, `-shm`, `-journal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(super) fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Keeps a statement's plan independent of bound values; otherwise SQLite prepares some
    // statements again for each execution.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch(SESSION)?;
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::error::Error;

    #[test]
    fn reading_that_panics_fails_alone() {
        let conn = Connection::open_in_memory().expect("a connection");
        let broken = in_one_state(&conn, |_| -> Answer<()> { panic!("a defect") });
        assert!(matches!(broken, Err(Error::Fault(Fault::Broken { .. }))));
        let next = in_one_state(&conn, |conn| {
            Ok(conn.query_row("SELECT 7", [], |row| row.get::<_, i64>(0))?)
        });
        assert_eq!(next.expect("it reads"), 7);
        assert!(conn.is_autocommit());
    }
}
