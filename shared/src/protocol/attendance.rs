//! Presence, waiting users, invited users who have not joined, and join times.

use serde::{Deserialize, Serialize};

use crate::domain::{Participant, Presence, UserRef};
use crate::ids::{InstanceId, UserId};
use crate::time::Timestamp;

/// See [`super::Verb::Idle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// Whether the client is idle.
    pub idle: bool,
}

/// See [`super::Push::Presence`]. It ends when the participant leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceChange {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The user's id.
    #[serde(rename = "presence")]
    pub user: UserId,
    /// The new presence.
    pub state: Presence,
    /// Since when the presence holds.
    pub since: Timestamp,
}

/// See [`super::Verb::Wait`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Whether the user waits, which other waiting users see. `false`: only watch who waits.
    pub waiting: bool,
}

/// The answer to [`super::Verb::Wait`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitOk {
    /// The number of waiting users.
    pub count: usize,
    /// Some of them, at most [`crate::limits::WAITING_MAX`].
    pub users: Vec<UserRef>,
}

/// See [`super::Push::Waiting`]. It ends when the instance starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingChange {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The user's id.
    #[serde(rename = "waiting")]
    pub user: UserId,
    /// The user's name.
    pub name: String,
    /// Whether the user waits now.
    #[serde(rename = "isWaiting")]
    pub is_waiting: bool,
    /// The number of waiting users.
    pub count: usize,
}

/// The answer to [`super::Verb::Terminals`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalsOk {
    /// The instances, in no order.
    pub elsewhere: Vec<InstanceId>,
}

/// The invited users who have not joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Absent {
    /// Their number, by the durable store.
    pub count: usize,
    /// The first of them by name, at most [`crate::limits::ABSENT_MAX`].
    pub users: Vec<InvitedUser>,
}

/// An invited user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitedUser {
    /// The user's id, if an account has the invited email address.
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// The user's name, or the email address if no account has it.
    pub name: String,
}

/// The answer to [`super::Verb::Participants`], and to `GET …/participants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ParticipantsOk {
    /// In the order of joining.
    pub participants: Vec<Participant>,
    /// See [`super::OpenOk::absent`]. Only on the WebSocket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absent>,
}

/// The answer to [`super::Verb::JoinTimes`], and to `GET /active-meetings-participants-join-logs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinTimesOk {
    /// One entry for each active instance that the user may see.
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
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
}

/// When one current participant joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JoinLog {
    /// The user's id.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// Always `join`.
    #[serde(rename = "eventType")]
    pub event_type: JoinEventType,
    /// When they joined.
    pub timestamp: Timestamp,
    /// The user's name.
    pub name: String,
}

/// The only value of [`JoinLog::event_type`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JoinEventType {
    /// `join`
    Join,
}
