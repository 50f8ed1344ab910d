//! An SQLite file that cannot be written for a while, because the disk is full or writes are
//! denied: posts are rejected with a message, reads succeed, no acknowledged message is lost, and
//! the server recovers without a restart.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plenary_shared::domain::EventKind;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Push;
use plenary_testkit::{Answer, Disk, Http, Server, Ws, until_async};
use rusqlite::Connection;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::path;

/// Space for the tables and the WAL, and little more.
const DISK_BYTES: usize = 16 * 1024 * 1024;

const NAMES: [&str; 4] = ["ada", "bob", "kim", "eve"];

/// Posts of one user that the free space of the file can hold at most.
const POSTS_MAX: usize = 5_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_rejects_posts_until_there_is_space() {
    let disk = Disk::small(DISK_BYTES);
    let data = disk.path().join("data");
    let server = Server::embedded_in(&data, &disk.launcher());
    let mut room = Room::enter(server).await;
    room.talk(20).await;
    disk.fill();
    let refused = room.post_until_rejected("disk is full").await;
    room.assert_reads_succeed().await;
    disk.free();
    room.assert_recovers(refused).await;
    room.assert_events_received().await;
    room.assert_record(&disk.seen_from_outside(&data));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unwritable_file_rejects_posts_until_writable() {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    // A write above the file size limit fails instead of ending the process.
    let launcher = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];
    let server = Server::embedded_in(&data, &launcher.map(str::to_owned));
    let mut room = Room::enter(server).await;
    room.talk(20).await;
    let frozen = Frozen::now(&data, room.server.pid());
    let refused = room.post_until_rejected("cannot write its data file").await;
    room.assert_reads_succeed().await;
    drop(frozen);
    room.assert_recovers(refused).await;
    room.assert_events_received().await;
    room.assert_record(&data);
}

/// Denies writes to the data file until it is dropped.
enum Frozen {
    /// By the immutable attribute, which needs root and a file system that supports it.
    Immutable(Vec<PathBuf>),
    /// By the file size limit of the server process.
    Limited(u32),
}

