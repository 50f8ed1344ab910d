//! The back ends. Each starts empty, and offers the operations that are not part of a store.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use async_trait::async_trait;
use plenary_server::clock;
use plenary_server::store::Store;
use plenary_server::store::mysql::MysqlStore;
use plenary_server::store::redis::RedisStore;
use plenary_server::store::redis_mysql::RedisMysqlStore;
use plenary_server::store::sqlite::{Purpose, SqliteStore};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_testkit::{DEADLINE, Database, MariaDb, Redis};
use tempfile::TempDir;

/// A back end with its own store for each case.
#[async_trait]
pub trait BackEnd: Send + Sync {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Another server's store over the same data, if several servers can share it.
    async fn other(&self) -> Arc<dyn Store> {
        self.store()
    }

    /// Runs SQL as another program would; only statements that every back end understands.
    fn sql(&self, statement: &str);

    /// Whether events are archived after they are acknowledged.
    fn archives_later(&self) -> bool {
        true
    }

    /// Whether several servers can share the data.
    fn is_shared(&self) -> bool {
        self.archives_later()
    }

    /// Trims the live log below `first`, if the live state is separate from the archive.
    fn trim(&self, _here: InstanceId, _first: Seq) {}

    /// Drops the live state of this instance, if it can be dropped. Returns whether it was.
    fn forget(&self, _here: InstanceId) -> bool {
        false
    }
}

/// Redis and MariaDB: one Redis for each case, and one database in the process's MariaDB.
struct OnRedisMysql {
    store: Arc<RedisMysqlStore>,
    redis: Redis,
    database: Database,
    _mariadb: Arc<MariaDb>,
}

/// Creates a [`RedisMysqlStore`].
pub async fn redis_mysql() -> Box<dyn BackEnd> {
    let mariadb = mariadb();
    let database = mariadb.create_database();
    let redis = Redis::start();
    let mysql = MysqlStore::connect(&database.url()).expect("the kit's URL is good");
    mysql.migrate().await.expect("an empty database is filled");
    Box::new(OnRedisMysql {
        store: connect(&redis, &database).await,
        redis,
        database,
        _mariadb: mariadb,
    })
}

/// Connects another server's store.
pub async fn connect(redis: &Redis, database: &Database) -> Arc<RedisMysqlStore> {
    let mysql = MysqlStore::connect(&database.url()).expect("the kit's URL is good");
    let nonce = mysql.nonce().await.expect("MariaDB answers");
    let live = RedisStore::connect(&redis.url(), &nonce).expect("the kit's URL is good");
    RedisMysqlStore::new(live, mysql, clock::of_machine())
}

/// The MariaDB of this process, stopped when the last case that uses it has ended.
pub fn mariadb() -> Arc<MariaDb> {
    static SHARED: Mutex<Weak<MariaDb>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(running) = shared.upgrade() {
        return running;
    }
    let started = Arc::new(MariaDb::start());
    *shared = Arc::downgrade(&started);
    started
}

fn key(here: InstanceId, rest: &str) -> String {
    format!("{{meeting:{}:order:{}}}{rest}", here.meeting, here.order)
}

#[async_trait]
impl BackEnd for OnRedisMysql {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    async fn other(&self) -> Arc<dyn Store> {
        connect(&self.redis, &self.database).await
    }

    fn sql(&self, statement: &str) {
        self.database.query(statement);
    }

    fn trim(&self, here: InstanceId, first: Seq) {
        let (log, first) = (key(here, ":log"), format!("{first}-0"));
        self.redis.command(&["XTRIM", &log, "MINID", &first]);
    }

    fn forget(&self, here: InstanceId) -> bool {
        self.redis.command(&["DEL", &key(here, "")]) == ["1"]
    }
}

/// SQLite in its own directory, opened as a server opens it.
struct OnSqlite {
    store: Arc<SqliteStore>,
    directory: TempDir,
}

/// Creates a [`SqliteStore`].
pub async fn sqlite() -> Box<dyn BackEnd> {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let store = SqliteStore::open(directory.path(), clock::of_machine(), Purpose::Serve);
    Box::new(OnSqlite {
        store: store.expect("an empty directory is filled"),
        directory,
    })
}

#[async_trait]
impl BackEnd for OnSqlite {
    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn archives_later(&self) -> bool {
        false
    }

    fn sql(&self, statement: &str) {
        sql_in_file(self.directory.path(), statement);
    }
}

/// Runs SQL in the database of a directory, as another program would.
pub fn sql_in_file(directory: &Path, statement: &str) {
    let file = rusqlite::Connection::open(directory.join("plenary.db")).expect("the file is there");
    file.busy_timeout(DEADLINE).expect("a timeout can be set");
    file.execute_batch(statement)
        .unwrap_or_else(|error| panic!("{error}: {statement}"));
}
