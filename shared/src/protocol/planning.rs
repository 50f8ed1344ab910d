//! What an admin plans: meetings, who may join them, and when they take place.

use serde::{Deserialize, Serialize};

use crate::domain::{InstanceState, Meeting};
use crate::ids::{InstanceId, MeetingId};
use crate::time::Timestamp;

/// See [`super::Verb::Plan`]. The word is `do`; every one is answered by [`PlanOk`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Plan {
    /// A page of all meetings, by number.
    Meetings {
        /// Only those above this number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<MeetingId>,
    },
    /// One meeting with its whole audience.
    Meeting {
        /// Which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
    },
    /// Adds a meeting.
    Add(AddMeeting),
    /// Changes a meeting; what is live follows at once.
    Edit {
        /// Which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// What of it.
        #[serde(flatten)]
        edit: EditMeeting,
    },
    /// Invites people, or invites them no more. Whoever is in stays in until they leave.
    Audience {
        /// Which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// Whom.
        #[serde(flatten)]
        change: ChangeAudience,
    },
    /// Invites everybody on a list.
    Import {
        /// Which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// The list: CSV, or an address a line.
        text: String,
        /// Whoever is not on the list is invited no more.
        #[serde(default)]
        replace: bool,
        /// One wrong line, and nothing is changed.
        #[serde(default)]
        strict: bool,
    },
    /// Adds an instance.
    Schedule {
        /// Of which.
        #[serde(rename = "meetingID")]
        meeting: MeetingId,
        /// When.
        #[serde(flatten)]
        times: Times,
    },
    /// Gives another time to an instance that has not begun. `not_scheduled`.
    Move {
        /// Which.
        #[serde(flatten)]
        instance: InstanceId,
        /// When.
        #[serde(flatten)]
        times: Times,
    },
    /// Calls off an instance that has not begun. `not_scheduled`.
    Cancel {
        /// Which.
        #[serde(flatten)]
        instance: InstanceId,
        /// Why: one line, for the audit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// A meeting to be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddMeeting {
    /// One line.
    pub title: String,
    /// Any text, or none.
    #[serde(default)]
    pub description: String,
    /// Whether anyone who is signed in may join.
    #[serde(default, rename = "isPublic")]
    pub is_public: bool,
    /// The addresses of those who may join a private one; nobody need have them yet.
    #[serde(default)]
    pub audience: Vec<String>,
}

/// What of a meeting is changed; what is missing stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EditMeeting {
    /// One line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Any text, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether anyone who is signed in may join.
    #[serde(default, rename = "isPublic", skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
}

/// Who is invited, and who is not any more: addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeAudience {
    /// May join from now on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<String>,
    /// May join no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// When an instance takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Times {
    /// When it begins.
    pub fromdatetime: Timestamp,
    /// When it is over.
    pub todatetime: Timestamp,
}

/// The answer to [`Plan`]: how things are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanOk {
    /// By number: the page, or the one meeting that was meant.
    pub meetings: Vec<MeetingListed>,
    /// Whether there are more behind the page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
    /// The instance that was scheduled, moved or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    /// What takes place at the same time for the same people; of a page, nothing is said.
    #[serde(default)]
    pub overlaps: Vec<Overlap>,
    /// What became of the addresses, where some were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<AudienceReport>,
}

/// A meeting with who may join it and when it takes place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeetingListed {
    /// The meeting.
    #[serde(flatten)]
    pub meeting: Meeting,
    /// How many addresses are in its audience.
    pub invited: usize,
    /// Who may join it, if it is private; in a page of several meetings, only the first
    /// [`crate::limits::AUDIENCE_SHOWN_MAX`].
    pub audience: Vec<String>,
    /// Its instances, by order.
    pub instances: Vec<InstanceListed>,
}

/// An instance as a list for admins shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InstanceListed {
    /// Which.
    #[serde(flatten)]
    pub id: InstanceId,
    /// When it begins.
    pub fromdatetime: Timestamp,
    /// When it is over.
    pub todatetime: Timestamp,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Why it ended; `cancelled`: it never began.
    pub reason: Option<String>,
}

/// Two instances at the same time, and people who are invited to both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overlap {
    /// The one of the meeting that is spoken of.
    pub instance: InstanceId,
    /// The other, of another meeting or the same.
    pub other: InstanceId,
    /// The other's title.
    pub title: String,
    /// When the other begins.
    pub fromdatetime: Timestamp,
    /// When the other is over.
    pub todatetime: Timestamp,
    /// How many addresses are in both audiences.
    pub people: usize,
    /// The first of them: at most [`crate::limits::OVERLAP_EMAILS_MAX`].
    pub emails: Vec<String>,
}

/// What became of the addresses that were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AudienceReport {
    /// How many may join who could not before.
    pub added: usize,
    /// How many could already.
    pub already: usize,
    /// How many stood there more than once.
    pub repeated: usize,
    /// How many may join no more.
    pub removed: usize,
    /// How many were to be removed and were not there.
    pub absent: usize,
    /// Lines that say no address: the first [`crate::limits::IMPORT_WRONG_MAX`] of them.
    pub wrong: Vec<WrongLine>,
    /// How many such lines there were.
    #[serde(rename = "wrongCount")]
    pub wrong_count: usize,
}

/// A line of a list that says no address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WrongLine {
    /// Its number, from 1.
    pub line: usize,
    /// What it says, cut where it is long.
    pub text: String,
    /// What is wrong about it.
    pub why: String,
}
