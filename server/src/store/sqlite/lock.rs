//! A file lock that limits a data directory to one server. The operating system releases it when the
//! process ends. The file has the process id, for the error of a second server.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::OpenError;

/// The name of the lock file.
pub(super) const NAME: &str = "plenary.lock";

/// The longest process id that is read.
const PID_BYTES_MAX: u64 = 20;

/// The lock of a running server.
#[derive(Debug)]
pub(super) struct Lock {
    /// The lock is held while the file is open.
    _file: File,
}

impl Lock {
    /// Takes the lock of a directory; the error names the process that has it.
    pub(super) fn take(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(NAME);
        let unusable = |source| OpenError::Unusable {
            path: path.clone(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.take(PID_BYTES_MAX)
                    .read_to_string(&mut pid)
                    .map_err(unusable)?;
                let pid = pid.trim().to_owned();
                let path = directory.to_owned();
                return Err(OpenError::Served { path, pid });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        // A leftover pid belongs to a process that was killed.
        file.set_len(0).map_err(unusable)?;
        file.rewind().map_err(unusable)?;
        writeln!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { _file: file })
    }

    /// The id of the process that serves a directory, if one does. Does not block a starting server.
    pub(super) fn holder(directory: &Path) -> Option<String> {
        let mut file = File::open(directory.join(NAME)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let mut file = (&mut file).take(PID_BYTES_MAX);
                file.read_to_string(&mut pid).ok()?;
                Some(pid.trim().to_owned())
            }
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}
