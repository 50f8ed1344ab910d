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
mod backup;
mod dashboard;
mod diagnose;
mod export;
mod fault;
mod feed;
mod health;
mod lifecycle;
mod link;
mod live;
mod lock;
mod log;
mod meetings;
mod messages;
mod migrate;
mod moderation;
mod opening;
mod participation;
mod planning;
mod presence;
mod read_positions;
mod search;
mod sessions;
mod statement;
mod users;
mod waiting;
mod watch;
mod writer;

pub use backup::{BackupError, Copied, backup};
pub use export::Export;
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
