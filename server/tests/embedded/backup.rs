//! Backups: consistent, complete up to their start, and named only when they are complete.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plenary_shared::ids::InstanceId;
use plenary_testkit::{Disk, Http, Server, ServerOptions, binary, until_async};
use rusqlite::Connection;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Harness, path};

const POSTERS: usize = 6;
const POSTS_BETWEEN: usize = 120;
const BACKUPS: usize = 3;

/// Acknowledged messages: seq → body.
type Acknowledged = Arc<Mutex<BTreeMap<i64, String>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copy_contains_acknowledged_posts_and_can_be_served() {
    let names: Vec<String> = (0..POSTERS).map(|n| format!("person{n}")).collect();
    let harness = Arc::new(Harness::with(&names));
    let here = harness.active(3_600);
    let acknowledged = Acknowledged::default();
    let enough = Arc::new(AtomicBool::new(false));
    let mut posting = JoinSet::new();
    for name in &names {
        let person = harness.http(name);
        person.get(&path(here, "join")).await.ok();
        posting.spawn(post_until(
            person,
            here,
            name.clone(),
            (acknowledged.clone(), enough.clone()),
        ));
    }
    let home = tempfile::tempdir().expect("a directory");
    let copy = home.path().join("copy.db");
    let count = || acknowledged.lock().expect("no poster panicked").len();
    for number in 1..=BACKUPS {
        until_async("some posts to be acknowledged", || async {
            (count() >= number * POSTS_BETWEEN).then_some(())
        })
        .await;
        let before = acknowledged.lock().expect("no poster panicked").clone();
        let (server, to) = (harness.clone(), copy.clone());
        let output = tokio::task::spawn_blocking(move || {
            let to = to.to_str().expect("a path of letters");
            server
                .server
                .cli(&["backup", to, "--force", "--json"])
                .json()
        })
        .await
        .expect("no panic");
        let there = messages(&copy);
        for (seq, body) in &before {
            assert_eq!(there.get(seq), Some(body));
        }
        let all = i64::try_from(there.len()).expect("a few");
        assert_eq!(output["messages"], all);
        assert_eq!(output["users"], i64::try_from(POSTERS).expect("a few"));
        let bytes = fs::metadata(&copy).expect("the copy").len();
        assert_eq!(output["bytes"], bytes);
        assert_intact_and_private(&copy);
    }
    enough.store(true, Ordering::Relaxed);
    posting.join_all().await;

    // A server on the copy has the same users, sessions and messages, and accepts posts.
    let before = messages(&copy);
    let mut other = Harness {
        server: Server::embedded(ServerOptions::default()),
    };
    assert_eq!(other.server.terminate(), 0);
    let data = other.server.data();
    fs::remove_dir_all(&data).expect("nobody uses it");
    fs::create_dir(&data).expect("it is gone");
    fs::copy(&copy, data.join("plenary.db")).expect("the directory is empty");
    other.server.restart();
    let person = other.http(&names[0]);
    let page = person.get(&path(here, "messages?limit=1000")).await.ok();
    let page = page["messages"].as_array().expect("a list").clone();
    let expected: Vec<(i64, String)> = before.into_iter().rev().take(1_000).collect();
    let served: Vec<(i64, String)> = page
        .iter()
        .rev()
        .map(|one| {
            let body = one["body"].as_str().expect("a text").to_owned();
            (one["seq"].as_i64().expect("a seq"), body)
        })
        .collect();
    assert_eq!(served, expected);
    let message = json!({"body": "on"});
    let posted = person.post(&path(here, "message"), &message).await.ok();
    let seq = posted["seq"].as_i64().expect("a seq");
    assert_eq!(Some(seq - 1), expected.first().map(|(seq, _)| *seq));
    other.assert_whole();
}

/// Posts messages one after the other, each once, until `stop` is set. The server never stops.
async fn post_until(
    person: Http,
    here: InstanceId,
    name: String,
    (acknowledged, enough): (Acknowledged, Arc<AtomicBool>),
) {
    for n in 0.. {
        if enough.load(Ordering::Relaxed) {
            return;
        }
        let body = format!("{name} says {n}");
        let message = json!({"body": body});
        let posted = person.post(&path(here, "message"), &message).await.ok();
        let seq = posted["seq"].as_i64().expect("a seq");
        let before = acknowledged
            .lock()
            .expect("no poster panicked")
            .insert(seq, body);
        assert_eq!(before, None, "two messages of one seq");
    }
}

fn messages(file: &Path) -> BTreeMap<i64, String> {
    let file = Connection::open(file).expect("a file");
    let mut statement = file
        .prepare("SELECT seq, body FROM message")
        .expect("a query");
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("an answer");
    rows.map(|row| row.expect("a row")).collect()
}

