//! Errors of SQLite as faults.

use rusqlite::ffi::{SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE};
use rusqlite::{Error as SqliteError, ErrorCode};

use crate::error::{Error, Fault, Plain};

/// The store's name in faults.
pub(super) const STORE: &str = "SQLite";

/// Converts an error. The failed statement has changed nothing.
pub(super) fn fault(error: &SqliteError) -> Fault {
    let source = error.to_string();
    let Some(code) = error.sqlite_error_code() else {
        return Fault::broken("asking SQLite", source);
    };
    match code {
        ErrorCode::DiskFull => plain(
            "The server's disk is full: try again when there is space.",
            source,
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => plain(UNWRITABLE, source),
        ErrorCode::SystemIoFailure if is_of_writing(error) => plain(UNWRITABLE, source),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationAborted
        | ErrorCode::FileLockingProtocolFailed => Fault::unavailable(STORE, source),
        // The other errors are defects or a damaged file. `ErrorCode` is not an enum of this crate.
        _ => Fault::broken("asking SQLite", source),
    }
}

const UNWRITABLE: &str = "The server cannot write its data file: try again later.";

/// Whether the operating system refused a write: the file is immutable, too large, or on a file system that
/// is now read-only.
fn is_of_writing(error: &SqliteError) -> bool {
    error.sqlite_error().is_some_and(|e| {
        matches!(
            e.extended_code,
            SQLITE_IOERR_WRITE | SQLITE_IOERR_FSYNC | SQLITE_IOERR_TRUNCATE
        )
    })
}

fn plain(sentence: &'static str, source: String) -> Fault {
    Fault::unavailable(
        STORE,
        Plain {
            sentence,
            source: source.into(),
        },
    )
}

/// Whether a unique key exists already.
pub(super) fn is_duplicate(error: &SqliteError) -> bool {
    const UNIQUE: i32 = rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE;
    const PRIMARY_KEY: i32 = rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY;
    error
        .sqlite_error()
        .is_some_and(|e| matches!(e.extended_code, UNIQUE | PRIMARY_KEY))
}

impl From<SqliteError> for Fault {
    fn from(error: SqliteError) -> Self {
        fault(&error)
    }
}

impl From<SqliteError> for Error {
    fn from(error: SqliteError) -> Self {
        Self::Fault(fault(&error))
    }
}
