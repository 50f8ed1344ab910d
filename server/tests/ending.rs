//! The end of an instance: participants leave on time, the log is archived completely, no live
//! state remains.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plenary_server::clock;
use plenary_server::store::mysql::MysqlStore;
use plenary_server::store::redis::RedisStore;
use plenary_server::store::redis_mysql::RedisMysqlStore;
use plenary_server::store::{EndStep, LifecycleStore, Stepped};
use plenary_shared::domain::{EventKind, Reason};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Push;
use plenary_testkit::{
    Fixture, FixtureBuilder, Http, RedisOptions, ServerOptions, Signal, instance, until,
};
use serde_json::json;

fn builder() -> FixtureBuilder {
    let redis = RedisOptions {
        aof: true,
        tcp: false,
    };
    FixtureBuilder::with(redis, ServerOptions::default())
        .people(1, &["ada", "grace", "linus", "ken", "radia"])
        .meeting(1, "Standup", None)
}

/// The end of the instance, in milliseconds.
fn end_ms(fixture: &Fixture, here: InstanceId) -> u64 {
    let sql = format!(
        "SELECT ROUND(UNIX_TIMESTAMP(todatetime) * 1000) FROM meeting_instance \
         WHERE meetingID = {} AND orderID = {}",
        here.meeting, here.order
    );
    fixture
        .stores
        .database
        .value(&sql)
        .parse()
        .expect("a number")
}

