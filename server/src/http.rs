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
fn routes_of_http(state: HttpState) -> Router {
    let (routes, document) = documented().split_for_parts();
    routes
        .with_state(state)
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document))
}

fn documented() -> OpenApiRouter<HttpState> {
    OpenApiRouter::with_openapi(document::document())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_every_route() {
        let document = documented().into_openapi().to_pretty_json().expect("JSON");
        let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        let at = "/meeting/{meetingID}/order/{orderID}";
        let expected = [
            ("/login".to_owned(), vec!["post"]),
            ("/logout".to_owned(), vec!["post"]),
            ("/me".to_owned(), vec!["get"]),
            ("/meetings".to_owned(), vec!["get"]),
            ("/active-meetings".to_owned(), vec!["get"]),
            (
                "/active-meetings-participants-join-logs".to_owned(),
                vec!["get"],
            ),
            (format!("{at}/join"), vec!["get", "post"]),
            (format!("{at}/leave"), vec!["get", "post"]),
            (format!("{at}/participants"), vec!["get"]),
            (format!("{at}/messages"), vec!["get"]),
            (format!("{at}/message"), vec!["post"]),
            (format!("{at}/user/{{userID}}/messages"), vec!["get"]),
            ("/livez".to_owned(), vec!["get"]),
            ("/readyz".to_owned(), vec!["get"]),
        ];
        let paths = document["paths"].as_object().expect("paths");
        assert_eq!(paths.len(), expected.len());
        for (path, methods) in expected {
            let operations = paths[&path].as_object().expect("operations");
            let mut listed: Vec<&str> = operations.keys().map(String::as_str).collect();
            listed.sort_unstable();
            assert_eq!(listed, methods, "{path}");
        }
        let references = document.to_string();
        let schemas = document["components"]["schemas"]
            .as_object()
            .expect("schemas");
        for reference in references.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap_or_default();
            assert!(schemas.contains_key(name), "{name} is described nowhere");
        }
    }
}
