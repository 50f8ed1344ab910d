//! Meetings: MySQL has them, Redis has the participants.

use async_trait::async_trait;
use plenary_shared::domain::{Instance, Meeting, User};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Error, Fault};
use crate::store::{MeetingStore, NewMeeting, PlannedMeeting};

use super::RedisMysqlStore;

#[async_trait]
impl MeetingStore for RedisMysqlStore {
    async fn add_meeting(&self, new: NewMeeting) -> Answer<Meeting> {
        let meeting = self.mysql.add_meeting(new, (self.clock)()).await?;
        self.publish_changed().await;
        Ok(meeting)
    }

    async fn schedule(
        &self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<InstanceId> {
        let now = (self.clock)();
        let id = self.mysql.schedule(meeting, (from, to), by, now).await?;
        self.publish_changed().await;
        Ok(id)
    }

    async fn meeting(&self, id: MeetingId) -> Answer<Option<PlannedMeeting>> {
        self.mysql.meeting(id).await
    }

    async fn meetings(
        &self,
        after: Option<MeetingId>,
        limit: usize,
    ) -> Answer<Vec<PlannedMeeting>> {
        self.mysql.meetings(after, limit).await
    }

    async fn visible(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>> {
        let mut listed = match self.mysql.listed(viewer, now).await {
            Ok(listed) => listed,
            Err(Error::Fault(Fault::Unavailable { .. })) => {
                // The live instances are known without MySQL.
                let found = self
                    .with_recovery(|| self.redis.active_meetings(viewer))
                    .await?;
                return Ok(found.unwrap_or_default());
            }
            Err(other) => return Err(other),
        };
        let live = self
            .with_recovery(|| self.redis.active_meetings(viewer))
            .await?
            .unwrap_or_default();
        for mut one in live {
            match listed.iter_mut().find(|listed| listed.id == one.id) {
                Some(listed) => {
                    listed.participants = one.participants;
                    listed.joined = one.joined;
                }
                // Participants see it even if they are not invited anymore.
                None if one.joined.is_some() => {
                    if let Some(stored) = self.mysql.stored(one.id).await? {
                        one.state = stored.state;
                    }
                    listed.push(one);
                }
                None => {}
            }
        }
        listed.sort_by_key(|one| (one.fromdatetime, one.id));
        Ok(listed)
    }

    async fn active_meetings(&self, viewer: &User) -> Answer<Vec<Instance>> {
        let found = self
            .with_recovery(|| self.redis.active_meetings(viewer))
            .await?;
        Ok(found.unwrap_or_default())
    }
}
