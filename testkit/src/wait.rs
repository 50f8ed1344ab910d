//! Waiting for a state: looked at again and again, with a deadline that only ever means failure.

use std::thread;
use std::time::{Duration, Instant};

/// How long any wait may take before the test fails. No test is faster or slower for it.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// How long between two looks at a state that cannot be subscribed to.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until `look` finds something, and gives it back. `what` closes the sentence of the failure.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            began.elapsed() < DEADLINE,
            "waited {DEADLINE:?} in vain for {what}"
        );
        thread::sleep(LOOK_EVERY);
    }
}

/// As [`until`], for a look that takes its time.
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
            "waited {DEADLINE:?} in vain for {what}"
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
