//! The source of time, passed as an argument so that tests can set it.

use std::sync::Arc;

use plenary_shared::time::Timestamp;

/// A clock. Used only where no store clock applies: sessions and waiting times.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Returns the system clock. Only `main`, `app` and tests call this.
pub fn of_machine() -> Clock {
    Arc::new(|| Timestamp::from(chrono::Utc::now()))
}
