//! Errors as HTTP responses: the status of each code, and the headers that belong to it.

use std::any::Any;
use std::sync::Arc;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use plenary_shared::domain::{Code, Reject};

use crate::error::{Error, Fault};

/// The error of a handler.
#[derive(Debug)]
pub struct HttpError(Error);

impl<E: Into<Error>> From<E> for HttpError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        match self.0 {
            Error::Reject(reject) => reject_response(&reject),
            Error::Fault(fault) => fault_response(fault),
        }
    }
}

/// Returns the HTTP status of a code.
pub const fn status(code: Code) -> StatusCode {
    match code {
        Code::Malformed | Code::NotStarted | Code::Ended => StatusCode::BAD_REQUEST,
        Code::Invalid | Code::BodyEmpty | Code::BodyControl => StatusCode::UNPROCESSABLE_ENTITY,
        Code::BodyTooLong | Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::NotSignedIn | Code::WrongPassword => StatusCode::UNAUTHORIZED,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::AdminsOnly
        | Code::NotYourself
        | Code::OriginNotAllowed
        | Code::NotAllowed
        | Code::Banned
        | Code::Disabled
        | Code::Muted
        | Code::NotYours => StatusCode::FORBIDDEN,
        Code::NotFound | Code::NoSuchMessage => StatusCode::NOT_FOUND,
        Code::AlreadyParticipant
        | Code::NotParticipant
        | Code::MessageDeleted
        | Code::Full
        | Code::Locked
        | Code::ReadOnly
        | Code::AlreadySo
        | Code::NotScheduled
        | Code::TooManyFollowed => StatusCode::CONFLICT,
        Code::TooManyRequests | Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::ArchiveBehind | Code::DiskReserve | Code::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Returns the response for a reject.
pub(super) fn reject_response(reject: &Reject) -> Response {
    reject_response_with(status(reject.code), reject)
}

/// Returns the response for a reject, with a more specific status than that of its code.
pub(super) fn reject_response_with(status: StatusCode, reject: &Reject) -> Response {
    let mut response = (status, Json(reject)).into_response();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(wait_s) = reject.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait_s));
    }
    response
}

/// Returns the response for a fault. It has no body: [`super::middleware::log_request`] assigns an id, logs
/// the fault and writes the body.
fn fault_response(fault: Fault) -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(Arc::new(fault));
    response
}

/// Returns the response for a handler that panicked.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer passes the panic by value"
)]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned());
    fault_response(Fault::broken("request panicked", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status() {
        for code in Code::ALL {
            let expected = match code.as_str() {
                "malformed" | "not_started" | "ended" => 400,
                "not_signed_in" | "wrong_password" => 401,
                "admins_only" | "not_yourself" | "not_allowed" | "not_yours" | "banned"
                | "muted" | "disabled" | "origin_not_allowed" => 403,
                "not_found" | "no_such_message" => 404,
                "already_participant"
                | "not_participant"
                | "message_deleted"
                | "full"
                | "locked"
                | "read_only"
                | "already_so"
                | "not_scheduled"
                | "too_many_followed" => 409,
                "body_too_long" | "too_large" => 413,
                "unsupported_media_type" => 415,
                "invalid" | "body_empty" | "body_control" => 422,
                "too_many_requests" | "rate_limited" => 429,
                "internal" => 500,
                "archive_behind" | "disk_reserve" | "unavailable" => 503,
                other => panic!("{other} has no status"),
            };
            assert_eq!(status(*code).as_u16(), expected, "{code}");
        }
    }

    #[test]
    fn temporary_errors_have_retry_after() {
        for code in [
            Code::TooManyRequests,
            Code::RateLimited,
            Code::ArchiveBehind,
            Code::DiskReserve,
            Code::Unavailable,
        ] {
            assert!(
                reject_response(&code.into())
                    .headers()
                    .contains_key(RETRY_AFTER),
                "{code}"
            );
        }
    }
}
