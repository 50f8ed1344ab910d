//! Copying the live event log into the durable store.

use async_trait::async_trait;
use plenary_shared::ids::InstanceId;

use crate::error::Answer;

/// What the archive does not have yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events, of all instances.
    pub events: u64,
    /// How long ago the oldest of them happened, in milliseconds.
    pub oldest_ms: i64,
}

/// Copies live events into the archive.
#[async_trait]
pub trait ArchiveStore: Send + Sync {
    /// Every active or ending instance that has events which the archive has not.
    async fn archive_lag(&self) -> Answer<Vec<InstanceId>>;
    /// How much of what is live is not archived.
    async fn backlog(&self) -> Answer<Backlog>;
    /// Brings these instances' events into the archive, and says so in their feeds.
    /// Which of them have more that can be brought in at once.
    async fn archive(&self, instances: &[InstanceId]) -> Answer<Vec<InstanceId>>;
}
