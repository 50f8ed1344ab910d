//! Losses of pub/sub are repaired: a fence in a quiet meeting, the end of another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plenary_shared::domain::{Code, EventKind};
use plenary_shared::ids::{Generation, Seq};
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::protocol::{Events, EventsOk, Position, Push, ResumeMode, Verb};
use plenary_testkit::{
    Fixture, FixtureBuilder, RedisOptions, ServerOptions, Ws, instance, until_async,
};

fn builder() -> FixtureBuilder {
    let redis = RedisOptions {
        aof: true,
        tcp: false,
    };
    FixtureBuilder::with(redis, ServerOptions::default())
        .people(1, &["ada", "grace"])
        .meeting(1, "Quiet", None)
        .instance(1, 1, -60, 3_600)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_restart_fences_quiet_meeting_and_keeps_participants() {
    let mut fixture = builder().start();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    let joined = ada.join(here).await.expect("it is public");
    let opened = ada.open(here).await.expect("it is open");
    ada.wait_for("the join to be durable", |push| match push {
        Push::Durable(durable) => (durable.durable >= joined.seq).then_some(()),
        Push::Event(_)
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
    fixture.stores.redis.kill9();
    fixture.stores.redis.restart();
    let fence = ada
        .wait_for("the fence", |push| match push {
            Push::Fence(fence) => Some(fence),
            Push::Event(_)
            | Push::Durable(_)
            | Push::Changed(_)
            | Push::Read(_)
            | Push::Typing(_)
            | Push::Waiting(_)
            | Push::Presence(_)
            | Push::Dashboard(_)
            | Push::Detail(_) => None,
        })
        .await;
    assert!(fence.generation > opened.generation);
    assert_eq!(fence.base, joined.seq);
    let opened = ada.open(here).await.expect("it is open again");
    assert_eq!(opened.roster.len(), 1);
    assert_eq!(opened.seq, joined.seq);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reopening_while_redis_is_unavailable_keeps_following() {
    let mut fixture = builder().start();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    ada.open(here).await.expect("it is open");
    fixture.stores.redis.kill9();
    let refused = ada.open(here).await.expect_err("Redis is down");
    assert_eq!(refused.code, Code::Unavailable);
    fixture.stores.redis.restart();
    // No event happened, so only the new generation is announced.
    ada.wait_for("the fence", |push| match push {
        Push::Fence(_) => Some(()),
        Push::Event(_)
        | Push::Durable(_)
        | Push::Changed(_)
        | Push::Read(_)
        | Push::Typing(_)
        | Push::Waiting(_)
        | Push::Presence(_)
        | Push::Dashboard(_)
        | Push::Detail(_) => None,
    })
    .await;
    // After the fence nothing is followed, and an open succeeds as soon as the store can be read.
    fixture.stores.redis.kill9();
    let refused = ada.open(here).await.expect_err("Redis is down");
    assert_eq!(refused.code, Code::Unavailable);
    fixture.stores.redis.restart();
    until_async("it to be opened", || async {
        fixture
            .http("grace")
            .get("/meeting/1/order/1/messages")
            .await
            .status
            .eq(&200)
            .then_some(())
    })
    .await;
    let mut grace = fixture.ws("grace").await;
    let joined = grace.join(here).await.expect("it is public");
    let opened = ada.open(here).await.expect("it is open");
    assert_eq!(opened.seq, joined.seq);
    let posted = grace.post(here, "there again").await.expect("grace is in");
    assert_eq!(ada.next_event().await.seq, posted.seq);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn end_lost_by_pub_sub_is_read_from_the_archive() {
    let fixture = builder().start();
    let here = fixture.schedule(1, Duration::from_secs(4));
    let mut grace = fixture.ws("grace").await;
    let opened = grace.open(here).await.expect("it is open");
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    let done = Arc::new(AtomicBool::new(false));
    let (told, socket) = (done.clone(), fixture.stores.redis.socket());
    let cutting = std::thread::spawn(move || {
        while !told.load(Ordering::Relaxed) {
            let mut cli = std::process::Command::new("redis-cli");
            cli.arg("-s").arg(&socket);
            cli.args(["CLIENT", "KILL", "TYPE", "pubsub"]);
            let _ = cli.output();
        }
    });
    fixture.wait_state(here, "ended");
    done.store(true, Ordering::Relaxed);
    cutting.join().expect("it does not panic");
    let mut last = opened.seq;
    let kinds = async {
        let mut kinds = vec![];
        loop {
            let event = grace.next_event().await;
            assert_eq!(event.seq, last.next(), "in order, without a gap");
            last = event.seq;
            kinds.push(event.kind.as_str());
            if matches!(event.kind, EventKind::Closed { .. }) {
                return kinds;
            }
        }
    };
    assert_eq!(kinds.await, ["join", "leave", "closed"]);
}

/// Messages of the maximum size: more than a ring, a socket's buffers and a frame hold.
const FLOOD: usize = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_reader_receives_everything_and_slows_nobody() {
    let fixture = builder().start();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    let mut grace = fixture.ws("grace").await;
    let opened = grace.open(here).await.expect("it is open");
    let body = "x".repeat(4_096);
    for n in 0..FLOOD {
        let began = std::time::Instant::now();
        ada.post(here, &body).await.expect("ada is in");
        assert!(began.elapsed() < Duration::from_secs(2), "{n}");
    }
    let posted = ada.post(here, "and on").await.expect("ada is in");
    let mut last = opened.seq;
    while last < posted.seq {
        match grace.try_next().await {
            Some(Push::Event(event)) => {
                assert_eq!(event.seq, last.next(), "in order, without a gap");
                last = event.seq;
            }
            Some(
                Push::Durable(_)
                | Push::Fence(_)
                | Push::Changed(_)
                | Push::Read(_)
                | Push::Typing(_)
                | Push::Waiting(_)
                | Push::Presence(_)
                | Push::Dashboard(_)
                | Push::Detail(_),
            ) => {}
            // It read nothing for so long that it was closed; it resumes where it was.
            None => grace = come_again(&fixture, opened.generation, &mut last).await,
        }
    }
    // A client that only waits does not answer pings, and may be disconnected by now.
    let mut ada = fixture.ws("ada").await;
    let joined = ada.join(here).await;
    assert!(joined.map_or_else(|no| no.code == Code::AlreadyParticipant, |_| true));
    let posted = ada.post(here, "and on").await.expect("ada is in");
    while last < posted.seq {
        let event = grace.next_event().await;
        assert_eq!(event.seq, last.next(), "in order, without a gap");
        last = event.seq;
    }
}

/// Reconnects Grace. Missed events are pushed or, if there are too many, read.
async fn come_again(fixture: &Fixture, generation: Generation, last: &mut Seq) -> Ws {
    let here = instance(1, 1);
    let mut grace = Ws::connect(&fixture.server.url()).await;
    let position = Position {
        instance: here,
        generation,
        seq: *last,
    };
    let hello = grace
        .say_hello(&fixture.token("grace"), vec![position])
        .await;
    let resumed = &hello.expect("the token is good").resumed;
    if resumed[0].mode == ResumeMode::Delta {
        return grace;
    }
    let upto = grace.open(here).await.expect("it is open").seq;
    while *last < upto {
        let page = Events {
            instance: here,
            after: Some(*last),
            before: None,
            limit: PAGE_MAX,
        };
        let page: EventsOk = grace.ask_as(Verb::Events(page)).await.expect("a page");
        for event in page.events {
            assert_eq!(event.seq, last.next(), "in order, without a gap");
            *last = event.seq;
        }
    }
    grace
}

/// Requests in one frame, one for each line.
const LINES: u64 = 1_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frame_of_many_requests_does_not_delay_events() {
    let fixture = builder().start();
    let here = instance(1, 1);
    let mut ada = fixture.ws("ada").await;
    ada.join(here).await.expect("it is public");
    let mut grace = fixture.ws("grace").await;
    grace.open(here).await.expect("it is open");
    let lines: Vec<String> = (1..=LINES)
        .map(|n| format!("{{\"id\":{},\"join_times\":{{}}}}", 100_000 + n))
        .collect();
    grace.send_text(&lines.join("\n")).await;
    let posted = ada.post(here, "meanwhile").await.expect("ada is in");
    // Answers before the event are skipped; the last one has to come after it.
    let event = loop {
        match grace.try_next().await {
            Some(Push::Event(event)) => break event,
            Some(_) => {}
            None => panic!("the connection has ended"),
        }
    };
    assert_eq!(event.seq, posted.seq);
    let last = grace.answer(100_000 + LINES).await;
    last.expect("it is answered, after the event");
}
