//! Who is there since when, who is not, who has not been there yet, and who waits.

use serde::{Deserialize, Serialize};

use crate::domain::{Participant, Presence, UserRef};
use crate::ids::{InstanceId, UserId};
use crate::time::Timestamp;

/// See [`super::Verb::Idle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// Whether it is so.
    pub idle: bool,
}

/// See [`super::Push::Presence`]. It is over when they leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceChange {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Who.
    #[serde(rename = "presence")]
    pub user: UserId,
    /// How they are there.
    pub state: Presence,
    /// Since when.
    pub since: Timestamp,
}

/// See [`super::Verb::Wait`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Whether the user waits, which other waiting users see. `false`: only watch who waits.
    pub waiting: bool,
}

/// The answer to [`super::Verb::Wait`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitOk {
    /// How many people wait.
    pub count: usize,
    /// Some of them; [`crate::limits::WAITING_MAX`] at most.
    pub users: Vec<UserRef>,
}

/// See [`super::Push::Waiting`]. It is over when the instance begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingChange {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Who.
    #[serde(rename = "waiting")]
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// Whether they wait.
    #[serde(rename = "isWaiting")]
    pub is_waiting: bool,
    /// How many do.
    pub count: usize,
}

/// Who is invited and has not been in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Absent {
    /// How many, as far as the archive knows.
    pub count: usize,
    /// The first of them by name; [`crate::limits::ABSENT_MAX`] at most.
    pub users: Vec<InvitedUser>,
}

/// Somebody who is invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitedUser {
    /// Who, if the server knows somebody of this address.
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// What they are called; otherwise their address.
    pub name: String,
}

/// The answer to [`super::Verb::Participants`], and to `GET …/participants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParticipantsOk {
    /// In the order of joining.
    pub participants: Vec<Participant>,
    /// As [`super::OpenOk::absent`]; on the WebSocket alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absent>,
}

/// The answer to [`super::Verb::JoinTimes`], and to `GET /active-meetings-participants-join-logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinTimesOk {
    /// One for each active instance that may be seen.
    #[serde(rename = "active_meetings_participants_join_logs")]
    pub meetings: Vec<JoinTimes>,
}

/// When the current participants of one active instance joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinTimes {
    /// The meeting's title.
    pub meeting: String,
    /// In the order of joining.
    pub join_logs: Vec<JoinLog>,
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
}

/// When one current participant joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinLog {
    /// Who.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// Always `join`.
    #[serde(rename = "eventType")]
    pub event_type: JoinEventType,
    /// When.
    pub timestamp: Timestamp,
    /// What they are called.
    pub name: String,
}

/// The one word of [`JoinLog::event_type`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JoinEventType {
    /// join
    Join,
}
