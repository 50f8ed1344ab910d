//! Why a request failed.

use std::time::Duration;

use plenary_shared::domain::{Code, Reject};
use plenary_shared::text::for_terminal;
use reqwest::StatusCode;
use serde::Deserialize;

use crate::server_url::ServerUrl;

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The connection failed. The server may have executed the request.
    #[error("Server {server} is unreachable: {why}.")]
    Unreachable { server: String, why: String },
    /// The response is not one of a Plenary server.
    #[error("{server} is not a Plenary server, or its version does not match (HTTP {status}).")]
    UnexpectedResponse { server: String, status: u16 },
    /// The server rejected the request.
    #[error("{}", .0.detail)]
    Rejected(Rejection),
}

/// A rejection by the server. Unlike [`Reject`], its code may be unknown to this client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub status: u16,
    pub code: String,
    pub detail: String,
    pub retry_after: Option<Duration>,
}

impl ApiError {
    pub(super) fn unreachable(server: &ServerUrl, error: &reqwest::Error) -> Self {
        Self::Unreachable {
            server: server.to_string(),
            why: cause_of(error),
        }
    }

    /// Returns whether a retry may succeed.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::UnexpectedResponse { status, .. } => matches!(status, 502..=504),
            Self::Rejected(rejection) => matches!(rejection.status, 429 | 503),
        }
    }

    /// Returns the wait after which the server accepts the request, if it limits how fast the user sends.
    pub fn rate_limit(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejection) if rejection.known_code() == Some(Code::RateLimited) => {
                rejection.retry_after
            }
            Self::Rejected(_) | Self::Unreachable { .. } | Self::UnexpectedResponse { .. } => None,
        }
    }
}

impl Rejection {
    /// Parses the body of an error response. Returns `None` if a Plenary server did not write it.
    pub(super) fn parse(
        status: StatusCode,
        json: &str,
        retry_after_s: Option<u64>,
    ) -> Option<Self> {
        #[derive(Deserialize)]
        struct Body {
            code: String,
            detail: String,
            retry_after_s: Option<u64>,
            retry_after_ms: Option<u64>,
        }
        let body: Body = serde_json::from_str(json).ok()?;
        Some(Self {
            status: status.as_u16(),
            code: for_terminal(&body.code),
            detail: for_terminal(&body.detail),
            retry_after: body.retry_after_ms.map(Duration::from_millis).or_else(|| {
                retry_after_s
                    .or(body.retry_after_s)
                    .map(Duration::from_secs)
            }),
        })
    }

    /// Returns the code if this client knows it.
    pub fn known_code(&self) -> Option<Code> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == self.code)
    }
}

impl From<Reject> for Rejection {
    /// Converts a rejection that the client found without the server.
    fn from(reject: Reject) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY.as_u16(),
            code: reject.code.to_string(),
            retry_after: reject
                .wait_ms()
                .map(|wait_ms| Duration::from_millis(wait_ms.into())),
            detail: reject.detail,
        }
    }
}

/// Returns the message of the innermost error.
fn cause_of(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no response in time".to_owned();
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    for_terminal(&innermost.to_string())
}
