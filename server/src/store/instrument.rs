//! Observation of every call that a store makes to its back end.
//!
//! A server counts and times the calls. A test may implement [`Observer`] to decide which call
//! runs first, which one fails, and where a server dies.

use std::any::Any;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::error::{Error, Fault};
use crate::metrics::Metrics;

/// The process or file that a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Redis, the live state.
    Redis,
    /// MySQL, the durable store.
    MySql,
    /// The `SQLite` file.
    Sqlite,
}

/// How a call relates to the locks of database transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// It needs none.
    Free,
    /// It waits for open transactions.
    Waits,
    /// It waits for open transactions and opens one.
    Takes,
    /// It belongs to an open transaction.
    Holds,
}

/// One round trip to a back end.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub backend: Backend,
    pub locks: Locks,
    /// The command or statement, for traces.
    pub text: &'a (dyn Display + Send + Sync),
}

/// Observes the calls of one store.
#[async_trait]
pub trait Observer: Send + Sync + 'static {
    /// Runs before a call. With an error, the call is not made and fails with it.
    async fn before(&self, _call: Call<'_>) -> Result<(), Fault> {
        Ok(())
    }

    /// Runs after a call, whatever its result. With an error, the result is lost and the call fails
    /// with it.
    async fn after(&self, _call: Call<'_>, _elapsed: Duration) -> Result<(), Fault> {
        Ok(())
    }

    /// A call found its back end unavailable.
    fn unavailable(&self) {}

    /// Observes an open transaction until the returned guard is dropped.
    fn transaction(&self) -> Box<dyn Any + Send> {
        Box::new(())
    }

    /// Whether a call may be abandoned after a time. If not, the observer alone decides how long
    /// calls take.
    fn allows_timeouts(&self) -> bool {
        true
    }

    /// Waits for so many milliseconds.
    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// The observer of a store without one.
struct Unobserved;

impl Observer for Unobserved {}

/// Counts and times calls under the name of their store.
struct Meter {
    metrics: Arc<Metrics>,
    store: &'static str,
}

#[async_trait]
impl Observer for Meter {
    async fn after(&self, _call: Call<'_>, elapsed: Duration) -> Result<(), Fault> {
        self.metrics.observe_round_trip(self.store, elapsed);
        Ok(())
    }

    fn unavailable(&self) {
        self.metrics.record_store_error(self.store);
    }
}

/// Makes calls under the eyes of an observer. Cheap to clone.
#[derive(Clone)]
pub struct Instrument(Arc<dyn Observer>);

impl Default for Instrument {
    fn default() -> Self {
        Self(Arc::new(Unobserved))
    }
}

/// An error that a call may end with.
pub(super) trait CallError: From<Fault> {
    /// Whether the back end was unavailable.
    fn is_unavailable(&self) -> bool;
}

impl CallError for Fault {
    fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

impl CallError for Error {
    fn is_unavailable(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_unavailable(),
            Self::Reject(_) => false,
        }
    }
}

impl Instrument {
    /// Reports to this observer.
    pub fn observed(observer: Arc<dyn Observer>) -> Self {
        Self(observer)
    }

    /// Counts and times calls as those of `store`.
    pub fn metered(metrics: Arc<Metrics>, store: &'static str) -> Self {
        Self(Arc::new(Meter { metrics, store }))
    }

    /// Makes a call: awaits `running`, which sends the request and reads the reply.
    pub(super) async fn call<T, E: CallError>(
        &self,
        call: Call<'_>,
        running: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.0.before(call).await?;
        let start = Instant::now();
        let outcome = running.await;
        let elapsed = start.elapsed();
        if outcome.as_ref().is_err_and(CallError::is_unavailable) {
            self.unavailable();
        }
        self.0.after(call, elapsed).await?;
        outcome
    }

    /// Reports that the back end was unavailable where the result of the call does not show it.
    pub(super) fn unavailable(&self) {
        self.0.unavailable();
    }

    /// Reports an open transaction until the returned guard is dropped.
    pub(super) fn transaction(&self) -> Box<dyn Any + Send> {
        self.0.transaction()
    }

    /// Awaits `running` for at most so many milliseconds. `None`: it took longer.
    pub(super) async fn within<T>(&self, ms: u64, running: impl Future<Output = T>) -> Option<T> {
        if !self.0.allows_timeouts() {
            return Some(running.await);
        }
        let limit = Duration::from_millis(ms);
        tokio::time::timeout(limit, running).await.ok()
    }

    /// Waits for so many milliseconds.
    pub(super) async fn sleep(&self, ms: u64) {
        self.0.sleep(ms).await;
    }
}
