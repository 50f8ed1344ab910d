//! HTTP.

use crate::ctx::Ctx;

/// What every handler is handed.
#[derive(Clone, Debug)]
pub struct HttpState {
    /// What services are handed.
    pub ctx: Ctx,
}

/// All routes of HTTP, documentation and errors included. (Routes to come.)
pub fn router(state: HttpState) -> axum::Router {
    axum::Router::new().with_state(state)
}
