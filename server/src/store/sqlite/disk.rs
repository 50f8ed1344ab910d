//! The free space of the file system with the data file.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use plenary_shared::time::Timestamp;

use crate::rate_limits::WriteLimits;
use crate::store::{DiskSpace, LimitStore};

use super::SqliteStore;

/// How long a measured value is used, in milliseconds. A second of posts at full speed needs a small part of any
/// sensible reserve.
const FRESH_MS: i64 = 1_000;

/// The file system with the data file.
pub(super) struct Disk {
    directory: PathBuf,
    /// When it was measured, and the free bytes; `None`: the system did not tell.
    measured: Mutex<Option<(Timestamp, Option<u64>)>>,
}

impl Disk {
    pub(super) fn of(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            measured: Mutex::new(None),
        }
    }

    /// Returns the free space in bytes, measured at most [`FRESH_MS`] ago.
    pub(super) fn free_bytes(&self, now: Timestamp) -> Option<u64> {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, bytes)) = *measured
            && (0..FRESH_MS).contains(&now.ms_since(at))
        {
            return bytes;
        }
        let bytes = free_bytes(&self.directory).ok();
        *measured = Some((now, bytes));
        bytes
    }
}

impl LimitStore for SqliteStore {
    fn limits(&self) -> WriteLimits {
        self.limits.get()
    }

    fn set_limits(&self, limits: WriteLimits) {
        self.limits.set(limits);
    }

    fn disk(&self) -> Option<DiskSpace> {
        Some(DiskSpace {
            free_bytes: self.disk.free_bytes(self.now())?,
            reserve_bytes: self.limits.get().disk_reserve_bytes,
        })
    }
}

/// Returns the space in bytes that this process may use in a file system.
pub(super) fn free_bytes(directory: &Path) -> rustix::io::Result<u64> {
    let found = rustix::fs::statvfs(directory)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
