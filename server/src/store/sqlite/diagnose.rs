//! Diagnostics of the data file: existence, integrity, tables, free space.

use std::path::Path;

use rusqlite::Connection;

use super::export;
use super::link;
use super::lock::Lock;
use super::migrate;
use crate::store::diagnostic::{Diagnostic, Grade};

/// Free space in bytes below which a warning is given.
const SPACE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// Checks everything that the guarantees of the server depend on. Changes nothing.
pub(super) fn examine(directory: &Path) -> Vec<Diagnostic> {
    let about = "data file";
    let path = link::file_of(directory);
    if !path.exists() {
        return vec![Diagnostic::not_good(
            Grade::Warning,
            about,
            format!("{} does not exist yet", path.display()),
            "serve makes it; if it should be there, correct --data",
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
            "see that this user may read and write the file and its directory",
        )),
    }
    diagnostics.push(space(directory));
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
fn integrity(says: String) -> Diagnostic {
    Diagnostic::of(
        says == "ok",
        Grade::Bad,
        "data file: integrity",
        says,
        "stop the server and go on with the last backup; keep the file, much of it can be read",
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
                "no server starts on this file",
            ),
        },
        Ok(pending) => Diagnostic::not_good(
            Grade::Warning,
            about,
            format!("lack {}", pending.join(", ")),
            "run plenary-server migrate; serve does it too",
        ),
        Err(error) => Diagnostic::not_good(
            Grade::Bad,
            about,
            error.to_string(),
            "until then no server starts",
        ),
    }
}

fn space(directory: &Path) -> Diagnostic {
    let about = "data file: free space";
    match rustix::fs::statvfs(directory) {
        Ok(stat) => {
            let bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
            Diagnostic::of(
                bytes >= SPACE_BYTES_MIN,
                Grade::Warning,
                about,
                format!("{} MiB", bytes / 1024 / 1024),
                "make space: posts are refused once the disk is full",
            )
        }
        Err(error) => Diagnostic::not_good(
            Grade::Warning,
            about,
            error.to_string(),
            "look at it with df",
        ),
    }
}

fn served_by(directory: &Path) -> String {
    match Lock::holder(directory) {
        Some(pid) => format!("process {pid}"),
        None => "nobody now".to_owned(),
    }
}
