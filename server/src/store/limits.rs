//! The limits that a store applies to writes.

use crate::rate_limits::WriteLimits;

/// The free space of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that the server may use.
    pub free_bytes: u64,
    /// Free bytes below which posts are refused; 0: they never are.
    pub reserve_bytes: u64,
}

/// Reads and sets the limits. A new store has none.
pub trait LimitStore: Send + Sync {
    /// Returns how fast users may write.
    fn limits(&self) -> WriteLimits;
    /// Sets how fast users may write from now on.
    fn set_limits(&self, limits: WriteLimits);
    /// Returns the free space for the data, if the store writes to a disk of this machine.
    fn disk(&self) -> Option<DiskSpace>;
}
