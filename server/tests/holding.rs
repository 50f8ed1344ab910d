//! Stays and the connections that hold them; open connections and what they may still do.

use std::time::Duration;

use plenary_shared::domain::EventKind;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{Position, Push, ResumeMode, Verb};
use plenary_shared::time::Timestamp;
use plenary_testkit::{
    Fixture, FixtureBuilder, RedisOptions, Server, ServerOptions, Signal, Ws, instance, until,
};

fn builder(grace_s: &str) -> FixtureBuilder {
    let options = ServerOptions {
        args: vec!["--reconnect-grace-s".into(), grace_s.into()],
        env: vec![],
    };
    FixtureBuilder::with(RedisOptions::default(), options)
        .people(1, &["ada", "grace", "root"])
        .admin("root")
        .meeting(1, "Long", None)
        .meeting(2, "Secret", Some(&["ada", "grace"]))
        .instance(1, 1, -60, 3_600)
        .instance(2, 1, -60, 3_600)
}

async fn left(ws: &mut Ws) -> (u64, &'static str) {
    ws.wait_for("somebody to be shown as left", |push| match push {
        Push::Event(event) => match event.kind {
            EventKind::Leave { user, reason } => Some((user.get(), reason.as_str())),
            _ => None,
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
    })
    .await
}

fn key(here: InstanceId, of: &str) -> String {
    format!("{{meeting:{}:order:{}}}:{of}", here.meeting, here.order)
}

#[tokio::test]
async fn close_then_disconnect_leaves_after_grace() {
    let fixture = builder("1").start();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("it is open");
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    ada.open(here).await.expect("it is open");
    ada.ask(Verb::Close(here)).await.expect("it is followed");
    ada.open(here).await.expect("it is open");
    ada.ask(Verb::Close(here)).await.expect("it is followed");
    ada.post(here, "still in").await.expect("ada stays in");
    drop(ada);
    assert_eq!(left(&mut grace).await, (1, "connection_lost"));
}

#[tokio::test]
async fn user_lost_while_redis_is_frozen_leaves_afterwards() {
    let fixture = builder("1").start();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("it is open");
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    fixture.stores.redis.signal(Signal::Stop);
    drop(ada);
    until("the server to have tried in vain", || {
        let log = fixture.server.log();
        log.iter()
            .any(|line| line.contains("detach failed, retrying"))
            .then_some(())
    });
    fixture.stores.redis.signal(Signal::Cont);
    assert_eq!(left(&mut grace).await, (1, "connection_lost"));
}

/// Servers whose lease has expired by the clock of Redis.
fn dead(fixture: &Fixture) -> usize {
    let now = fixture.stores.redis.command(&["TIME"]);
    let now = format!("{}000", now[0]);
    let dead = fixture
        .stores
        .redis
        .command(&["ZRANGEBYSCORE", "nodes", "-inf", &now]);
    dead.iter().filter(|line| !line.is_empty()).count()
}

#[tokio::test]
async fn stalled_server_keeps_its_own_users() {
    let fixture = builder("1").start();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    // The order of overdue work afterwards is random.
    for _ in 0..2 {
        fixture.server.signal(Signal::Stop);
        until("its lease to end", || (dead(&fixture) == 1).then_some(()));
        fixture.server.signal(Signal::Cont);
        until("it to live again", || (dead(&fixture) == 0).then_some(()));
        ada.post(here, "still in").await.expect("ada is in");
    }
    let lost = fixture
        .stores
        .redis
        .command(&["ZCARD", &key(here, "grace")]);
    assert_eq!(lost, ["0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_taken_for_dead_recovers_its_stays() {
    let fixture = builder("20").start();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    let held = || {
        fixture
            .stores
            .redis
            .command(&["ZCARD", &key(here, "connections")])
    };
    assert_eq!(held(), ["1"]);
    fixture.server.signal(Signal::Stop);
    until("the other to take it for dead", || {
        (held() == ["0"]).then_some(())
    });
    fixture.server.signal(Signal::Cont);
    until("the stay to be held again", || {
        (held() == ["1"]).then_some(())
    });
    let lost = fixture
        .stores
        .redis
        .command(&["ZCARD", &key(here, "grace")]);
    assert_eq!(lost, ["0"]);
    drop(second);
}

/// Drops the sessions cached in Redis, so that MySQL is asked.
fn forget_sessions(fixture: &Fixture) {
    for key in fixture.stores.redis.keys("session:*") {
        fixture.stores.redis.command(&["DEL", &key]);
    }
}

#[tokio::test]
async fn connection_closes_with_its_session() {
    let fixture = builder("20").start();
    let mut ada = fixture.ws("ada").await;
    ada.open(instance(1, 1)).await.expect("it is open");
    let past = "UPDATE session SET expires_at = UTC_TIMESTAMP() - INTERVAL 1 SECOND";
    fixture.stores.database.query(past);
    forget_sessions(&fixture);
    assert_eq!(ada.closed().await.code, Some(4_501));
}

#[tokio::test]
async fn uninvited_user_stops_receiving() {
    let fixture = builder("20").start();
    let here = instance(2, 1);
    let token = fixture.token("ada");
    let mut ada = Ws::hello(&fixture.server.url(), &token).await;
    let opened = ada.open(here).await.expect("ada is invited");
    let uninvite = "DELETE FROM audience WHERE email LIKE 'ada%'";
    fixture.stores.database.query(uninvite);
    let audience = key(here, "audience");
    let gone = &["SREM", &audience, "ada@example.org"];
    fixture.stores.redis.command(gone);
    assert_eq!(ada.closed().await.code, Some(4_000));
    let mut ada = Ws::connect(&fixture.server.url()).await;
    let position = Position {
        instance: here,
        generation: opened.generation,
        seq: opened.seq,
    };
    let hello = ada.say_hello(&token, vec![position]).await.expect("good");
    assert_eq!(hello.resumed[0].mode, ResumeMode::Gone);
}

#[tokio::test]
async fn demoted_admin_stops_receiving() {
    let fixture = builder("20").start();
    let here = instance(2, 1);
    let mut root = fixture.ws("root").await;
    root.open(here).await.expect("an admin reads all");
    let demote = "UPDATE user SET role = 'member'";
    fixture.stores.database.query(demote);
    forget_sessions(&fixture);
    assert_eq!(root.closed().await.code, Some(4_000));
    let mut root = fixture.ws("root").await;
    assert!(root.open(here).await.is_err());
}

/// By then every lost user is shown as left.
const GONE_BY: Duration = Duration::from_mins(1);

/// Who was shown as left, why and when.
async fn left_at(ws: &mut Ws) -> (u64, &'static str, Timestamp) {
    let leaving = async {
        loop {
            let push = ws.try_next().await.expect("the connection stands");
            if let Push::Event(event) = push
                && let EventKind::Leave { user, reason } = event.kind
            {
                return (user.get(), reason.as_str(), event.timestamp);
            }
        }
    };
    let left = tokio::time::timeout(GONE_BY, leaving).await;
    left.expect("somebody is shown as left")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_terminal_leaves_at_its_last_sign_of_life() {
    let fixture = builder("20").start();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    grace.join(here).await.expect("it is public");
    grace.open(here).await.expect("it is open");
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    let last = ada.post(here, "the last word").await.expect("ada is in");
    // From now on nobody reads Ada's connection: no ping is answered, and nothing is closed.
    let (who, why, when) = left_at(&mut grace).await;
    assert_eq!((who, why), (1, "connection_lost"));
    let after_ms = when.ms_since(last.timestamp);
    assert!((-1_000..=1_000).contains(&after_ms), "{after_ms} ms");
    let shown = grace.post(here, "gone").await.expect("grace is in");
    let after_ms = shown.timestamp.ms_since(last.timestamp);
    assert!((20_000..=30_000).contains(&after_ms), "{after_ms} ms");
    drop(ada);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_killed_server_leave_unless_connected_elsewhere() {
    let mut fixture = builder("20").start();
    let here = instance(1, 1);
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let root_token = fixture.token("root");
    let mut grace = Ws::hello(&second.url(), &fixture.token("grace")).await;
    grace.open(here).await.expect("it is open");
    grace.join(here).await.expect("it is public");
    let mut root = fixture.ws("root").await;
    root.join(here).await.expect("it is public");
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    let last = ada.post(here, "the last word").await.expect("ada is in");
    fixture.server.kill9();
    let mut root = Ws::hello(&second.url(), &root_token).await;
    root.open(here).await.expect("it is open");

    // A returning client must be read, so that it answers pings.
    let back = async {
        while root.try_next().await.is_some() {}
        panic!("the connection to the other server stands");
    };
    let (who, why, when) = tokio::select! {
        left = left_at(&mut grace) => left,
        () = back => unreachable!("it panics before"),
    };
    assert_eq!((who, why), (1, "connection_lost"));
    // A server renews its lease every two seconds.
    let after_ms = when.ms_since(last.timestamp);
    assert!((-3_000..=1_000).contains(&after_ms), "{after_ms} ms");
    let shown = grace.post(here, "gone").await.expect("grace is in");
    let after_ms = shown.timestamp.ms_since(last.timestamp);
    assert!(after_ms <= 25_000, "{after_ms} ms");
    root.post(here, "still in").await.expect("root came back");
}
