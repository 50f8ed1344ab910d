//! Who is there since when, who is not, who has not been there yet, and who waits.

use serde::{Deserialize, Serialize};

use crate::domain::{Participant, Presence};
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
pub struct PresenceTold {
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
    /// Whether one waits, and others are told so; otherwise one only looks who does.
    pub waits: bool,
}

/// The answer to [`super::Verb::Wait`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitOk {
    /// How many people wait.
    pub count: usize,
    /// Some of them; [`crate::limits::WAITING_MAX`] at most.
    pub people: Vec<Waiter>,
}

/// Somebody who waits for an instance to begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// Who.
    #[serde(rename = "userID")]
    pub id: UserId,
    /// What they are called.
    pub name: String,
}

/// See [`super::Push::Waiting`]. It is over when the instance begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitTold {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Who.
    #[serde(rename = "waiting")]
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// Whether they wait.
    pub waits: bool,
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
    pub people: Vec<Invited>,
}

/// Somebody who is invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invited {
    /// Who, if the server knows somebody of this address.
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// What they are called; otherwise their address.
    pub name: String,
}

/// The answer to [`super::Verb::People`], and to `GET …/participants`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PeopleOk {
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
    pub event_type: JoinWord,
    /// When.
    pub timestamp: Timestamp,
    /// What they are called.
    pub name: String,
}

/// The one word of [`JoinLog::event_type`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JoinWord {
    /// join
    Join,
}
