//! How far each user has read each instance.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::Unread;

use crate::error::Answer;

/// How far somebody has read an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPosition {
    /// Who.
    pub user: UserId,
    /// Where.
    pub instance: InstanceId,
    /// The last seq that they read.
    pub seq: Seq,
}

/// Keeps read positions and counts unread messages.
#[async_trait]
pub trait ReadPositionStore: Send + Sync {
    /// Writes how far people have read, each only forwards.
    async fn keep_positions(&self, positions: &[ReadPosition]) -> Answer<()>;
    /// Tells every other server how far people have read.
    async fn tell_read(&self, positions: &[ReadPosition]) -> Answer<()>;
    /// What somebody has not read yet of instances that they may read: where they have read at
    /// least up to these seqs.
    async fn unread(&self, viewer: &User, known: &[(InstanceId, Seq)]) -> Answer<Vec<Unread>>;
}
