//! Planning: written into what lasts, then told to what is live and to every server.

use async_trait::async_trait;
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::protocol::Overlap;
use plenary_shared::time::Timestamp;

use super::RedisMysqlStore;
use crate::error::Answer;
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
        self.followed(meeting).await;
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
        self.followed(meeting).await;
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
        self.notice_changed().await;
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
        self.notice_changed().await;
        Ok(())
    }

    async fn overlaps(&self, meeting: MeetingId) -> Answer<Vec<(InstanceId, Overlap)>> {
        self.mysql.overlaps(meeting).await
    }
}

impl RedisMysqlStore {
    /// What is live of a meeting follows what was written, and everybody is told. It is written: what
    /// fails here is made good by the next sweep.
    async fn followed(&self, meeting: MeetingId) {
        if let Err(error) = self.tell_plans(Some(meeting)).await {
            tracing::warn!(%meeting, %error, "what is live follows the change later");
        }
        self.notice_changed().await;
    }

    /// Brings what lasts says of meetings to what is live of them; of one meeting, or of all.
    pub(super) async fn tell_plans(&self, only: Option<MeetingId>) -> Answer<()> {
        let plans = self.mysql.live_plans(only).await?;
        let _ = self.tried(|| self.redis.set_plans(&plans)).await?;
        Ok(())
    }

    /// The same for what has just begun, if its meeting was changed since it was read.
    pub(super) async fn catch_up(&self, meeting: MeetingId, revision: u64) {
        match self.mysql.revision(meeting).await {
            Ok(now) if now == revision => {}
            Ok(_) => self.followed(meeting).await,
            Err(error) => {
                tracing::debug!(%meeting, %error, "changes of a meeting that has begun come later");
            }
        }
    }
}