impl Frozen {
    fn now(data: &Path, pid: u32) -> Self {
        let files = ["plenary.db", "plenary.db-wal"].map(|name| data.join(name));
        if is_done(Command::new("chattr").arg("+i").args(&files)) {
            return Self::Immutable(files.to_vec());
        }
        // `chattr` may have succeeded for one of the files.
        is_done(Command::new("chattr").arg("-i").args(&files));
        assert!(
            prlimit(pid, "--fsize=0:"),
            "files can neither be made immutable by chattr nor limited by prlimit: install util-linux"
        );
        Self::Limited(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        match self {
            Self::Immutable(files) => is_done(Command::new("chattr").arg("-i").args(files)),
            Self::Limited(pid) => prlimit(*pid, "--fsize=unlimited:"),
        };
    }
}

fn prlimit(pid: u32, limit: &str) -> bool {
    is_done(Command::new("prlimit").args(["--pid", &pid.to_string(), limit]))
}

fn is_done(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A rejected post that will be sent again.
struct Refused {
    who: usize,
    cmid: String,
    body: String,
}

/// A server with one active meeting, its users, and the posts acknowledged to them.
struct Room {
    server: Server,
    here: InstanceId,
    /// The users called [`NAMES`]; the last has not joined.
    people: Vec<Http>,
    follower: Ws,
    acknowledged: BTreeMap<i64, String>,
}

impl Room {
    async fn enter(server: Server) -> Self {
        server
            .cli(&["meeting", "add", "--title", "Seminar", "--public"])
            .ok();
        let times = ["--from", "now", "--for", "1h"];
        server
            .cli(&[&["meeting", "schedule", "1"][..], &times].concat())
            .ok();
        let mut people = vec![];
        for name in NAMES {
            let email = format!("{name}@example.org");
            server.add_user(name, &email, "correct horse");
            people.push(server.signed_in(&email));
        }
        let here = "1/1".parse().expect("an instance");
        until_async("the meeting to start", || async {
            (people[0].get(&path(here, "join")).await.status == 200).then_some(())
        })
        .await;
        for person in &people[1..NAMES.len() - 1] {
            person.get(&path(here, "join")).await.ok();
        }
        let follower = open(&server, here, &people[0]).await;
        Self {
            server,
            here,
            people,
            follower,
            acknowledged: BTreeMap::new(),
        }
    }

    /// Every participant sends this many posts.
    async fn talk(&mut self, posts: usize) {
        for (person, name) in self.people.iter().zip(&NAMES[..NAMES.len() - 1]) {
            for _ in 0..posts {
                let body = format!("{name} says {}", self.acknowledged.len());
                let posted = post(person, self.here, &new_cmid(), &body).await.ok();
                note(&mut self.acknowledged, &posted, body);
            }
        }
    }

    /// All participants post at once until they are rejected with this message.
    async fn post_until_rejected(&mut self, sentence: &'static str) -> Vec<Refused> {
        let mut talking = JoinSet::new();
        for (who, name) in NAMES[..NAMES.len() - 1].iter().enumerate() {
            let (person, here) = (self.people[who].clone(), self.here);
            talking.spawn(async move {
                let mut acknowledged = vec![];
                for n in 0..POSTS_MAX {
                    let (cmid, body) = (new_cmid(), format!("{name} posts {n}"));
                    let answer = post(&person, here, &cmid, &body).await;
                    if answer.status < 300 {
                        acknowledged.push((answer.body, body));
                        continue;
                    }
                    assert_unavailable(&answer, sentence);
                    return (acknowledged, Refused { who, cmid, body });
                }
                panic!("{POSTS_MAX} posts were taken, and there should be no room");
            });
        }
        let mut refused = vec![];
        for (acknowledged, last) in talking.join_all().await {
            for (posted, body) in acknowledged {
                note(&mut self.acknowledged, &posted, body);
            }
            refused.push(last);
        }
        for (who, what) in [(NAMES.len() - 1, "join"), (0, "leave")] {
            let answer = self.people[who].get(&path(self.here, what)).await;
            assert_unavailable(&answer, sentence);
        }
        refused
    }

    /// Lists, users, messages and new connections, of participants and others.
    async fn assert_reads_succeed(&self) {
        let nobody = Http::nobody(&self.server.url());
        until_async("the server to say that it is not ready", || async {
            (nobody.get("/readyz").await.status == 503).then_some(())
        })
        .await;
        for person in &self.people {
            assert_eq!(self.read(person).await, self.acknowledged);
            let people = person.get(&path(self.here, "participants")).await.ok();
            let count = people["participants"].as_array().map(Vec::len);
            assert_eq!(count, Some(NAMES.len() - 1), "{people}");
            let listed = person.get("/active-meetings").await.ok();
            assert_eq!(listed["active_meetings"][0]["meetingID"], 1, "{listed}");
            open(&self.server, self.here, person).await;
        }
    }

    /// Rejected posts are accepted once when they are sent again, and so is a waiting join.
    async fn assert_recovers(&mut self, refused: Vec<Refused>) {
        for Refused { who, cmid, body } in refused {
            let person = &self.people[who];
            let posted = until_async("a refused post to be taken", || async {
                let answer = post(person, self.here, &cmid, &body).await;
                (answer.status < 300).then_some(answer.body)
            })
            .await;
            note(&mut self.acknowledged, &posted, body);
        }
        let newcomer = self.people.last().expect("there are people");
        newcomer.get(&path(self.here, "join")).await.ok();
        newcomer.get(&path(self.here, "leave")).await.ok();
        self.talk(20).await;
        let nobody = Http::nobody(&self.server.url());
        until_async("the server to be ready", || async {
            (nobody.get("/readyz").await.status == 200).then_some(())
        })
        .await;
        assert_eq!(self.read(&self.people[0]).await, self.acknowledged);
    }

    /// The follower received each message once, in order.
    async fn assert_events_received(&mut self) {
        let mut received = vec![];
        while received.len() < self.acknowledged.len() {
            let next = self.follower.wait_for("all messages", |push| match push {
                Push::Event(event) => match event.kind {
                    EventKind::Message { body, .. } => {
                        Some((event.seq.get(), body.as_str().to_owned()))
                    }
                    EventKind::Opened
                    | EventKind::Join { .. }
                    | EventKind::Leave { .. }
                    | EventKind::Edited { .. }
                    | EventKind::Deleted { .. }
                    | EventKind::Moderated(_)
                    | EventKind::Closed { .. } => None,
                },
                Push::Durable(_)
                | Push::Fence(_)
                | Push::Changed(_)
                | Push::Read(_)
                | Push::Typing(_)
                | Push::Waiting(_)
                | Push::Presence(_)
                | Push::Dashboard(_)
                | Push::Detail(_) => None,
            });
            received.push(next.await);
        }
        let acknowledged = self.acknowledged.iter();
        let acknowledged: Vec<_> = acknowledged
            .map(|(seq, body)| (u64::try_from(*seq).expect("a seq"), body.clone()))
            .collect();
        assert_eq!(received, acknowledged);
    }

    /// Compares the data file with the acknowledged posts.
    fn assert_record(mut self, data: &Path) {
        assert_eq!(self.server.terminate(), 0);
        let copy = tempfile::tempdir().expect("a directory");
        for file in fs::read_dir(data).expect("the data are there") {
            let file = file.expect("an entry");
            fs::copy(file.path(), copy.path().join(file.file_name())).expect("a copy");
        }
        let file = Connection::open(copy.path().join("plenary.db")).expect("the file");
        let value = |query: &str| -> String {
            let value = file.query_row(query, [], |row| row.get(0));
            value.unwrap_or_else(|error| panic!("{error}: {query}"))
        };
        assert_eq!(value("PRAGMA integrity_check"), "ok");
        let mut messages = file
            .prepare("SELECT seq, body FROM message")
            .expect("a query");
        let stored: BTreeMap<i64, String> = messages
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("an answer")
            .map(|row| row.expect("a row"))
            .collect();
        assert_eq!(stored, self.acknowledged);
        let gaps = "SELECT CAST(MAX(seq) - COUNT(*) AS TEXT) FROM
            (SELECT seq FROM message UNION ALL SELECT seq FROM event_log)";
        assert_eq!(value(gaps), "0");
    }

    /// Reads all messages, page by page.
    async fn read(&self, person: &Http) -> BTreeMap<i64, String> {
        let mut read = BTreeMap::new();
        loop {
            let after = read.last_key_value().map_or(0, |(seq, _)| *seq);
            let page = path(self.here, &format!("messages?after={after}&limit=1000"));
            let page = person.get(&page).await.ok();
            for message in page["messages"].as_array().expect("a list") {
                let body = message["body"].as_str().expect("a text").to_owned();
                note(&mut read, message, body);
            }
            if page["more"] == false {
                return read;
            }
        }
    }
}

/// Opens the meeting as this user. The connection is bound to the stay, if there is one.
async fn open(server: &Server, here: InstanceId, person: &Http) -> Ws {
    let token = person.token().expect("they are signed in");
    let mut ws = Ws::hello(&server.url(), token).await;
    ws.open(here).await.expect("it is public");
    ws
}

fn new_cmid() -> String {
    uuid::Uuid::now_v7().to_string()
}

async fn post(person: &Http, here: InstanceId, cmid: &str, body: &str) -> Answer {
    let request = person
        .request("POST".parse().expect("a method"), &path(here, "message"))
        .header("Idempotency-Key", cmid)
        .json(&json!({"body": body}));
    person.send(request).await
}

fn note(acknowledged: &mut BTreeMap<i64, String>, posted: &serde_json::Value, body: String) {
    let seq = posted["seq"].as_i64().expect("a seq");
    let before = acknowledged.insert(seq, body);
    assert_eq!(before, None, "two messages of one seq");
}

fn assert_unavailable(answer: &Answer, sentence: &str) {
    let detail = answer.body["detail"].as_str().unwrap_or_default();
    assert_eq!(
        (answer.status, answer.code()),
        (503, "unavailable"),
        "{detail}"
    );
    assert!(detail.contains(sentence), "{detail}");
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
}
