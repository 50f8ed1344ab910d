//! The back ends under the servers: a private Redis and MariaDB, or SQLite; and how they fail.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mysql_async::prelude::Queryable;
use plenary_server::clock::Clock;
use plenary_server::store::Store;
use plenary_server::store::instrument::{Instrument, Observer};
use plenary_server::store::mysql::MysqlStore;
use plenary_server::store::redis::RedisStore;
use plenary_server::store::redis_mysql::RedisMysqlStore;
use plenary_server::store::sqlite::{Purpose, SqliteStore};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;
use plenary_testkit::{Database, MariaDb, Redis};
use tempfile::TempDir;

use crate::mistake::Wrong;
use crate::scripts::{NOW, PUBLISHED, Product};

/// The initial data of a run.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// Users beside the admin.
    pub people: u64,
    /// The instances with their times.
    pub instances: Vec<(InstanceId, Timestamp, Timestamp)>,
    /// The server code that runs.
    pub product: Arc<Product>,
}

/// How Redis comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedisRestart {
    /// A new process with all data.
    OnlyScripts,
    /// A new process with an earlier dump.
    Tail,
    /// A new process without data.
    Everything,
    /// The same process without its scripts.
    ScriptsInPlace,
}

/// A store for one server.
pub struct Opened {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its two parts, for planted mistakes.
    pub parts: Option<(RedisStore, MysqlStore)>,
}

/// The durable record of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurableRecord {
    /// Its state.
    pub state: String,
    /// The last archived seq.
    pub archived: u64,
}

/// The back ends under the servers.
pub enum Environment {
    /// Redis and MariaDB.
    RedisMysql(Box<Shared>),
    /// SQLite.
    Sqlite(SqliteEnvironment),
}

/// A private Redis and MariaDB.
pub struct Shared {
    redis: Redis,
    admin: redis::Connection,
    database: Database,
    _mariadb: MariaDb,
    sql: Option<mysql_async::Conn>,
    mysql: Option<MysqlStore>,
    fixture: Option<Fixture>,
}

/// A directory with an SQLite database.
pub struct SqliteEnvironment {
    root: TempDir,
    directory: PathBuf,
    runs: u64,
}

