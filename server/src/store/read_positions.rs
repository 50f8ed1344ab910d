//! How far each user has read each instance.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::Unread;

use crate::error::Answer;

/// How far a user has read an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPosition {
    pub user: UserId,
    pub instance: InstanceId,
    /// The last seq read.
    pub seq: Seq,
}

/// Keeps read positions and counts unread messages.
#[async_trait]
pub trait ReadPositionStore: Send + Sync {
    /// Stores read positions. A position never moves back.
    async fn save_positions(&self, positions: &[ReadPosition]) -> Answer<()>;
    /// Sends read positions to all other servers.
    async fn publish_read(&self, positions: &[ReadPosition]) -> Answer<()>;
    /// Returns what a user has not read of these instances. They have read at least up to the given seqs.
    async fn unread(&self, viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>>;
}
