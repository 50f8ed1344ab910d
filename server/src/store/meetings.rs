//! Meetings and their instances: added by admins, listed for everybody.

use async_trait::async_trait;
use plenary_shared::domain::{Instance, Meeting, User};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::time::Timestamp;

use crate::error::Answer;

use super::PlannedMeeting;

/// A meeting to add.
#[derive(Clone, Debug)]
pub struct NewMeeting {
    /// The title: one line.
    pub title: String,
    /// The description; may be empty.
    pub description: String,
    /// Whether every user may join.
    pub is_public: bool,
    /// The audience of a private meeting: email addresses in lower case.
    pub audience: Vec<String>,
    /// The admin who adds it, for the audit; `None`: the command line.
    pub by: Option<UserId>,
}

/// Adds and lists meetings and instances.
#[async_trait]
pub trait MeetingStore: Send + Sync {
    /// Adds a meeting with its audience.
    async fn add_meeting(&self, new: NewMeeting) -> Answer<Meeting>;
    /// Adds an instance with the next order number. `by`: the admin, for the audit.
    async fn schedule(
        &self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<InstanceId>;
    /// Returns a meeting with its audience and instances.
    async fn meeting(&self, id: MeetingId) -> Answer<Option<PlannedMeeting>>;
    /// Returns a page of all meetings with audience and instances, by id, above `after`.
    async fn meetings(&self, after: Option<MeetingId>, limit: usize)
    -> Answer<Vec<PlannedMeeting>>;
    /// Returns the instances that this user may see: active, upcoming, and recently ended.
    async fn visible(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>>;
    /// Returns the active instances that this user may see.
    async fn active_meetings(&self, viewer: &User) -> Answer<Vec<Instance>>;
}
