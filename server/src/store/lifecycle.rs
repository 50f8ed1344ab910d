//! The life of an instance: its start, the steps of its end, and the repair of what a crash interrupted.

use async_trait::async_trait;
use plenary_shared::domain::Reason;
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

/// The next starts and ends, and all that is not yet finished.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    /// Instances to start and when: those that are due, and those within the horizon.
    pub starts: Vec<(InstanceId, Timestamp)>,
    /// Active instances and when they are over: those that are due, and those within the horizon.
    pub ends: Vec<(InstanceId, Timestamp)>,
    /// Instances whose end has begun and is not complete.
    pub ending: Vec<InstanceId>,
}

/// How far the end of an instance has come. Each step is idempotent and may be taken by any server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndStep {
    /// A: what lasts says that it is ending.
    Marked,
    /// B: everybody has left, the log is closed.
    Closed,
    /// C: the archive has the whole log.
    Archived,
    /// D: what lasts says that it has ended.
    Recorded,
    /// E: nothing of it is live any more.
    Destroyed,
}

impl EndStep {
    /// All, in order.
    pub const ALL: &'static [Self] = &[
        Self::Marked,
        Self::Closed,
        Self::Archived,
        Self::Recorded,
        Self::Destroyed,
    ];
}

/// What became of a step towards an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// Done, by this call or before.
    Done,
    /// Not yet: try again soon.
    NotYet,
}

/// Starts and ends instances.
#[async_trait]
pub trait LifecycleStore: Send + Sync {
    /// What is to be done by the clock until `now + horizon_ms`.
    async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda>;
    /// Which live instances will be over by then and are not closed, by the live store alone: while
    /// what lasts is away, people still leave on time.
    async fn live_ends(&self, until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>>;
    /// Starts an instance that is due; emits `opened`. When it will be over; `None` if somebody else
    /// started it.
    async fn start(&self, instance: InstanceId, now: Timestamp) -> Answer<Option<Timestamp>>;
    /// Takes one step towards the end; each is idempotent, in the order of [`EndStep::ALL`].
    async fn end_step(
        &self,
        instance: InstanceId,
        reason: Reason,
        step: EndStep,
        now: Timestamp,
    ) -> Answer<Stepped>;
    /// Repairs what a crash left between the live state and what lasts, and takes over what others
    /// wrote into what lasts.
    async fn sweep(&self) -> Answer<()>;
}
