//! Planning requests of admins: meetings, their audiences and their instances.

use serde::{Deserialize, Serialize};

use crate::domain::{InstanceState, Meeting, Reason};
use crate::ids::{InstanceId, MeetingId};
use crate::time::Timestamp;

/// A planning request. Its word is `action`. Answered by [`PlanOk`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Plan {
    /// Lists a page of all meetings, by id.
    Meetings {
        /// Only meetings with a higher id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<MeetingId>,
    },
    /// Reads one meeting.
    Meeting {
        /// The meeting or instance.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
    },
    /// Adds a meeting.
    Add {
        /// The title: one line.
        title: String,
        /// The description.
        #[serde(default)]
        description: String,
        /// Whether every user may join.
        #[serde(default, rename = "isPublic")]
        is_public: bool,
        /// The email addresses of the audience of a private meeting.
        #[serde(default)]
        audience: Vec<String>,
    },
    /// Edits a meeting. Fields that are left out keep their value.
    Edit {
        /// The meeting or instance.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// The title: one line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Whether every user may join.
        #[serde(default, rename = "isPublic", skip_serializing_if = "Option::is_none")]
        is_public: Option<bool>,
    },
    /// Changes the audience. Participants stay until they leave.
    Audience {
        /// The meeting or instance.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// The email addresses to add.
        #[serde(default)]
        add: Vec<String>,
        /// The email addresses to remove.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// Adds the email addresses of a list to the audience. Invalid lines are reported and skipped.
    Import {
        /// The meeting or instance.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// CSV with a column `email`, or one email address per line.
        text: String,
        /// Whether to remove users who are not on the list.
        #[serde(default)]
        replace: bool,
    },
    /// Schedules an instance.
    Schedule {
        /// The meeting.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// The start.
        fromdatetime: Timestamp,
        /// The end.
        todatetime: Timestamp,
    },
    /// Moves an instance that has not started. Rejected with `not_scheduled` otherwise.
    Move {
        /// The meeting or instance.
        #[serde(flatten)]
        instance: InstanceId,
        /// The start.
        fromdatetime: Timestamp,
        /// The end.
        todatetime: Timestamp,
    },
    /// Cancels an instance that has not started. Rejected with `not_scheduled` otherwise.
    Cancel {
        /// The meeting or instance.
        #[serde(flatten)]
        instance: InstanceId,
        /// The reason: one line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// The answer to a planning request: the meetings as planned now, and the effects of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanOk {
    /// The requested page, or the changed meeting.
    pub meetings: Vec<PlannedMeeting>,
    /// Whether there are more meetings after the last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The instance that was scheduled, moved or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// Instances at the same time with some of the same users. Empty for a page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlaps: Vec<Overlap>,
    /// The result of an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ImportReport>,
}

/// A meeting with its audience and instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedMeeting {
    /// The meeting.
    #[serde(flatten)]
    pub meeting: Meeting,
    /// The email addresses of the audience of a private meeting.
    pub audience: Vec<String>,
    /// The instances, by order.
    pub instances: Vec<PlannedInstance>,
}

/// A planned instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedInstance {
    /// The instance.
    #[serde(flatten)]
    pub id: InstanceId,
    /// The start.
    pub fromdatetime: Timestamp,
    /// The end.
    pub todatetime: Timestamp,
    /// The state.
    pub state: InstanceState,
    /// Why it ended; `cancelled` if it did not take place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it really ended, which is before `todatetime` if an admin ended it.
    #[serde(default, rename = "endedAt", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl PlannedInstance {
    /// The end: the real one if an admin ended it early, otherwise the scheduled one.
    pub fn end(&self) -> Timestamp {
        let is_cancelled = self.reason.as_deref() == Some(Reason::Cancelled.as_str());
        let early = self.ended_at.filter(|_| !is_cancelled);
        early.map_or(self.todatetime, |at| at.min(self.todatetime))
    }
}

/// Another instance at the same time with some of the same users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overlap {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The title of the other meeting.
    pub title: String,
    /// The start.
    pub fromdatetime: Timestamp,
    /// The end.
    pub todatetime: Timestamp,
    /// The number of users who are expected at both.
    #[serde(rename = "sharedUsers")]
    pub shared_users: u32,
    /// The email addresses of the first of them, at most [`crate::limits::OVERLAP_EMAILS_MAX`].
    pub emails: Vec<String>,
}

/// The result of importing a list of email addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportReport {
    /// Addresses that were added.
    pub added: u32,
    /// Addresses that were in the audience before.
    pub existing: u32,
    /// Addresses that were removed.
    pub removed: u32,
    /// The first [`crate::limits::IMPORT_WRONG_MAX`] invalid lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<RejectedLine>,
}

/// An invalid line of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedLine {
    /// The line number, from 1.
    pub line: u32,
    /// The text of the line, shortened.
    pub text: String,
    /// Why the line is invalid.
    pub reason: String,
}
