//! The dashboard as it is pushed to admins who watch: what goes on in all meetings, row by row.

use serde::{Deserialize, Serialize};

use crate::domain::InstanceState;
use crate::ids::{InstanceId, Seq};
use crate::time::Timestamp;

/// See [`super::Verb::Watch`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Not any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop: bool,
    /// The instance of which [`super::Detail`] is pushed too; missing: of none, or of none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
}

/// See [`super::Push::Dashboard`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardLine {
    /// What is new.
    pub dashboard: DashboardUpdate,
}

/// What is new on the dashboard. One picture may come as several lines, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardUpdate {
    /// Whatever was told before is void: rows that are not told again are gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// The figures over all rows, if they changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<DashboardTotals>,
    /// Rows that are new or changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<DashboardRow>,
    /// How the parts of the store are, if that changed; asked every few seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<HealthCheck>,
    /// How the servers are, all of them, if that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<ServerStatus>,
    /// Rows that are shown no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<InstanceId>,
}

/// The figures over all rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardTotals {
    /// When the stores said so, by the server's clock.
    pub now: Timestamp,
    /// Instances that go on.
    pub live: u32,
    /// Instances that begin within [`crate::limits::UPCOMING_MS`].
    pub upcoming: u32,
    /// Instances that go on although their time is over.
    pub overrun: u32,
    /// Participants of all instances; who is in two counts twice.
    pub participants: u32,
    /// The most of them at one look, since somebody watches.
    pub peak: u32,
    /// How many of them have lost their connection and may come back.
    pub reconnecting: u32,
    /// Messages of the last minute.
    #[serde(rename = "messagesPerMinute")]
    pub messages_per_minute: u64,
    /// Messages of each minute by the clock, the running one last.
    pub activity: Vec<u64>,
    /// Events that the archive has not yet.
    pub unarchived: u64,
    /// Connections to all servers, with somebody signed in.
    pub connections: u32,
    /// From an event to the connections of a server: at the slowest, 95 of 100 in the last minute took
    /// no longer, in milliseconds; missing where there were none.
    #[serde(
        default,
        rename = "deliveryP95Ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub delivery_p95_ms: Option<u32>,
    /// What went wrong at all servers in the last minute: round trips that a store did not answer in
    /// time, and requests that broke.
    #[serde(default)]
    pub errors: u64,
}

/// How one server is. Each tells the others every few seconds; who is silent is shown no more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// Which: another one with each start.
    pub node: String,
    /// Its host, and the address that it listens on.
    pub name: String,
    /// Whether it is the one that tells.
    #[serde(
        default,
        rename = "isThisServer",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub is_this_server: bool,
    /// Connections to it, with somebody signed in.
    pub connections: u32,
    /// Instances that are followed at it.
    pub rooms: u32,
    /// What is kept of them for those who read, in bytes.
    #[serde(rename = "queueBytes")]
    pub queue_bytes: u64,
    /// How often the live state of something that is followed at it began anew.
    pub fences: u64,
    /// Connections that it closed because they did not keep up.
    #[serde(rename = "tooSlow")]
    pub too_slow: u64,
    /// As [`DashboardTotals::delivery_p95_ms`], of it alone.
    #[serde(
        default,
        rename = "deliveryP95Ms",
        skip_serializing_if = "Option::is_none"
    )]
    pub delivery_p95_ms: Option<u32>,
    /// As [`DashboardTotals::errors`], of it alone.
    pub errors: u64,
    /// How late meetings began at it, the last and the latest, in milliseconds.
    #[serde(
        default,
        rename = "startsLateMs",
        skip_serializing_if = "Option::is_none"
    )]
    pub starts_late_ms: Option<(i64, i64)>,
    /// The same of their ends.
    #[serde(
        default,
        rename = "endsLateMs",
        skip_serializing_if = "Option::is_none"
    )]
    pub ends_late_ms: Option<(i64, i64)>,
}

/// How one part of the store is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// Its name.
    pub name: String,
    /// Whether it is well.
    pub ok: bool,
    /// What is wrong, or how far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long its answer took, in milliseconds.
    #[serde(default, rename = "latencyMs", skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
}

/// One instance.
#[expect(
    clippy::struct_excessive_bools,
    reason = "four facts that do not follow from each other"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardRow {
    /// Which.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The meeting's title.
    pub title: String,
    /// Whether anyone who is signed in may join.
    #[serde(rename = "isPublic")]
    pub is_public: bool,
    /// When it begins.
    pub fromdatetime: Timestamp,
    /// When it is over, or was.
    pub todatetime: Timestamp,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Whether it was called off before it began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// Nobody joins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
    /// Nobody speaks.
    #[serde(
        default,
        rename = "readOnly",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub read_only: bool,
    /// Participants now.
    pub participants: u32,
    /// How many wait for it to begin.
    #[serde(default)]
    pub waiting: u32,
    /// How many of them have lost their connection and may come back.
    #[serde(default)]
    pub reconnecting: u32,
    /// People who were in at any time.
    #[serde(rename = "totalParticipants")]
    pub total_participants: u32,
    /// The audience; missing where it is public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited: Option<u32>,
    /// People who came first more than [`crate::limits::LATE_MS`] after the beginning.
    #[serde(default)]
    pub late: u32,
    /// People who were in, and were not, or are not, there to the end.
    #[serde(default, rename = "leftEarly")]
    pub left_early: u32,
    /// Everything that was said, deleted or not.
    pub messages: u64,
    /// Messages of the last minute.
    #[serde(default, rename = "messagesPerMinute")]
    pub messages_per_minute: u64,
    /// Messages of each minute by the clock, the running one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub activity: Vec<u64>,
    /// When something was said last.
    #[serde(
        default,
        rename = "lastMessage",
        skip_serializing_if = "Option::is_none"
    )]
    pub last_message: Option<Timestamp>,
    /// Its last seq.
    pub seq: Seq,
    /// Up to which seq the archive has it.
    pub durable: Seq,
}
