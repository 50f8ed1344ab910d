//! The round trips of the stores, all of them: each is told before it begins and after it ended.
//!
//! In a running server they are timed and counted, and nobody is told. A simulation watches, and so decides what goes first, what is
//! delayed, and where a server dies.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::error::{Error, Fault};
use crate::metrics::Metrics;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// What is live.
    Redis,
    /// What lasts.
    MySql,
    /// The one file.
    File,
}

/// Whose locks a round trip may have to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    /// Nobody's.
    Free,
    /// Those of a transaction that is open.
    Waits,
    /// The same, and from here on others have to wait for its own.
    Takes,
    /// It is part of an open transaction, which has them.
    Holds,
}

/// One question and its answer.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who is asked.
    pub peer: Backend,
    /// Whom it may have to wait for.
    pub locks: Locks,
    /// What is asked, for people to read.
    pub what: String,
}

/// Who watches the round trips of one server's store.
#[async_trait]
pub trait Watch: Send + Sync + 'static {
    /// It is about to begin. A fault: it does not, and fails so.
    async fn before(&self, trip: &Call) -> Result<(), Fault>;
    /// It has ended, whatever its answer. A fault: the answer is lost, and it fails so.
    async fn after(&self, trip: &Call) -> Result<(), Fault>;
    /// A transaction is open until this is dropped.
    fn transaction(&self) -> Box<dyn Any + Send>;
    /// Waits so long.
    async fn wait(&self, ms: u64);
}

/// The way to whoever watches, or counts; by default nobody does.
#[derive(Clone, Default)]
pub struct Instrument {
    watch: Option<Arc<dyn Watch>>,
    meter: Option<Meter>,
}

/// Counts and times one store's round trips.
#[derive(Clone)]
struct Meter {
    metrics: Arc<Metrics>,
    store: &'static str,
}

/// How a round trip may fail.
pub(super) trait Failure: From<Fault> {
    /// Whether the store did not answer.
    fn is_away(&self) -> bool;
}

impl Failure for Fault {
    fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

impl Failure for Error {
    fn is_away(&self) -> bool {
        match self {
            Self::Fault(fault) => fault.is_away(),
            Self::Reject(_) => false,
        }
    }
}

impl Instrument {
    /// Watched by this one.
    pub fn watched(by: Arc<dyn Watch>) -> Self {
        Self {
            watch: Some(by),
            meter: None,
        }
    }

    /// Counted and timed as this store's.
    pub fn metered(metrics: Arc<Metrics>, store: &'static str) -> Self {
        Self {
            watch: None,
            meter: Some(Meter { metrics, store }),
        }
    }

    /// The store did not answer, which the round trip itself does not say.
    pub(super) fn failed(&self) {
        if let Some(Meter { metrics, store }) = &self.meter {
            metrics.record_store_error(store);
        }
    }

    /// Makes a round trip.
    pub(super) async fn trip<T, E: Failure>(
        &self,
        trip: impl FnOnce() -> Call,
        going: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let Some(watch) = &self.watch else {
            let began = Instant::now();
            let outcome = going.await;
            if let Some(Meter { metrics, store }) = &self.meter {
                metrics.observe_round_trip(store, began.elapsed());
            }
            if outcome.as_ref().is_err_and(Failure::is_away) {
                self.failed();
            }
            return outcome;
        };
        let trip = trip();
        watch.before(&trip).await?;
        let outcome = going.await;
        watch.after(&trip).await?;
        outcome
    }

    /// A transaction has begun.
    pub(super) fn transaction(&self) -> Option<Box<dyn Any + Send>> {
        self.watch.as_ref().map(|watch| watch.transaction())
    }

    /// An answer, if it comes within so long; `None`: it is late. Who watches decides by themselves how
    /// long a round trip takes, and whether it is answered.
    pub(super) async fn within<T>(&self, ms: u64, asking: impl Future<Output = T>) -> Option<T> {
        match &self.watch {
            Some(_) => Some(asking.await),
            None => tokio::time::timeout(std::time::Duration::from_millis(ms), asking)
                .await
                .ok(),
        }
    }

    /// Waits so long.
    pub(super) async fn wait(&self, ms: u64) {
        match &self.watch {
            Some(watch) => watch.wait(ms).await,
            None => tokio::time::sleep(std::time::Duration::from_millis(ms)).await,
        }
    }
}
