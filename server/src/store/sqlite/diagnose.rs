//! Diagnostics of the data file: existence, integrity, tables, free space.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::disk;
use super::export;
use super::link;
use super::lock::Lock;
use super::migrate;
use crate::store::diagnostic::{Diagnostic, Grade};

/// Free space in bytes beyond the reserve below which a warning is given.
const SPACE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// The file that is written and removed to try whether there is space.
const TRIAL: &str = "plenary.trial";

/// The size of that file in bytes.
const TRIAL_BYTES: usize = 64 * 1024;

/// The permission bits by which other users can read a file, or a file in a directory.
const READABLE_BY_OTHERS: u32 = 0o044;
const OPEN_TO_OTHERS: u32 = 0o011;

/// Checks the data file, and tries to write it. Leaves nothing behind.
pub(super) fn examine(directory: &Path, disk_reserve_bytes: u64) -> Vec<Diagnostic> {
    let about = "data file";
    let path = link::file_of(directory);
    if !path.exists() {
        let missing = Diagnostic::not_good(
            Grade::Warning,
            about,
            format!("{} does not exist yet", path.display()),
            "start the server to create it, or correct --data",
        );
        // The server creates what is missing.
        let existing = directory.ancestors().find(|one| one.is_dir());
        let existing = existing.unwrap_or(Path::new("/"));
        return vec![
            missing,
            file_system(existing),
            space(existing, disk_reserve_bytes),
        ];
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
    diagnostics.extend([
        writing(directory),
        file_system(directory),
        space(directory, disk_reserve_bytes),
        secrecy(directory, &path),
    ]);
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

/// Writes a row, and rolls it back.
fn writing(directory: &Path) -> Diagnostic {
    let about = "data file: writing";
    let tried = link::connect(&link::file_of(directory), OpenFlags::SQLITE_OPEN_READ_WRITE)
        .and_then(|conn| {
            // The file stays as it is, also if this is the last connection.
            conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            conn.execute_batch(
                "BEGIN IMMEDIATE;
                 CREATE TABLE trial (id INTEGER);
                 INSERT INTO trial VALUES (1);
                 ROLLBACK",
            )
        });
    match tried {
        Ok(()) => Diagnostic::good(about, "possible"),
        Err(error) => Diagnostic::not_good(
            Grade::Bad,
            about,
            error.to_string(),
            "give this user write access to the file and its directory, and free disk space",
        ),
    }
}

/// Writes a file beside the data file, and removes it.
fn file_system(directory: &Path) -> Diagnostic {
    let about = "data file: disk";
    let path = directory.join(TRIAL);
    let tried = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![0; TRIAL_BYTES])?;
        file.sync_all()
    });
    // It does not exist if it could not be created.
    let _ = fs::remove_file(&path);
    match tried {
        Ok(()) => Diagnostic::good(about, "can be written"),
        Err(error) => Diagnostic::not_good(
            Grade::Bad,
            about,
            error.to_string(),
            format!(
                "free disk space, or give this user write access to {}",
                directory.display()
            ),
        ),
    }
}

/// Checks that other users of this machine cannot read messages and password hashes.
fn secrecy(directory: &Path, path: &Path) -> Diagnostic {
    let about = "data file: permissions";
    let mode = |path: &Path| fs::metadata(path).map(|about| about.permissions().mode() & 0o777);
    match (mode(directory), mode(path)) {
        (Ok(outer), Ok(inner)) => Diagnostic::of(
            outer & OPEN_TO_OTHERS == 0 || inner & READABLE_BY_OTHERS == 0,
            Grade::Bad,
            about,
            format!("{inner:03o}, directory {outer:03o}"),
            format!("other users can read it: chmod 600 {}", path.display()),
        ),
        (Err(error), _) | (_, Err(error)) => Diagnostic::not_good(
            Grade::Bad,
            about,
            error.to_string(),
            "give this user access to the file and its directory",
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
