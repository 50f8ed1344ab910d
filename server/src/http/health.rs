//! Whether the server lives, and whether it can serve.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use plenary_shared::domain::{Code, Reject};
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use super::HttpState;
use super::error::refusal;
use crate::error::Fault;

/// That all is well.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Always true.
    success: bool,
    /// The server's version.
    version: &'static str,
}

const WELL: Health = Health {
    success: true,
    version: env!("CARGO_PKG_VERSION"),
};

/// Whether the process lives: always yes.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "health",
    responses((status = 200, description = "It lives", body = Health))
)]
pub(super) async fn livez() -> Json<Health> {
    Json(WELL)
}

/// Whether requests can be served: every store answers.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "Every store answers", body = Health),
        (status = 503, description = "One does not; the sentence says which", body = Reject),
    )
)]
pub(super) async fn readyz(State(state): State<HttpState>) -> Response {
    let Err(fault) = state.ctx.store.ready().await else {
        return Json(WELL).into_response();
    };
    // Probes come every few seconds: a warning each, and no id that nobody would ask for.
    warn!(error = %fault, "not ready");
    let which = match &fault {
        Fault::Away { store, .. } => store,
        Fault::Broken { what, .. } => what,
    };
    refusal(&Reject::new(
        Code::Unavailable,
        format!("Not ready: {which}."),
    ))
}