impl Environment {
    /// Starts Redis and MariaDB.
    pub fn redis_mysql() -> Self {
        let redis = Redis::start();
        let mariadb = MariaDb::start();
        let database = mariadb.create_database();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mysql = MysqlStore::connect(&database.url()).expect("the kit's URL is good");
            mysql.migrate().await.expect("an empty database is filled");
        });
        let admin = connect(&redis);
        Self::RedisMysql(Box::new(Shared {
            redis,
            admin,
            database,
            _mariadb: mariadb,
            sql: None,
            mysql: None,
            fixture: None,
        }))
    }

    /// Creates an SQLite database, in memory where possible.
    pub fn sqlite() -> Self {
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let root = root.expect("a directory can be made");
        Self::Sqlite(SqliteEnvironment {
            directory: root.path().to_owned(),
            root,
            runs: 0,
        })
    }

    /// Whether several servers can share it.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::RedisMysql(_))
    }

    /// Clears it and inserts the initial data.
    pub async fn begin(&mut self, fixture: &Fixture) {
        match self {
            Self::RedisMysql(shared) => shared.begin(fixture).await,
            Self::Sqlite(file) => file.begin(fixture),
        }
    }

    /// Releases what belongs to one run.
    pub fn end(&mut self) {
        if let Self::RedisMysql(shared) = self {
            shared.sql = None;
            shared.mysql = None;
        }
    }

    /// Opens a store for one server.
    pub fn open(&self, watch: Arc<dyn Observer>, clock: &Clock) -> Opened {
        match self {
            Self::RedisMysql(shared) => shared.open(&Instrument::observed(watch), clock),
            Self::Sqlite(file) => Opened {
                store: SqliteStore::open_paced(
                    &file.directory,
                    clock.clone(),
                    Purpose::Serve,
                    Instrument::observed(watch),
                )
                .expect("the file can be opened"),
                parts: None,
            },
        }
    }

    /// Sets the time for what does not query the simulated clock.
    pub fn set_now(&mut self, now_ms: i64) {
        if let Self::RedisMysql(shared) = self {
            redis::cmd("SET")
                .arg(NOW)
                .arg(now_ms)
                .exec(&mut shared.admin)
                .expect("Redis answers");
        }
    }

    /// Takes what scripts published since the last call, and sets the time in the same round trip.
    pub fn published(&mut self, now_ms: i64) -> Vec<String> {
        let Self::RedisMysql(shared) = self else {
            return Vec::new();
        };
        let answer: (Vec<String>,) = redis::pipe()
            .lrange(PUBLISHED, 0, -1)
            .del(PUBLISHED)
            .ignore()
            .set(NOW, now_ms)
            .ignore()
            .query(&mut shared.admin)
            .expect("Redis answers");
        answer.0
    }

    /// The durable record of an instance.
    pub async fn durable_record(&mut self, id: InstanceId) -> DurableRecord {
        let query = format!(
            "SELECT state, archived_seq FROM meeting_instance WHERE meetingID = {} AND orderID = {}",
            id.meeting, id.order
        );
        match self {
            Self::RedisMysql(shared) => {
                let sql = shared.sql.as_mut().expect("a run is on");
                let row: Option<(String, u64)> = sql.query_first(query).await.expect("an answer");
                let (state, archived) = row.expect("it is there");
                DurableRecord { state, archived }
            }
            Self::Sqlite(file) => {
                let file = file.connect();
                let read = |row: &rusqlite::Row<'_>| {
                    Ok(DurableRecord {
                        state: row.get(0)?,
                        archived: row.get(1)?,
                    })
                };
                file.query_row(&query, [], read).expect("it is there")
            }
        }
    }

    /// The keys of an instance that are left, except its tombstone.
    pub fn remaining_keys(&mut self, id: InstanceId) -> Vec<String> {
        match self {
            Self::RedisMysql(shared) => {
                let name = format!("meeting:{}:order:{}", id.meeting, id.order);
                let pattern = format!("{{{name}}}*");
                let keys: Vec<String> = redis::cmd("KEYS")
                    .arg(pattern)
                    .query(&mut shared.admin)
                    .expect("Redis answers");
                let indexed: Option<f64> = redis::cmd("ZSCORE")
                    .arg("active_meetings")
                    .arg(&name)
                    .query(&mut shared.admin)
                    .expect("Redis answers");
                let mut remaining_keys = keys;
                remaining_keys.retain(|key| !key.ends_with(":tombstone"));
                remaining_keys.extend(indexed.map(|_| "in active_meetings".to_owned()));
                remaining_keys
            }
            Self::Sqlite(file) => {
                let file = file.connect();
                let count = |table: &str| -> i64 {
                    let query = format!(
                        "SELECT COUNT(*) FROM {table} WHERE meetingID = {} AND orderID = {}",
                        id.meeting, id.order
                    );
                    file.query_row(&query, [], |row| row.get(0))
                        .expect("a count")
                };
                ["live_instance", "stay", "holder"]
                    .into_iter()
                    .filter(|table| count(table) > 0)
                    .map(str::to_owned)
                    .collect()
            }
        }
    }
}

impl Shared {
    async fn begin(&mut self, fixture: &Fixture) {
        self.admin("FLUSHALL", &[]);
        self.admin("SCRIPT", &["FLUSH"]);
        for dump in [self.dump(), self.saved_dump()] {
            // There is none at first.
            let _ = std::fs::remove_file(dump);
        }
        self.fixture = Some(fixture.clone());
        self.reload_scripts();
        let opts = mysql_async::Opts::from_url(&self.database.url()).expect("the kit's URL");
        let mut sql = mysql_async::Conn::new(opts).await.expect("MariaDB answers");
        let time = |at: &Timestamp| format!("'{}'", at.to_utc().format("%Y-%m-%d %H:%M:%S%.3f"));
        sql.query_drop("SET time_zone = '+00:00'")
            .await
            .expect("a zone");
        sql.query_drop(insert_statements(fixture, time))
            .await
            .expect("the tables are ours");
        self.sql = Some(sql);
        self.mysql =
            Some(MysqlStore::connect(&self.database.url()).expect("the kit's URL is good"));
    }

    fn open(&self, instrument: &Instrument, clock: &Clock) -> Opened {
        let fixture = self.fixture.as_ref().expect("a run is on");
        let mysql = self.mysql.as_ref().expect("a run is on");
        let live = || {
            let scripts = fixture.product.scripts.clone();
            RedisStore::with(&self.redis.url(), scripts, instrument.clone())
                .expect("the kit's URL is good")
        };
        let mysql = mysql.instrumented(instrument.clone());
        Opened {
            store: RedisMysqlStore::new(live(), mysql.clone(), clock.clone()),
            parts: (fixture.product.wrong == Wrong::PublishesBeforeCommit).then(|| (live(), mysql)),
        }
    }

