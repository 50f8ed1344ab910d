//! Backup of the data file while the server runs: a consistent copy that gets its name only when it
//! is complete.
//!
//! The pages are copied in steps by the backup API of SQLite, inside one read transaction. Without
//! that transaction every commit of the server would restart the copy, which would never end on a
//! busy server. In WAL mode the transaction does not block writers. `VACUUM INTO` would also work, but
//! it can neither be cancelled nor leave disk time to others.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tempfile::NamedTempFile;

use crate::error::Fault;
use crate::store::sql::migrations::MigrateError;

use super::migrate;
use super::{link, lock};

/// Pages of one step, 16 MiB. The copy is synced after each step, so that a commit of the server never
/// waits for more than that.
const STEP_PAGES: i32 = 4_096;

/// No other process uses an incomplete copy, and it is deleted on failure, so it needs no protection
/// from crashes.
const WHILE_COPYING: &str = "PRAGMA locking_mode = EXCLUSIVE;
     PRAGMA journal_mode = OFF;
     PRAGMA synchronous = OFF;";

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    pub bytes: u64,
    pub pages: u64,
    pub users: u64,
    pub meetings: u64,
    pub instances: u64,
    pub messages: u64,
}

/// Why the backup failed. The incomplete copy is deleted.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data file does not exist.
    #[error("{} does not exist: check --data", path.display())]
    Missing {
        /// Where the data file should be.
        path: PathBuf,
    },
    /// A file with the name of the copy exists.
    #[error("{} already exists: choose another name, or replace it with --force", path.display())]
    Exists { path: PathBuf },
    /// The copy would replace a directory or one of the server's own files.
    #[error("{} cannot be replaced by a backup: choose another name", path.display())]
    NotReplaceable { path: PathBuf },
    /// The directory of the copy does not exist.
    #[error("the directory {} does not exist: create it first", path.display())]
    NoDirectory { path: PathBuf },
    /// The disk is full.
    #[error("the disk of {} is full: the backup was deleted", path.display())]
    Full { path: PathBuf },
    /// The copy cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
    /// The data file is damaged.
    #[error("the copy is damaged, and so is the data file: {what}")]
    Damaged {
        /// The first problem that SQLite found.
        what: String,
    },
    /// The backup was cancelled.
    #[error("cancelled: no backup was written")]
    Stopped,
    /// The data file belongs to another program or to a newer version.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// SQLite failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Copies the current state of the data file in `directory` to `to`. `replace` allows an existing file
/// of that name to be replaced. Stops soon after `stop` is set.
pub fn backup(
    directory: &Path,
    to: &Path,
    replace: bool,
    stop: &AtomicBool,
) -> Result<Copied, BackupError> {
    let source = directory.join(link::FILE);
    if !source.exists() {
        return Err(BackupError::Missing { path: source });
    }
    let destination = Destination::new(directory, to, replace)?;
    let conn = link::connect(&source, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(Fault::from)?;
    conn.execute_batch("BEGIN DEFERRED").map_err(Fault::from)?;
    // The first read determines the state that is copied, and checks that the tables are Plenary's.
    migrate::missing(&conn)?;
    let temporary = destination.temporary()?;
    let outcome = copy(&conn, &temporary, &destination, stop);
    // SQLite may have created these. The copy itself is deleted on drop unless it is kept.
    for suffix in ["-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(link::beside(temporary.path(), suffix));
    }
    let copied = outcome?;
    destination.keep(temporary)?;
    Ok(copied)
}

fn copy(
    conn: &Connection,
    temporary: &NamedTempFile,
    destination: &Destination,
    stop: &AtomicBool,
) -> Result<Copied, BackupError> {
    copy_pages(conn, temporary, destination, stop)?;
    let copy = Connection::open(temporary.path()).map_err(|error| destination.fault(&error))?;
    let copied = look(&copy).map_err(|error| destination.fault(&error))?;
    let copied = copied.map_err(|what| BackupError::Damaged { what })?;
    if let Err((_, error)) = copy.close() {
        return Err(destination.fault(&error));
    }
    let synced = temporary.as_file().sync_all();
    synced.map_err(|source| destination.unwritable(source))?;
    Ok(copied)
}

fn copy_pages(
    conn: &Connection,
    temporary: &NamedTempFile,
    destination: &Destination,
    stop: &AtomicBool,
) -> Result<(), BackupError> {
    let fault = |error| destination.fault(&error);
    let mut copy = Connection::open(temporary.path()).map_err(fault)?;
    copy.execute_batch(WHILE_COPYING).map_err(fault)?;
    let steps = Backup::new(conn, &mut copy).map_err(fault)?;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(BackupError::Stopped);
        }
        let stepped = steps.step(STEP_PAGES).map_err(fault)?;
        let synced = temporary.as_file().sync_data();
        synced.map_err(|source| destination.unwritable(source))?;
        match stepped {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Busy or locked: impossible, as no other process opens the copy and WAL readers are not
            // blocked. `StepResult` is not an enum of this crate.
            _ => return Err(Fault::broken("copying", "another process uses the copy").into()),
        }
    }
}

