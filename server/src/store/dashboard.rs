//! The dashboard's data: instances, what happened in them, and their current figures.

use crate::error::Answer;
use async_trait::async_trait;
use plenary_shared::domain::{Code, InstanceState, Reason};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::ServerStatus;
use plenary_shared::time::Timestamp;

/// Messages are counted per step of time. In milliseconds.
pub const STEP_MS: i64 = 10_000;

/// Events that one call counts. The next call counts the rest.
pub const COUNTED_MAX: usize = 1_000;

/// The last messages whose times are read: enough for the curves of all but the busiest meetings.
pub const RECENT_MAX: usize = 600;

/// Instances of each kind that a dashboard shows.
pub const LISTED_MAX: usize = 5_000;

/// An instance in the schedule.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: InstanceId,
    pub title: String,
    pub is_public: bool,
    pub from: Timestamp,
    /// The end, planned or actual.
    pub to: Timestamp,
    pub state: InstanceState,
    /// Whether it was cancelled before its start.
    pub cancelled: bool,
    pub invited: u32,
    /// The last archived seq.
    pub archived: Seq,
}

/// What happened in an instance between two seqs.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// The users who joined, with the time of their first join.
    pub joined: Vec<(UserId, Timestamp)>,
    /// How many participants stayed until the end.
    pub stayed: u32,
    pub messages: u64,
    /// How many of the latest messages were posted in which step of [`STEP_MS`] since 1970.
    pub steps: Vec<(i64, u64)>,
    /// When the last message was posted.
    pub last_message: Option<Timestamp>,
}

/// The current figures of an instance.
#[derive(Clone, Debug)]
pub struct Now {
    pub generation: Generation,
    pub seq: Seq,
    /// The last archived seq.
    pub durable: Seq,
    pub state: InstanceState,
    pub to: Timestamp,
    pub locked: bool,
    pub read_only: bool,
    /// How many participants there are.
    pub here: u32,
    /// How many participants have lost all their connections.
    pub reconnecting: u32,
    /// What happened above the requested seq, and up to which seq that was counted. `None`: the live log begins
    /// above it.
    pub news: Option<(Seq, Counted)>,
}

/// Joins, leaves and numbers of messages in an instance up to a seq.
#[derive(Clone, Debug, Default)]
pub struct Attended {
    /// In the order of the log.
    pub comings: Vec<Coming>,
    /// How many messages each user posted, deleted or not.
    pub said: Vec<(UserId, u64)>,
}

/// A join or a leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    pub user: UserId,
    pub name: String,
    pub at: Timestamp,
    /// The reason for leaving; `None`: a join.
    pub left: Option<Reason>,
}

/// A connection that is bound to a stay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    pub user: UserId,
    /// The connection, in the format of [`crate::store::ConnectionId`].
    pub connection: String,
    /// Whether it is lost and may come back.
    pub lost: bool,
}

/// A refused join. Not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub instance: InstanceId,
    pub user: UserId,
    pub name: String,
    pub code: Code,
    /// The time, by the clock of the server that refused.
    pub at: Timestamp,
}

/// Reads data for dashboards. Checks no permission.
#[async_trait]
pub trait DashboardStore: Send + Sync {
    /// Returns all active instances, those that start before `soon` and those that ended after `since`; of
    /// each kind at most [`LISTED_MAX`].
    async fn listed(&self, soon: Timestamp, since: Timestamp) -> Answer<Vec<Listed>>;
    /// Returns what the archive has of an instance up to a seq.
    async fn recorded(&self, instance: InstanceId, upto: Seq) -> Answer<Counted>;
    /// Returns current figures of these instances, with what happened in each above a seq. `None`: not live.
    async fn now(&self, asked: &[(InstanceId, Seq)]) -> Answer<Vec<Option<Now>>>;
    /// Returns joins and leaves according to the archive, up to a seq.
    async fn attended(&self, instance: InstanceId, upto: Seq) -> Answer<Attended>;
    /// Returns the connections bound to stays of these instances; none if not live.
    async fn holders(&self, instances: &[InstanceId]) -> Answer<Vec<Vec<Holder>>>;
    /// Notifies all servers that a user was refused. May be lost.
    async fn publish_denied(&self, denial: &Denial) -> Answer<()>;
    /// Sends the state of this server to all others. May be lost.
    async fn publish_server(&self, server: &ServerStatus) -> Answer<()>;
}
