//! The move from the one file to Redis and MySQL: everything goes along, once, and nothing is served
//! in two places.

use std::process::{Command, Stdio};
use std::time::Duration;

use plenary_shared::ids::InstanceId;
use plenary_testkit::{
    Finished, Http, PASSWORD, Server, ServerOptions, Stores, Ws, binary, until_async,
};
use serde_json::{Value, json};

use crate::stage::{Stage, path, token};

/// The move's command line, for [`Server::cli`].
fn moving(stage: &Stage, stores: &Stores) -> Finished {
    let (redis, mysql) = (stores.redis.url(), stores.database.url());
    let args = ["move", "--to-redis", &redis, "--to-mysql", &mysql];
    stage.server.cli(&args)
}

fn with_grace(seconds: u32) -> ServerOptions {
    ServerOptions {
        args: vec!["--reconnect-grace-s".into(), seconds.to_string()],
        env: vec![],
    }
}

/// What everybody sees of these instances, by the public interface.
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
                // Whoever had a connection may still come back to the new server.
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

/// The log of the file and of the database, as text.
fn logs(stage: &Stage, stores: &Stores) -> (Vec<String>, Vec<String>) {
    let here = stage.rows(
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
            .map(|(id, said)| format!("{id} {said}"))
            .collect(),
        there.into_iter().map(|row| row.join(" ")).collect(),
    )
}

