//! Opens the SQLite data file, and defines the errors of that.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plenary_shared::time::Timestamp;

use super::disk::Disk;
use super::feeding::Feeding;
use super::link::{self, Link};
use super::lock::Lock;
use super::migrate;
use super::rates::Rates;
use super::waiting::Waiters;
use super::writer::Writer;
use super::{SqliteStore, diagnose, export};
use crate::clock::Clock;
use crate::error::Fault;
use crate::rate_limits::SharedLimits;
use crate::store::diagnostic::Diagnostic;
use crate::store::instrument::Instrument;
use crate::store::sql::migrations::MigrateError;

/// Why the data file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server serves the file.
    #[error(
        "{} is already served by the plenary-server process {pid}: \
         stop that process, or choose another directory with --data",
        path.display()
    )]
    Served {
        path: PathBuf,
        /// The other server's process.
        pid: String,
    },
    /// It cannot be created or opened.
    #[error("{} cannot be used: {source}", path.display())]
    Unusable {
        path: PathBuf,
        source: std::io::Error,
    },
    /// It does not exist, and is not to be created.
    #[error("{} does not exist", path.display())]
    Missing { path: PathBuf },
    /// It was transferred to another store.
    #[error(
        "{} was moved to {place} on {at}: serve that store with --redis and --mysql, \
         or run plenary-server serve --force to use this file without the changes made there since",
        path.display()
    )]
    Moved {
        path: PathBuf,
        place: String,
        at: Timestamp,
    },
    /// A transfer to another store is incomplete.
    #[error(
        "{} is being moved to {place}: run the same plenary-server move again to complete it, \
         or run plenary-server serve --force to keep using this file",
        path.display()
    )]
    Moving { path: PathBuf, place: String },
    /// Its tables are not as this program needs them.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// SQLite failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What a process opens the file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To serve it, which one process at a time may.
    Serve,
    /// To read or change it, with or without a running server.
    Command,
}

impl SqliteStore {
    /// Opens the file in a directory, creates both if they are missing, and migrates the tables. The store
    /// uses `clock`.
    pub fn open(directory: &Path, clock: Clock, purpose: Purpose) -> Result<Arc<Self>, OpenError> {
        Self::open_paced(directory, clock, purpose, Instrument::default())
    }

    /// Opens the file like [`Self::open`], with this instrument.
    pub fn open_paced(
        directory: &Path,
        clock: Clock,
        purpose: Purpose,
        instrument: Instrument,
    ) -> Result<Arc<Self>, OpenError> {
        let mut conn = link::open(directory)?;
        let lock = match purpose {
            Purpose::Serve => Some(Lock::take(directory)?),
            Purpose::Command => None,
        };
        migrate::migrate(&mut conn, clock())?;
        export::check_not_moved(&conn, directory)?;
        let feeding = Arc::new(Feeding::default());
        let limits = SharedLimits::default();
        let disk = Arc::new(Disk::of(directory));
        let rates = Rates::new(limits.clone(), disk.clone());
        let writer = Writer::new(conn, clock.clone(), feeding.clone(), rates);
        let link = Link::start(writer, directory, instrument)?;
        Ok(Arc::new(Self {
            link,
            feeding,
            waiters: Waiters::default(),
            limits,
            disk,
            clock,
            _lock: lock,
        }))
    }

    /// Diagnoses the file in a directory, with this reserve of free space. Changes nothing.
    pub fn examine(directory: &Path, disk_reserve_bytes: u64) -> Vec<Diagnostic> {
        diagnose::examine(directory, disk_reserve_bytes)
    }

    /// Makes a file servable again after a complete or incomplete transfer to another store. Returns
    /// whether there was a transfer.
    pub fn reclaim(directory: &Path, now: Timestamp) -> Result<bool, OpenError> {
        let mut conn = link::open(directory)?;
        let _lock = Lock::take(directory)?;
        migrate::migrate(&mut conn, now)?;
        Ok(export::forget(&conn)?)
    }
}
