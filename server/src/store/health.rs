//! Whether every part of a store answers.

use async_trait::async_trait;

use crate::error::Fault;

/// One thing without which the store cannot serve, or only in part.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name, for who looks at it: `redis`, `mysql`, `feed`, `live_state`, `archive`, `file`.
    pub name: &'static str,
    /// Whether it is well.
    pub ok: bool,
    /// What is wrong, or how far it is, in a sentence.
    pub detail: Option<String>,
    /// How long the answer took, in milliseconds, where something was asked.
    pub latency_ms: Option<u64>,
}

/// Tells whether the store can serve.
#[async_trait]
pub trait HealthStore: Send + Sync {
    /// Whether every part of the store answers.
    async fn ready(&self) -> Result<(), Fault>;
    /// How each part of the store is, for who wants to know it exactly. Never an error: what cannot
    /// be asked is not well.
    async fn checks(&self) -> Vec<Check>;
}
