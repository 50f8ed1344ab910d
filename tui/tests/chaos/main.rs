//! Chaos with real processes: two servers, Redis, MariaDB, proxies that break connections in
//! between, and people who talk by the real client without its screen. Anything may be killed at any
//! time; then the histories are held against the archive.
//!
//! A short run is a test like any other. `script/chaos [MINUTES] [SEED]` runs for as long as one
//! wants, and prints what it does, readings and a verdict.

mod dice;
mod fault;
mod person;
mod reading;
mod stage;
mod verdict;

use std::time::Duration;

use dice::Dice;
use stage::{Plan, Stage};

/// Minutes of a run that somebody asked for, its seed, and how much is said a second: a machine that
/// cannot carry as much shows only that.
const MINUTES: &str = "PLENARY_CHAOS_MINUTES";
const SEED: &str = "PLENARY_CHAOS_SEED";
const POSTS: &str = "PLENARY_CHAOS_POSTS";

/// How long MySQL is away for the reading, by the run's length, and at most.
const ABSENCE_S_PER_MINUTE: u64 = 15;
const ABSENCE_S_MAX: u64 = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_short_chaos_loses_nothing() {
    let mut stage = begin(Plan {
        people: 20,
        meetings: 4,
        posts_a_second: 40,
        settling: Duration::from_mins(1),
        seed: 0,
    })
    .await;
    fault::a_few(&mut stage).await;
    end(stage).await;
}

/// First one fault at a time, for the readings; then faults as the dice fall.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "script/chaos runs it, for as long as one wants"]
async fn a_long_chaos_loses_nothing() {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let minutes = number(MINUTES).unwrap_or(20);
    let seed = number(SEED).unwrap_or(1);
    let mut stage = begin(Plan {
        people: 50,
        meetings: 10,
        posts_a_second: u32::try_from(number(POSTS).unwrap_or(200)).unwrap_or(200),
        settling: Duration::from_mins(3),
        seed,
    })
    .await;
    let absence = Duration::from_secs((minutes * ABSENCE_S_PER_MINUTE).min(ABSENCE_S_MAX));
    fault::one_after_the_other(&mut stage, absence).await;
    let long = Duration::from_mins(minutes);
    fault::at_random(&mut stage, &mut Dice::new(seed), long).await;
    end(stage).await;
}

async fn begin(plan: Plan) -> Stage {
    // The one provider of the process; a second one cannot have been installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!("{plan:?}");
    let mut stage = Stage::set(plan).await;
    stage.wait_all_talking().await;
    stage
}

async fn end(stage: Stage) {
    let seed = stage.plan.seed;
    let verdict = stage.end().await;
    verdict.print();
    assert!(verdict.is_good(), "seed {seed}: see above");
}
