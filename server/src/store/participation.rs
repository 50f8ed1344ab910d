//! Joining and leaving instances, and the participants.

use async_trait::async_trait;
use plenary_shared::domain::{Participant, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{Absent, JoinTimes, Posted};

use crate::error::Answer;

use super::presence::ConnectionId;

/// Adds, removes and lists participants.
#[async_trait]
pub trait ParticipationStore: Send + Sync {
    /// Makes a user a participant; emits `join`. Binds the connection, if any, to the stay.
    async fn join(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
    ) -> Answer<Posted>;
    /// Ends the stay of a participant; emits `leave`.
    async fn leave(&self, instance: InstanceId, user: &User) -> Answer<Posted>;
    /// Returns the participants of an active instance in the order of joining.
    async fn people(&self, instance: InstanceId, viewer: &User) -> Answer<Vec<Participant>>;
    /// Returns the members of the audience who have not joined according to the archive: at most `limit`, by
    /// name. `None`: the instance is public or unknown. Checks no permission.
    async fn absent(&self, instance: InstanceId, limit: usize) -> Answer<Option<Absent>>;
    /// Returns when the participants of every active instance joined.
    async fn join_times(&self, viewer: &User) -> Answer<Vec<JoinTimes>>;
}