/// Checks the invariants of an ended instance: a log without a gap, a leave for each join, the last
/// leaves at the end, and no live keys but the tombstone.
fn assert_complete(fixture: &Fixture, here: InstanceId, joined: &[u64], messages: usize) {
    let events = fixture.event_log(here);
    let messages_stored = fixture.message_rows(here);
    assert_eq!(
        messages_stored.len(),
        messages,
        "{here}: {messages_stored:?}"
    );
    let mut seqs: Vec<u64> = events
        .iter()
        .chain(&messages_stored)
        .map(|row| row[0].parse().expect("a seq"))
        .collect();
    seqs.sort_unstable();
    let expected: Vec<u64> = (1..=seqs.len() as u64).collect();
    assert_eq!(seqs, expected, "{here}");

    let kinds: Vec<&str> = events.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(kinds.first(), Some(&"opened"), "{here}: {events:?}");
    assert_eq!(kinds.last(), Some(&"closed"), "{here}: {events:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "closed").count(), 1);
    let of = |kind: &str| -> Vec<u64> {
        let rows = events.iter().filter(|row| row[1] == kind);
        rows.map(|row| row[2].parse().expect("a user")).collect()
    };
    assert_eq!(of("join"), joined, "{here}");
    let mut left = of("leave");
    left.sort_unstable();
    let mut came = joined.to_vec();
    came.sort_unstable();
    assert_eq!(left, came, "{here}: one leave for each join");
    let end = end_ms(fixture, here).to_string();
    for row in events.iter().filter(|row| row[4] == "scheduled") {
        assert_eq!(row[3], end, "{here}: {row:?}");
    }

    let tombstone = format!(
        "{{meeting:{}:order:{}}}:tombstone",
        here.meeting, here.order
    );
    until(&format!("{here} to be gone from Redis"), || {
        (fixture.live_keys(here) == [tombstone.as_str()]).then_some(())
    });
    let active = fixture.stores.redis.command(&["ZCARD", "active_meetings"]);
    assert!(!active.is_empty());
}

#[tokio::test]
async fn end_leaves_a_complete_record() {
    let fixture = builder().start();
    let here = fixture.schedule(1, Duration::from_secs(4));
    let path = |rest: &str| format!("/meeting/{}/order/{}/{rest}", here.meeting, here.order);
    let people: Vec<Http> = ["ada", "grace", "linus"].map(|n| fixture.http(n)).into();
    let mut follower = fixture.ws("radia").await;
    follower.open(here).await.expect("it is public");
    for person in &people {
        person.post(&path("join"), &json!({})).await.ok();
    }
    let mut ken = fixture.ws("ken").await;
    ken.join(here).await.expect("it is public");
    for n in 0..7 {
        let body = json!({"body": format!("message {n}")});
        people[n % 3].post(&path("message"), &body).await.ok();
    }
    people[2].post(&path("leave"), &json!({})).await.ok();

    let mut left = BTreeMap::new();
    let closed = follower
        .wait_for("the end", |push| match push {
            Push::Event(event) => match &event.kind {
                EventKind::Leave { user, reason } => {
                    left.insert(user.get(), (*reason, event.timestamp));
                    None
                }
                EventKind::Closed { reason } => Some((*reason, event.timestamp)),
                EventKind::Opened
                | EventKind::Join { .. }
                | EventKind::Message { .. }
                | EventKind::Edited { .. }
                | EventKind::Deleted { .. }
                | EventKind::Moderated(_) => None,
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
        .await;
    let end = end_ms(&fixture, here);
    assert_eq!(closed.0.as_str(), "scheduled");
    assert_eq!(left.len(), 4);
    for (user, (reason, at)) in left {
        if user == 3 {
            assert_eq!(reason.as_str(), "left");
            continue;
        }
        assert_eq!(reason.as_str(), "scheduled");
        assert_eq!(u64::try_from(at.as_ms()), Ok(end));
    }
    fixture.wait_state(here, "ended");
    assert_complete(&fixture, here, &[1, 2, 3, 4], 7);
    let late = people[0].post(&path("join"), &json!({})).await;
    assert_eq!((late.status, late.code()), (400, "ended"));
    let active = people[0].get("/active-meetings").await.ok();
    assert_eq!(active["active_meetings"], json!([]));
}

/// Instances that end at the same time, so that a kill interrupts them at different steps.
const ENDING_TOGETHER: u64 = 12;

#[tokio::test]
async fn end_interrupted_by_kill_is_completed() {
    let mut builder = builder();
    for order in 1..=ENDING_TOGETHER {
        builder = builder.instance(1, order, -60, 8);
    }
    let mut fixture = builder.start();
    let people = ["ada", "grace", "linus"].map(|name| fixture.http(name));
    for order in 1..=ENDING_TOGETHER {
        let path = |rest: &str| format!("/meeting/1/order/{order}/{rest}");
        for person in &people {
            person.post(&path("join"), &json!({})).await.ok();
            let body = json!({"body": format!("in {order}")});
            person.post(&path("message"), &body).await.ok();
        }
    }

    // Each kill waits until one more step has started, so that every step is interrupted.
    let moments = [
        "SELECT COUNT(*) FROM meeting_instance WHERE state <> 'active'",
        "SELECT COUNT(*) FROM event_log WHERE eventType = 'closed'",
        "SELECT COUNT(*) FROM meeting_instance WHERE state = 'ended'",
    ];
    for moment in moments {
        let before: u64 = count(&fixture, moment);
        let all = ENDING_TOGETHER;
        until(moment, || {
            let now = count(&fixture, moment);
            (now > before || now == all).then_some(())
        });
        fixture.server.kill9();
        let states = "SELECT GROUP_CONCAT(state ORDER BY orderID) FROM meeting_instance";
        eprintln!("killed: {}", fixture.stores.database.value(states));
        fixture.server.restart();
    }
    for order in 1..=ENDING_TOGETHER {
        let here = instance(1, order);
        fixture.wait_state(here, "ended");
        assert_complete(&fixture, here, &[1, 2, 3], 3);
    }
    let index = fixture.stores.redis.command(&["ZCARD", "active_meetings"]);
    assert_eq!(index, ["0"]);
}

/// Takes the first `steps` steps of an end, like a server that is killed after them.
async fn take_steps(fixture: &Fixture, here: InstanceId, steps: usize) {
    let url = fixture.stores.database.url();
    let mysql = MysqlStore::connect(&url).expect("a URL that the server takes");
    let nonce = mysql.nonce().await.expect("MySQL answers");
    let live =
        RedisStore::connect(&fixture.stores.redis.url(), &nonce).expect("a URL that it takes");
    let store = RedisMysqlStore::new(live, mysql, clock::of_machine());
    for step in &EndStep::ALL[..steps] {
        loop {
            let now = clock::of_machine()();
            let stepped = store.end_step(here, Reason::Scheduled, *step, now).await;
            match stepped.expect("both stores answer") {
                Stepped::Done => break,
                // The clock of Redis may be slightly behind.
                Stepped::NotYet => tokio::task::yield_now().await,
            }
        }
    }
}

#[tokio::test]
async fn end_interrupted_between_steps_is_completed() {
    let orders = 1..=EndStep::ALL.len();
    let mut builder = builder();
    for order in orders.clone() {
        builder = builder.instance(1, order as u64, -60, 5);
    }
    let mut fixture = builder.start();
    let people = ["ada", "grace"].map(|name| fixture.http(name));
    for order in orders.clone() {
        let path = |rest: &str| format!("/meeting/1/order/{order}/{rest}");
        for person in &people {
            person.post(&path("join"), &json!({})).await.ok();
            let body = json!({"body": format!("in {order}")});
            person.post(&path("message"), &body).await.ok();
        }
    }
    fixture.server.kill9();
    let over = "SELECT COUNT(*) FROM meeting_instance WHERE todatetime <= UTC_TIMESTAMP(3)";
    until("the ends to pass", || {
        (count(&fixture, over) == EndStep::ALL.len() as u64).then_some(())
    });
    // The first instance has taken no step, the second one step, and so on.
    for order in orders.clone() {
        take_steps(&fixture, instance(1, order as u64), order - 1).await;
    }
    fixture.server.restart();
    for order in orders {
        let here = instance(1, order as u64);
        fixture.wait_state(here, "ended");
        assert_complete(&fixture, here, &[1, 2], 2);
    }
}

#[tokio::test]
async fn log_closed_in_archive_is_not_closed_again_after_redis_loss() {
    let mut fixture = builder().instance(1, 1, -60, 3).start();
    let here = instance(1, 1);
    for name in ["ada", "grace"] {
        let person = fixture.http(name);
        let path = "/meeting/1/order/1/join";
        person.post(path, &json!({})).await.ok();
    }
    fixture.server.kill9();
    let over = "SELECT COUNT(*) FROM meeting_instance WHERE todatetime <= UTC_TIMESTAMP(3)";
    until("the end to pass", || {
        (count(&fixture, over) == 1).then_some(())
    });
    // Marked, closed, archived; not recorded.
    take_steps(&fixture, here, 3).await;
    fixture.stores.redis.command(&["FLUSHALL"]);
    fixture.stores.redis.command(&["SCRIPT", "FLUSH"]);
    fixture.server.restart();
    fixture.wait_state(here, "ended");
    assert_complete(&fixture, here, &[1, 2], 0);
}

/// MySQL is unavailable, so only Redis knows the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_leave_on_time_while_mysql_is_unavailable() {
    let mut fixture = builder().instance(1, 1, -60, 3_600).start();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    ada.open(here).await.expect("it is open");
    fixture.stores.mariadb.kill9();
    // The end is beyond the horizon that servers have read.
    let redis = &fixture.stores.redis;
    let now: u64 = redis.command(&["TIME"])[0].parse().expect("a number");
    let end = ((now + 2) * 1_000).to_string();
    redis.command(&["HSET", "{meeting:1:order:1}", "todatetime", &end]);
    redis.command(&["ZADD", "active_meetings", &end, "meeting:1:order:1"]);
    let mut kinds = vec![];
    while kinds.last() != Some(&"closed") {
        kinds.push(ada.next_event().await.kind.as_str());
    }
    assert_eq!(kinds, ["leave", "closed"]);
    fixture.stores.mariadb.restart();
    let sooner = "UPDATE meeting_instance SET todatetime = UTC_TIMESTAMP(3)";
    fixture.stores.database.query(sooner);
    fixture.wait_state(here, "ended");
}

/// More instances than a server ends concurrently.
const ENDING_WHILE_FROZEN: u64 = 40;

/// How late, by the clock of Redis, the last leave may be. Waiting for the frozen database would
/// take longer.
const LATE_MS_MAX: i64 = 6_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn participants_leave_on_time_while_mysql_is_frozen() {
    let mut builder = builder();
    for order in 1..=ENDING_WHILE_FROZEN {
        builder = builder.instance(1, order, -60, 12);
    }
    let fixture = builder.start();
    let mut ada = fixture.ws("ada").await;
    for order in 1..=ENDING_WHILE_FROZEN {
        ada.join(instance(1, order)).await.expect("it is public");
        ada.open(instance(1, order)).await.expect("it is open");
    }
    let ends: BTreeMap<InstanceId, i64> = (1..=ENDING_WHILE_FROZEN)
        .map(|order| instance(1, order))
        .map(|here| (here, i64::try_from(end_ms(&fixture, here)).expect("a time")))
        .collect();
    fixture.stores.mariadb.signal(Signal::Stop);
    let mut left = BTreeMap::new();
    for _ in 0..ENDING_WHILE_FROZEN * 2 {
        let event = ada.next_event().await;
        let kind = event.kind.as_str();
        let before = left.insert(event.instance, kind);
        let expected = if kind == "closed" {
            Some("leave")
        } else {
            None
        };
        assert_eq!(before, expected, "{event:?}");
        let end = ends[&event.instance];
        assert_eq!(event.timestamp.as_ms(), end, "{event:?}");
    }
    assert!(left.values().all(|kind| *kind == "closed"));
    let time = fixture.stores.redis.command(&["TIME"]);
    let now_ms = time[0].parse::<i64>().expect("seconds") * 1_000;
    let late_ms = now_ms - ends.values().max().expect("some end");
    eprintln!("{late_ms} ms late");
    assert!(late_ms < LATE_MS_MAX, "{late_ms} ms late");
    // Only the archive could tell whether this post is a duplicate.
    let late = ada.post(instance(1, 1), "late").await;
    let refused = late.expect_err("it is over").code.as_str();
    assert!(["ended", "unavailable"].contains(&refused), "{refused}");

    fixture.stores.mariadb.signal(Signal::Cont);
    for order in 1..=ENDING_WHILE_FROZEN {
        fixture.wait_state(instance(1, order), "ended");
        assert_complete(&fixture, instance(1, order), &[1], 0);
    }
}

/// An instance whose whole time passed has the same record as one without participants.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missed_instance_has_a_record_without_participants() {
    let mut fixture = builder().instance(1, 1, -60, 3_600).start();
    fixture.server.kill9();
    let missed = "INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime) \
         VALUES (1, 2, UTC_TIMESTAMP(3) - INTERVAL 2 HOUR, UTC_TIMESTAMP(3) - INTERVAL 1 HOUR)";
    fixture.stores.database.query(missed);
    fixture.server.restart();
    let here = instance(1, 2);
    fixture.wait_state(here, "ended");
    let events = fixture.event_log(here);
    let received: Vec<(&str, &str, &str)> = events
        .iter()
        .map(|row| (row[1].as_str(), row[2].as_str(), row[4].as_str()))
        .collect();
    assert_eq!(
        received,
        [("opened", "NULL", "NULL"), ("closed", "NULL", "missed")]
    );
    assert_eq!(events[1][3], end_ms(&fixture, here).to_string());
    let ada = fixture.http("ada");
    let late = ada.post("/meeting/1/order/2/join", &json!({})).await;
    assert_eq!((late.status, late.code()), (400, "ended"));
    let read = ada.get("/meeting/1/order/2/messages").await.ok();
    assert_eq!(read["messages"], json!([]));
    assert_eq!(
        fixture.state(instance(1, 1)),
        "active",
        "the other one continues"
    );
}

fn count(fixture: &Fixture, sql: &str) -> u64 {
    fixture
        .stores
        .database
        .value(sql)
        .parse()
        .expect("a number")
}

#[tokio::test]
async fn missed_instance_gets_an_empty_record() {
    let fixture = builder().instance(1, 1, -120, -60).start();
    let here = instance(1, 1);
    fixture.wait_state(here, "ended");
    let events = fixture.event_log(here);
    let kinds: Vec<&str> = events.iter().map(|row| row[1].as_str()).collect();
    assert_eq!(kinds, ["opened", "closed"]);
    assert_eq!(events[1][4], "missed");
}

#[tokio::test]
async fn end_while_servers_are_down_rejects_late_posts() {
    let mut fixture = builder().instance(1, 1, -60, 4).start();
    let ada = fixture.http("ada");
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    fixture.server.kill9();
    let over = "SELECT COUNT(*) FROM meeting_instance WHERE todatetime <= UTC_TIMESTAMP(3)";
    until("the end to pass", || {
        (count(&fixture, over) == 1).then_some(())
    });
    fixture.server.restart();
    let body = json!({"body": "late"});
    let late = ada.post("/meeting/1/order/1/message", &body).await;
    assert_eq!((late.status, late.code()), (400, "ended"));
    fixture.wait_state(instance(1, 1), "ended");
    assert_complete(&fixture, instance(1, 1), &[1], 0);
}

#[tokio::test]
async fn racing_servers_end_an_instance_once() {
    let mut builder = builder();
    for order in 1..=ENDING_TOGETHER {
        builder = builder.instance(1, order, -60, 6);
    }
    let fixture = builder.start();
    let _second = plenary_testkit::Server::start(&fixture.stores.redis, &fixture.stores.database);
    let ada = fixture.http("ada");
    let mut seen = BTreeSet::new();
    for order in 1..=ENDING_TOGETHER {
        let path = format!("/meeting/1/order/{order}/join");
        seen.insert(ada.post(&path, &json!({})).await.ok()["seq"].as_u64());
    }
    assert_eq!(seen, BTreeSet::from([Some(2)]));
    for order in 1..=ENDING_TOGETHER {
        fixture.wait_state(instance(1, order), "ended");
        assert_complete(&fixture, instance(1, order), &[1], 0);
    }
}