/// Returns the contents of the copy, or its damage. Switches the copy to a single file.
fn look(copy: &Connection) -> rusqlite::Result<Result<Copied, String>> {
    // In WAL mode it would need two more files, even for reading.
    copy.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE;")?;
    let found: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found != "ok" {
        return Ok(Err(found));
    }
    let number = |query: &str| copy.query_row(query, [], |row| row.get::<_, u64>(0));
    let pages = number("PRAGMA page_count")?;
    Ok(Ok(Copied {
        bytes: pages * number("PRAGMA page_size")?,
        pages,
        users: number("SELECT COUNT(*) FROM user")?,
        meetings: number("SELECT COUNT(*) FROM meeting")?,
        instances: number("SELECT COUNT(*) FROM meeting_instance")?,
        messages: number("SELECT COUNT(*) FROM message")?,
    }))
}

/// The destination of the copy.
struct Destination {
    to: PathBuf,
    directory: PathBuf,
    replace: bool,
}

impl Destination {
    fn new(source: &Path, to: &Path, replace: bool) -> Result<Self, BackupError> {
        let directory = match to.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        if !directory.is_dir() {
            return Err(BackupError::NoDirectory { path: directory });
        }
        let path = to.to_owned();
        match fs::metadata(to) {
            Ok(there) if there.is_dir() || is_one_of(source, &there) => {
                return Err(BackupError::NotReplaceable { path });
            }
            Ok(_) if !replace => return Err(BackupError::Exists { path }),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(BackupError::Unwritable { path, source }),
        }
        Ok(Self {
            to: path,
            directory,
            replace,
        })
    }

    /// Creates a private file in the same directory whose name marks it as incomplete. It is deleted
    /// on drop unless it is kept.
    fn temporary(&self) -> Result<NamedTempFile, BackupError> {
        tempfile::Builder::new()
            .prefix(".plenary-backup-")
            .suffix(".part")
            .tempfile_in(&self.directory)
            .map_err(|source| self.unwritable(source))
    }

    /// Gives the copy its name.
    fn keep(&self, temporary: NamedTempFile) -> Result<(), BackupError> {
        let kept = if self.replace {
            temporary.persist(&self.to)
        } else {
            // Another process may have created the file since the check.
            temporary.persist_noclobber(&self.to)
        };
        kept.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists {
                path: self.to.clone(),
            },
            _ => self.unwritable(error.error),
        })?;
        // The new name is durable once the directory is synced.
        File::open(&self.directory)
            .and_then(|directory| directory.sync_all())
            .map_err(|source| self.unwritable(source))
    }

    fn unwritable(&self, source: io::Error) -> BackupError {
        if source.kind() == io::ErrorKind::StorageFull {
            return BackupError::Full {
                path: self.directory.clone(),
            };
        }
        BackupError::Unwritable {
            path: self.to.clone(),
            source,
        }
    }

    fn fault(&self, error: &rusqlite::Error) -> BackupError {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => BackupError::Full {
                path: self.directory.clone(),
            },
            _ => BackupError::Fault(Fault::broken("copying the data file", error.to_string())),
        }
    }
}

/// Returns whether this is one of the server's own files.
fn is_one_of(directory: &Path, there: &Metadata) -> bool {
    let data = directory.join(link::FILE);
    let own = [
        link::beside(&data, "-wal"),
        link::beside(&data, "-shm"),
        directory.join(lock::NAME),
        data,
    ];
    own.iter()
        .filter_map(|path| fs::metadata(path).ok())
        .any(|own| (own.dev(), own.ino()) == (there.dev(), there.ino()))
}
