//! Retries of idempotent requests.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use super::output;
use crate::api::{ApiError, Rejection, Response};
use crate::net::wait_before;

/// The number of attempts. They take about 10 seconds, enough for a restart of the server.
const ATTEMPTS_MAX: u32 = 7;

/// The shortest wait for a server that limits how fast the user sends.
const RATE_LIMIT_WAIT_MIN: Duration = Duration::from_millis(10);

/// Whether the user was notified of the limit, which is done once.
static IS_LIMIT_NOTED: AtomicBool = AtomicBool::new(false);

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
        if let Some(wait) = error.rate_limit() {
            // The server says when it accepts the request, so this is not a failed attempt.
            if !IS_LIMIT_NOTED.swap(true, Ordering::Relaxed) {
                output::note("The server limits how fast you send. Waiting as long as needed.");
            }
            sleep(wait.max(RATE_LIMIT_WAIT_MIN)).await;
            continue;
        }
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
