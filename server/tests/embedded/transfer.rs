//! The transfer from SQLite to Redis and MySQL: everything is copied once, and only one side is
//! served.

use std::process::{Command, Stdio};
use std::time::Duration;

use plenary_shared::ids::InstanceId;
use plenary_testkit::{
    Finished, Http, PASSWORD, Server, ServerOptions, Stores, Ws, binary, until_async,
};
use serde_json::{Value, json};

use crate::harness::{Harness, path, token};

/// Runs `plenary-server move`.
fn run_move(harness: &Harness, stores: &Stores) -> Finished {
    let (redis, mysql) = (stores.redis.url(), stores.database.url());
    let args = ["move", "--to-redis", &redis, "--to-mysql", &mysql];
    harness.server.cli(&args)
}

fn with_grace(seconds: u32) -> ServerOptions {
    ServerOptions {
        args: vec!["--reconnect-grace-s".into(), seconds.to_string()],
        env: vec![],
    }
}

/// Everything that users see of these instances through the public interface.
async fn seen(url: &str, instances: &[InstanceId]) -> Vec<Value> {
    let mut seen = vec![];
    for name in ["ada", "bob", "eve"] {
        let person = Http::with_token(url, &token(name));
        let mut look = vec![
            "/me".to_owned(),
            "/meetings".to_owned(),
            "/active-meetings".to_owned(),
            "/active-meetings-participants-join-logs".to_owned(),
        ];
        for here in instances {
            look.push(path(*here, "messages?limit=1000"));
            look.push(path(*here, "participants"));
            look.push(path(*here, "user/1/messages"));
        }
        for path in look {
            let mut answer = person.get(&path).await;
            if let Some(body) = answer.body.as_object_mut() {
                body.remove("now");
                // Users who had a connection may still reconnect to the new server.
                let people = body.get_mut("participants").and_then(Value::as_array_mut);
                for person in people.into_iter().flatten() {
                    if let Some(person) = person.as_object_mut() {
                        person.remove("presence");
                        person.remove("since");
                    }
                }
            }
            seen.push(json!([name, path, answer.status, answer.body]));
        }
    }
    seen
}

/// The event logs in SQLite and MySQL, as text.
fn logs(harness: &Harness, stores: &Stores) -> (Vec<String>, Vec<String>) {
    let here = harness.rows(
        "SELECT eventID, meetingID || ' ' || orderID || ' ' || seq || ' ' || eventType || ' ' ||
           COALESCE(userID, '-') || ' ' || timestamp || ' ' || COALESCE(reason, '-')
         FROM event_log ORDER BY eventID",
    );
    let there = stores.database.query(
        "SELECT eventID, CONCAT_WS(' ', meetingID, orderID, seq, eventType, COALESCE(userID, '-'), \
           ROUND(UNIX_TIMESTAMP(timestamp) * 1000), COALESCE(reason, '-')) \
         FROM event_log ORDER BY eventID",
    );
    (
        here.into_iter()
            .map(|(id, text)| format!("{id} {text}"))
            .collect(),
        there.into_iter().map(|row| row.join(" ")).collect(),
    )
}

/// The messages in SQLite and MySQL, as text.
fn messages(harness: &Harness, stores: &Stores) -> (Vec<String>, Vec<String>) {
    let here = harness.rows(
        "SELECT seq, orderID || ' ' || userID || ' ' || COALESCE(cmid, '-') || ' ' || timestamp ||
           ' ' || body
         FROM message ORDER BY meetingID, orderID, seq",
    );
    let there = stores.database.query(
        "SELECT seq, CONCAT_WS(' ', orderID, userID, COALESCE(cmid, '-'), \
           ROUND(UNIX_TIMESTAMP(timestamp) * 1000), body) \
         FROM message ORDER BY meetingID, orderID, seq",
    );
    (
        here.into_iter()
            .map(|(id, text)| format!("{id} {text}"))
            .collect(),
        there.into_iter().map(|row| row.join(" ")).collect(),
    )
}

async fn post(person: &Http, here: InstanceId, cmid: &str, body: &str) -> plenary_testkit::Answer {
    let request = person
        .request("POST".parse().expect("a method"), &path(here, "message"))
        .header("Idempotency-Key", cmid)
        .json(&json!({"body": body}));
    person.send(request).await
}

