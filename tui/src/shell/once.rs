//! Asking for what is done once however often it is asked: again and again, until its outcome is known.

use tokio::time::sleep;

use super::out;
use crate::api::{Answer, ApiError};
use crate::net::wait_before;

/// It is tried so often, over some ten seconds: a server's restart fits in.
const TRIES_MAX: u32 = 7;

/// Tries until it is known to be done or refused; the id that all tries share keeps it single.
pub async fn until_known<Asking>(ask: impl Fn() -> Asking) -> Result<Answer, ApiError>
where
    Asking: Future<Output = Result<Answer, ApiError>>,
{
    let mut tries = 1;
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if !error.is_temporary() || tries >= TRIES_MAX {
            return Err(error);
        }
        if tries == 1 {
            out::note(&format!("{error} Trying again."));
        }
        let least = match &error {
            ApiError::Refused(refusal) => refusal.retry_after.unwrap_or_default(),
            ApiError::Unreachable { .. } | ApiError::Foreign { .. } => std::time::Duration::ZERO,
        };
        sleep(wait_before(tries, rand::random()).max(least)).await;
        tries += 1;
    }
}
