//! Health checks of a store.

use async_trait::async_trait;

use crate::error::Fault;
use crate::tasks::TaskStates;

/// The result of one health check.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name: `redis`, `mysql`, `feed`, `live_state`, `archive`, `file`, `disk` or `tasks`.
    pub name: &'static str,
    pub ok: bool,
    /// What is wrong, or a figure, in one sentence.
    pub detail: Option<String>,
    /// How long the call took, in milliseconds, if one was made.
    pub latency_ms: Option<u64>,
}

impl Check {
    /// Checks whether all background tasks of the server are running.
    pub fn of_tasks(states: &TaskStates) -> Self {
        let down = states.down();
        Self {
            name: "tasks",
            ok: down.is_empty(),
            detail: (!down.is_empty())
                .then(|| format!("Background tasks are not running: {}.", down.join(", "))),
            latency_ms: None,
        }
    }
}

/// Checks whether the store can serve.
#[async_trait]
pub trait HealthStore: Send + Sync {
    /// Returns whether every part of the store answers.
    async fn ready(&self) -> Result<(), Fault>;
    /// Checks each part of the store. A part that does not answer has failed its check.
    async fn checks(&self) -> Vec<Check>;
}
