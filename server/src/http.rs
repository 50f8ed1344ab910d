//! HTTP: the routes and their middleware.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use plenary_shared::limits::{HTTP_BODY_BYTES_MAX, IMPORT_BYTES_MAX};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

use crate::ctx::{Ctx, Randomness};

mod chat;
mod document;
mod error;
mod extract;
mod health;
mod meeting;
mod middleware;
mod moderation;
mod params;
mod planning;
mod search;
mod session;
mod user_admin;

pub use error::{HttpError, status};

/// Time limit of a request. Longer than the timeouts of all stores, so that it only ends what hangs.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Size limit of the body of a sign-in, in bytes: an address, a password and a label with every character
/// escaped. The only body that is read from strangers.
const LOGIN_BYTES_MAX: usize = 16 * 1_024;

/// The state of all handlers.
#[derive(Clone, Debug)]
pub struct HttpState {
    pub ctx: Ctx,
    /// The origins of web pages that may open the WebSocket.
    pub allowed_origins: Arc<[String]>,
}

/// Returns all routes and `more`, with their middleware and documentation. Web pages reach `more`, the
/// WebSocket, only from the allowed origins: browsers do not restrict them as they do HTTP requests.
pub fn router_with(more: Router, state: HttpState) -> Router {
    let randomness = state.ctx.randomness.clone();
    let origins = state.allowed_origins.clone();
    let more = more.layer(from_fn_with_state(origins, middleware::check_origin));
    let (routes, mut document) = documented().split_for_parts();
    document::complete(&mut document);
    let routes = routes
        .with_state(state)
        .merge(SwaggerUi::new("/docs").url("/openapi.json", document));
    with_middleware(routes.merge(more), randomness)
}

fn documented() -> OpenApiRouter<HttpState> {
    OpenApiRouter::with_openapi(document::document())
        .routes(routes!(session::login).layer(DefaultBodyLimit::max(LOGIN_BYTES_MAX)))
        .routes(routes!(session::logout))
        .routes(routes!(session::me))
        .routes(routes!(meeting::meetings))
        .routes(routes!(meeting::active_meetings))
        .routes(routes!(meeting::join_times))
        .routes(routes!(meeting::join))
        .routes(routes!(meeting::leave))
        .routes(routes!(meeting::instance))
        .routes(routes!(meeting::participants))
        .routes(routes!(chat::events))
        .routes(routes!(chat::messages))
        .routes(routes!(chat::message))
        .routes(routes!(chat::edit, chat::delete))
        .routes(routes!(chat::user_messages))
        .routes(routes!(moderation::end))
        .routes(routes!(moderation::extend))
        .routes(routes!(moderation::lock))
        .routes(routes!(moderation::unlock))
        .routes(routes!(moderation::read_only))
        .routes(routes!(moderation::mute))
        .routes(routes!(moderation::unmute))
        .routes(routes!(moderation::remove))
        .routes(routes!(moderation::unban))
        .routes(routes!(moderation::announce))
        .routes(routes!(user_admin::explain))
        .routes(routes!(user_admin::users, user_admin::add))
        .routes(routes!(user_admin::role))
        .routes(routes!(user_admin::password))
        .routes(routes!(user_admin::disable))
        .routes(routes!(user_admin::enable))
        .routes(routes!(user_admin::sessions, user_admin::revoke))
        .routes(routes!(user_admin::end_session))
        .routes(routes!(planning::meetings, planning::add))
        .routes(routes!(planning::meeting, planning::edit))
        .routes(routes!(planning::audience))
        .routes(routes!(planning::import).layer(DefaultBodyLimit::max(IMPORT_BYTES_MAX)))
        .routes(routes!(planning::instance))
        .routes(routes!(planning::shift, planning::cancel))
        .routes(routes!(search::search))
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
}

