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
pub struct Scene {
    /// Users beside the admin.
    pub people: u64,
    /// The instances with their times.
    pub instances: Vec<(InstanceId, Timestamp, Timestamp)>,
    /// The server code that runs.
    pub product: Arc<Product>,
}

/// How Redis comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgets {
    /// A new process with all data.
    OnlyScripts,
    /// A new process with an earlier dump.
    ATail,
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
pub struct Lasting {
    /// Its state.
    pub state: String,
    /// The last archived seq.
    pub archived: u64,
}

/// The back ends under the servers.
pub enum Ground {
    /// Redis and MariaDB.
    RedisMysqlStore(Box<Shared>),
    /// SQLite.
    File(OneFile),
}

/// A private Redis and MariaDB.
pub struct Shared {
    redis: Redis,
    admin: redis::Connection,
    database: Database,
    _mariadb: MariaDb,
    sql: Option<mysql_async::Conn>,
    mysql: Option<MysqlStore>,
    scene: Option<Scene>,
}

/// A directory with an SQLite database.
pub struct OneFile {
    root: TempDir,
    directory: PathBuf,
    runs: u64,
}

impl Ground {
    /// Starts Redis and MariaDB.
    pub fn hybrid() -> Self {
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
        Self::RedisMysqlStore(Box::new(Shared {
            redis,
            admin,
            database,
            _mariadb: mariadb,
            sql: None,
            mysql: None,
            scene: None,
        }))
    }

    /// Creates an SQLite database, in memory where possible.
    pub fn file() -> Self {
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let root = root.expect("a directory can be made");
        Self::File(OneFile {
            directory: root.path().to_owned(),
            root,
            runs: 0,
        })
    }