/// Checks that the copy is intact, has no gap in its log, is private, and has no files beside it.
fn assert_intact_and_private(copy: &Path) {
    let file = Connection::open(copy).expect("a file");
    let value = |query: &str| -> String {
        let text = format!("SELECT CAST(said AS TEXT) FROM ({query})");
        file.query_row(&text, [], |row| row.get(0))
            .expect("a value")
    };
    let integrity = "SELECT integrity_check AS said FROM pragma_integrity_check";
    assert_eq!(value(integrity), "ok");
    let holes = "SELECT COALESCE(MAX(seq) - COUNT(*), 0) AS said FROM
        (SELECT seq FROM message UNION ALL SELECT seq FROM event_log)";
    assert_eq!(value(holes), "0");
    drop(file);
    let metadata = fs::metadata(copy).expect("the copy");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_eq!(files_beside(copy), [copy.file_name().expect("a name")]);
}

fn files_beside(copy: &Path) -> Vec<OsString> {
    let directory = copy.parent().expect("a directory");
    fs::read_dir(directory)
        .expect("it can be read")
        .map(|entry| entry.expect("an entry").file_name())
        .collect()
}

#[test]
fn invalid_backup_is_rejected_with_a_message() {
    let harness = Harness::with(&["ada"]);
    let home = tempfile::tempdir().expect("a directory");
    let at = |name: &str| {
        let path = home.path().join(name);
        path.to_str().expect("a path of letters").to_owned()
    };
    fs::write(at("there"), "mine").expect("a file");
    let own = harness.server.data().join("plenary.db");
    let own = own.to_str().expect("a path of letters");
    #[rustfmt::skip]
    let cases: &[(&[&str], i32, &str)] = &[
        (&["backup", &at("there")], 4, "already exists"),
        (&["backup", &at("no/copy")], 4, "no does not exist"),
        (&["backup", "--force", own], 4, "cannot be replaced"),
        (&["backup", "--force", &at(".")], 4, "cannot be replaced"),
        (&["backup"], 2, "<FILE>"),
        (&["backup", &at("copy"), "--redis", "redis://127.0.0.1:1"], 2, "mysqldump"),
    ];
    for (args, code, sentence) in cases {
        let done = harness.server.cli(args);
        assert_eq!(done.code, *code, "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains(sentence), "{args:?}: {}", done.stderr);
    }
    assert_eq!(fs::read_to_string(at("there")).expect("a file"), "mine");
    let output = harness
        .server
        .cli(&["backup", "--force", &at("there")])
        .ok();
    assert!(output.contains("1 users, 1 meetings"), "{output}");
    assert_intact_and_private(Path::new(&at("there")));

    let nothing = Command::new(binary("plenary-server"))
        .args(["backup", &at("copy"), "--data", &at("nowhere")])
        .output()
        .expect("the program runs");
    let output = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert_eq!(nothing.status.code(), Some(2), "{output}");
    assert!(
        output.contains("nowhere/plenary.db does not exist"),
        "{output}"
    );
    assert!(!home.path().join("nowhere").exists(), "nothing is made");
}

#[test]
fn backup_on_a_full_disk_leaves_no_file() {
    let harness = Harness::with(&["ada", "bob"]);
    harness.ended_instance(20_000);
    let disk = Disk::small(1024 * 1024);
    let copy = disk.path().join("copy.db");
    let data = harness.server.data();
    let launcher = disk.launcher();
    let done = Command::new(&launcher[0])
        .args(&launcher[1..])
        .arg(binary("plenary-server"))
        .args([OsStr::new("backup"), copy.as_os_str()])
        .args([OsStr::new("--data"), data.as_os_str()])
        .output()
        .expect("the launcher runs");
    let output = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{output}");
    assert!(
        output.contains("is full: the backup was deleted"),
        "{output}"
    );
    let left = files_beside(&disk.seen_from_outside(&copy));
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn interrupted_backup_leaves_no_file_of_its_name() {
    let mut harness = Harness::with(&["ada", "bob"]);
    harness.ended_instance(60_000);
    // A backup also works without a server.
    harness.server.kill9();
    let home = tempfile::tempdir().expect("a directory");
    let copy: PathBuf = home.path().join("copy.db");
    let mut cut_off = 0;
    for wait_ms in [5, 10, 20, 30, 45, 60, 80, 100] {
        let mut child = Command::new(binary("plenary-server"))
            .arg("backup")
            .arg(&copy)
            .arg("--data")
            .arg(harness.server.data())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().expect("a child can be killed");
        let done = child.wait().expect("a child can be waited for");
        if done.success() {
            assert_eq!(messages(&copy).len(), 60_000);
            fs::remove_file(&copy).expect("it is there");
        } else if copy.exists() {
            // The process was killed after its last step.
            assert_eq!(messages(&copy).len(), 60_000);
            fs::remove_file(&copy).expect("it is there");
        } else {
            cut_off += 1;
        }
    }
    assert!(cut_off > 0, "none of the kills came in time");
    let output = harness
        .server
        .cli(&["backup", copy.to_str().expect("letters")])
        .ok();
    assert!(output.contains("60000 messages"), "{output}");
    assert_eq!(messages(&copy).len(), 60_000);
}
