//! The faults, and how long users notice them.

use std::time::{Duration, Instant};

use plenary_testkit::{NetworkCondition, Proxy};
use tokio::task::block_in_place;

use crate::client::Command;
use crate::harness::Harness;
use crate::measurements::Metric;
use crate::rng::Rng;

/// The timeout of a measurement.
const MEASUREMENT_MAX: Duration = Duration::from_mins(1);

/// The interval of queries to MySQL, each of which starts a process.
const QUERY_EVERY: Duration = Duration::from_millis(200);

/// The time until clients notice a server crash.
const NOTICE_WAIT: Duration = Duration::from_secs(1);

/// The outage of MySQL after which catching up has its own metric.
const LONG_OUTAGE: Duration = Duration::from_secs(30);

const RECONNECTED: Metric = Metric {
    name: "server crash until all its users are on the other server",
    limit: Some(Duration::from_secs(2)),
};

const FIRST_ACK: Metric = Metric {
    name: "Redis restart until the first post is acknowledged",
    limit: Some(Duration::from_secs(3)),
};

const ALL_ACKED: Metric = Metric {
    name: "Redis restart until a post of each user is acknowledged",
    limit: None,
};

const CAUGHT_UP: Metric = Metric {
    name: "MySQL restart until it has all events",
    limit: None,
};

const CAUGHT_UP_AFTER_LONG: Metric = Metric {
    name: "MySQL restart after a long outage until it has all events",
    limit: Some(Duration::from_secs(30)),
};

/// One short fault of each kind.
pub async fn each_kind(harness: &mut Harness) {
    let short = Duration::from_millis(500);
    server_crashes(harness, 0, short).await;
    harness.clients[3].send(Command::Crash(short)).await;
    redis_crashes(harness, short).await;
    client_connections_have(harness, NetworkFault::HalfOpen, short).await;
    mysql_crashes(harness, short).await;
    client_connections_have(harness, NetworkFault::Cut, short).await;
    server_crashes(harness, 1, short).await;
    store_connections_have(harness, StoreKind::Redis, NetworkFault::HalfOpen, short).await;
    store_connections_have(harness, StoreKind::MySql, NetworkFault::HalfOpen, short).await;
}

/// One fault at a time. MySQL is down for `outage`.
pub async fn one_at_a_time(harness: &mut Harness, outage: Duration) {
    for round in 0..4 {
        server_crashes(harness, round % 2, Duration::from_secs(3)).await;
        harness.pass(Duration::from_secs(6)).await;
    }
    for _ in 0..4 {
        redis_crashes(harness, Duration::from_millis(500)).await;
        harness.pass(Duration::from_secs(6)).await;
    }
    mysql_crashes(harness, outage).await;
    harness.pass(Duration::from_secs(3)).await;
    harness.check_no_connection_lost();
}

/// Random faults for `duration`.
pub async fn at_random(harness: &mut Harness, rng: &mut Rng, duration: Duration) {
    harness.measurements.start_random_faults();
    let began = Instant::now();
    while began.elapsed() < duration {
        match rng.roll(20) {
            0..=3 => {
                let (which, down) = (rng.roll(2), rng.wait_ms(0, 3_000));
                server_crashes(harness, usize::from(which == 1), down).await;
            }
            4..=6 => redis_crashes(harness, rng.wait_ms(0, 2_000)).await,
            7..=8 => mysql_crashes(harness, rng.wait_ms(0, 6_000)).await,
            9..=11 => client_crashes(harness, rng).await,
            12..=15 => {
                let (fault, duration) = (fault(rng, 80), rng.wait_ms(200, 3_000));
                client_connections_have(harness, fault, duration).await;
            }
            more => {
                let which = if more % 2 == 0 {
                    StoreKind::Redis
                } else {
                    StoreKind::MySql
                };
                let (fault, duration) = (fault(rng, 20), rng.wait_ms(200, 3_000));
                store_connections_have(harness, which, fault, duration).await;
            }
        }
        let pause = rng.wait_ms(0, 1_500);
        harness.pass(pause).await;
    }
}

async fn server_crashes(harness: &mut Harness, which: usize, down: Duration) {
    harness.log(&format!("server {which} crashes, down for {down:?}"));
    let crashed_at = Instant::now();
    harness.down = Some(which);
    block_in_place(|| harness.servers[which].kill9());
    let all_back = move |harness: &Harness| {
        crashed_at.elapsed() > NOTICE_WAIT
            && harness
                .clients
                .iter()
                .all(|client| client.seen().is_connected)
    };
    harness
        .holds(down.max(NOTICE_WAIT), |_| {
            crashed_at.elapsed() >= down.max(NOTICE_WAIT)
        })
        .await;
    let back = harness.holds(MEASUREMENT_MAX, all_back).await;
    // The slowest client that lost its connection.
    let slowest = harness
        .clients
        .iter()
        .filter_map(|client| {
            let seen = client.seen();
            let lost = seen.lost_at.iter().find(|at| **at >= crashed_at)?;
            seen.back_at.iter().find(|at| *at > lost).copied()
        })
        .map(|at| at - crashed_at)
        .max();
    // The server may have had no clients.
    if back.is_none() || slowest.is_some() {
        let took = back.and(slowest);
        harness.log(&format!(
            "  its users are on the other server after {took:?}"
        ));
        harness.measurements.record(RECONNECTED, took);
    }
    block_in_place(|| harness.servers[which].restart());
    harness.down = None;
}

