//! A Redis and a MariaDB together, as most tests need them, and the directories they stand in.

use std::collections::HashMap;
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

impl Stores {
    /// A token for each of these people, as a sign-in of each would leave it in the durable store.
    #[track_caller]
    pub fn tokens(&self, names: &[impl AsRef<str>]) -> Vec<String> {
        // 256 bits in hexadecimal, of which the store has the SHA-256.
        const TOKEN: &str = "SHA2(CONCAT('a token of ', userID), 256)";
        let rows = self.database.query(&format!(
            "INSERT IGNORE INTO session (tokenHash, userID, created_at, expires_at) \
             SELECT UNHEX(SHA2({TOKEN}, 256)), userID, UTC_TIMESTAMP(3), \
             UTC_TIMESTAMP(3) + INTERVAL 1 DAY FROM user; \
             SELECT name, {TOKEN} FROM user"
        ));
        let tokens: HashMap<&str, &str> = rows
            .iter()
            .map(|row| (row[0].as_str(), row[1].as_str()))
            .collect();
        names
            .iter()
            .map(|name| match tokens.get(name.as_ref()) {
                Some(token) => (*token).to_owned(),
                None => panic!("there is nobody called {}", name.as_ref()),
            })
            .collect()
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
