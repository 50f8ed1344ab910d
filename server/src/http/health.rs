//! Routes: liveness and readiness probes.

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
use crate::store::Check;

/// The process is alive.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// Always true.
    success: bool,
    /// The version of the server.
    version: &'static str,
}

const ALIVE: Health = Health {
    success: true,
    version: env!("CARGO_PKG_VERSION"),
};

/// Liveness probe
///
/// Answers 200 while the process runs.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "health",
    responses((status = 200, description = "The process is alive", body = Health))
)]
pub(super) async fn livez() -> Json<Health> {
    Json(ALIVE)
}

/// The state of each component.
#[derive(Serialize, ToSchema)]
pub(super) struct Readiness {
    /// Whether all components are healthy.
    success: bool,
    /// The version of the server.
    version: &'static str,
    /// `unavailable` if a component is unhealthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    /// What is wrong, if a component is unhealthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// All components.
    checks: Vec<Component>,
}

/// A component that the server needs.
#[derive(Serialize, ToSchema)]
pub(super) struct Component {
    /// `redis`, `mysql`, `feed` (what is published comes back), `live_state` (Redis has not
    /// forgotten it), `archive` (how far it is behind), `file`, `disk` (its free space), or `tasks`
    /// (the background tasks of the server are running).
    name: &'static str,
    /// Whether it is healthy.
    ok: bool,
    /// What is wrong, or the size of the lag.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The response time in milliseconds, if the component was contacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
}

/// Readiness probe
///
/// Answers 200 if all components are healthy.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "All components are healthy", body = Readiness),
        (status = 503, description = "A component is unhealthy; `detail` names it", body = Readiness),
    )
)]
pub(super) async fn readyz(State(state): State<HttpState>) -> Response {
    let mut checks = state.ctx.store.checks().await;
    checks.push(Check::of_tasks(&state.ctx.metrics.tasks));
    let wrong: Vec<&str> = checks
        .iter()
        .filter(|check| !check.ok)
        .map(|check| check.detail.as_deref().unwrap_or(check.name))
        .collect();
    let is_healthy = wrong.is_empty();
    let detail = (!is_healthy).then(|| format!("Not ready. {}", wrong.join(" ")));
    if let Some(detail) = &detail {
        // Probes arrive every few seconds, so this is a warning without an id.
        warn!(detail, "not ready");
    }
    let body = Readiness {
        success: is_healthy,
        version: ALIVE.version,
        code: (!is_healthy).then_some(Code::Unavailable),
        detail,
        checks: checks
            .into_iter()
            .map(|check| Component {
                name: check.name,
                ok: check.ok,
                detail: check.detail,
                latency_ms: check.latency_ms,
            })
            .collect(),
    };
    if is_healthy {
        return Json(body).into_response();
    }
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
