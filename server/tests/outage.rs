//! A store is unavailable: clients are informed, nothing is lost, and everything continues when it
//! is back.

use plenary_shared::protocol::Position;
use plenary_testkit::{
    Fixture, FixtureBuilder, Redis, RedisOptions, Server, ServerOptions, Signal, Ws, instance,
    until_async,
};
use serde_json::json;

fn fixture() -> Fixture {
    let redis = RedisOptions {
        aof: true,
        tcp: false,
    };
    FixtureBuilder::with(redis, ServerOptions::default())
        .people(1, &["ada", "grace"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start()
}

/// Whether MySQL has 1/1 up to this seq.
fn archived(fixture: &Fixture, seq: u64) -> Option<()> {
    let archived = "SELECT archived_seq FROM meeting_instance WHERE meetingID = 1";
    let archived: u64 = fixture.stores.database.value(archived).parse().ok()?;
    (archived >= seq).then_some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_outage_is_reported_and_recovers() {
    let mut fixture = fixture();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let body = json!({"body": "before"});
    let posted = ada.post("/meeting/1/order/1/message", &body).await.ok();
    let seq = posted["seq"].as_u64().expect("a number");
    until_async("it to be durable", || async { archived(&fixture, seq) }).await;

    fixture.stores.redis.kill9();
    let refused = ada.post("/meeting/1/order/1/message", &body).await;
    assert_eq!((refused.status, refused.code()), (503, "unavailable"));
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(ada.get("/livez").await.status, 200);
    assert_eq!(ada.get("/readyz").await.status, 503);

    fixture.stores.redis.restart();
    let body = json!({"body": "after"});
    until_async("posts to be taken again", || async {
        let answer = ada.post("/meeting/1/order/1/message", &body).await;
        (answer.status == 201).then_some(())
    })
    .await;
    let messages = ada.get("/meeting/1/order/1/messages").await.ok();
    let messages = messages["messages"].as_array().expect("a list");
    assert_eq!(messages.first().map(|m| &m["body"]), Some(&json!("before")));
    assert_eq!(messages.last().map(|m| &m["body"]), Some(&json!("after")));
    until_async("the server to be ready", || async {
        (ada.get("/readyz").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unarchived_events_survive_redis_kill() {
    let mut fixture = fixture();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let mut last = serde_json::Value::Null;
    for n in 0..50 {
        let body = json!({"body": format!("message {n}")});
        last = ada.post("/meeting/1/order/1/message", &body).await.ok();
    }
    fixture.server.kill9();
    fixture.stores.redis.kill9();
    fixture.stores.redis.restart();
    fixture.server.restart();

    let ada = fixture.http("ada");
    let messages = ada.get("/meeting/1/order/1/messages").await.ok();
    let bodies: Vec<String> = messages["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|message| message["body"].to_string())
        .collect();
    let expected: Vec<String> = (0..50).map(|n| format!("\"message {n}\"")).collect();
    assert_eq!(bodies, expected);
    // Ada is a participant, and her repeated post creates no second message.
    let cmid = last["cmid"].as_str().expect("a cmid");
    let body = json!({"body": "message 49"});
    let again = ada
        .request(
            "POST".parse().expect("a method"),
            "/meeting/1/order/1/message",
        )
        .header("Idempotency-Key", cmid)
        .json(&body);
    let again = ada.send(again).await;
    assert_eq!((again.status, &again.body["seq"]), (200, &last["seq"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn meeting_continues_without_mysql_and_archive_catches_up() {
    let mut fixture = fixture();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    let mut grace = fixture.ws("grace").await;
    ada.join(here).await.expect("it is public");
    grace.join(here).await.expect("it is public");
    grace.open(here).await.expect("it is open");

    fixture.stores.mariadb.kill9();
    let mut last = None;
    for n in 0..10 {
        let posted = ada
            .post(here, &n.to_string())
            .await
            .expect("chat continues");
        assert_eq!(grace.next_event().await.seq, posted.seq);
        last = Some(posted.seq);
    }
    fixture.stores.mariadb.restart();
    let last = last.expect("ten were posted").get();
    until_async("the record to catch up", || async {
        archived(&fixture, last)
    })
    .await;
    assert_eq!(fixture.message_rows(here).len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_in_redis_survive_restart_before_archiving() {
    let mut fixture = fixture();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    fixture.stores.mariadb.kill9();
    for n in 0..3 {
        let body = json!({"body": n.to_string()});
        ada.post("/meeting/1/order/1/message", &body).await.ok();
    }
    fixture.stores.redis.restart();
    fixture.stores.mariadb.restart();
    let body = json!({"body": "and on"});
    until_async("posts to be taken again", || async {
        let answer = ada.post("/meeting/1/order/1/message", &body).await;
        (answer.status == 201).then_some(())
    })
    .await;
    let messages = ada.get("/meeting/1/order/1/messages").await.ok();
    let messages = messages["messages"].as_array().expect("a list");
    let bodies: Vec<&str> = messages.iter().filter_map(|m| m["body"].as_str()).collect();
    assert_eq!(bodies, ["0", "1", "2", "and on"]);
}

#[tokio::test]
async fn a_redis_without_memory_is_told_as_one_that_is_away_and_half_does_nothing() {
    let fixture = fixture();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let grace = fixture.http("grace");
    grace.get("/me").await.ok();
    let body = json!({"body": "hello"});
    let redis = &fixture.stores.redis;
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let refused = ada.post("/meeting/1/order/1/message", &body).await;
    assert_eq!((refused.status, refused.code()), (503, "unavailable"));
    let refused = grace.post("/meeting/1/order/1/join", &json!({})).await;
    assert_eq!((refused.status, refused.code()), (503, "unavailable"));
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    let posted = ada.post("/meeting/1/order/1/message", &body).await.ok();
    assert_eq!(posted["seq"], 3);
    let people = ada.get("/meeting/1/order/1/participants").await.ok();
    assert_eq!(people["participants"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn reconnect_resumes_without_gaps() {
    let fixture = fixture();
    let here = instance(1, 1);
    let token = fixture.token("grace");
    let mut grace = Ws::hello(&fixture.server.url(), &token).await;
    let opened = grace.open(here).await.expect("it is open");
    let position = Position {
        instance: here,
        generation: opened.generation,
        seq: opened.seq,
    };
    drop(grace);
    let mut ada = fixture.ws("ada").await;
    let joined = ada.join(here).await.expect("it is public");
    for n in 0..5 {
        ada.post(here, &n.to_string()).await.expect("ada is in");
    }

    let mut grace = Ws::connect(&fixture.server.url()).await;
    let hello = grace.say_hello(&token, vec![position]).await;
    let hello = hello.expect("the token is good");
    let mode = serde_json::to_value(hello.resumed[0].mode).expect("JSON");
    assert_eq!(mode, "delta");
    let mut missed = vec![];
    for _ in 0..6 {
        missed.push(grace.next_event().await.seq.get());
    }
    let first = joined.seq.get();
    assert_eq!(missed, (first..first + 6).collect::<Vec<_>>());
    let posted = ada.post(here, "and on").await.expect("ada is in");
    assert_eq!(grace.next_event().await.seq, posted.seq);
}

#[tokio::test]
async fn health_and_openapi_are_served() {
    let fixture = fixture();
    let nobody = plenary_testkit::Http::nobody(&fixture.server.url());
    assert_eq!(nobody.get("/livez").await.status, 200);
    assert_eq!(nobody.get("/readyz").await.status, 200);
    let document = nobody.get("/openapi.json").await.ok();
    for path in [
        "/login",
        "/logout",
        "/me",
        "/meetings",
        "/active-meetings",
        "/active-meetings-participants-join-logs",
        "/meeting/{meetingID}/order/{orderID}/join",
        "/meeting/{meetingID}/order/{orderID}/leave",
        "/meeting/{meetingID}/order/{orderID}/participants",
        "/meeting/{meetingID}/order/{orderID}/messages",
        "/meeting/{meetingID}/order/{orderID}/message",
        "/meeting/{meetingID}/order/{orderID}/user/{userID}/messages",
    ] {
        assert!(document["paths"].get(path).is_some(), "{path}");
    }
    let page = nobody.get("/docs/").await;
    assert_eq!(page.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_started_before_redis_serves_once_redis_is_up() {
    let mut fixture = fixture();
    let ada = fixture.http("ada");
    fixture.server.kill9();
    fixture.stores.redis.kill9();
    fixture.server.restart();
    let refused = ada.post("/meeting/1/order/1/join", &json!({})).await;
    assert_eq!((refused.status, refused.code()), (503, "unavailable"));
    fixture.stores.redis.restart();
    until_async("joining to be possible", || async {
        let answer = ada.post("/meeting/1/order/1/join", &json!({})).await;
        (answer.status == 200).then_some(())
    })
    .await;
    // And events are delivered.
    let mut ws = fixture.ws("ada").await;
    ws.open(instance(1, 1)).await.expect("it is open");
    let body = json!({"body": "hello"});
    let posted = ada.post("/meeting/1/order/1/message", &body).await.ok();
    assert_eq!(
        Some(ws.next_event().await.seq.get()),
        posted["seq"].as_u64()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stay_without_connection_survives_redis_restart() {
    let options = ServerOptions {
        args: vec!["--reconnect-grace-s".into(), "1".into()],
        env: vec![],
    };
    let redis = RedisOptions {
        aof: true,
        tcp: false,
    };
    let mut fixture = FixtureBuilder::with(redis, options)
        .people(1, &["ada", "grace"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start();
    let here = instance(1, 1);
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let mut grace = fixture.ws("grace").await;
    grace.join(here).await.expect("it is public");
    fixture.server.kill9();
    fixture.stores.redis.restart();
    fixture.server.restart();
    drop(grace);
    until_async("only the one with a lost connection to be gone", || async {
        let people = ada.get("/meeting/1/order/1/participants").await;
        let people = people.body["participants"].as_array()?.clone();
        let names: Vec<&str> = people.iter().filter_map(|p| p["name"].as_str()).collect();
        assert!(names.contains(&"ada"), "{names:?}");
        (names == ["ada"]).then_some(())
    })
    .await;
    let body = json!({"body": "still in"});
    let grace = "{meeting:1:order:1}:grace";
    until_async("nobody else to be waited for", || async {
        (fixture.stores.redis.command(&["ZCARD", grace]) == ["0"]).then_some(())
    })
    .await;
    ada.post("/meeting/1/order/1/message", &body).await.ok();
}

/// Whether the server reports this part as healthy.
async fn is_well(http: &plenary_testkit::Http, part: &str) -> (u16, bool) {
    let ready = http.get("/readyz").await;
    let checks = ready.body["checks"].as_array().expect("checks").clone();
    let found = checks.iter().find(|check| check["name"] == part);
    let found = found.unwrap_or_else(|| panic!("{part} is not checked: {}", ready.body));
    (ready.status, found["ok"] == true)
}

async fn until_ready(http: &plenary_testkit::Http) {
    until_async("the server to be ready", || async {
        (http.get("/readyz").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readyz_names_the_failing_part() {
    let mut fixture = fixture();
    let nobody = plenary_testkit::Http::nobody(&fixture.server.url());
    until_ready(&nobody).await;
    for part in ["redis", "mysql", "feed", "live_state", "archive"] {
        assert_eq!(is_well(&nobody, part).await, (200, true), "{part}");
    }

    // Redis answers, but nothing that it publishes arrives.
    let redis = &fixture.stores.redis;
    redis.command(&["ACL", "SETUSER", "default", "-ssubscribe"]);
    redis.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    until_async("the feed to be missed", || async {
        (is_well(&nobody, "feed").await == (503, false)).then_some(())
    })
    .await;
    assert!(is_well(&nobody, "redis").await.1);
    redis.command(&["ACL", "SETUSER", "default", "+ssubscribe"]);
    until_ready(&nobody).await;

    fixture.stores.mariadb.signal(Signal::Stop);
    until_async("the database to stand still", || async {
        (is_well(&nobody, "mysql").await == (503, false)).then_some(())
    })
    .await;
    assert!(is_well(&nobody, "redis").await.1);
    fixture.stores.mariadb.signal(Signal::Cont);
    until_ready(&nobody).await;
    fixture.stores.mariadb.kill9();
    assert_eq!(is_well(&nobody, "mysql").await, (503, false));
    fixture.stores.mariadb.restart();
    until_ready(&nobody).await;

    fixture.stores.redis.signal(Signal::Stop);
    until_async("Redis to stand still", || async {
        (is_well(&nobody, "redis").await == (503, false)).then_some(())
    })
    .await;
    assert_eq!(nobody.get("/livez").await.status, 200);
    fixture.stores.redis.signal(Signal::Cont);
    until_ready(&nobody).await;
}

fn replicate(replica: &Redis, master: &Redis) {
    let url = master.url();
    let port = url.trim_end_matches("/0").rsplit(':').next();
    master.command(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]);
    replica.command(&["REPLICAOF", "127.0.0.1", port.expect("a port")]);
    plenary_testkit::until("the replica to have everything", || {
        let state = replica.command(&["INFO", "replication"]);
        state
            .iter()
            .any(|line| line.starts_with("master_link_status:up"))
            .then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promoted_replica_with_scripts_is_fenced() {
    let options = RedisOptions {
        aof: false,
        tcp: true,
    };
    let fixture = FixtureBuilder::with(options, ServerOptions::default())
        .people(1, &["ada"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start();
    let generation = || -> u64 {
        let generation = "SELECT gen FROM meeting_instance WHERE meetingID = 1";
        let generation = fixture.stores.database.value(generation);
        generation.parse().expect("a number")
    };
    // The same cmid for each attempt.
    let say = |body: &str| json!({"cmid": uuid::Uuid::now_v7(), "ack": "durable", "body": body});
    let path = "/meeting/1/order/1/message";
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    ada.post(path, &say("before")).await.ok();
    let first = generation();

    let master = &fixture.stores.redis;
    let other = Redis::with(options);
    replicate(&other, master);
    other.command(&["REPLICAOF", "NO", "ONE"]);
    replicate(master, &other);
    let second_server = Server::start(&other, &fixture.stores.database);
    let there = ada.at(&second_server.url());
    let on_the_other = say("on the other");
    until_async("a replica that was promoted to be fenced", || async {
        let said = there.post(path, &on_the_other).await;
        (said.body["durable"] == true).then_some(())
    })
    .await;
    let second = generation();
    assert!(second > first, "{second} {first}");
    drop(second_server);

    // The first one was running all the time, with our scripts but without the new data.
    master.command(&["REPLICAOF", "NO", "ONE"]);
    drop(other);
    let after = say("after");
    until_async("posts to be taken again", || async {
        let said = ada.post(path, &after).await;
        (said.body["durable"] == true).then_some(())
    })
    .await;
    assert!(generation() > second, "{} {second}", generation());
    let rows = fixture.message_rows(instance(1, 1));
    let bodies: Vec<&str> = rows.iter().map(|row| row[3].as_str()).collect();
    assert_eq!(bodies, ["before", "on the other", "after"]);
}