    /// Stores a dump, for a Redis that comes back with it later.
    pub fn save_dump(&mut self) {
        self.admin("SAVE", &[]);
        std::fs::copy(self.dump(), self.saved_dump()).expect("the directory is ours");
    }

    /// Kills Redis and brings it back.
    pub fn restart(&mut self, restart: RedisRestart) {
        match restart {
            RedisRestart::ScriptsInPlace => {
                self.admin("SCRIPT", &["FLUSH"]);
                self.reload_scripts();
                return;
            }
            RedisRestart::OnlyScripts => self.admin("SAVE", &[]),
            RedisRestart::Tail => {
                if self.saved_dump().exists() {
                    std::fs::copy(self.saved_dump(), self.dump()).expect("the directory is ours");
                }
            }
            RedisRestart::Everything => {
                // There may be none.
                let _ = std::fs::remove_file(self.dump());
            }
        }
        self.redis.kill9();
        self.redis.restart();
        self.admin = connect(&self.redis);
        self.admin("DEL", &[PUBLISHED]);
        self.reload_scripts();
    }

    /// Releases the lock for rebuilding once its time has passed by the simulated clock.
    pub fn release_rebuilding(&mut self) {
        self.admin("DEL", &["plenary:rebuilding"]);
    }

    /// The mistake of a library that reloads scripts automatically.
    fn reload_scripts(&mut self) {
        let Some(fixture) = self.fixture.clone() else {
            return;
        };
        if fixture.product.wrong == Wrong::ReloadsScripts {
            for (_, text) in &fixture.product.texts {
                self.admin("SCRIPT", &["LOAD", text]);
            }
        }
    }

    fn admin(&mut self, command: &str, words: &[&str]) {
        redis::cmd(command)
            .arg(words)
            .exec(&mut self.admin)
            .expect("Redis answers");
    }

    fn dump(&self) -> PathBuf {
        self.redis.socket().with_file_name("dump.rdb")
    }

    fn saved_dump(&self) -> PathBuf {
        self.redis.socket().with_file_name("earlier.rdb")
    }
}

impl SqliteEnvironment {
    fn begin(&mut self, fixture: &Fixture) {
        if self.runs > 0 {
            // The rest is removed with the whole directory.
            let _ = std::fs::remove_dir_all(&self.directory);
        }
        self.runs += 1;
        self.directory = self.root.path().join(self.runs.to_string());
        let now = fixture.instances.first().map(|(_, from, _)| *from);
        SqliteStore::migrate(&self.directory, now.unwrap_or_default())
            .expect("an empty file is filled");
        self.connect()
            .execute_batch(&insert_statements(fixture, |at| at.as_ms().to_string()))
            .expect("the tables are ours");
    }

    fn connect(&self) -> rusqlite::Connection {
        let file = rusqlite::Connection::open(self.directory.join("plenary.db"));
        let file = file.expect("the file is there");
        file.busy_timeout(plenary_testkit::DEADLINE)
            .expect("a timeout can be set");
        file
    }
}

fn connect(redis: &Redis) -> redis::Connection {
    let client = redis::Client::open(redis.url()).expect("the kit's URL is good");
    client.get_connection().expect("Redis answers")
}

/// The statements that fill the tables, with times in the database's format.
fn insert_statements(fixture: &Fixture, time: impl Fn(&Timestamp) -> String) -> String {
    let mut sql = String::from(
        "DELETE FROM message; DELETE FROM event_log; DELETE FROM audience;
         DELETE FROM meeting_instance; DELETE FROM meeting; DELETE FROM user;
         INSERT INTO user (userID, name, email, role) VALUES (1, 'root', 'root@example.org', 'admin');",
    );
    for person in 2..2 + fixture.people {
        let add = format!(
            "INSERT INTO user (userID, name, email) VALUES ({person}, 'p{person}', 'p{person}@example.org');"
        );
        sql += &add;
    }
    for (id, from, to) in &fixture.instances {
        let add = format!(
            "INSERT INTO meeting (meetingID, title, description, isPublic) VALUES ({m}, 'M{m}', '', 1);
             INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
             VALUES ({m}, {o}, {from}, {to});",
            m = id.meeting,
            o = id.order,
            from = time(from),
            to = time(to),
        );
        sql += &add;
    }
    sql
}
