//! Joining and leaving: one Redis script each.

use async_trait::async_trait;
use plenary_shared::domain::{Participant, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{Absent, JoinTimes, Posted};

use crate::error::Answer;
use crate::store::{ConnectionId, ParticipationStore};

use super::RedisMysqlStore;

#[async_trait]
impl ParticipationStore for RedisMysqlStore {
    async fn join(
        &self,
        instance: InstanceId,
        user: &User,
        connection: Option<&ConnectionId>,
    ) -> Answer<Posted> {
        self.run_for(instance, user, || {
            self.redis.join(instance, user, connection)
        })
        .await
    }

    async fn leave(&self, instance: InstanceId, user: &User) -> Answer<Posted> {
        self.run_for(instance, user, || self.redis.leave(instance, user))
            .await
    }

    async fn people(&self, instance: InstanceId, viewer: &User) -> Answer<Vec<Participant>> {
        let people = self.run_for(instance, viewer, || self.redis.people(instance, viewer));
        Ok(people.await?.1)
    }

    async fn absent(&self, instance: InstanceId, limit: usize) -> Answer<Option<Absent>> {
        self.mysql.absent(instance, limit).await
    }

    async fn join_times(&self, viewer: &User) -> Answer<Vec<JoinTimes>> {
        let found = self.with_recovery(|| self.redis.join_times(viewer)).await?;
        Ok(found.unwrap_or_default())
    }
}
