//! Waiting for an instance to start.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::WaitOk;

use crate::error::Answer;

/// What somebody does in front of an instance that has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// They look who waits.
    Look,
    /// They wait.
    Wait,
    /// They wait no more.
    Stop,
}

/// Keeps who waits for scheduled instances to start.
#[async_trait]
pub trait WaitingStore: Send + Sync {
    /// Somebody waits for an instance that has not begun, only looks who does, or waits no more. Who
    /// waits has to say so again within [`plenary_shared::limits::WAITING_MS`]. `not_scheduled` once it
    /// has begun. Waiting no more needs no permission.
    async fn wait(&self, instance: InstanceId, user: &User, what: Waiting) -> Answer<WaitOk>;
    /// How many wait for each of these to begin.
    async fn waiting(&self, instances: &[InstanceId]) -> Answer<Vec<u32>>;
}
