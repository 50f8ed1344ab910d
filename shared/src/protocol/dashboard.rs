//! The dashboard that the server pushes to admins: all meetings row by row, servers and stores.

use serde::{Deserialize, Serialize};

use crate::domain::InstanceState;
use crate::ids::{InstanceId, Seq};
use crate::time::Timestamp;

/// See [`super::Verb::Watch`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Stops watching.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop: bool,
    /// The instance whose [`super::DetailUpdate`] is pushed too. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// See [`super::Push::Dashboard`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardLine {
    /// The update.
    pub dashboard: DashboardUpdate,
}

/// The changes of the dashboard since the last update. One update may be split into several lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardUpdate {
    /// Discards everything received before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// The totals, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<DashboardTotals>,
    /// New and changed rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<DashboardRow>,
    /// The health of the stores, if it changed. Checked every few seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<HealthCheck>,
    /// The status of all servers, if it changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerStatus>,
    /// The instances of removed rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<InstanceId>,
}

/// The totals over all rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardTotals {
    /// When the stores were read, by the server's clock.
    pub now: Timestamp,
    /// Active instances.
    pub live: u32,
    /// Instances that start within [`crate::limits::UPCOMING_MS`].
    pub upcoming: u32,
    /// Active instances whose scheduled end has passed.
    pub overrun: u32,
    /// Participants of all instances. A user in two instances counts twice.
    pub participants: u32,
    /// The highest number of participants since the first admin started watching.
    pub peak: u32,
    /// Participants who are reconnecting.
    pub reconnecting: u32,
    /// Messages in the last minute.
    #[serde(rename = "messagesPerMinute")]
    pub messages_per_minute: u64,
    /// Messages in each clock minute, the current minute last.
    pub activity: Vec<u64>,
    /// Events that are not in the durable store yet.
    pub unarchived: u64,
    /// Signed-in connections to all servers.
    pub connections: u32,
    /// The 95th percentile of the time from an event to the connections in the last minute, in
    /// milliseconds, at the slowest server. Left out if there were no events.
    #[serde(
        default,
        rename = "deliveryP95Ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub delivery_p95_ms: Option<u32>,
    /// Store timeouts and failed requests at all servers in the last minute.
    #[serde(default)]
    pub errors: u64,
}

/// The status of one server. Servers report it every few seconds; a silent server is removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// The node id. It changes with each start.
    pub node: String,
    /// The host name and the listen address.
    pub name: String,
    /// Whether it is the server that sends this update.
    #[serde(
        default,
        rename = "isThisServer",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub is_this_server: bool,
    /// Signed-in connections.
    pub connections: u32,
    /// Instances that connections of this server follow.
    pub rooms: u32,
    /// The size of the events that are buffered for connections, in bytes.
    #[serde(rename = "queueBytes")]
    pub queue_bytes: u64,
    /// Fences of instances that connections of this server follow, since the start.
    pub fences: u64,
    /// Connections that were closed because they were too slow, since the start.
    #[serde(rename = "tooSlow")]
    pub too_slow: u64,
    /// See [`DashboardTotals::delivery_p95_ms`]; for this server.
    #[serde(
        default,
        rename = "deliveryP95Ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub delivery_p95_ms: Option<u32>,
    /// See [`DashboardTotals::errors`]; for this server.
    pub errors: u64,
    /// The delay of the last start and the longest delay of a start, in milliseconds.
    #[serde(
        default,
        rename = "startsLateMs",
        skip_serializing_if = "Option::is_none"
    )]
    pub starts_late_ms: Option<(i64, i64)>,
    /// The delay of the last end and the longest delay of an end, in milliseconds.
    #[serde(
        default,
        rename = "endsLateMs",
        skip_serializing_if = "Option::is_none"
    )]
    pub ends_late_ms: Option<(i64, i64)>,
}

/// The health of one part of the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The name of the part.
    pub name: String,
    /// Whether it is healthy.
    pub ok: bool,
    /// The problem, or the progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The response time, in milliseconds.
    #[serde(default, rename = "latencyMs", skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
}

/// One instance on the dashboard.
#[expect(clippy::struct_excessive_bools, reason = "four independent facts")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardRow {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The meeting's title.
    pub title: String,
    /// Whether every user may join.
    #[serde(rename = "isPublic")]
    pub is_public: bool,
    /// The scheduled start.
    pub fromdatetime: Timestamp,
    /// The scheduled end, or the actual end of an ended instance.
    pub todatetime: Timestamp,
    /// The state.
    pub state: InstanceState,
    /// Whether it was cancelled before its start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// Whether new participants are blocked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
    /// Whether posts are blocked.
    #[serde(
        default,
        rename = "readOnly",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub read_only: bool,
    /// The current number of participants.
    pub participants: u32,
    /// Users who wait for the start.
    #[serde(default)]
    pub waiting: u32,
    /// Participants who are reconnecting.
    #[serde(default)]
    pub reconnecting: u32,
    /// Users who have been participants at any time.
    #[serde(rename = "totalParticipants")]
    pub total_participants: u32,
    /// The size of the audience. Left out for public meetings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited: Option<u32>,
    /// Users who first joined more than [`crate::limits::LATE_MS`] after the start.
    #[serde(default)]
    pub late: u32,
    /// Users who left and did not return before the end.
    #[serde(default, rename = "leftEarly")]
    pub left_early: u32,
    /// Messages, deleted ones included.
    pub messages: u64,
    /// Messages in the last minute.
    #[serde(default, rename = "messagesPerMinute")]
    pub messages_per_minute: u64,
    /// Messages in each clock minute, the current minute last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activity: Vec<u64>,
    /// When the last message was posted.
    #[serde(
        default,
        rename = "lastMessage",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_message: Option<Timestamp>,
    /// The last seq.
    pub seq: Seq,
    /// The last seq in the durable store.
    pub durable: Seq,
}
