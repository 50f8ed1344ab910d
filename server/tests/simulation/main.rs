//! The simulator: real stores, servers that race and die, clients that reconnect, stores that lose data or
//! are unavailable; every store call in an order drawn from the seed.
//!
//! `script/simulate N [SEED]` runs any number of seeds. A failing seed prints its whole history, and fails
//! again whenever it is run.

use std::ops::RangeInclusive;
use std::time::Instant;

use environment::Environment;
use mistake::{MISTAKES, Mistake};
use plan::Faults;
use run::Report;
use scripts::Product;

mod check;
mod choose;
mod clients;
mod delivery;
mod environment;
mod gate;
mod mistake;
mod plan;
mod requests;
mod rng;
mod run;
mod scripts;
mod servers;
mod simulated_store;

/// Seeds that the test suite runs on Redis and MariaDB.
const HYBRID_SEEDS: u64 = 300;

/// Seeds that the test suite runs on SQLite.
const FILE_SEEDS: u64 = 100;

/// Seeds within which each planted mistake must be caught.
const MISTAKE_SEEDS: u64 = 300;

/// A long simulation reports its progress after this many seeds.
const PROGRESS_SEEDS: u64 = 100;

#[test]
fn redis_mysql_keeps_the_contract() {
    check_seeds(
        &mut Environment::redis_mysql(),
        1..=HYBRID_SEEDS,
        Faults::All,
    );
}

#[test]
fn sqlite_keeps_the_contract() {
    check_seeds(&mut Environment::sqlite(), 1..=FILE_SEEDS, Faults::All);
}

#[test]
fn seed_replays_exactly() {
    let mut environment = Environment::redis_mysql();
    let product = Product::new(None);
    for seed in 1..=10 {
        let mut trace = || run::run(&mut environment, seed, &product, Faults::All).trace;
        let (first, again) = (trace(), trace());
        let differ = first.iter().zip(&again).position(|(a, b)| a != b);
        if let Some(at) = differ {
            let upto = &first[at.saturating_sub(5)..=at];
            panic!("seed {seed}: {upto:#?}\nand then:\n{}", again[at]);
        }
        assert_eq!(first.len(), again.len(), "seed {seed}");
    }
}

#[test]
fn planted_mistakes_are_caught() {
    let mut environment = Environment::redis_mysql();
    let mut missed = Vec::new();
    for mistake in MISTAKES {
        match catch(&mut environment, mistake) {
            Some((seed, what)) => println!("{}: caught by seed {seed}: {what}", mistake.name),
            None => missed.push(mistake.name),
        }
    }
    assert!(
        missed.is_empty(),
        "not caught: the simulator is too weak: {missed:#?}"
    );
}

#[test]
#[ignore = "runs for as long as requested: script/simulate N [SEED]"]
fn any_number_of_seeds() {
    let number = |name: &str, otherwise: u64| {
        std::env::var(name).map_or(otherwise, |text| {
            text.parse()
                .unwrap_or_else(|_| panic!("{name} is not a number: {text}"))
        })
    };
    let (count, first) = (number("SIMULATE_SEEDS", 1_000), number("SIMULATE_FIRST", 1));
    let mut environment = match std::env::var("SIMULATE_ON").as_deref() {
        Ok("file") => Environment::sqlite(),
        _ => Environment::redis_mysql(),
    };
    let faults = match std::env::var("SIMULATE_FAULTS").as_deref() {
        Ok("servers") => Faults::ServersOnly,
        _ => Faults::All,
    };
    check_seeds(&mut environment, first..=first + count - 1, faults);
}

/// Runs these seeds. Fails with the whole history of the first failing one; with `SIMULATE_ALL`,
/// continues and fails at the end.
fn check_seeds(environment: &mut Environment, seeds: RangeInclusive<u64>, faults: Faults) {
    let product = Product::new(None);
    let runs_all = std::env::var("SIMULATE_ALL").is_ok();
    let begun = Instant::now();
    let (mut events, mut broken) = (0, Vec::new());
    let first = *seeds.start();
    for seed in seeds {
        let report = run::run(environment, seed, &product, faults);
        events += report.events;
        if !report.violations.is_empty() {
            println!("seed {seed} breaks the contract: {:#?}", report.violations);
            broken.push(seed);
            if !runs_all {
                print_trace(seed, &report);
                break;
            }
        }
        let done = seed - first + 1;
        if done.is_multiple_of(PROGRESS_SEEDS) {
            let broken = broken.len();
            let s = begun.elapsed().as_secs_f64();
            println!("{done} seeds, {broken} broken, {events} events, {s:.1} s");
        }
    }
    assert!(
        broken.is_empty(),
        "seeds {broken:?} break the contract; again: script/simulate 1 {}",
        broken[0]
    );
}

/// Runs seeds until the mistake is caught. Returns the seed and the finding.
fn catch(environment: &mut Environment, mistake: &Mistake) -> Option<(u64, String)> {
    let product = Product::new(Some(mistake));
    (1..=MISTAKE_SEEDS).find_map(|seed| {
        let report = run::run(environment, seed, &product, Faults::All);
        let what = report.violations.into_iter().next()?;
        let (name, is_broken) = (mistake.name, what.contains("user_script"));
        assert!(
            !is_broken,
            "{name}: a script fails that should do wrong: {what}"
        );
        Some((seed, what))
    })
}

/// Prints the history.
fn print_trace(seed: u64, report: &Report) {
    println!("--- seed {seed}");
    for line in &report.trace {
        println!("{line}");
    }
}
