//! What the dashboard reads: which instances there are, what the record says of each, and what each
//! is at this instant.

use crate::error::Answer;
use async_trait::async_trait;
use plenary_shared::domain::{Code, InstanceState, Reason};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::BoardServer;
use plenary_shared::time::Timestamp;

/// Messages are counted by the step of time that they were said in, in milliseconds.
pub const STEP_MS: i64 = 10_000;

/// Events above a seq that one look counts; what is left is counted by the next.
pub const COUNTED_MAX: usize = 1_000;

/// The last messages whose times the record is asked for: more than the curves of all but the busiest
/// meetings show.
pub const RECENT_MAX: usize = 600;

/// Instances of one kind that a dashboard shows.
pub const LISTED_MAX: usize = 5_000;

/// An instance as what lasts knows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Which.
    pub id: InstanceId,
    /// The meeting's title.
    pub title: String,
    /// Whether anyone may join.
    pub is_public: bool,
    /// When it begins.
    pub from: Timestamp,
    /// When it is over, or was.
    pub to: Timestamp,
    /// Where it is in its life.
    pub state: InstanceState,
    /// Whether it was called off before it began.
    pub cancelled: bool,
    /// How many are in its audience.
    pub invited: u32,
    /// The last seq of which the record is complete.
    pub archived: Seq,
}

/// What happened in an instance between two seqs.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// Who joined and when, each the first time.
    pub joined: Vec<(UserId, Timestamp)>,
    /// How many were there to the end, and left by it.
    pub stayed: u32,
    /// How many messages were said.
    pub messages: u64,
    /// How many of the latest were said in which step of [`STEP_MS`] since 1970.
    pub steps: Vec<(i64, u64)>,
    /// When the last was said.
    pub last_message: Option<Timestamp>,
}

/// What an instance is at one instant.
#[derive(Clone, Debug)]
pub struct Now {
    /// The live generation.
    pub generation: Generation,
    /// The last seq.
    pub seq: Seq,
    /// Up to which seq the archive has it.
    pub durable: Seq,
    /// Where it is in its life.
    pub state: InstanceState,
    /// When it is over.
    pub to: Timestamp,
    /// Nobody joins.
    pub locked: bool,
    /// Nobody speaks.
    pub read_only: bool,
    /// How many are in.
    pub here: u32,
    /// How many of them are held by lost connections alone.
    pub reconnecting: u32,
    /// What happened above the seq that was asked for, and up to which seq that was counted.
    /// `None`: the live log begins above it.
    pub news: Option<(Seq, Counted)>,
}

/// Who came to an instance and went, and how much they said, between its beginning and a seq.
#[derive(Clone, Debug, Default)]
pub struct Attended {
    /// In the order of the log.
    pub comings: Vec<Coming>,
    /// How many messages each of them said, deleted or not.
    pub said: Vec<(UserId, u64)>,
}

/// Somebody came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coming {
    /// Who.
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// Why they went; `None`: they came.
    pub left: Option<Reason>,
}

/// A connection that holds somebody's stay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// Whose.
    pub user: UserId,
    /// Which: as [`crate::store::ConnectionId`] is written.
    pub connection: String,
    /// Whether it is lost, and may come back.
    pub lost: bool,
}

/// Somebody wanted to join and was refused. Kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Where.
    pub instance: InstanceId,
    /// Who.
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// By which rule.
    pub code: Code,
    /// When, by the clock of the server that they asked.
    pub at: Timestamp,
}

/// What a store tells a dashboard. Asks no permission: whoever shows it does.
#[async_trait]
pub trait DashboardStore: Send + Sync {
    /// Every instance that goes on, those that begin until `soon`, and those that were over after
    /// `since`; of each kind at most [`LISTED_MAX`].
    async fn listed(&self, soon: Timestamp, since: Timestamp) -> Answer<Vec<Listed>>;
    /// What the record says happened in an instance up to a seq that it has.
    async fn recorded(&self, instance: InstanceId, upto: Seq) -> Answer<Counted>;
    /// What these instances are at this instant, and what happened in each above a seq. `None`: not
    /// live.
    async fn now(&self, asked: &[(InstanceId, Seq)]) -> Answer<Vec<Option<Now>>>;
    /// Who came and went according to the record, up to a seq that it has.
    async fn attended(&self, instance: InstanceId, upto: Seq) -> Answer<Attended>;
    /// Which connections hold the stays of these instances. Nothing where it is not live.
    async fn holders(&self, instances: &[InstanceId]) -> Answer<Vec<Vec<Holder>>>;
    /// Tells every server that somebody was refused. May be lost.
    async fn tell_denied(&self, denial: &Denial) -> Answer<()>;
    /// Tells every other server how this one is, if there can be others. May be lost.
    async fn tell_server(&self, server: &BoardServer) -> Answer<()>;
}
