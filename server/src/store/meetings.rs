//! Meetings and their instances: added by admins, listed for everybody.

use async_trait::async_trait;
use plenary_shared::domain::{Instance, Meeting, User};
use plenary_shared::ids::{InstanceId, MeetingId, UserId};
use plenary_shared::time::Timestamp;

use crate::error::Answer;

use super::Planned;

/// A meeting to be added.
#[derive(Clone, Debug)]
pub struct NewMeeting {
    /// One line.
    pub title: String,
    /// Any text, or none.
    pub description: String,
    /// Whether anyone who is signed in may join.
    pub is_public: bool,
    /// Who may join otherwise: addresses in lower case.
    pub audience: Vec<String>,
    /// The admin who adds it, for the audit; nobody where it is the command line.
    pub by: Option<UserId>,
}

/// Adds and lists meetings and instances.
#[async_trait]
pub trait MeetingStore: Send + Sync {
    /// Adds a meeting with its audience.
    async fn add_meeting(&self, new: NewMeeting) -> Answer<Meeting>;
    /// Adds an instance; its order is the meeting's next. `by`: the admin, for the audit.
    async fn schedule(
        &self,
        meeting: MeetingId,
        from: Timestamp,
        to: Timestamp,
        by: Option<UserId>,
    ) -> Answer<InstanceId>;
    /// A meeting with its audience and instances.
    async fn meeting(&self, id: MeetingId) -> Answer<Option<Planned>>;
    /// A page of all meetings with audience and instances, by id, above `after`.
    async fn meetings(&self, after: Option<MeetingId>, limit: usize) -> Answer<Vec<Planned>>;
    /// What this person may see: active, coming, and lately ended instances.
    async fn visible(&self, viewer: &User, now: Timestamp) -> Answer<Vec<Instance>>;
    /// The active instances this person may see.
    async fn active_meetings(&self, viewer: &User) -> Answer<Vec<Instance>>;
}