async fn names_in(person: &Http, here: InstanceId) -> Vec<String> {
    let people = person.get(&path(here, "participants")).await.ok();
    let people = people["participants"].as_array().expect("a list").clone();
    people
        .iter()
        .map(|one| one["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// An SQLite store to transfer, with one ended, one active and one scheduled instance.
struct SourceStore {
    harness: Harness,
    /// The ended, the active and the scheduled instance.
    instances: [InstanceId; 3],
    /// The cmid of a message in the active instance, and its seq.
    cmid: String,
    first: Value,
    /// The last seq of the active instance.
    last: u64,
    /// What users saw before the transfer.
    seen: Vec<Value>,
}

impl SourceStore {
    fn here(&self) -> InstanceId {
        self.instances[1]
    }

    /// In the active instance Ada joins over HTTP, Bob and Kim over WebSocket.
    async fn new() -> Self {
        let harness = Harness::with_options(&["ada", "bob", "eve", "kim"], with_grace(3_600));
        let passwd = ["user", "passwd", "ada@example.org", "--password-stdin"];
        harness.server.cli_with_input(&passwd, PASSWORD).ok();
        harness.sign_in(1, "ada");
        harness.sql(
            "UPDATE user SET role = 'admin' WHERE userID = 3;
             UPDATE user SET gender = NULL, age = NULL WHERE userID = 2;
             INSERT INTO user (userID, name) VALUES (40, 'gone');
             DELETE FROM user WHERE userID = 40;
             INSERT INTO audit (at, actor, action, target) VALUES (1234567, 3, 'looked', 'user 1');",
        );
        let plans = [
            "meeting",
            "add",
            "--title",
            "Plans",
            "--audience",
            "ada@example.org, bob@example.org",
        ];
        harness.server.cli(&plans).ok();
        let later = ["meeting", "schedule", "2", "--from", "in 2h", "--for", "1h"];
        harness.server.cli(&later).ok();

        // An ended instance with a log, and an active one.
        let ended = harness.active(4);
        let [ada, eve] = ["ada", "eve"].map(|name| harness.http(name));
        ada.get(&path(ended, "join")).await.ok();
        ada.post(&path(ended, "message"), &json!({"body": "before"}))
            .await
            .ok();
        harness.until_state(ended, "ended");
        let here = harness.active(3_600);
        ada.get(&path(here, "join")).await.ok();
        let mut bob = harness.ws("bob").await;
        bob.join(here).await.expect("it is public");
        let mut kim = harness.ws("kim").await;
        kim.join(here).await.expect("it is public");
        eve.get(&path(here, "join")).await.ok();
        eve.get(&path(here, "leave")).await.ok();
        let cmid = uuid::Uuid::now_v7().to_string();
        let posted = post(&ada, here, &cmid, "with a cmid 日本").await.ok();
        bob.post(here, "hello").await.expect("bob is in");
        let last = kim.post(here, "hi").await.expect("kim is in").seq.get();
        let future: InstanceId = "2/1".parse().expect("an instance");
        let instances = [ended, here, future];
        let seen = seen(&harness.server.url(), &instances).await;
        Self {
            harness,
            instances,
            cmid,
            first: posted["seq"].clone(),
            last,
            seen,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transfer_keeps_everything() {
    let mut old = SourceStore::new().await;
    let stores = Stores::start();
    transfer_all(&mut old.harness, &stores);
    let server = Server::with(&stores.redis, &stores.database, with_grace(10));
    assert_same_after_transfer(&old, &server).await;
    assert_ids_continue(&server);
    assert_source_unchanged(&old.harness, &stores);
}

/// Runs the transfer, and checks both stores afterwards.
fn transfer_all(harness: &mut Harness, stores: &Stores) {
    let busy = run_move(harness, stores);
    assert_eq!(busy.code, 4, "{}", busy.stderr);
    let pid = format!("process {}:", harness.server.pid());
    assert!(busy.stderr.contains(&pid), "{}", busy.stderr);
    assert_eq!(harness.server.terminate(), 0);

    let output = run_move(harness, stores).ok();
    for line in [
        "4 users",
        "4 sessions",
        "2 meetings",
        "2 invitations",
        "3 instances",
        "4 messages",
    ] {
        assert!(output.contains(&format!(" {line}\n")), "{line}: {output}");
    }
    // Simulates a kill before the last step, and before the last but one.
    harness.sql("UPDATE moving SET completed_at = NULL");
    let again = run_move(harness, stores).ok();
    assert!(again.contains("by an earlier run"), "{again}");
    harness.sql("UPDATE moving SET completed_at = NULL");
    stores
        .database
        .query("UPDATE moving SET completed_at = NULL");
    run_move(harness, stores).ok();
    let (logged, logged_there) = logs(harness, stores);
    assert_eq!(logged, logged_there);
    let (source_messages, target_messages) = messages(harness, stores);
    assert_eq!(source_messages, target_messages);
    let audit = "SELECT CONCAT_WS(' ', auditID, ROUND(UNIX_TIMESTAMP(at) * 1000), actor, action) FROM audit WHERE actor = 3";
    assert_eq!(stores.database.value(audit), "3 1234567 3 looked");
}

/// Users see the same on the new server, with the same tokens and passwords, and can continue.
async fn assert_same_after_transfer(old: &SourceStore, server: &Server) {
    let here = old.here();
    let ada = Http::with_token(&server.url(), &token("ada"));
    until_async("the instance to be live again", || async {
        let listed = ada.get("/active-meetings").await.ok();
        (listed["active_meetings"].as_array().map(Vec::len) == Some(1)).then_some(())
    })
    .await;
    assert_eq!(seen(&server.url(), &old.instances).await, old.seen);
    let ada = Http::login(&server.url(), "ada@example.org", PASSWORD).await;
    let repeated = post(&ada, here, &old.cmid, "with a cmid 日本").await;
    assert_eq!((repeated.status, &repeated.body["seq"]), (200, &old.first));
    let posted = post(&ada, here, &uuid::Uuid::now_v7().to_string(), "on").await;
    assert_eq!(
        (posted.status, &posted.body["seq"]),
        (201, &json!(old.last + 1))
    );

    // Kim reconnects, Bob does not, and Ada never had a connection to lose.
    let mut kim = Ws::hello(&server.url(), &token("kim")).await;
    let opened = kim.open(here).await.expect("it is public");
    assert_eq!((opened.seq.get(), opened.roster.len()), (old.last + 1, 3));
    let eve = Http::with_token(&server.url(), &token("eve"));
    until_async("bob to leave", || async {
        (!names_in(&eve, here).await.contains(&"bob".to_owned())).then_some(())
    })
    .await;
    kim.post(here, "still in").await.expect("kim is in");
    assert_eq!(names_in(&eve, here).await, ["ada", "kim"]);
}

/// New ids are above all ids of the source.
fn assert_ids_continue(server: &Server) {
    let add = [
        "user",
        "add",
        "--name",
        "New",
        "--email",
        "new@example.org",
        "--json",
    ];
    assert_eq!(server.cli(&add).json()["userID"], 41);
    let add = ["meeting", "add", "--title", "More", "--public", "--json"];
    assert_eq!(server.cli(&add).json()["meetingID"], 3);
}

/// The source is kept, and a server without `--force` rejects it.
fn assert_source_unchanged(harness: &Harness, stores: &Stores) {
    for args in [
        &["serve", "--bind", "127.0.0.1:0"][..],
        &["user", "list"],
        &["meeting", "schedule", "1", "--from", "now", "--for", "1h"],
    ] {
        let refused = harness.server.cli(args);
        assert_eq!(refused.code, 4, "{args:?}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("was moved to redis"),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    }
    let looked = harness.server.cli(&["doctor"]);
    assert_eq!(looked.code, 1, "{}", looked.stdout);
    assert!(
        looked.stdout.contains("was moved to redis"),
        "{}",
        looked.stdout
    );
    let again = run_move(harness, stores);
    assert_eq!(again.code, 4, "{}", again.stderr);
    assert!(
        again.stderr.contains("was already moved"),
        "{}",
        again.stderr
    );
    harness.assert_whole();
}

#[tokio::test]
async fn nonempty_target_is_rejected_and_unchanged() {
    let mut harness = Harness::with(&["ada"]);
    assert_eq!(harness.server.terminate(), 0);
    let stores = Stores::start();
    let (redis, mysql) = (stores.redis.url(), stores.database.url());
    let refused = |args: &[&str], code: i32, sentence: &str| {
        let done = harness.server.cli(&[&["move"], args].concat());
        assert_eq!(done.code, code, "{args:?}: {}", done.stderr);
        assert!(done.stderr.contains(sentence), "{args:?}: {}", done.stderr);
    };
    let right = ["--to-redis", &redis, "--to-mysql", &mysql];
    refused(&["--to-redis", &redis], 2, "--to-mysql");
    refused(
        &["--to-redis", &mysql, "--to-mysql", &mysql],
        2,
        "--to-redis: must be a URL",
    );
    refused(
        &[&right[..], &["--redis", &redis]].concat(),
        2,
        "--to-redis and --to-mysql",
    );
    let unreachable = "redis://127.0.0.1:1";
    refused(
        &["--to-redis", unreachable, "--to-mysql", &mysql],
        5,
        "Redis",
    );

    stores.redis.command(&["SET", "plenary:boot", "x"]);
    refused(&right, 4, "keys of Plenary: plenary:boot");
    stores.redis.command(&["DEL", "plenary:boot"]);
    stores.redis.command(&["SET", "somebody:else", "x"]);

    Server::migrate(&stores.redis, &stores.database);
    stores
        .database
        .query("INSERT INTO user (name) VALUES ('x'), ('y')");
    refused(&right, 4, "not empty, it has 2 users");
    stores.database.query("DELETE FROM user");
    // A row that MySQL rejects is named, and the transfer succeeds after a fix.
    harness.sql("UPDATE user SET name = printf('%.300c', 'x')");
    refused(
        &right,
        4,
        "table user cannot be moved, userID 1: one of its texts is longer",
    );
    for (command, code) in [(&["user", "list"][..], 4), (&["doctor"], 1)] {
        let half = Command::new(binary("plenary-server"))
            .args(command)
            .args(["--redis", &redis, "--mysql", &mysql])
            .output()
            .expect("the program runs");
        let output = [half.stdout, half.stderr].concat();
        let output = String::from_utf8_lossy(&output);
        assert_eq!(half.status.code(), Some(code), "{output}");
        assert!(output.contains("is incomplete"), "{output}");
    }
    let serve = harness.server.cli(&["serve", "--bind", "127.0.0.1:0"]);
    assert_eq!(serve.code, 4, "{}", serve.stderr);
    assert!(
        serve.stderr.contains("is being moved to"),
        "{}",
        serve.stderr
    );
    harness.sql("UPDATE user SET name = 'ada'");
    run_move(&harness, &stores).ok();

    // A target with one transferred file rejects another file.
    let mut other = Harness::with(&["bob"]);
    assert_eq!(other.server.terminate(), 0);
    let done = run_move(&other, &stores);
    assert_eq!(done.code, 4, "{}", done.stderr);
    assert!(
        done.stderr.contains("has the data that was moved"),
        "{}",
        done.stderr
    );
    other.server.restart();
}

#[tokio::test]
async fn moved_file_can_be_reclaimed() {
    let options = ServerOptions {
        args: vec!["--force".into()],
        env: vec![],
    };
    let mut harness = Harness::with_options(&["ada"], options);
    harness.server.kill9();
    harness.sql(
        "INSERT INTO moving (id, token, place, begun_at, completed_at)
         VALUES (1, 'x', 'elsewhere', 1, 2)",
    );
    assert_eq!(harness.server.cli(&["user", "list"]).code, 4);
    harness.server.restart();
    assert_eq!(harness.http("ada").get("/me").await.ok()["name"], "ada");
    harness.server.cli(&["user", "list"]).ok();
}

#[test]
fn repeatedly_killed_move_is_completed_by_the_next() {
    const LINES: usize = 30_000;
    const KILLS_MAX: u64 = 40;
    let people: Vec<String> = (0..300).map(|n| format!("person{n}")).collect();
    let mut harness = Harness::with(&people);
    harness.ended_instance(LINES);
    harness.server.kill9();
    let stores = Stores::start();
    let moved = |table: &str| {
        let exists = format!(
            "SELECT COUNT(*) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{table}'"
        );
        match stores.database.value(&exists).as_str() {
            "0" => 0,
            _ => stores
                .database
                .value(&format!("SELECT COUNT(*) FROM {table}"))
                .parse::<usize>()
                .expect("a count"),
        }
    };
    let mut half_done = 0;
    // Each run gets a little further: tables, users, messages, end.
    for kill in 1..=KILLS_MAX {
        let wait_ms = 20 + 30 * kill + kill * kill * 13 % 50;
        let before = moved("message");
        let mut child = Command::new(binary("plenary-server"))
            .args(["move", "--to-redis", &stores.redis.url()])
            .args(["--to-mysql", &stores.database.url(), "--data"])
            .arg(harness.server.data())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        std::thread::sleep(Duration::from_millis(wait_ms));
        child.kill().expect("a child can be killed");
        let done = child.wait().expect("a child can be waited for");
        let after = moved("message");
        assert!(after >= before, "what is there stays");
        half_done += usize::from(after > 0 && after < LINES);
        if done.success() {
            break;
        }
    }
    assert!(half_done > 0, "none of the kills came in between");
    let last = run_move(&harness, &stores);
    // The last killed run may have completed.
    if last.code != 0 {
        assert!(last.stderr.contains("was already moved"), "{}", last.stderr);
    }
    assert_eq!(moved("user"), 300);
    assert_eq!(moved("session"), 300);
    let (source_messages, target_messages) = messages(&harness, &stores);
    assert_eq!(source_messages.len(), LINES);
    assert!(
        source_messages == target_messages,
        "the messages are not the same"
    );
    let (logged, logged_there) = logs(&harness, &stores);
    assert_eq!(logged, logged_there);
    let server = Server::start(&stores.redis, &stores.database);
    let output = server.cli(&["user", "list"]).ok();
    assert_eq!(output.lines().count(), 300);
}
