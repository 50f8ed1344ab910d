//! The stores that must agree: how time passes for each, and how its server and its processes end.

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

/// What a store stands on.
#[async_trait]
pub trait Ground: Send {
    /// A server's store over what there is. The one before must be gone.
    async fn store(&self) -> Arc<dyn Store>;

    /// The time by the store's clock.
    fn now(&self) -> Timestamp;

    /// Lets so much time pass. Whether the clock went on; otherwise it stayed, and all that is to
    /// come, or was lost, came nearer or went further away.
    fn jump(&self, ms: i64) -> bool;

    /// What somebody else does in the tables.
    fn sql(&self, statement: &str);

    /// Whether the archive is kept apart from what is live, and so comes later.
    fn archives_later(&self) -> bool;

    /// Puts what is live into another process, with or without what it was. Whether it is in a
    /// process at all.
    fn crash(&mut self, remembers: bool) -> bool;
}

/// Redis and MariaDB. Redis has its own clock, and nobody moves that.
struct RedisMysql {
    redis: Redis,
    database: Database,
    _mariadb: Arc<MariaDb>,
}

/// Moves every deadline of what is live.
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

pub async fn redis_mysql() -> Box<dyn Ground> {
    let mariadb = mariadb();
    let database = mariadb.create_database();
    let ledger = plenary_server::store::mysql::MysqlStore::connect(&database.url());
    let ledger = ledger.expect("the kit's URL is good");
    ledger.migrate().await.expect("an empty database is filled");
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
impl Ground for RedisMysql {
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

/// One file, and a clock that goes only when it is told to.
struct OneFile {
    directory: TempDir,
    now_ms: Arc<AtomicI64>,
}

pub async fn sqlite() -> Box<dyn Ground> {
    Box::new(OneFile {
        directory: tempfile::tempdir().expect("a directory can be made"),
        now_ms: Arc::new(AtomicI64::new(now().as_ms())),
    })
}

#[async_trait]
impl Ground for OneFile {
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
