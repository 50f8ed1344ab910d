//! HTTP: the routes, and what surrounds each of them.

use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::{Router, middleware};
use plenary_shared::limits::HTTP_BODY_BYTES_MAX;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::ctx::Ctx;

mod answer;
mod chat;
mod document;
mod error;
mod extract;
mod health;
mod meeting;
mod session;

pub use error::{HttpError, status};

/// A request's whole time: longer than any store's own deadline, so that it ends only what hangs.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What every handler is handed.
#[derive(Clone, Debug)]
pub struct HttpState {
    /// What services are handed.
    pub ctx: Ctx,
}

/// All routes of HTTP, with their documentation, inside [`surrounded`].
pub fn router(state: HttpState) -> Router {
    surrounded(routes_of_http(state.clone()), state)
}

/// Every route of HTTP with its documentation, and nothing around them.
pub fn routes_of_http(state: HttpState) -> Router {
    let (routes, document) = OpenApiRouter::with_openapi(document::document())
        .routes(routes!(session::login))
        .routes(routes!(session::logout))
        .routes(routes!(session::me))
        .routes(routes!(meeting::meetings))
        .routes(routes!(meeting::active_meetings))
        .routes(routes!(meeting::join_times))
        .routes(routes!(meeting::join))
        .routes(routes!(meeting::leave))
        .routes(routes!(meeting::participants))
        .routes(routes!(chat::messages))
        .routes(routes!(chat::message))
        .routes(routes!(chat::user_messages))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
        .split_for_parts();
    routes
        .with_state(state)
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
}

/// What surrounds each route: an id and a log line, the shape of every error, a bound on bodies
/// and on time, and a panic that ends one request only. Also covers paths that do not exist.
pub fn surrounded(routes: Router, state: HttpState) -> Router {
    routes
        .fallback(answer::no_such_path)
        .layer(DefaultBodyLimit::max(HTTP_BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn_with_state(state, answer::answered))
}
