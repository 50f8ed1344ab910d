//! What a process wants of the file, and why it cannot have it.

use std::path::PathBuf;

use plenary_shared::time::Timestamp;

use super::migrate::MigrateError;
use crate::error::Fault;

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server serves it.
    #[error(
        "{} is served already by the plenary-server with the process number {pid}: \
         stop that one, or name another directory with --data",
        path.display()
    )]
    Served {
        /// The directory.
        path: PathBuf,
        /// The other server's process.
        pid: String,
    },
    /// It cannot be made or opened.
    #[error("{} cannot be used: {source}", path.display())]
    Unusable {
        /// The directory or file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not there, and is not to be made.
    #[error("{} is not there", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Everything in it is elsewhere now.
    #[error(
        "{} was moved to {place} on {at}: serve that, by --redis and --mysql. \
         Whoever wants the old one back in spite of what was said there since: \
         plenary-server serve --take-back",
        path.display()
    )]
    Moved {
        /// The directory.
        path: PathBuf,
        /// The new home.
        place: String,
        /// When.
        at: Timestamp,
    },
    /// It is about to be elsewhere.
    #[error(
        "{} is being moved to {place}: run the same plenary-server move again to complete it, \
         or stay here by plenary-server serve --take-back",
        path.display()
    )]
    Moving {
        /// The directory.
        path: PathBuf,
        /// The new home.
        place: String,
    },
    /// Its tables are not as this program needs them.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// It could not be asked.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What a process wants of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To serve it: one process at a time may.
    Serve,
    /// To look at it or change something, beside the server.
    Command,
}
