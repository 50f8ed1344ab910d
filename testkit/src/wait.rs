//! Waiting for a state: polling with a deadline that is only reached on failure.

use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for one state before it fails.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Time between two polls.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Polls `look` until it returns a value. `what` describes the state in the failure message.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            began.elapsed() < DEADLINE,
            "timed out after {DEADLINE:?} waiting for {what}"
        );
        thread::sleep(LOOK_EVERY);
    }
}

/// Like [`until`], for an async `look`.
pub async fn until_async<T, F>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            began.elapsed() < DEADLINE,
            "timed out after {DEADLINE:?} waiting for {what}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
