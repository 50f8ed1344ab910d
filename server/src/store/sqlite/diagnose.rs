//! Diagnostics of the data file: existence, integrity, tables, free space.

use std::path::Path;

use rusqlite::Connection;

use super::disk;
use super::export;
use super::link;
use super::lock::Lock;
use super::migrate;
use crate::store::diagnostic::{Diagnostic, Grade};

/// Free space in bytes beyond the reserve below which a warning is given.
const SPACE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// Checks the data file, without changing it.
pub(super) fn examine(directory: &Path, disk_reserve_bytes: u64) -> Vec<Diagnostic> {
    let about = "data file";
    let path = link::file_of(directory);
    if !path.exists() {
        return vec![Diagnostic::not_good(
            Grade::Warning,
            about,
            format!("{} does not exist yet", path.display()),
            "start the server to create it, or correct --data",
        )];
    }
    let mut diagnostics = vec![Diagnostic::good(about, path.display().to_string())];
    match link::open_to_read(directory) {
        Ok(conn) => diagnostics.extend([whole(&conn), tables(&conn, directory)]),
        Err(error) if is_damage(&error) => diagnostics.push(integrity(error.to_string())),
        Err(error) => diagnostics.push(Diagnostic::not_good(
            Grade::Bad,
            "data file: opening",
            error.to_string(),
            "give this user read and write access to the file and its directory",
        )),
    }
    diagnostics.push(space(directory, disk_reserve_bytes));
    diagnostics.push(Diagnostic::good(
        "data file: served by",
        served_by(directory),
    ));
    diagnostics
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseCorrupt | NotADatabase)
    )
}

fn whole(conn: &Connection) -> Diagnostic {
    let checked: rusqlite::Result<String> =
        conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    integrity(checked.unwrap_or_else(|error| error.to_string()))
}

/// The result of an integrity check.
fn integrity(result: String) -> Diagnostic {
    Diagnostic::of(
        result == "ok",
        Grade::Bad,
        "data file: integrity",
        result,
        "stop the server and restore the last backup; keep the file, most of it can be recovered",
    )
}

fn tables(conn: &Connection, directory: &Path) -> Diagnostic {
    let about = "data file: tables";
    match migrate::pending(conn) {
        Ok(pending) if pending.is_empty() => match export::check_not_moved(conn, directory) {
            Ok(()) => Diagnostic::good(about, "up to date"),
            Err(error) => Diagnostic::not_good(
                Grade::Bad,
                about,
                error.to_string(),
                "no server starts on this file without --force",
            ),
        },
        Ok(pending) => Diagnostic::not_good(
            Grade::Warning,
            about,
            format!("pending migrations: {}", pending.join(", ")),
            "run plenary-server migrate, or start the server",
        ),
        Err(error) => Diagnostic::not_good(
            Grade::Bad,
            about,
            error.to_string(),
            "fix this first: no server starts until then",
        ),
    }
}

fn space(directory: &Path, reserve_bytes: u64) -> Diagnostic {
    let about = "data file: free space";
    let mib = |bytes: u64| bytes / 1024 / 1024;
    match disk::free_bytes(directory) {
        Ok(bytes) if bytes < reserve_bytes => Diagnostic::not_good(
            Grade::Bad,
            about,
            format!(
                "{} MiB; the reserve is {} MiB",
                mib(bytes),
                mib(reserve_bytes)
            ),
            "free disk space, or lower disk_reserve_mib: until then posts are refused",
        ),
        Ok(bytes) => Diagnostic::of(
            bytes >= reserve_bytes.saturating_add(SPACE_BYTES_MIN),
            Grade::Warning,
            about,
            format!("{} MiB", mib(bytes)),
            "free disk space: posts are refused once only disk_reserve_mib is left",
        ),
        Err(error) => Diagnostic::not_good(
            Grade::Warning,
            about,
            error.to_string(),
            "check the file system with df",
        ),
    }
}

fn served_by(directory: &Path) -> String {
    match Lock::holder(directory) {
        Some(pid) => format!("process {pid}"),
        None => "no process".to_owned(),
    }
}
