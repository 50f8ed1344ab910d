//! Waiting for scheduled instances to start.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::WaitOk;

use crate::error::Answer;

/// What a user does at an instance that has not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Only lists who waits.
    Look,
    /// Starts or renews waiting.
    Wait,
    Stop,
}

/// Keeps lists of users who wait for scheduled instances.
#[async_trait]
pub trait WaitingStore: Send + Sync {
    /// Starts, renews or stops waiting, or only lists who waits. Waiting expires unless renewed within
    /// [`plenary_shared::limits::WAITING_MS`]. `not_scheduled` once the instance has started. Stopping needs no
    /// permission.
    async fn wait(&self, instance: InstanceId, user: &User, what: Waiting) -> Answer<WaitOk>;
    /// Returns how many users wait for each of these instances.
    async fn waiting(&self, instances: &[InstanceId]) -> Answer<Vec<u32>>;
}
