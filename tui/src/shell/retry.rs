//! Retries of idempotent requests.

use std::time::Duration;

use tokio::time::sleep;

use super::output;
use crate::api::{ApiError, Rejection, Response};
use crate::net::wait_before;

/// The number of attempts. They take about 10 seconds, enough for a restart of the server.
const ATTEMPTS_MAX: u32 = 7;

/// Repeats a request until the server accepts or rejects it. Each attempt must carry the same id, so
/// that the server executes it once.
pub async fn with_retries<Sent>(request: impl Fn() -> Sent) -> Result<Response, ApiError>
where
    Sent: Future<Output = Result<Response, ApiError>>,
{
    let mut attempt = 1;
    loop {
        let error = match request().await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        if !error.is_temporary() || attempt >= ATTEMPTS_MAX {
            return Err(error);
        }
        if attempt == 1 {
            output::note(&format!("{error} Retrying."));
        }
        let wait_min = match &error {
            ApiError::Rejected(Rejection { retry_after, .. }) => retry_after.unwrap_or_default(),
            ApiError::Unreachable { .. } | ApiError::UnexpectedResponse { .. } => Duration::ZERO,
        };
        sleep(wait_before(attempt, rand::random()).max(wait_min)).await;
        attempt += 1;
    }
}