    /// Whether several servers can share it.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::RedisMysqlStore(_))
    }

    /// Clears it and inserts the initial data.
    pub async fn begin(&mut self, scene: &Scene) {
        match self {
            Self::RedisMysqlStore(shared) => shared.begin(scene).await,
            Self::File(file) => file.begin(scene),
        }
    }

    /// Releases what belongs to one run.
    pub fn end(&mut self) {
        if let Self::RedisMysqlStore(shared) = self {
            shared.sql = None;
            shared.mysql = None;
        }
    }

    /// Opens a store for one server.
    pub fn open(&self, watch: Arc<dyn Observer>, clock: &Clock) -> Opened {
        match self {
            Self::RedisMysqlStore(shared) => shared.open(&Instrument::observed(watch), clock),
            Self::File(file) => Opened {
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

    /// Sets the time for what does not ask the simulated clock.
    pub fn set_now(&mut self, now_ms: i64) {
        if let Self::RedisMysqlStore(shared) = self {
            redis::cmd("SET")
                .arg(NOW)
                .arg(now_ms)
                .exec(&mut shared.admin)
                .expect("Redis answers");
        }
    }

    /// Takes what scripts published since the last call, and sets the time in the same round trip.
    pub fn published(&mut self, now_ms: i64) -> Vec<String> {
        let Self::RedisMysqlStore(shared) = self else {
            return Vec::new();
        };
        let asked: (Vec<String>,) = redis::pipe()
            .lrange(PUBLISHED, 0, -1)
            .del(PUBLISHED)
            .ignore()
            .set(NOW, now_ms)
            .ignore()
            .query(&mut shared.admin)
            .expect("Redis answers");
        asked.0
    }

    /// The durable record of an instance.
    pub async fn lasting(&mut self, id: InstanceId) -> Lasting {
        let ask = format!(
            "SELECT state, archived_seq FROM meeting_instance WHERE meetingID = {} AND orderID = {}",
            id.meeting, id.order
        );
        match self {
            Self::RedisMysqlStore(shared) => {
                let sql = shared.sql.as_mut().expect("a run is on");
                let row: Option<(String, u64)> = sql.query_first(ask).await.expect("an answer");
                let (state, archived) = row.expect("it is there");
                Lasting { state, archived }
            }
            Self::File(file) => {
                let file = file.connect();
                let read = |row: &rusqlite::Row<'_>| {
                    Ok(Lasting {
                        state: row.get(0)?,
                        archived: row.get(1)?,
                    })
                };
                file.query_row(&ask, [], read).expect("it is there")
            }
        }
    }

    /// The keys of an instance that are left, except its tombstone.
    pub fn left(&mut self, id: InstanceId) -> Vec<String> {
        match self {
            Self::RedisMysqlStore(shared) => {
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
                let mut left = keys;
                left.retain(|key| !key.ends_with(":tombstone"));
                left.extend(indexed.map(|_| "in active_meetings".to_owned()));
                left
            }
            Self::File(file) => {
                let file = file.connect();
                let count = |table: &str| -> i64 {
                    let ask = format!(
                        "SELECT COUNT(*) FROM {table} WHERE meetingID = {} AND orderID = {}",
                        id.meeting, id.order
                    );
                    file.query_row(&ask, [], |row| row.get(0)).expect("a count")
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
    async fn begin(&mut self, scene: &Scene) {
        self.admin("FLUSHALL", &[]);
        self.admin("SCRIPT", &["FLUSH"]);
        for dump in [self.dump(), self.earlier()] {
            // There is none at first.
            let _ = std::fs::remove_file(dump);
        }
        self.scene = Some(scene.clone());
        self.reload();
        let opts = mysql_async::Opts::from_url(&self.database.url()).expect("the kit's URL");
        let mut sql = mysql_async::Conn::new(opts).await.expect("MariaDB answers");
        let time = |at: &Timestamp| format!("'{}'", at.to_utc().format("%Y-%m-%d %H:%M:%S%.3f"));
        sql.query_drop("SET time_zone = '+00:00'")
            .await
            .expect("a zone");
        sql.query_drop(filling(scene, time))
            .await
            .expect("the tables are ours");
        self.sql = Some(sql);
        self.mysql =
            Some(MysqlStore::connect(&self.database.url()).expect("the kit's URL is good"));
    }

    fn open(&self, instrument: &Instrument, clock: &Clock) -> Opened {
        let scene = self.scene.as_ref().expect("a run is on");
        let mysql = self.mysql.as_ref().expect("a run is on");
        let live = || {
            let scripts = scene.product.scripts.clone();
            RedisStore::with(&self.redis.url(), scripts, instrument.clone())
                .expect("the kit's URL is good")
        };
        let mysql = mysql.instrumented(instrument.clone());
        Opened {
            store: RedisMysqlStore::new(live(), mysql.clone(), clock.clone()),
            parts: (scene.product.wrong == Wrong::PublishesBeforeCommit).then(|| (live(), mysql)),
        }
    }

    /// Stores a dump, for a Redis that comes back with it later.
    pub fn keep(&mut self) {
        self.admin("SAVE", &[]);
        std::fs::copy(self.dump(), self.earlier()).expect("the directory is ours");
    }

    /// Kills Redis and brings it back.
    pub fn come_back(&mut self, forgets: Forgets) {
        match forgets {
            Forgets::ScriptsInPlace => {
                self.admin("SCRIPT", &["FLUSH"]);
                self.reload();
                return;
            }
            Forgets::OnlyScripts => self.admin("SAVE", &[]),
            Forgets::ATail => {
                if self.earlier().exists() {
                    std::fs::copy(self.earlier(), self.dump()).expect("the directory is ours");
                }
            }
            Forgets::Everything => {
                // There may be none.
                let _ = std::fs::remove_file(self.dump());
            }
        }
        self.redis.kill9();
        self.redis.restart();
        self.admin = connect(&self.redis);
        self.admin("DEL", &[PUBLISHED]);
        self.reload();
    }

    /// Releases the lock for rebuilding once its time has passed by the simulated clock.
    pub fn release_rebuilding(&mut self) {
        self.admin("DEL", &["plenary:rebuilding"]);
    }

    /// The mistake of a library that reloads scripts automatically.
    fn reload(&mut self) {
        let Some(scene) = self.scene.clone() else {
            return;
        };
        if scene.product.wrong == Wrong::ReloadsScripts {
            for (_, text) in &scene.product.texts {
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

    fn earlier(&self) -> PathBuf {
        self.redis.socket().with_file_name("earlier.rdb")
    }
}

impl OneFile {
    fn begin(&mut self, scene: &Scene) {
        if self.runs > 0 {
            // The rest is removed with the whole directory.
            let _ = std::fs::remove_dir_all(&self.directory);
        }
        self.runs += 1;
        self.directory = self.root.path().join(self.runs.to_string());
        let now = scene.instances.first().map(|(_, from, _)| *from);
        SqliteStore::migrate(&self.directory, now.unwrap_or_default())
            .expect("an empty file is filled");
        self.connect()
            .execute_batch(&filling(scene, |at| at.as_ms().to_string()))
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
fn filling(scene: &Scene, time: impl Fn(&Timestamp) -> String) -> String {
    let mut sql = String::from(
        "DELETE FROM message; DELETE FROM event_log; DELETE FROM audience;
         DELETE FROM meeting_instance; DELETE FROM meeting; DELETE FROM user;
         INSERT INTO user (userID, name, email, role) VALUES (1, 'root', 'root@example.org', 'admin');",
    );
    for person in 2..2 + scene.people {
        let add = format!(
            "INSERT INTO user (userID, name, email) VALUES ({person}, 'p{person}', 'p{person}@example.org');"
        );
        sql += &add;
    }
    for (id, from, to) in &scene.instances {
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
