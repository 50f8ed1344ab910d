//! What an admin asks for: meetings, who may join them, and when they take place.

use serde::{Deserialize, Serialize};

use crate::domain::{InstanceState, Meeting};
use crate::ids::{InstanceId, MeetingId};
use crate::time::Timestamp;

/// A planning request. Its word is `action`. Answered by [`PlanOk`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Plan {
    /// A page of all meetings, by number.
    Meetings {
        /// Only those above this number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<MeetingId>,
    },
    /// One meeting.
    Meeting {
        /// Which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
    },
    /// A new meeting.
    Add {
        /// One line.
        title: String,
        /// What it is about.
        #[serde(default)]
        description: String,
        /// Whether anyone who is signed in may join.
        #[serde(default, rename = "isPublic")]
        is_public: bool,
        /// The addresses of those who may join, where it is private.
        #[serde(default)]
        audience: Vec<String>,
    },
    /// Another title, description or kind; what is missing stays.
    Edit {
        /// Which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// One line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// What it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Whether anyone who is signed in may join.
        #[serde(default, rename = "isPublic", skip_serializing_if = "Option::is_none")]
        is_public: Option<bool>,
    },
    /// Lets people join, and others not any more. Who is in stays in until they leave.
    Audience {
        /// Which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// Their addresses.
        #[serde(default)]
        add: Vec<String>,
        /// Their addresses.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// Lets the people of a list join. Lines that are wrong are reported, the others are taken.
    Import {
        /// Which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// CSV with a column `email`, or an address a line.
        text: String,
        /// Whether those who are not in the list may not join any more.
        #[serde(default)]
        replace: bool,
    },
    /// One more instance.
    Schedule {
        /// Of which meeting.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// When it begins.
        fromdatetime: Timestamp,
        /// When it is over.
        todatetime: Timestamp,
    },
    /// Another time for an instance that has not begun; `not_scheduled`.
    Move {
        /// Which.
        #[serde(flatten)]
        instance: InstanceId,
        /// When it begins.
        fromdatetime: Timestamp,
        /// When it is over.
        todatetime: Timestamp,
    },
    /// An instance that has not begun does not take place; `not_scheduled`.
    Cancel {
        /// Which.
        #[serde(flatten)]
        instance: InstanceId,
        /// Why: one line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// Meetings as they are planned now, and what is to be known of what was just done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanOk {
    /// The page that was asked for, or the meeting that was changed.
    pub meetings: Vec<PlannedMeeting>,
    /// Whether there are more behind the last.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The instance that was scheduled, moved or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// What is planned at the same time for some of the same people; of a page nothing is said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlaps: Vec<Overlap>,
    /// What became of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ImportReport>,
}

/// A meeting, who may join it, and when it takes place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedMeeting {
    /// The meeting.
    #[serde(flatten)]
    pub meeting: Meeting,
    /// The addresses of those who may join, where it is private.
    pub audience: Vec<String>,
    /// Its instances, by order.
    pub instances: Vec<PlannedInstance>,
}

/// One occurrence, as it is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlannedInstance {
    /// Which.
    #[serde(flatten)]
    pub id: InstanceId,
    /// When it begins.
    pub fromdatetime: Timestamp,
    /// When it is over.
    pub todatetime: Timestamp,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Why it ended; `cancelled` if it never took place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Something else at the same time, for some of the same people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overlap {
    /// Which.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The other meeting's title.
    pub title: String,
    /// When it begins.
    pub fromdatetime: Timestamp,
    /// When it is over.
    pub todatetime: Timestamp,
    /// How many people are expected at both.
    #[serde(rename = "sharedUsers")]
    pub shared_users: u32,
    /// The first of them, at most [`crate::limits::OVERLAP_EMAILS_MAX`].
    pub emails: Vec<String>,
}

/// What became of a list of addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportReport {
    /// Addresses that were not in the audience.
    pub added: u32,
    /// Addresses that were.
    pub existing: u32,
    /// Addresses that are not in it any more.
    pub removed: u32,
    /// Lines that are no address, by number: the first [`crate::limits::IMPORT_WRONG_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<RejectedLine>,
}

/// A line of a list that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedLine {
    /// Its number, from 1.
    pub line: u32,
    /// What stands there, shortened.
    pub text: String,
    /// Why it was not taken.
    pub reason: String,
}
