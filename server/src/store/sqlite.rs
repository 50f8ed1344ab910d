//! The store of a single server: everything in one SQLite file.
//!
//! One thread writes. It commits all waiting verbs together, each in a savepoint if it may have to be
//! rolled back alone. A verb is answered and its events are published once the commit is on disk, so
//! everything acknowledged is durable and nothing has to be archived. Two other threads read.

use std::sync::Arc;

use plenary_shared::time::Timestamp;

use crate::clock::Clock;
use crate::rate_limits::SharedLimits;

use self::disk::Disk;
use self::feeding::Feeding;
use self::link::Link;
use self::lock::Lock;
use self::waiting::Waiters;

mod addresses;
mod attendance;
mod backup;
mod dashboard;
mod diagnose;
mod disk;
mod export;
mod fault;
mod feed;
mod feeding;
mod health;
mod lease;
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
mod rates;
mod read_positions;
mod restriction;
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

/// The live state and the durable data in one SQLite file.
pub struct SqliteStore {
    link: Link,
    feeding: Arc<Feeding>,
    waiters: Waiters,
    limits: SharedLimits,
    disk: Arc<Disk>,
    clock: Clock,
    /// Held until the server stops.
    _lock: Option<Lock>,
}

impl SqliteStore {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}
