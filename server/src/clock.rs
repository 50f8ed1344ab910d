//! Where the time comes from: an argument everywhere, so that tests can say what time it is.

use std::sync::Arc;

use plenary_shared::time::Timestamp;

/// A clock. Only for what no store's clock rules: sessions and waiting.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The machine's own: for whoever puts the parts together, no lower.
pub fn of_machine() -> Clock {
    Arc::new(|| Timestamp::from(chrono::Utc::now()))
}
