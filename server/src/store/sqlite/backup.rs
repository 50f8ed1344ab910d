//! A copy of the file while it is served: one state of it, whole, under its name only when it is done.
//!
//! The pages are copied a step at a time by `SQLite`'s backup interface, inside one reading
//! transaction. Without that transaction a commit of the server would begin the copy anew, and beside
//! a busy server it would never end; with it, in WAL, nobody who writes waits for it. `VACUUM INTO`
//! would do as well, but can neither be stopped nor let others have the disk in between.

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

/// Pages of one step, 16 MiB: after each the copy is brought to the disk, so that the server's own
/// commits never wait behind more than that.
const STEP_PAGES: i32 = 4_096;

/// The copy belongs to nobody else while it is made, and is thrown away unless it is completed: what
/// protects a file from a crash would only cost time.
const WHILE_COPYING: &str = "PRAGMA locking_mode = EXCLUSIVE;
     PRAGMA journal_mode = OFF;
     PRAGMA synchronous = OFF;";

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes of the copy.
    pub bytes: u64,
    /// Its pages.
    pub pages: u64,
    /// People in it.
    pub users: u64,
    /// Meetings in it.
    pub meetings: u64,
    /// Instances in it.
    pub instances: u64,
    /// Messages in it.
    pub messages: u64,
}

/// Why there is no copy. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to be copied.
    #[error("{} is not there: there is nothing to copy", path.display())]
    Missing {
        /// Where the data file should be.
        path: PathBuf,
    },
    /// Something has the name of the copy.
    #[error("{} is there already: choose another name, or replace it with --force", path.display())]
    Exists {
        /// The name.
        path: PathBuf,
    },
    /// The copy would take the place of what is copied, or of a directory.
    #[error("{} cannot be replaced by a copy: choose another name", path.display())]
    NotReplaceable {
        /// The name.
        path: PathBuf,
    },
    /// There is no directory for the copy.
    #[error("there is no directory {}: make it first", path.display())]
    NoDirectory {
        /// Which.
        path: PathBuf,
    },
    /// There is no space for the copy.
    #[error("the disk of {} is full: there is no copy", path.display())]
    Full {
        /// The directory of the copy.
        path: PathBuf,
    },
    /// The copy cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Unwritable {
        /// The name.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What was copied is damaged.
    #[error("the copy is damaged, and so is the data file: {what}")]
    Damaged {
        /// What `SQLite` found first.
        what: String,
    },
    /// Somebody asked to stop.
    #[error("stopped: there is no copy")]
    Stopped,
    /// The data file is another program's, or a newer one's.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// It could not be asked.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Copies the file of a directory to `to`, in the state that it has now. `replace`: whether a file of
/// that name may be there. It gives up soon after `stop` is set.
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
    let place = Place::new(directory, to, replace)?;
    let conn = link::connect(&source, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(Fault::from)?;
    conn.execute_batch("BEGIN DEFERRED").map_err(Fault::from)?;
    // The first look settles which state it is; and whether the file is one of ours.
    migrate::missing(&conn)?;
    let temporary = place.temporary()?;
    let outcome = copy(&conn, &temporary, &place, stop);
    // What SQLite may have put beside it; the copy itself goes with its guard unless it is kept.
    for suffix in ["-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(link::beside(temporary.path(), suffix));
    }
    let copied = outcome?;
    place.keep(temporary)?;
    Ok(copied)
}

fn copy(
    conn: &Connection,
    temporary: &NamedTempFile,
    place: &Place,
    stop: &AtomicBool,
) -> Result<Copied, BackupError> {
    copy_pages(conn, temporary, place, stop)?;
    let copy = Connection::open(temporary.path()).map_err(|error| place.fault(&error))?;
    let copied = look(&copy).map_err(|error| place.fault(&error))?;
    let copied = copied.map_err(|what| BackupError::Damaged { what })?;
    if let Err((_, error)) = copy.close() {
        return Err(place.fault(&error));
    }
    let synced = temporary.as_file().sync_all();
    synced.map_err(|source| place.unwritable(source))?;
    Ok(copied)
}

fn copy_pages(
    conn: &Connection,
    temporary: &NamedTempFile,
    place: &Place,
    stop: &AtomicBool,
) -> Result<(), BackupError> {
    let fault = |error| place.fault(&error);
    let mut copy = Connection::open(temporary.path()).map_err(fault)?;
    copy.execute_batch(WHILE_COPYING).map_err(fault)?;
    let steps = Backup::new(conn, &mut copy).map_err(fault)?;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(BackupError::Stopped);
        }
        let stepped = steps.step(STEP_PAGES).map_err(fault)?;
        let synced = temporary.as_file().sync_data();
        synced.map_err(|source| place.unwritable(source))?;
        match stepped {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Nobody else knows the copy, and whoever reads is locked out by nobody: `StepResult` is
            // not an enum of ours.
            _ => return Err(Fault::broken("copying", "somebody else uses the copy").into()),
        }
    }
}

/// What the copy holds, or what is wrong with it. It becomes one single file by that.
fn look(copy: &Connection) -> rusqlite::Result<Result<Copied, String>> {
    // As the original it would need two more files beside it, even to be read.
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

/// Where the copy is to be.
struct Place {
    to: PathBuf,
    directory: PathBuf,
    replace: bool,
}

impl Place {
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

    /// A file beside it, for its owner alone, whose name says that it is no copy yet. It is removed
    /// unless it is kept.
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
            // Somebody may have been faster since we looked.
            temporary.persist_noclobber(&self.to)
        };
        kept.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists {
                path: self.to.clone(),
            },
            _ => self.unwritable(error.error),
        })?;
        // The name is on the disk only with its directory.
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

/// Whether this is a file of the server's own.
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
