//! What `SQLite` complains of, as our own faults: what passes by itself, and what must not happen.

use rusqlite::{Error as SqliteError, ErrorCode};

use crate::error::{Error, Fault, Plain};

/// How faults name the store.
pub(super) const STORE: &str = "SQLite";

/// Reads an error; what asked is none the wiser afterwards, for nothing was changed.
pub(super) fn fault(error: &SqliteError) -> Fault {
    let source = error.to_string();
    let Some(code) = error.sqlite_error_code() else {
        return Fault::broken("asking SQLite", source);
    };
    match code {
        ErrorCode::DiskFull => plain(
            "The server's disk is full, so nothing new is taken: try again when there is space.",
            source,
        ),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => plain(
            "The server may not write its data file, so nothing new is taken: try again later.",
            source,
        ),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationAborted
        | ErrorCode::FileLockingProtocolFailed => Fault::away(STORE, source),
        // What is left is a mistake of ours or a damaged file. `ErrorCode` is not an enum of ours.
        _ => Fault::broken("asking SQLite", source),
    }
}

fn plain(sentence: &'static str, source: String) -> Fault {
    Fault::away(
        STORE,
        Plain {
            sentence,
            source: source.into(),
        },
    )
}

/// Whether somebody has what must be unique already.
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
