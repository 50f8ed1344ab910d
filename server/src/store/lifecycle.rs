//! The life of an instance: its start, the steps of its end, and repairs after a crash.

use async_trait::async_trait;
use plenary_shared::domain::Reason;
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

/// The next starts and ends, and the ends that are not complete.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    /// Instances to start, with their times: due, or within the horizon.
    pub starts: Vec<(InstanceId, Timestamp)>,
    /// Active instances with their ends: due, or within the horizon.
    pub ends: Vec<(InstanceId, Timestamp)>,
    /// Instances whose end has begun and is not complete.
    pub ending: Vec<InstanceId>,
}

/// A step towards the end of an instance. Each is idempotent and may be taken by any server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndStep {
    /// A: the durable store has it as ending.
    Marked,
    /// B: everybody has left and the log is closed.
    Closed,
    /// C: the archive has the complete log.
    Archived,
    /// D: the durable store has it as ended.
    Recorded,
    /// E: the live state is destroyed.
    Destroyed,
}

impl EndStep {
    /// All steps in order.
    pub const ALL: &'static [Self] = &[
        Self::Marked,
        Self::Closed,
        Self::Archived,
        Self::Recorded,
        Self::Destroyed,
    ];
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stepped {
    /// Done, by this call or earlier.
    Done,
    /// Not done: try again soon.
    NotYet,
}

/// Starts and ends instances.
#[async_trait]
pub trait LifecycleStore: Send + Sync {
    /// Returns the starts and ends until `now + horizon_ms`.
    async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda>;
    /// Returns the live instances that end by then and are not closed, from the live state alone: participants
    /// leave on time even if the durable store is unavailable.
    async fn live_ends(&self, until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>>;
    /// Starts a due instance; emits `opened`. Returns its end, or `None` if it was started already.
    async fn start(&self, instance: InstanceId, now: Timestamp) -> Answer<Option<Timestamp>>;
    /// Takes one step towards the end. Steps are taken in the order of [`EndStep::ALL`].
    async fn end_step(
        &self,
        instance: InstanceId,
        reason: Reason,
        step: EndStep,
        now: Timestamp,
    ) -> Answer<Stepped>;
    /// Repairs differences between live state and durable store after a crash, and applies what other
    /// processes wrote to the durable store.
    async fn sweep(&self) -> Answer<()>;
}