async fn redis_crashes(harness: &mut Harness, down: Duration) {
    harness.log(&format!("Redis crashes, down for {down:?}"));
    block_in_place(|| harness.stores.redis.kill9());
    harness.pass(down).await;
    block_in_place(|| harness.stores.redis.restart());
    let back = Instant::now();
    let first = harness
        .holds(MEASUREMENT_MAX, |harness| {
            harness
                .clients
                .iter()
                .any(|client| client.seen().acknowledged_at.is_some_and(|at| at > back))
        })
        .await;
    let all = harness
        .holds(MEASUREMENT_MAX, |harness| {
            harness
                .clients
                .iter()
                .all(|client| client.seen().acknowledged_at.is_some_and(|at| at > back))
        })
        .await;
    let all = all.map(|_| back.elapsed());
    if all.is_none() {
        println!("{}", harness.state());
    }
    harness.log(&format!(
        "  first post acknowledged after {first:?}, a post of each user after {all:?}"
    ));
    let measurements = &mut harness.measurements;
    measurements.record(FIRST_ACK, first);
    measurements.record(ALL_ACKED, all);
}

async fn mysql_crashes(harness: &mut Harness, down: Duration) {
    harness.log(&format!("MySQL crashes, down for {down:?}"));
    block_in_place(|| harness.stores.mariadb.kill9());
    harness.pass(down).await;
    block_in_place(|| harness.stores.mariadb.restart());
    let heads = harness.heads();
    let back = Instant::now();
    while !harness.is_archived(&heads) && back.elapsed() < MEASUREMENT_MAX {
        harness.pass(QUERY_EVERY).await;
    }
    let took = Some(back.elapsed()).filter(|took| *took < MEASUREMENT_MAX);
    harness.log(&format!("  MySQL has all events after {took:?}"));
    let what = if down >= LONG_OUTAGE {
        CAUGHT_UP_AFTER_LONG
    } else {
        CAUGHT_UP
    };
    harness.measurements.record(what, took);
}

async fn client_crashes(harness: &mut Harness, rng: &mut Rng) {
    let which = usize::try_from(rng.roll(harness.clients.len() as u64)).expect("small");
    let down = rng.wait_ms(0, 3_000);
    let name = harness.clients[which].name.clone();
    harness.log(&format!("client of {name} crashes, down for {down:?}"));
    harness.clients[which].send(Command::Crash(down)).await;
}

/// A fault of network connections.
#[derive(Clone, Copy, Debug)]
enum NetworkFault {
    Cut,
    HalfOpen,
    Silent,
    Slow(Duration),
}

/// A store.
#[derive(Clone, Copy, Debug)]
enum StoreKind {
    Redis,
    MySql,
}

fn fault(rng: &mut Rng, slow_ms_max: u64) -> NetworkFault {
    match rng.roll(4) {
        0 => NetworkFault::Cut,
        1 => NetworkFault::HalfOpen,
        2 => NetworkFault::Silent,
        _ => NetworkFault::Slow(rng.wait_ms(1, slow_ms_max)),
    }
}

async fn client_connections_have(harness: &mut Harness, fault: NetworkFault, duration: Duration) {
    harness.log(&format!("client connections: {fault:?} for {duration:?}"));
    start(&harness.to_servers, fault);
    harness.pass(duration).await;
    // Clients notice a half-open connection only after a long silence. Cutting it saves that time.
    harness.to_servers.set(NetworkCondition::Clear);
    if matches!(fault, NetworkFault::HalfOpen) {
        harness.to_servers.cut();
    }
}

async fn store_connections_have(
    harness: &mut Harness,
    which: StoreKind,
    fault: NetworkFault,
    duration: Duration,
) {
    harness.log(&format!(
        "connections to {which:?}: {fault:?} for {duration:?}"
    ));
    let proxy = |harness: &Harness, act: &dyn Fn(&Proxy)| match which {
        StoreKind::Redis => act(&harness.to_redis),
        StoreKind::MySql => act(&harness.to_mysql),
    };
    proxy(harness, &|proxy| start(proxy, fault));
    harness.pass(duration).await;
    proxy(harness, &|proxy| proxy.set(NetworkCondition::Clear));
}

fn start(proxy: &Proxy, fault: NetworkFault) {
    match fault {
        NetworkFault::Cut => proxy.cut(),
        NetworkFault::HalfOpen => proxy.forget(),
        NetworkFault::Silent => proxy.set(NetworkCondition::Still),
        NetworkFault::Slow(wait) => proxy.set(NetworkCondition::Slow(wait)),
    }
}
