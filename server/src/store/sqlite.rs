//! The store of one machine: everything in one `SQLite` file, and no other process.
//!
//! One thread writes. All verbs that wait are committed together, each on a savepoint of its own if
//! it may have to be taken back alone; a verb is answered, and its events are told, once the commit
//! that holds it is on disk. So what is acknowledged is durable, and nothing has to be archived. Two
//! threads read beside it.

use std::sync::Arc;

use plenary_shared::time::Timestamp;

use crate::clock::Clock;

use self::feed::Feeding;
use self::link::Link;
use self::lock::Lock;
use self::waiting::Waiters;

mod attendance;
mod audit;
mod backup;
mod departure;
mod examine;
mod fault;
mod feed;
mod health;
mod life;
mod link;
mod live;
mod lock;
mod messages;
mod migrate;
mod moderation;
mod opening;
mod overview;
mod participation;
mod planning;
mod presence;
mod read;
mod reading;
mod row;
mod schedule;
mod search;
mod sessions;
mod span;
mod users;
mod waiting;
mod watch;
mod writer;

pub use backup::{BackupError, Copied, backup};
pub use departure::Departure;
pub use migrate::MigrateError;
pub use opening::{OpenError, Purpose};

/// Everything in one file.
pub struct SqliteStore {
    link: Link,
    feeding: Arc<Feeding>,
    waiters: Waiters,
    clock: Clock,
    /// Held until this server is gone.
    _lock: Option<Lock>,
}

impl SqliteStore {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