/// The messages of the file and of the database, as text.
fn messages(stage: &Stage, stores: &Stores) -> (Vec<String>, Vec<String>) {
    let here = stage.rows(
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
            .map(|(id, said)| format!("{id} {said}"))
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

/// A file that its people have outgrown: one instance has ended, one goes on, one is to come.
struct Outgrown {
    stage: Stage,
    /// Ended, live, scheduled.
    instances: [InstanceId; 3],
    /// Of a message in the live one, and its seq.
    cmid: String,
    first: Value,
    /// The last seq of the live one.
    last: u64,
    /// What everybody saw at last.
    seen: Vec<Value>,
}

impl Outgrown {
    fn here(&self) -> InstanceId {
        self.instances[1]
    }

    /// In the live one Ada is by HTTP, Bob and Kim are by connections.
    async fn new() -> Self {
        let stage = Stage::with_options(&["ada", "bob", "eve", "kim"], with_grace(3_600));
        let passwd = ["user", "passwd", "ada@example.org", "--password-stdin"];
        stage.server.cli_with_input(&passwd, PASSWORD).ok();
        stage.sign_in(1, "ada");
        stage.sql(
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
        stage.server.cli(&plans).ok();
        let later = ["meeting", "schedule", "2", "--from", "in 2h", "--for", "1h"];
        stage.server.cli(&later).ok();

        // One that has ended, with a log; one that goes on.
        let ended = stage.active(4);
        let [ada, eve] = ["ada", "eve"].map(|name| stage.http(name));
        ada.get(&path(ended, "join")).await.ok();
        ada.post(&path(ended, "message"), &json!({"body": "before"}))
            .await
            .ok();
        stage.until_state(ended, "ended");
        let here = stage.active(3_600);
        ada.get(&path(here, "join")).await.ok();
        let mut bob = stage.ws("bob").await;
        bob.join(here).await.expect("it is public");
        let mut kim = stage.ws("kim").await;
        kim.join(here).await.expect("it is public");
        eve.get(&path(here, "join")).await.ok();
        eve.get(&path(here, "leave")).await.ok();
        let cmid = uuid::Uuid::now_v7().to_string();
        let posted = post(&ada, here, &cmid, "with a cmid 日本").await.ok();
        bob.post(here, "hello").await.expect("bob is in");
        let last = kim.post(here, "hi").await.expect("kim is in").seq.get();
        let future: InstanceId = "2/1".parse().expect("an instance");
        let instances = [ended, here, future];
        let seen = seen(&stage.server.url(), &instances).await;
        Self {
            stage,
            instances,
            cmid,
            first: posted["seq"].clone(),
            last,
            seen,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_goes_along_and_goes_on() {
    let mut old = Outgrown::new().await;
    let stores = Stores::start();
    move_out(&mut old.stage, &stores);
    let server = Server::with(&stores.redis, &stores.database, with_grace(10));
    goes_on(&old, &server).await;
    assert_numbers_go_on(&server);
    assert_left_alone(&old.stage, &stores);
}

/// The move, and what it leaves in both homes.
fn move_out(stage: &mut Stage, stores: &Stores) {
    let busy = moving(stage, stores);
    assert_eq!(busy.code, 4, "{}", busy.stderr);
    let pid = format!("process number {}:", stage.server.pid());
    assert!(busy.stderr.contains(&pid), "{}", busy.stderr);
    assert_eq!(stage.server.terminate(), 0);

    let told = moving(stage, stores).ok();
    for line in [
        "4 users",
        "4 sessions",
        "2 meetings",
        "2 invitations",
        "3 instances",
        "4 messages",
    ] {
        assert!(told.contains(&format!(" {line}\n")), "{line}: {told}");
    }
    // Cut off before its last word, and before the last but one.
    stage.sql("UPDATE moving SET completed_at = NULL");
    let again = moving(stage, stores).ok();
    assert!(again.contains("by an earlier run"), "{again}");
    stage.sql("UPDATE moving SET completed_at = NULL");
    stores
        .database
        .query("UPDATE moving SET completed_at = NULL");
    moving(stage, stores).ok();
    let (logged, logged_there) = logs(stage, stores);
    assert_eq!(logged, logged_there);
    let (said, said_there) = messages(stage, stores);
    assert_eq!(said, said_there);
    let audit = "SELECT CONCAT_WS(' ', auditID, ROUND(UNIX_TIMESTAMP(at) * 1000), actor, action) FROM audit WHERE actor = 3";
    assert_eq!(stores.database.value(audit), "3 1234567 3 looked");
}

/// In the new home the same people see the same, by the same tokens and passwords, and go on.
async fn goes_on(old: &Outgrown, server: &Server) {
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

    // Kim comes back, Bob does not, and Ada never had a connection that could be lost.
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

/// Above all numbers that there ever were.
fn assert_numbers_go_on(server: &Server) {
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

/// The old home is kept, and nobody serves it by habit.
fn assert_left_alone(stage: &Stage, stores: &Stores) {
    for args in [
        &["serve", "--bind", "127.0.0.1:0"][..],
        &["user", "list"],
        &["meeting", "schedule", "1", "--from", "now", "--for", "1h"],
    ] {
        let refused = stage.server.cli(args);
        assert_eq!(refused.code, 4, "{args:?}: {}", refused.stderr);
        assert!(
            refused.stderr.contains("was moved to redis"),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    }
    let looked = stage.server.cli(&["doctor"]);
    assert_eq!(looked.code, 1, "{}", looked.stdout);
    assert!(
        looked.stdout.contains("was moved to redis"),
        "{}",
        looked.stdout
    );
    let again = moving(stage, stores);
    assert_eq!(again.code, 4, "{}", again.stderr);
    assert!(
        again.stderr.contains("was already moved"),
        "{}",
        again.stderr
    );
    stage.assert_whole();
}

#[tokio::test]
async fn what_is_not_empty_is_refused_and_nothing_is_changed() {
    let mut stage = Stage::with(&["ada"]);
    assert_eq!(stage.server.terminate(), 0);
    let stores = Stores::start();
    let (redis, mysql) = (stores.redis.url(), stores.database.url());
    let refused = |args: &[&str], code: i32, sentence: &str| {
        let done = stage.server.cli(&[&["move"], args].concat());
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
    let nobody = "redis://127.0.0.1:1";
    refused(&["--to-redis", nobody, "--to-mysql", &mysql], 5, "Redis");

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
    // A row that the new home cannot have is named, and can be mended.
    stage.sql("UPDATE user SET name = printf('%.300c', 'x')");
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
        let told = [half.stdout, half.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert_eq!(half.status.code(), Some(code), "{told}");
        assert!(told.contains("is incomplete"), "{told}");
    }
    let serve = stage.server.cli(&["serve", "--bind", "127.0.0.1:0"]);
    assert_eq!(serve.code, 4, "{}", serve.stderr);
    assert!(
        serve.stderr.contains("is being moved to"),
        "{}",
        serve.stderr
    );
    stage.sql("UPDATE user SET name = 'ada'");
    moving(&stage, &stores).ok();

    // What was moved there is in the way of any other file.
    let mut other = Stage::with(&["bob"]);
    assert_eq!(other.server.terminate(), 0);
    let done = moving(&other, &stores);
    assert_eq!(done.code, 4, "{}", done.stderr);
    assert!(
        done.stderr.contains("has the data that was moved"),
        "{}",
        done.stderr
    );
    other.server.restart();
}

#[tokio::test]
async fn a_file_that_was_moved_can_be_taken_back() {
    let options = ServerOptions {
        args: vec!["--force".into()],
        env: vec![],
    };
    let mut stage = Stage::with_options(&["ada"], options);
    stage.server.kill9();
    stage.sql(
        "INSERT INTO moving (id, token, place, begun_at, completed_at)
         VALUES (1, 'x', 'elsewhere', 1, 2)",
    );
    assert_eq!(stage.server.cli(&["user", "list"]).code, 4);
    stage.server.restart();
    assert_eq!(stage.http("ada").get("/me").await.ok()["name"], "ada");
    stage.server.cli(&["user", "list"]).ok();
}

#[test]
fn a_move_that_is_killed_again_and_again_is_completed_by_the_next() {
    const LINES: usize = 30_000;
    const KILLS_MAX: u64 = 40;
    let people: Vec<String> = (0..300).map(|n| format!("person{n}")).collect();
    let mut stage = Stage::with(&people);
    stage.talked(LINES);
    stage.server.kill9();
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
    // Each goes a little further: through the tables, the people, the messages, the end.
    for kill in 1..=KILLS_MAX {
        let wait_ms = 20 + 30 * kill + kill * kill * 13 % 50;
        let before = moved("message");
        let mut child = Command::new(binary("plenary-server"))
            .args(["move", "--to-redis", &stores.redis.url()])
            .args(["--to-mysql", &stores.database.url(), "--data"])
            .arg(stage.server.data())
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
    let last = moving(&stage, &stores);
    // Unless the last of the killed ones was just done.
    if last.code != 0 {
        assert!(last.stderr.contains("was already moved"), "{}", last.stderr);
    }
    assert_eq!(moved("user"), 300);
    assert_eq!(moved("session"), 300);
    let (said, said_there) = messages(&stage, &stores);
    assert_eq!(said.len(), LINES);
    assert!(said == said_there, "the messages are not the same");
    let (logged, logged_there) = logs(&stage, &stores);
    assert_eq!(logged, logged_there);
    let server = Server::start(&stores.redis, &stores.database);
    let told = server.cli(&["user", "list"]).ok();
    assert_eq!(told.lines().count(), 300);
}
