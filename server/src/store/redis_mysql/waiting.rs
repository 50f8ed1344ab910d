//! Waiting for scheduled instances.

use async_trait::async_trait;
use plenary_shared::domain::{InstanceState, User};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::WaitOk;

use crate::error::Answer;
use crate::store::{Waiting, WaitingStore, refusal};

use super::RedisMysqlStore;

#[async_trait]
impl WaitingStore for RedisMysqlStore {
    async fn wait(&self, id: InstanceId, user: &User, what: Waiting) -> Answer<WaitOk> {
        if what != Waiting::Stop {
            self.may_wait(id, user).await?;
        }
        self.run_for(id, user, || self.redis.wait(id, user, what))
            .await
    }

    async fn waiting(&self, instances: &[InstanceId]) -> Answer<Vec<u32>> {
        Ok(self.redis.waiting(instances).await?)
    }
}

impl RedisMysqlStore {
    /// Checks whether a user may wait for an instance and see who waits.
    async fn may_wait(&self, id: InstanceId, viewer: &User) -> Answer<()> {
        let state = self.mysql.stored(id).await?.map(|stored| stored.state);
        match state {
            Some(InstanceState::Scheduled) if self.mysql.may_read(id, viewer).await? => Ok(()),
            Some(InstanceState::Active) if self.mysql.may_read(id, viewer).await? => {
                Err(refusal::started(id).into())
            }
            Some(_) | None => Err(self.why_not_live(id, viewer).await?.into()),
        }
    }
}
