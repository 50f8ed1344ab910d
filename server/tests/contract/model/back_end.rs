//! The back ends under the model test: how time passes on each, and how servers and processes end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use plenary_server::clock::Clock;
use plenary_server::store::Store;
use plenary_server::store::sqlite::{Purpose, SqliteStore};
use plenary_shared::time::Timestamp;
use plenary_testkit::{Database, MariaDb, Redis, RedisOptions};
use tempfile::TempDir;

use crate::back_end::{connect, mariadb, sql_in_file};
use crate::harness::now;

/// A back end.
#[async_trait]
pub trait BackEnd: Send {
    /// Starts a server's store. The previous one must be gone.
    async fn store(&self) -> Arc<dyn Store>;

    /// The time on the store's clock.
    fn now(&self) -> Timestamp;

    /// Lets this much time pass. Returns whether the clock advanced; otherwise every deadline and
    /// every loss was moved by the same amount.
    fn jump(&self, ms: i64) -> bool;

    /// Runs SQL as another program would.
    fn sql(&self, statement: &str);

    /// Whether events are archived after they are acknowledged.
    fn archives_later(&self) -> bool;

    /// Restarts the process of the live state, with or without its data. Returns whether it has a
    /// process at all.
    fn crash(&mut self, remembers: bool) -> bool;
}

/// Redis and MariaDB. The clock of Redis cannot be moved.
struct RedisMysql {
    redis: Redis,
    database: Database,
    _mariadb: Arc<MariaDb>,
}

/// Moves every deadline of the live state.
const NEARER: &str = "
for _, key in ipairs(redis.call('KEYS', '{meeting:*')) do
  if string.sub(key, -1) == '}' then
    redis.call('HINCRBY', key, 'fromdatetime', -ARGV[1])
    redis.call('HINCRBY', key, 'todatetime', -ARGV[1])
  elseif string.sub(key, -6) == ':grace' then
    for _, one in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      redis.call('ZINCRBY', key, -ARGV[1], one)
    end
  end
end
for _, key in ipairs({'active_meetings', 'nodes'}) do
  for _, one in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    redis.call('ZINCRBY', key, -ARGV[1], one)
  end
end
for _, node in ipairs(redis.call('HKEYS', '{nodes}:renewed')) do
  redis.call('HINCRBY', '{nodes}:renewed', node, -ARGV[1])
end";

pub async fn redis_mysql() -> Box<dyn BackEnd> {
    let mariadb = mariadb();
    let database = mariadb.create_database();
    let mysql = plenary_server::store::mysql::MysqlStore::connect(&database.url());
    let mysql = mysql.expect("the kit's URL is good");
    mysql.migrate().await.expect("an empty database is filled");
    let options = RedisOptions {
        aof: true,
        ..RedisOptions::default()
    };
    Box::new(RedisMysql {
        redis: Redis::with(options),
        database,
        _mariadb: mariadb,
    })
}

#[async_trait]
impl BackEnd for RedisMysql {
    async fn store(&self) -> Arc<dyn Store> {
        connect(&self.redis, &self.database).await
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn jump(&self, ms: i64) -> bool {
        let seconds = ms / 1_000;
        self.sql(&format!(
            "UPDATE meeting_instance SET fromdatetime = fromdatetime - INTERVAL {seconds} SECOND, \
             todatetime = todatetime - INTERVAL {seconds} SECOND"
        ));
        self.redis.command(&["EVAL", NEARER, "0", &ms.to_string()]);
        false
    }

    fn sql(&self, statement: &str) {
        self.database.query(statement);
    }

    fn archives_later(&self) -> bool {
        true
    }

    fn crash(&mut self, remembers: bool) -> bool {
        if !remembers {
            self.redis.command(&["FLUSHALL"]);
        }
        self.redis.restart();
        true
    }
}

/// SQLite, and a clock that only moves when published to.
struct OnSqlite {
    directory: TempDir,
    now_ms: Arc<AtomicI64>,
}

pub async fn sqlite() -> Box<dyn BackEnd> {
    Box::new(OnSqlite {
        directory: tempfile::tempdir().expect("a directory can be made"),
        now_ms: Arc::new(AtomicI64::new(now().as_ms())),
    })
}

#[async_trait]
impl BackEnd for OnSqlite {
    async fn store(&self) -> Arc<dyn Store> {
        let now_ms = self.now_ms.clone();
        let clock: Clock = Arc::new(move || Timestamp::from_ms(now_ms.load(Ordering::Relaxed)));
        let store = SqliteStore::open(self.directory.path(), clock, Purpose::Serve);
        store.expect("the server before has let go of it")
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.now_ms.load(Ordering::Relaxed))
    }

    fn jump(&self, ms: i64) -> bool {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
        true
    }

    fn sql(&self, statement: &str) {
        sql_in_file(self.directory.path(), statement);
    }

    fn archives_later(&self) -> bool {
        false
    }

    fn crash(&mut self, _remembers: bool) -> bool {
        false
    }
}
