//! Connections, stays and leases: one Redis script each.

use async_trait::async_trait;
use plenary_shared::domain::{Reason, User};
use plenary_shared::ids::InstanceId;

use crate::error::Answer;
use crate::store::{ConnectionId, NodeId, PresenceStore};

use super::RedisMysqlStore;

#[async_trait]
impl PresenceStore for RedisMysqlStore {
    async fn bind(
        &self,
        instance: InstanceId,
        user: &User,
        connection: &ConnectionId,
    ) -> Answer<()> {
        self.run_for(instance, user, || {
            self.redis.bind(instance, user, connection)
        })
        .await
    }

    async fn detach(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        silent_ms: i64,
    ) -> Answer<()> {
        // An instance that is not live has no stays.
        let _ = self
            .with_recovery(|| self.redis.detach(instance, connection, silent_ms))
            .await?;
        Ok(())
    }

    async fn release(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        reason: Reason,
    ) -> Answer<()> {
        // An instance that is not live has no stays.
        let _ = self
            .with_recovery(|| self.redis.release(instance, connection, reason))
            .await?;
        Ok(())
    }

    async fn idle(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        idle_ms: Option<i64>,
    ) -> Answer<()> {
        // An instance that is not live has no participants.
        let _ = self
            .with_recovery(|| self.redis.idle(instance, connection, idle_ms))
            .await?;
        Ok(())
    }

    async fn reap(&self, instance: InstanceId, grace_ms: i64) -> Answer<usize> {
        let reaped = self
            .with_recovery(|| self.redis.reap(instance, grace_ms))
            .await?;
        Ok(reaped.unwrap_or(0))
    }

    async fn renew_lease(&self, node: &NodeId, lease_ms: i64) -> Answer<Vec<NodeId>> {
        let found = self
            .with_recovery(|| self.redis.renew_lease(node, lease_ms))
            .await?;
        Ok(found.map(|(_, nodes)| nodes).unwrap_or_default())
    }

    async fn reap_all(&self, grace_ms: i64) -> Answer<usize> {
        let active = self.redis.active().await?;
        let store_now = self.with_recovery(|| self.redis.store_now()).await?;
        let Ok(now_ms) = store_now else { return Ok(0) };
        let mut reaped = 0;
        let _ = self
            .with_recovery(|| self.redis.mark_dead_nodes(now_ms, &active))
            .await?;
        for id in self.redis.to_reap(&active, now_ms - grace_ms).await? {
            let done = self.with_recovery(|| self.redis.reap(id, grace_ms)).await?;
            reaped += done.unwrap_or(0);
        }
        Ok(reaped)
    }
}