/// Adds request ids, the access log, JSON errors, limits on time and body size, and the isolation of
/// panics. Also covers unknown paths.
fn with_middleware(routes: Router, randomness: Randomness) -> Router {
    routes
        .fallback(middleware::unknown_path)
        .layer(DefaultBodyLimit::max(HTTP_BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_TIMEOUT,
        ))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(from_fn_with_state(randomness, middleware::log_request))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::{Body, to_bytes};
    use axum::http::{HeaderMap, Request};
    use axum::routing::{get, post};
    use plenary_shared::domain::{Code, Reject};
    use rstest::rstest;
    use tower::ServiceExt;

    use super::*;
    use crate::error::{Error, Fault};

    /// Routes that fail in every way that a handler can.
    fn failing() -> Router {
        let unavailable = || Fault::unavailable("Redis", "secret address");
        let broken = || Fault::broken("reading secret rows", "no such column");
        let routes = Router::new()
            .route("/good", get(|| async { "good" }))
            .route(
                "/unavailable",
                get(move || async move { HttpError::from(unavailable()) }),
            )
            .route(
                "/broken",
                get(move || async move { HttpError::from(Error::Fault(broken())) }),
            )
            .route(
                "/rejected",
                get(|| async { HttpError::from(Code::NotSignedIn) }),
            )
            .route("/panic", get(panicking))
            .route("/text", get(|| async { (StatusCode::CONFLICT, "text") }))
            .route("/body", post(|body: String| async move { body }));
        with_middleware(routes, Arc::new(|bytes| bytes.fill(7)))
    }

    async fn panicking() {
        panic!("secret words");
    }

    async fn answer(request: Request<Body>) -> (u16, HeaderMap, String) {
        let response = failing().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        let body = String::from_utf8(body.into()).expect("text");
        (parts.status.as_u16(), parts.headers, body)
    }

    #[rstest]
    #[case(
        "GET",
        "/unavailable",
        503,
        Code::Unavailable,
        "(id 07070707-0707-4707-8707-070707070707)"
    )]
    #[case(
        "GET",
        "/broken",
        500,
        Code::Internal,
        "(id 07070707-0707-4707-8707-070707070707)"
    )]
    #[case(
        "GET",
        "/panic",
        500,
        Code::Internal,
        "(id 07070707-0707-4707-8707-070707070707)"
    )]
    #[case("GET", "/rejected", 401, Code::NotSignedIn, "ign in")]
    #[case("GET", "/none", 404, Code::NotFound, "listed at /docs")]
    #[case("PUT", "/good", 405, Code::Malformed, "does not support PUT")]
    #[case(
        "GET",
        "/text",
        409,
        Code::Malformed,
        "does not understand this request"
    )]
    #[case("POST", "/body", 413, Code::TooLarge, "larger than 65,536 bytes")]
    #[tokio::test]
    async fn every_error_is_json(
        #[case] method: &str,
        #[case] path: &str,
        #[case] status: u16,
        #[case] code: Code,
        #[case] detail: &str,
    ) {
        let body = vec![b'x'; HTTP_BODY_BYTES_MAX + 1];
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(body.into());
        let (got, headers, body) = answer(request.expect("a request")).await;
        let reject: Reject = serde_json::from_str(&body).expect("a reject");
        assert_eq!((got, reject.code), (status, code));
        assert!(reject.detail.contains(detail), "{body}");
        assert!(!body.contains("secret"), "{body}");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(
            headers["x-request-id"],
            "07070707-0707-4707-8707-070707070707"
        );
        assert_eq!(headers.contains_key("retry-after"), status == 503);
        assert_eq!(headers.contains_key("www-authenticate"), status == 401);
        assert_eq!(headers.contains_key("allow"), status == 405);
    }

    #[tokio::test]
    async fn success_is_passed_through() {
        let request = Request::get("/good").body(Body::empty());
        let (status, headers, body) = answer(request.expect("a request")).await;
        assert_eq!((status, body.as_str()), (200, "good"));
        assert_eq!(headers["cache-control"], "no-store");
    }

    #[test]
    fn document_lists_every_route() {
        let mut document = documented().into_openapi();
        document::complete(&mut document);
        let document = serde_json::to_value(&document).expect("JSON");
        let at = "/meeting/{meetingID}/order/{orderID}";
        let plan = "/plan/meeting/{meetingID}";
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
            (at.to_owned(), vec!["get"]),
            (format!("{at}/events"), vec!["get"]),
            (format!("{at}/messages"), vec!["get"]),
            (format!("{at}/message"), vec!["post"]),
            (format!("{at}/message/{{seq}}"), vec!["delete", "put"]),
            (format!("{at}/user/{{userID}}/messages"), vec!["get"]),
            (format!("{at}/end"), vec!["post"]),
            (format!("{at}/extend"), vec!["post"]),
            (format!("{at}/lock"), vec!["post"]),
            (format!("{at}/unlock"), vec!["post"]),
            (format!("{at}/read-only"), vec!["post"]),
            (format!("{at}/mute"), vec!["post"]),
            (format!("{at}/unmute"), vec!["post"]),
            (format!("{at}/remove"), vec!["post"]),
            (format!("{at}/unban"), vec!["post"]),
            (format!("{at}/announce"), vec!["post"]),
            (format!("{at}/explain"), vec!["get"]),
            ("/users".to_owned(), vec!["get", "post"]),
            ("/user/{userID}/role".to_owned(), vec!["put"]),
            ("/user/{userID}/password".to_owned(), vec!["put"]),
            ("/user/{userID}/disable".to_owned(), vec!["post"]),
            ("/user/{userID}/enable".to_owned(), vec!["post"]),
            ("/user/{userID}/sessions".to_owned(), vec!["delete", "get"]),
            (
                "/user/{userID}/sessions/{sessionID}".to_owned(),
                vec!["delete"],
            ),
            ("/plan/meetings".to_owned(), vec!["get", "post"]),
            (plan.to_owned(), vec!["get", "patch"]),
            (format!("{plan}/audience"), vec!["patch"]),
            (format!("{plan}/audience/import"), vec!["post"]),
            (format!("{plan}/instances"), vec!["post"]),
            (format!("{plan}/order/{{orderID}}"), vec!["delete", "put"]),
            ("/search".to_owned(), vec!["get"]),
            ("/livez".to_owned(), vec!["get"]),
            ("/readyz".to_owned(), vec!["get"]),
        ];
        let paths = document["paths"].as_object().expect("paths");
        assert_eq!(paths.len(), expected.len());
        let mut ids = std::collections::BTreeSet::new();
        for (path, methods) in expected {
            let operations = paths[&path].as_object().expect("operations");
            for (method, operation) in operations {
                let id = operation["operationId"].as_str().expect("an id");
                assert!(ids.insert(id), "{id} is the id of two operations");
                for code in Code::ALL {
                    let status = status(*code).as_str().to_owned();
                    assert!(
                        operation["responses"].get(&status).is_some(),
                        "{method} {path} has no {code}"
                    );
                }
                let body = &operation["requestBody"];
                assert!(body.is_null() || body["required"].is_boolean(), "{path}");
            }
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
            assert!(schemas.contains_key(name), "{name} has no schema");
        }
    }
}
