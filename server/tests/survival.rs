//! Servers die, stop, and run in pairs: acknowledged messages are there once and in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plenary_shared::domain::{Code, Event, EventKind};
use plenary_shared::ids::{Cmid, InstanceId, Seq};
use plenary_shared::protocol::{Events, EventsOk, Push, Verb};
use plenary_testkit::{
    Fixture, FixtureBuilder, Http, RedisOptions, Server, ServerOptions, Ws, instance, until_async,
};
use serde_json::json;

const POSTERS: usize = 10;

fn names() -> Vec<String> {
    (0..POSTERS).map(|n| format!("person{n}")).collect()
}

fn fixture() -> Fixture {
    let redis = RedisOptions {
        aof: true,
        tcp: false,
    };
    FixtureBuilder::with(redis, ServerOptions::default())
        .people(1, &names())
        .people(101, &["reader"])
        .meeting(1, "Marathon", None)
        .instance(1, 1, -60, 3_600)
        .start()
}

/// Acknowledged posts: cmid → seq.
type Acknowledged = Arc<Mutex<BTreeMap<Cmid, u64>>>;

/// Posts one message after the other, each until it is acknowledged, until the instance has ended.
async fn post_until_the_end(
    person: Http,
    here: InstanceId,
    acknowledged: Acknowledged,
    count: Arc<AtomicUsize>,
) {
    let path = format!("/meeting/{}/order/{}/message", here.meeting, here.order);
    for n in 0.. {
        let cmid = Cmid(uuid::Uuid::now_v7());
        let seq = until_async("a post to be acknowledged, or the end", || async {
            let request = person
                .request("POST".parse().expect("a method"), &path)
                .header("Idempotency-Key", cmid.to_string())
                .json(&json!({"body": format!("number {n}")}));
            // A server that is down does not answer: the same post is sent again.
            let answer = person.try_send(request).await.ok()?;
            match (answer.status, answer.code()) {
                (200 | 201, _) => Some(answer.body["seq"].as_u64()),
                (_, "ended") => Some(None),
                (503 | 500, _) => None,
                (status, code) => panic!("{status} {code}"),
            }
        })
        .await;
        let Some(seq) = seq else { return };
        acknowledged
            .lock()
            .expect("no test thread panics with it")
            .insert(cmid, seq);
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Follows the instance to its end over as many connections as needed, as a client would.
async fn follow_to_the_end(url: String, token: String, here: InstanceId) -> Vec<Event> {
    let mut events: Vec<Event> = vec![];
    loop {
        // Connecting panics while the server is down, so it has its own task.
        let (at, with) = (url.clone(), token.clone());
        let connected = tokio::spawn(async move {
            let mut ws = Ws::hello(&at, &with).await;
            ws.open(here).await.expect("the reader may read");
            ws
        });
        let Ok(mut ws) = connected.await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let mut last = events.last().map_or(Seq::default(), |e| e.seq);
        let follow = tokio::spawn(async move {
            // First the missed events from the last position, then the pushes, known or not.
            let mut followed = vec![];
            loop {
                let ask = Verb::Events(Events {
                    instance: here,
                    after: Some(last),
                    before: None,
                    limit: 1_000,
                });
                let missed: EventsOk = ws.ask_as(ask).await.expect("the reader may read");
                last = missed.events.last().map_or(last, |e| e.seq);
                followed.extend(missed.events);
                if !missed.more {
                    break;
                }
            }
            while !followed.last().is_some_and(is_closed) {
                match ws.try_next().await {
                    Some(Push::Event(event)) => followed.push(*event),
                    Some(
                        Push::Durable(_)
                        | Push::Changed(_)
                        | Push::Read(_)
                        | Push::Typing(_)
                        | Push::Waiting(_)
                        | Push::Presence(_)
                        | Push::Dashboard(_)
                        | Push::Detail(_),
                    ) => {}
                    Some(Push::Fence(fence)) => panic!("nothing was forgotten: {fence:?}"),
                    None => break,
                }
            }
            followed
        });
        // A kill in the middle of a page fails that task; the next one continues from the last
        // position.
        for event in follow.await.unwrap_or_default() {
            let last = events.last().map_or(0, |e| e.seq.get());
            if event.seq.get() > last {
                assert_eq!(event.seq.get(), last + 1, "a hole");
                events.push(event);
            }
        }
        if events.last().is_some_and(is_closed) {
            return events;
        }
    }
}

fn is_closed(event: &Event) -> bool {
    matches!(event.kind, EventKind::Closed { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_posts_survive_kill_of_the_server() {
    let mut fixture = fixture();
    let tokens = fixture.tokens(&names());
    let reader = fixture.token("reader");
    let here = fixture.schedule(1, Duration::from_secs(12));
    let url = fixture.server.url();
    let acknowledged = Acknowledged::default();
    let count = Arc::new(AtomicUsize::new(0));
    let following = tokio::spawn(follow_to_the_end(url.clone(), reader, here));
    let mut posting = vec![];
    for token in &tokens {
        let person = Http::with_token(&url, token);
        let join = format!("/meeting/{}/order/{}/join", here.meeting, here.order);
        person.post(&join, &json!({})).await.ok();
        posting.push(tokio::spawn(post_until_the_end(
            person,
            here,
            acknowledged.clone(),
            count.clone(),
        )));
    }
    for kill in 1..=3 {
        let enough = count.load(Ordering::Relaxed) + 50;
        until_async("the stream to flow", || async {
            (count.load(Ordering::Relaxed) >= enough).then_some(())
        })
        .await;
        fixture.server.kill9();
        fixture.server.restart();
        eprintln!(
            "kill {kill}: {} acknowledged",
            count.load(Ordering::Relaxed)
        );
    }
    for poster in posting {
        poster.await.expect("posting does not fail");
    }
    let acknowledged = acknowledged.lock().expect("nobody panicked").clone();
    assert!(acknowledged.len() > 150, "{}", acknowledged.len());

    // The client that reconnected has each message once and in order.
    let events = following.await.expect("following does not fail");
    let seen: BTreeMap<Cmid, u64> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Message { cmid, .. } => Some((*cmid, event.seq.get())),
            EventKind::Opened
            | EventKind::Join { .. }
            | EventKind::Leave { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => None,
        })
        .collect();
    for (cmid, seq) in &acknowledged {
        assert_eq!(seen.get(cmid), Some(seq));
    }

    // And so has MySQL after the end.
    fixture.wait_state(here, "ended");
    let rows = fixture.message_rows(here);
    let stored: BTreeMap<Cmid, u64> = rows
        .iter()
        .map(|row| {
            let cmid = row[2].parse().expect("a cmid");
            (cmid, row[0].parse().expect("a seq"))
        })
        .collect();
    assert_eq!(stored.len(), rows.len(), "no cmid twice");
    assert_eq!(stored, seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_serve_one_meeting() {
    let fixture = fixture();
    let second = Server::start(&fixture.stores.redis, &fixture.stores.database);
    let here = instance(1, 1);
    let tokens = fixture.tokens(&names());
    let mut here_ws = Ws::hello(&fixture.server.url(), &tokens[0]).await;
    let mut there_ws = Ws::hello(&second.url(), &tokens[1]).await;
    here_ws.join(here).await.expect("it is public");
    there_ws.join(here).await.expect("it is public");
    let opened = here_ws.open(here).await.expect("it is open");
    assert_eq!(opened.roster.len(), 2);
    there_ws.open(here).await.expect("it is open");
    for n in 0..20 {
        let (from, to) = if n % 2 == 0 {
            (&mut here_ws, &mut there_ws)
        } else {
            (&mut there_ws, &mut here_ws)
        };
        let posted = from.post(here, &n.to_string()).await.expect("both are in");
        for ws in [from, to] {
            let event = ws.next_event().await;
            assert_eq!(event.seq, posted.seq);
            assert!(matches!(event.kind, EventKind::Message { .. }));
        }
    }
    // A list of one server contains what was joined at the other.
    let reader = Http::with_token(&second.url(), &tokens[2]);
    let people = reader.get("/meeting/1/order/1/participants").await.ok();
    assert_eq!(people["participants"].as_array().map(Vec::len), Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_server_asks_clients_to_reconnect() {
    let mut fixture = fixture();
    let mut ws = fixture.ws("person0").await;
    ws.join(instance(1, 1)).await.expect("it is public");
    ws.post(instance(1, 1), "before").await.expect("it is in");
    let waiting = tokio::spawn(async move { ws.closed().await });
    assert_eq!(fixture.server.terminate(), 0);
    let closed = waiting.await.expect("waiting does not fail");
    assert_eq!(closed.code, Some(4_000));

    // Nobody was shown as left: a reconnect within the grace period is not a leave.
    fixture.server.restart();
    let mut ws = fixture.ws("person0").await;
    let opened = ws.open(instance(1, 1)).await.expect("it is open");
    assert_eq!(opened.roster.len(), 1);
    let events = opened.events.iter().map(|event| event.kind.as_str());
    assert_eq!(events.collect::<Vec<_>>(), ["opened", "join", "message"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_redis_keeps_sessions_and_durable_events() {
    let mut fixture = FixtureBuilder::new()
        .people(1, &["ada"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start();
    let ada = fixture.http("ada");
    ada.get("/me").await.ok();
    ada.post("/meeting/1/order/1/join", &json!({})).await.ok();
    let body = json!({"body": "kept"});
    let posted = ada.post("/meeting/1/order/1/message", &body).await.ok();
    let seq = posted["seq"].as_u64().expect("a number");
    until_async("the archive to have it", || async {
        let archived = "SELECT archived_seq FROM meeting_instance WHERE meetingID = 1";
        let archived: u64 = fixture.stores.database.value(archived).parse().ok()?;
        (archived >= seq).then_some(())
    })
    .await;

    fixture.stores.redis.kill9();
    fixture.stores.redis.restart();
    let me = until_async("the server to be well again", || async {
        let answer = ada.get("/me").await;
        assert_ne!(answer.status, 401, "signed out");
        (answer.status == 200).then_some(answer.body)
    })
    .await;
    assert_eq!(me["name"], "ada");
    let messages = until_async("the instance to be live again", || async {
        let answer = ada.get("/meeting/1/order/1/messages").await;
        (answer.status == 200).then_some(answer.body)
    })
    .await;
    assert_eq!(messages["messages"][0]["body"], "kept");
    // Ada is still a participant, and numbers continue above the durable ones.
    let body = json!({"body": "and on"});
    let next = until_async("ada to post again", || async {
        let answer = ada.post("/meeting/1/order/1/message", &body).await;
        assert_ne!(answer.code(), Code::NotParticipant.as_str());
        (answer.status == 201).then_some(answer.body)
    })
    .await;
    assert!(next["seq"].as_u64() > Some(seq));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_terminal_leaves_after_the_grace() {
    let options = ServerOptions {
        args: vec!["--reconnect-grace-s".into(), "1".into()],
        env: vec![],
    };
    let fixture = FixtureBuilder::with(RedisOptions::default(), options)
        .people(1, &["ada", "grace"])
        .meeting(1, "Long", None)
        .instance(1, 1, -60, 3_600)
        .start();
    let here = instance(1, 1);
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("it is open");
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    drop(ada);
    let left = grace
        .wait_for("ada to be shown as left", |push| match push {
            Push::Event(event) => match event.kind {
                EventKind::Leave { user, reason } => Some((user.get(), reason.as_str())),
                EventKind::Opened
                | EventKind::Join { .. }
                | EventKind::Message { .. }
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
        })
        .await;
    assert_eq!(left, (1, "connection_lost"));
}

/// Concurrent messages of one user.
const PIPELINED: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn breaking_redis_connections_lose_and_double_nothing() {
    let fixture = fixture();
    let here = instance(1, 1);
    let mut reader = fixture.ws("reader").await;
    let opened = reader.open(here).await.expect("it is open");
    let mut ada = fixture.ws("person0").await;
    ada.join(here).await.expect("it is public");
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (told, socket) = (done.clone(), fixture.stores.redis.socket());
    let cutting = std::thread::spawn(move || {
        let mut cuts = 0;
        while !told.load(Ordering::Relaxed) {
            for kind in ["normal", "pubsub"] {
                let mut cli = std::process::Command::new("redis-cli");
                cli.arg("-s").arg(&socket);
                cli.args(["CLIENT", "KILL", "TYPE", kind]);
                let _ = cli.output();
            }
            cuts += 1;
            std::thread::sleep(Duration::from_millis(70));
        }
        cuts
    });
    let mut acknowledged = BTreeMap::new();
    for round in 0..40 {
        let mut waiting: Vec<Cmid> = (0..PIPELINED).map(|_| Cmid(uuid::Uuid::now_v7())).collect();
        while !waiting.is_empty() {
            let mut asked = vec![];
            for cmid in waiting.drain(..) {
                let post = plenary_shared::protocol::Post {
                    reply_to: None,
                    instance: here,
                    cmid,
                    body: plenary_shared::text::MessageBody::parse(round.to_string())
                        .expect("a good body"),
                    ack: plenary_shared::protocol::Ack::Ordered,
                };
                asked.push((cmid, ada.send(Verb::Post(post)).await));
            }
            for (cmid, id) in asked {
                match ada.answer(id).await {
                    Ok(posted) => {
                        acknowledged.insert(cmid, posted["seq"].as_u64().expect("a number"));
                    }
                    Err(reject) if reject.code == Code::Unavailable => waiting.push(cmid),
                    Err(reject) => panic!("{reject:?}"),
                }
            }
        }
    }
    done.store(true, Ordering::Relaxed);
    let cuts = cutting.join().expect("it does not panic");
    let (mut last, mut seen) = (opened.seq, BTreeMap::new());
    while seen.len() < acknowledged.len() {
        let event = reader.next_event().await;
        assert_eq!(event.seq, last.next(), "in order, without a gap");
        last = event.seq;
        if let EventKind::Message { cmid, .. } = event.kind {
            assert_eq!(seen.insert(cmid, event.seq.get()), None, "twice");
        }
    }
    assert_eq!(seen, acknowledged);
    assert!(cuts > 2, "{cuts}");
}
