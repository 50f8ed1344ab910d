//! A private Redis and a private MariaDB together, as most tests need them.

use std::collections::HashMap;

use crate::mariadb::{Database, MariaDb};
use crate::redis::{Redis, RedisOptions};

/// Private stores of one test.
#[derive(Debug)]
pub struct Stores {
    /// Holds the live state.
    pub redis: Redis,
    /// Holds the durable record.
    pub mariadb: MariaDb,
    /// The only database in `mariadb`.
    pub database: Database,
}

impl Stores {
    /// Starts a Redis without persistence and a MariaDB with an empty database.
    pub fn start() -> Self {
        Self::with(RedisOptions::default())
    }

    /// Starts a Redis with these options and a MariaDB with an empty database.
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

    /// Returns a token for each of these users, stored as a sign-in would store it.
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
                None => panic!("user {} does not exist", name.as_ref()),
            })
            .collect()
    }
}
