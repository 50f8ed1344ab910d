//! What is done to every answer: an id, a log line, and the one shape of errors.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use plenary_shared::domain::{Code, Reject};
use tracing::{Instrument, error, info, info_span};

use super::error::{HttpError, refusal, refusal_with};
use crate::ctx::Randomness;
use crate::error::Fault;

/// Where an answer carries its request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Surrounds a request. Its log line has the route, not the path: names of people and secrets may
/// stand in paths and queries.
pub(super) async fn answered(
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
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let span = info_span!("request", %id, %method, route);
    let began = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let _in_span = span.enter();
    let mut response = in_shape(response, &method, &id);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    info!(
        status = response.status().as_u16(),
        took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// What a path that does not exist answers.
pub(super) async fn no_such_path() -> HttpError {
    nothing_here().into()
}

fn nothing_here() -> Reject {
    Reject::new(
        Code::NotFound,
        "There is nothing at this path: /docs lists what there is.",
    )
}

/// Gives every error its body: faults theirs, and what routing, limits and files answer without
/// knowing of our errors.
fn in_shape(mut response: Response, method: &Method, id: &str) -> Response {
    if let Some(fault) = response.extensions_mut().remove::<Arc<Fault>>() {
        error!(error = %*fault, "a request failed");
        return refusal(&fault.reject(id));
    }
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || is_json(&response) {
        return response;
    }
    let reject = match status {
        StatusCode::NOT_FOUND => nothing_here(),
        // Which it takes stands in the header Allow, which is added after this.
        StatusCode::METHOD_NOT_ALLOWED => Reject::new(
            Code::Malformed,
            format!("This path does not take {method}: /docs lists what it takes."),
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge.into(),
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable.into(),
        _ if status.is_client_error() => Code::Malformed.into(),
        _ => Code::Internal.into(),
    };
    refusal_with(status, &reject)
}

fn is_json(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
