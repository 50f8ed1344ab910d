//! Copying the live event log into the durable store.

use async_trait::async_trait;
use plenary_shared::ids::InstanceId;

use crate::error::Answer;

/// What the archive lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// The number of events, of all instances.
    pub events: u64,
    /// The age of the oldest of them, in milliseconds.
    pub oldest_ms: i64,
}

/// Copies live events into the archive.
#[async_trait]
pub trait ArchiveStore: Send + Sync {
    /// Returns every active or ending instance whose log is not completely archived.
    async fn archive_lag(&self) -> Answer<Vec<InstanceId>>;
    /// Returns how much of the live logs is not archived.
    async fn backlog(&self) -> Answer<Backlog>;
    /// Archives events of these instances and announces that in their feeds. Returns those that have more.
    async fn archive(&self, instances: &[InstanceId]) -> Answer<Vec<InstanceId>>;
}
