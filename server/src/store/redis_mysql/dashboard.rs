//! The dashboard's data: the schedule and the event log from MySQL, current figures from Redis.

use async_trait::async_trait;
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::ServerStatus;
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Fault};
use crate::store::dashboard::{Attended, Counted, DashboardStore, Denial, Holder, Listed, Now};

use super::RedisMysqlStore;

/// How long a dashboard waits for MySQL, in milliseconds. Then it keeps what it knows.
const LISTED_MS: u64 = 1_000;

#[async_trait]
impl DashboardStore for RedisMysqlStore {
    async fn listed(&self, soon: Timestamp, since: Timestamp) -> Answer<Vec<Listed>> {
        let asking = Box::pin(self.mysql.overview(soon, since));
        let answer = self.mysql.instrument().within(LISTED_MS, asking).await;
        answer.unwrap_or_else(|| {
            Err(Fault::unavailable("MySQL", "it does not answer in time").into())
        })
    }

    async fn recorded(&self, instance: InstanceId, upto: Seq) -> Answer<Counted> {
        self.mysql.recorded(instance, upto).await
    }

    async fn now(&self, asked: &[(InstanceId, Seq)]) -> Answer<Vec<Option<Now>>> {
        let found = self.with_recovery(|| self.redis.overview(asked)).await?;
        Ok(found.unwrap_or_else(|_| asked.iter().map(|_| None).collect()))
    }

    async fn attended(&self, instance: InstanceId, upto: Seq) -> Answer<Attended> {
        self.mysql.attended(instance, upto).await
    }

    async fn holders(&self, instances: &[InstanceId]) -> Answer<Vec<Vec<Holder>>> {
        let found = self.with_recovery(|| self.redis.holders(instances)).await?;
        Ok(found.unwrap_or_else(|_| instances.iter().map(|_| Vec::new()).collect()))
    }

    async fn publish_denied(&self, denial: &Denial) -> Answer<()> {
        Ok(self.redis.publish_denied(denial).await?)
    }

    async fn publish_server(&self, server: &ServerStatus) -> Answer<()> {
        Ok(self.redis.publish_server(server).await?)
    }
}
