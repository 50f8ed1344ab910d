//! Joining and leaving an instance, and who participates.

use async_trait::async_trait;
use plenary_shared::domain::{Participant, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{Absent, JoinTimes, Posted};

use crate::error::Answer;

use super::presence::ConnectionId;

/// Makes users participants of live instances, and lists them.
#[async_trait]
pub trait ParticipationStore: Send + Sync {
    /// Becomes a participant; emits `join`. Binds the connection to the stay, if there is one.
    async fn join(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
    ) -> Answer<Posted>;
    /// Is a participant no longer; emits `leave`.
    async fn leave(&self, instance: InstanceId, user: &User) -> Answer<Posted>;
    /// The participants of an active instance, in the order of joining.
    async fn people(&self, instance: InstanceId, viewer: &User) -> Answer<Vec<Participant>>;
    /// Who is invited to a private instance and has not been in, as far as the archive knows: so many
    /// at most, by name. `None`: it is public, or there is none. Asks no permission.
    async fn absent(&self, instance: InstanceId, limit: usize) -> Answer<Option<Absent>>;
    /// When the participants of every active instance joined.
    async fn join_times(&self, viewer: &User) -> Answer<Vec<JoinTimes>>;
}
