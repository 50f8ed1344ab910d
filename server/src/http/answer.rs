//! What is done to every answer: an id, a log line, and the one shape of errors.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use plenary_shared::domain::{Code, Reject};
use tracing::{Instrument, error, info, info_span};
use uuid::Uuid;

use super::HttpState;
use super::error::{HttpError, fault_as_reject, refusal, refusal_with};
use crate::error::Fault;

/// Where an answer carries its request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Surrounds a request. Its log line has the route, not the path: names of people and secrets may
/// stand in paths and queries.
pub(super) async fn answered(
    State(state): State<HttpState>,
    request: Request,
    next: Next,
) -> Response {
    let mut bytes = [0; 16];
    (state.ctx.randomness)(&mut bytes);
    let id = Uuid::from_u128(u128::from_ne_bytes(bytes)).to_string();
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
    Reject::new(
        Code::NotFound,
        "There is nothing at this path: /docs lists what there is.",
    )
    .into()
}

/// Gives every error its body: faults theirs, and what routing, limits and files answer without
/// knowing of our errors.
fn in_shape(mut response: Response, method: &Method, id: &str) -> Response {
    if let Some(fault) = response.extensions_mut().remove::<Arc<Fault>>() {
        error!(error = %*fault, "a request failed");
        return refusal(&fault_as_reject(&fault, id));
    }
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    if !failed || is_json(&response) {
        return response;
    }
    let allow = response.headers().get(ALLOW).cloned();
    let reject = match status {
        StatusCode::NOT_FOUND => Code::NotFound.into(),
        StatusCode::METHOD_NOT_ALLOWED => {
            let taken = allow.as_ref().and_then(|a| a.to_str().ok()).unwrap_or("");
            Reject::new(
                Code::Malformed,
                format!("This path does not take {method}: it takes {taken}."),
            )
        }
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge.into(),
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable.into(),
        _ if status.is_client_error() => Code::Malformed.into(),
        _ => Code::Internal.into(),
    };
    let mut shaped = refusal_with(status, &reject);
    if let Some(allow) = allow {
        shaped.headers_mut().insert(ALLOW, allow);
    }
    shaped
}

fn is_json(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}
