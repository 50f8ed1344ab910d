//! Files that are their owner's alone, and are there whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Makes a directory, and those above it, that only their owner enters; one that is there stays as it is.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// An empty file that only its owner reads and writes, in place of any other.
pub fn create(path: &Path) -> io::Result<File> {
    // One that was left there, as by a process that was killed, would keep its mode.
    remove(path)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Puts this in place of what a file held; its directory must be there. A reader sees the old or the
/// new, whole, and so does the next start after the power was cut.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    create(&new)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path))
        .inspect_err(|_| {
            // What matters is the error that led here.
            let _ = fs::remove_file(&new);
        })
}

/// What a file of text holds. One of more than `bytes_max` is an error, of the kind `FileTooLarge`.
pub fn read(path: &Path, bytes_max: u64) -> io::Result<String> {
    if fs::metadata(path)?.len() > bytes_max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    fs::read_to_string(path)
}

/// Reads a JSON file of at most `bytes_max`. Returns `None` if it is missing or invalid.
pub fn read_json<T: DeserializeOwned>(path: &Path, bytes_max: u64) -> Option<T> {
    serde_json::from_str(&read(path, bytes_max).ok()?).ok()
}

/// Replaces a JSON file atomically, creating its directory if needed.
pub fn replace_json(path: &Path, value: &impl Serialize) -> io::Result<()> {
    make_directory(path.parent().unwrap_or(Path::new(".")))?;
    replace(path, &serde_json::to_vec(value)?)
}

/// Removes a file; that there is none is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        let kept = fs::metadata(path).expect("it is there");
        kept.permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_reads_what_is_replaced_whoever_left_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let within = directory.path().join("a/b");
        make_directory(&within).expect("made");
        make_directory(&within).expect("there already");
        assert_eq!(mode(&within), 0o700);
        let path = within.join("kept.json");
        let left = within.join(format!("kept.{}.new", std::process::id()));
        for path in [&path, &left] {
            fs::write(path, "old").expect("written");
            fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("set");
        }
        replace(&path, b"new").expect("replaced");
        assert_eq!(mode(&path), 0o600);
        assert!(!left.exists());
        assert_eq!(read(&path, 3).expect("small"), "new");
        let kind = read(&path, 2).expect_err("large").kind();
        assert_eq!(kind, io::ErrorKind::FileTooLarge);
        remove(&path).expect("removed");
        remove(&path).expect("gone already");
    }

    #[test]
    fn what_cannot_be_put_in_place_leaves_nothing_behind() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("kept.json");
        fs::create_dir(&path).expect("in its way");
        replace(&path, b"new").expect_err("a directory stays");
        let names = fs::read_dir(directory.path()).expect("it is read").count();
        assert_eq!(names, 1);
    }
}
