//! Chaos tests with real processes: two servers, Redis, MariaDB, proxies that break connections, and
//! users that post through the real client without its screen. Processes are killed at any time. At the
//! end, the histories of all clients are compared with the event log in MySQL.
//!
//! A short run is a normal test. `script/chaos [MINUTES] [SEED]` runs longer and prints faults,
//! measurements and a verdict.

mod client;
mod fault;
mod harness;
mod measurements;
mod rng;
mod verdict;

use std::time::Duration;

use harness::{Harness, Plan};
use rng::Rng;

/// Environment variables with the minutes of a long run, its seed, and the posts per second. A rate
/// above the capacity of the machine measures only that capacity.
const MINUTES: &str = "PLENARY_CHAOS_MINUTES";
const SEED: &str = "PLENARY_CHAOS_SEED";
const POSTS: &str = "PLENARY_CHAOS_POSTS";

/// How long MySQL is down for one measurement, per minute of the run, and the limit.
const OUTAGE_S_PER_MINUTE: u64 = 15;
const OUTAGE_S_MAX: u64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_chaos_run_loses_nothing() {
    let mut harness = begin(Plan {
        users: 20,
        meetings: 4,
        posts_a_second: 40,
        settle_max: Duration::from_mins(1),
        seed: 0,
    })
    .await;
    fault::each_kind(&mut harness).await;
    end(harness).await;
}

/// First one fault at a time, for the measurements, then random faults.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "script/chaos runs it with a duration"]
async fn long_chaos_run_loses_nothing() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let minutes = number(MINUTES).unwrap_or(20);
    let seed = number(SEED).unwrap_or(1);
    let mut harness = begin(Plan {
        users: 50,
        meetings: 10,
        posts_a_second: u32::try_from(number(POSTS).unwrap_or(200)).unwrap_or(200),
        settle_max: Duration::from_mins(3),
        seed,
    })
    .await;
    let outage = Duration::from_secs((minutes * OUTAGE_S_PER_MINUTE).min(OUTAGE_S_MAX));
    fault::one_at_a_time(&mut harness, outage).await;
    let long = Duration::from_mins(minutes);
    fault::at_random(&mut harness, &mut Rng::new(seed), long).await;
    end(harness).await;
}

async fn begin(plan: Plan) -> Harness {
    // Fails only if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!("{plan:?}");
    let mut harness = Harness::start(plan).await;
    harness.wait_all_posting().await;
    harness
}

async fn end(harness: Harness) {
    let seed = harness.plan.seed;
    let verdict = harness.finish().await;
    verdict.print();
    assert!(verdict.is_good(), "seed {seed}: see above");
}
