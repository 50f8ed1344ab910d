//! A Redis and a MariaDB together, as most tests need them, and the directories they stand in.

use std::path::Path;

use tempfile::TempDir;

use crate::mariadb::{Database, MariaDb};
use crate::redis::{Redis, RedisOptions};

/// A unix socket's path has at most 107 bytes; the longest name in a directory has 6.
const DIRECTORY_BYTES_MAX: usize = 100;

/// Private stores of one test.
#[derive(Debug)]
pub struct Stores {
    /// What is live.
    pub redis: Redis,
    /// What lasts.
    pub mariadb: MariaDb,
    /// The one database in it.
    pub database: Database,
}

impl Stores {
    /// A Redis that forgets when it stops, and an empty database.
    pub fn start() -> Self {
        Self::with(RedisOptions::default())
    }

    /// A Redis as `options` say, and an empty database.
    pub fn with(options: RedisOptions) -> Self {
        let redis = Redis::with(options);
        let mariadb = MariaDb::start();
        let database = mariadb.create_database();
        Self {
            redis,
            mariadb,
            database,
        }
    }
}

/// A new directory whose path is short enough for a unix socket in it.
pub(crate) fn directory() -> TempDir {
    let make = |root: &Path| {
        tempfile::Builder::new()
            .prefix("pl")
            .tempdir_in(root)
            .unwrap_or_else(|e| panic!("no directory can be made in {}: {e}", root.display()))
    };
    let usual = make(&std::env::temp_dir());
    if usual.path().as_os_str().len() <= DIRECTORY_BYTES_MAX {
        return usual;
    }
    make(Path::new("/tmp"))
}
