//! The end of an instance, and stays across a kill of the server.

use plenary_shared::domain::{Event, EventKind, Reason};
use plenary_shared::protocol::{Push, Verb};
use plenary_testkit::{ServerOptions, Ws, until_async};
use serde_json::json;

use crate::harness::{Harness, path};

/// Waits for the next event that `look` accepts.
async fn wait_event(ws: &mut Ws, what: &str, look: impl Fn(&EventKind) -> bool) -> Event {
    ws.wait_for(what, |push| match push {
        Push::Event(event) if look(&event.kind) => Some(*event),
        Push::Event(_)
        | Push::Durable(_)
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

#[tokio::test]
async fn participants_leave_at_end_and_log_stays_readable() {
    let harness = Harness::with(&["ada", "bob", "eve"]);
    let here = harness.active(4);
    let mut eve = harness.ws("eve").await;
    eve.open(here).await.expect("it is public");
    let [ada, bob] = ["ada", "bob"].map(|name| harness.http(name));
    for person in [&ada, &bob] {
        person.get(&path(here, "join")).await.ok();
    }
    let posted = ada
        .post(&path(here, "message"), &json!({"body": "hello"}))
        .await
        .ok();
    let cmid = posted["cmid"].clone();

    let closed = wait_event(&mut eve, "the end", |what| {
        matches!(what, EventKind::Closed { .. })
    })
    .await;
    assert_eq!(
        closed.kind,
        EventKind::Closed {
            reason: Reason::Scheduled
        }
    );
    let to = harness.value("SELECT todatetime FROM meeting_instance WHERE orderID = 1");
    assert_eq!(closed.timestamp.as_ms().to_string(), to);
    harness.until_state(here, "ended");
    let log =
        "SELECT seq, eventType || ' ' || COALESCE(userID, '-') || ' ' || COALESCE(reason, '-')
        FROM event_log ORDER BY seq";
    let kinds: Vec<String> = harness
        .rows(log)
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    assert_eq!(
        kinds,
        [
            "opened - -",
            "join 1 -",
            "join 2 -",
            "leave 1 scheduled",
            "leave 2 scheduled",
            "closed - scheduled"
        ]
    );
    until_async("nothing of it to be live", || async {
        let live = "SELECT (SELECT COUNT(*) FROM live_instance) + (SELECT COUNT(*) FROM stay)
            + (SELECT COUNT(*) FROM holder)";
        (harness.value(live) == "0").then_some(())
    })
    .await;

    let refused = ada
        .post(&path(here, "message"), &json!({"body": "late"}))
        .await;
    assert_eq!((refused.status, refused.code()), (400, "ended"));
    let request = ada
        .request("POST".parse().expect("a method"), &path(here, "message"))
        .header("Idempotency-Key", cmid.as_str().expect("a cmid"))
        .json(&json!({"body": "hello"}));
    let repeated = ada.send(request).await;
    assert_eq!(
        (repeated.status, &repeated.body["seq"]),
        (200, &posted["seq"])
    );
    let messages = bob.get(&path(here, "messages")).await.ok();
    assert_eq!(messages["messages"][0]["body"], "hello");
}

#[tokio::test]
async fn missed_instance_is_opened_and_closed_empty() {
    let mut harness = Harness::with(&["ada"]);
    harness.server.kill9();
    harness.sql(
        "INSERT INTO meeting_instance (meetingID, orderID, fromdatetime, todatetime)
         VALUES (1, 1, 1000, 2000)",
    );
    harness.server.restart();
    harness.until_state("1/1".parse().expect("an instance"), "ended");
    let log = harness.rows("SELECT seq, eventType || ' ' || COALESCE(reason, '-') FROM event_log");
    assert_eq!(
        log,
        [(1, "opened -".to_owned()), (2, "closed missed".to_owned())]
    );
}

#[tokio::test]
async fn stays_survive_restart_and_lost_connections_end_theirs() {
    let options = ServerOptions {
        args: vec!["--reconnect-grace-s".into(), "3".into()],
        env: vec![],
    };
    let mut harness = Harness::with_options(&["ada", "bob", "eve", "kim"], options);
    let here = harness.active(3_600);
    // Ada joins over HTTP, Bob and Kim over WebSocket. Only Kim reconnects.
    harness.http("ada").get(&path(here, "join")).await.ok();
    let mut bob = harness.ws("bob").await;
    bob.join(here).await.expect("it is public");
    let mut kim = harness.ws("kim").await;
    kim.join(here).await.expect("it is public");
    harness.server.kill9();
    // No stay ends before it starts.
    let last_sign: i64 = harness
        .value(
            "SELECT MAX((SELECT MAX(renewed) FROM node), (SELECT joined FROM stay WHERE userID = 2))",
        )
        .parse()
        .expect("a time");
    harness.server.restart();
    let mut kim = harness.ws("kim").await;
    kim.open(here).await.expect("it is public");
    let mut eve = harness.ws("eve").await;
    let opened = eve.open(here).await.expect("it is public");
    assert_eq!(opened.roster.len(), 3, "nobody is gone yet");
    let left = wait_event(&mut eve, "bob to leave", |what| {
        matches!(what, EventKind::Leave { .. })
    })
    .await;
    let (user, reason) = (opened.roster[1].id, Reason::ConnectionLost);
    assert_eq!(left.kind, EventKind::Leave { user, reason });
    assert_eq!(
        left.timestamp.as_ms(),
        last_sign,
        "lost since the dead server's last sign of life"
    );
    kim.post(here, "still in")
        .await
        .expect("kim holds her stay");
    let people: serde_json::Value = eve
        .ask(Verb::Participants(here))
        .await
        .expect("it is public");
    let names: Vec<_> = people["participants"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(names, ["ada", "kim"]);
}
