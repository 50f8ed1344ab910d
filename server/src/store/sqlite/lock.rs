//! One server a file: a lock of the operating system's, which ends with the process, however that
//! ends, and beside it the process' number for whoever comes second.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::OpenError;

/// The name of the lock's file.
pub(super) const NAME: &str = "plenary.lock";

/// The longest number of a process that is read.
const PID_BYTES_MAX: u64 = 20;

/// Held as long as the server runs.
#[derive(Debug)]
pub(super) struct Lock {
    /// The lock is the file's as long as it is open.
    _file: File,
}

impl Lock {
    /// Takes the lock of a directory, or says who has it.
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
        // A number that is left here is of a process that ended without a word.
        file.set_len(0).map_err(unusable)?;
        file.rewind().map_err(unusable)?;
        writeln!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { _file: file })
    }

    /// The number of the process that serves a directory, if one does. Takes no lock that another
    /// would wait for.
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
