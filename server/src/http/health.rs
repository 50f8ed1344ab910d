//! Whether the server lives, and whether it can serve.

use axum::Json;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use plenary_shared::domain::Code;
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use super::HttpState;

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

/// How the server is, part by part.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether every part is well.
    success: bool,
    /// The server's version.
    version: &'static str,
    /// `unavailable`, where one is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    /// What is wrong, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Every part.
    checks: Vec<Part>,
}

/// One part, without which the server cannot serve, or only in part.
#[derive(Serialize, ToSchema)]
pub(super) struct Part {
    /// `redis`, `mysql`, `feed` (what is published comes back), `live_state` (Redis has not
    /// forgotten it), `archive` (how far it is behind), or `file`.
    name: &'static str,
    /// Whether it is well.
    ok: bool,
    /// What is wrong, or how far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// How long it took to answer, in milliseconds, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
}

/// Whether requests can be served: every part is well.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "Every part is well", body = Readiness),
        (status = 503, description = "One is not; the sentence says which", body = Readiness),
    )
)]
pub(super) async fn readyz(State(state): State<HttpState>) -> Response {
    let checks = state.ctx.store.checks().await;
    let wrong: Vec<&str> = checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| check.detail.as_deref().unwrap_or(check.name))
        .collect();
    let is_well = wrong.is_empty();
    let detail = (!is_well).then(|| format!("Not ready. {}", wrong.join(" ")));
    if let Some(detail) = &detail {
        // Probes come every few seconds: a warning each, and no id that nobody would ask for.
        warn!(detail, "not ready");
    }
    let body = Readiness {
        success: is_well,
        version: WELL.version,
        code: (!is_well).then_some(Code::Unavailable),
        detail,
        checks: checks
            .into_iter()
            .map(|check| Part {
                name: check.name,
                ok: check.ok,
                detail: check.detail,
                latency_ms: check.latency_ms,
            })
            .collect(),
    };
    if is_well {
        return Json(body).into_response();
    }
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
