//! Planning: written to MySQL, then copied to Redis and announced to all servers.

use async_trait::async_trait;
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::protocol::Overlap;
use plenary_shared::time::Timestamp;

use super::RedisMysqlStore;
use crate::error::Answer;
use crate::store::AccessChange;
use crate::store::planning::{EditMeeting, Invitations, Invited, PlanningStore};

#[async_trait]
impl PlanningStore for RedisMysqlStore {
    async fn edit_meeting(
        &self,
        meeting: MeetingId,
        edit: &EditMeeting,
        by: Option<UserId>,
    ) -> Answer<()> {
        let now = (self.clock)();
        self.mysql.edit_meeting(meeting, edit, by, now).await?;
        self.publish_meeting(meeting).await;
        Ok(())
    }

    async fn change_audience(
        &self,
        meeting: MeetingId,
        change: &Invitations,
        by: Option<UserId>,
    ) -> Answer<Invited> {
        let now = (self.clock)();
        let invited = self.mysql.change_audience(meeting, change, by, now).await?;
        self.publish_meeting(meeting).await;
        Ok(invited)
    }

    async fn move_instance(
        &self,
        instance: InstanceId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<()> {
        let now = (self.clock)();
        self.mysql
            .move_instance(instance, (from, to), by, now)
            .await?;
        self.publish_changed().await;
        Ok(())
    }

    async fn cancel(
        &self,
        instance: InstanceId,
        reason: Option<&str>,
        by: Option<UserId>,
    ) -> Answer<()> {
        let now = (self.clock)();
        self.mysql.cancel(instance, reason, by, now).await?;
        self.publish_changed().await;
        Ok(())
    }

    async fn overlaps(&self, meeting: MeetingId) -> Answer<Vec<(InstanceId, Overlap)>> {
        self.mysql.overlaps(meeting).await
    }
}

impl RedisMysqlStore {
    /// Copies a changed meeting to its live instances and notifies all servers. The next sweep repairs what
    /// fails here.
    async fn publish_meeting(&self, meeting: MeetingId) {
        if let Err(error) = self.update_live_meetings(Some(meeting)).await {
            tracing::warn!(%meeting, %error, "meeting not updated in Redis, retrying later");
        }
        let access = AccessChange::Meeting(meeting);
        if let Err(fault) = self.redis.publish_access(access).await {
            tracing::warn!(%meeting, %fault, "access not published, sockets notice it later");
        }
        self.publish_changed().await;
    }

    /// Copies one meeting, or all, from MySQL to their live instances.
    pub(super) async fn update_live_meetings(&self, only: Option<MeetingId>) -> Answer<()> {
        let plans = self.mysql.live_plans(only).await?;
        let _ = self
            .with_recovery(|| self.redis.update_meetings(&plans))
            .await?;
        Ok(())
    }

    /// Copies a meeting to an instance that has just started, if it was changed in between.
    pub(super) async fn catch_up(&self, meeting: MeetingId, revision: u64) {
        match self.mysql.revision(meeting).await {
            Ok(now) if now == revision => {}
            Ok(_) => self.publish_meeting(meeting).await,
            Err(error) => {
                tracing::debug!(%meeting, %error, "meeting revision not read, retrying later");
            }
        }
    }
}
