//! The middleware of all routes: request ids, access log, and the uniform shape of errors.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ORIGIN, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use plenary_shared::domain::{Code, Reject};
use tracing::{Instrument, error, info, info_span};

use super::error::{HttpError, reject_response, reject_response_with};
use crate::ctx::Randomness;
use crate::error::Fault;

/// The response header with the id of the request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The policy of all answers but the documentation: no page may run or show anything of them.
const NO_CONTENT_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// The policy of the documentation: its own files, and the inline styles of Swagger UI.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// Refuses requests of web pages whose origin is not allowed. Programs send no origin.
pub(super) async fn check_origin(
    State(allowed): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Response {
    let mut origins = request.headers().get_all(ORIGIN).iter();
    let is_allowed = origins.all(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        allowed.iter().any(|one| one.eq_ignore_ascii_case(origin))
    });
    if is_allowed {
        return next.run(request).await;
    }
    HttpError::from(Code::OriginNotAllowed).into_response()
}

/// Adds the headers that keep browsers from interpreting, framing or leaking an answer.
fn secure(headers: &mut HeaderMap, path: &str) {
    let is_docs = path == "/docs" || path.starts_with("/docs/");
    let policy = if is_docs {
        DOCS_POLICY
    } else {
        NO_CONTENT_POLICY
    };
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Handles one request. The log line has the route instead of the path, because paths and queries may
/// contain email addresses and secrets.
pub(super) async fn log_request(
    State(randomness): State<Randomness>,
    request: Request,
    next: Next,
) -> Response {
    let mut bytes = [0; 16];
    randomness(&mut bytes);
    let id = uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let span = info_span!("request", %id, %method, route);
    let began = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let _in_span = span.enter();
    let mut response = with_json_body(response, &method, &id);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    secure(headers, &path);
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    info!(
        status = response.status().as_u16(),
        took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request answered"
    );
    response
}

/// Answers a path that does not exist.
pub(super) async fn unknown_path() -> HttpError {
    path_not_found().into()
}

fn path_not_found() -> Reject {
    let detail = "This path does not exist. All paths are listed at /docs.";
    Reject::new(Code::NotFound, detail)
}

/// Gives errors a JSON body: logged faults, and the errors of routing and limits.
fn with_json_body(mut response: Response, method: &Method, id: &str) -> Response {
    if let Some(fault) = response.extensions_mut().remove::<Arc<Fault>>() {
        error!(error = %*fault, "request failed");
        return reject_response(&fault.reject(id));
    }
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || is_json(&response) {
        return response;
    }
    let reject = match status {
        StatusCode::NOT_FOUND => path_not_found(),
        // The header Allow, which is added later, lists the methods.
        StatusCode::METHOD_NOT_ALLOWED => Reject::new(
            Code::Malformed,
            format!("This path does not support {method}. Its methods are listed at /docs."),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge.into(),
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable.into(),
        _ if status.is_client_error() => Code::Malformed.into(),
        _ => Code::Internal.into(),
    };
    reject_response_with(status, &reject)
}

fn is_json(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
