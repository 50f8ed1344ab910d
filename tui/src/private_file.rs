//! Files that only their owner can access, written atomically.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Creates a directory and its parents with mode 0700. Existing directories keep their mode.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates an empty file with mode 0600, replacing an existing one.
pub fn create(path: &Path) -> io::Result<File> {
    // A file left by a killed process would keep its mode.
    remove(path)?;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Replaces a file atomically, also across a power failure. Its directory must exist.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    create(&new)
        .and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path))
        .inspect_err(|_| {
            // The first error is the one to report.
            let _ = fs::remove_file(&new);
        })
}

/// Reads a text file. Fails with the kind `FileTooLarge` if it exceeds `bytes_max`.
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

/// Removes a file if it exists.
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
        let metadata = fs::metadata(path).expect("the file exists");
        metadata.permissions().mode() & 0o777
    }

    #[test]
    fn replaced_file_is_private_even_if_others_existed() {
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
    fn failed_replace_leaves_no_temporary_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("kept.json");
        fs::create_dir(&path).expect("in its way");
        replace(&path, b"new").expect_err("a directory stays");
        let names = fs::read_dir(directory.path()).expect("it is read").count();
        assert_eq!(names, 1);
    }
}
