//! Measures what one reader that stops reading costs the others in a meeting of 500, and the
//! server.
//!
//! `cargo bench -p plenary-server --bench crowd [file|stores] [memory]`. A real server, on SQLite
//! and then on Redis and MariaDB, or on one of them, with 100 posts a second. Intervals with and
//! without such a reader alternate; then the memory for many of them is measured, or only that.
//! Fails if a promise does not hold.

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::runtime::Runtime;
use tokio::time::{Instant, interval};

use self::members::Members;
use self::place::Place;
use self::reader::Reader;

mod line;
mod members;
mod place;
mod reader;

/// Members whose deliveries are measured.
const MEMBERS: usize = 500;

/// Those of them who also post.
const POSTERS: usize = 10;

/// Posts of all of them in a second.
const POSTS_PER_S: u32 = 100;

/// Pairs of intervals, one without a stalled reader and one with.
const PAIRS: usize = 6;

/// The length of an interval.
const SPAN: Duration = Duration::from_secs(8);

/// Readers that stall together, so that the memory for one exceeds the noise.
const STALLED_TOGETHER: usize = 50;

/// How long they stall: longer than the server waits for one.
const STALLED: Duration = Duration::from_secs(20);

/// How much the p99 of deliveries may grow beside a stalled reader.
const P99_RATIO_MAX: f64 = 1.1;

/// The memory that the server may use for a stalled reader.
const KIB_MAX: f64 = 1_024.0;

fn main() -> ExitCode {
    let runtime = Runtime::new().expect("a runtime");
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| {
        let named = wanted.iter().any(|word| word == "file" || word == "stores");
        !named || wanted.iter().any(|word| word == name)
    };
    let pairs = if wanted.iter().any(|word| word == "memory") {
        0
    } else {
        PAIRS
    };
    let mut holds = true;
    if is_wanted("file") {
        holds &= runtime.block_on(measure(
            "SQLite",
            pairs,
            Place::file(MEMBERS + STALLED_TOGETHER),
        ));
    }
    if is_wanted("stores") {
        let place = Place::stores(MEMBERS + STALLED_TOGETHER);
        holds &= runtime.block_on(measure("Redis and MariaDB", pairs, place));
    }
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn measure(name: &str, pairs: usize, place: Place) -> bool {
    let mut members = Members::join(&place).await;
    println!("\n{name}: {MEMBERS} members, {POSTS_PER_S} posts/s");
    members.span(SPAN).await;
    let is_even = pairs == 0 || deliveries(&mut members, pairs, &place).await;
    let is_small = memory(&place).await;
    members.end().await;
    is_even && is_small
}

/// Measures the deliveries to the others.
async fn deliveries(members: &mut Members, pairs: usize, place: &Place) -> bool {
    println!(
        "{:<34}{:>10}{:>10}{:>12}",
        "ms to deliver to others", "p50", "p99", "deliveries"
    );
    let (mut without, mut with, mut ratios) = (Times::default(), Times::default(), vec![]);
    for _ in 0..pairs {
        let alone = members.span(SPAN).await;
        let mut reader = Reader::begin(place, MEMBERS).await;
        reader.until_stuck().await;
        let beside = members.span(SPAN).await;
        let waiting = reader.waiting_bytes();
        assert!(waiting > 0, "it stalled, but nothing was waiting for it");
        let how = reader.read_on(place).await;
        println!("    {waiting:>7} bytes waited in the kernel; then {how}");
        ratios.push(beside.at(99) / alone.at(99));
        without.add(alone);
        with.add(beside);
    }
    without.tell("no stalled reader");
    with.tell("one stalled reader");
    ratios.sort_unstable_by(f64::total_cmp);
    let ratio = ratios[pairs / 2];
    let is_even = ratio <= P99_RATIO_MAX;
    println!(
        "p99 beside somebody who reads nothing: {ratio:.2} times (median of {pairs} pairs, {:.2} to \
         {:.2}; at most {P99_RATIO_MAX}): {}.",
        ratios[0],
        ratios[pairs - 1],
        said(is_even)
    );
    is_even
}

/// Stalls many readers for longer than the server waits, then lets them read: the memory for each.
async fn memory(place: &Place) -> bool {
    let mut readers = vec![];
    for number in 0..STALLED_TOGETHER {
        readers.push(Reader::begin(place, MEMBERS + number).await);
    }
    // Memory that stays allocated is in use by then, and so is what the other traffic needs.
    join_all(readers.iter_mut().map(|reader| reader.read_on(place))).await;
    let before = place.server().resident_kib();
    let mut peak = before;
    let end = Instant::now() + STALLED;
    let mut look = interval(Duration::from_millis(100));
    while Instant::now() < end {
        look.tick().await;
        peak = peak.max(place.server().resident_kib());
    }
    let hows = join_all(readers.iter_mut().map(|reader| reader.read_on(place))).await;
    let again = hows.iter().filter(|how| how.came_again()).count();
    let stalled = f64::from(u32::try_from(STALLED_TOGETHER).expect("a small number"));
    let each = (peak - before).max(0.0) / stalled;
    let is_small = each < KIB_MAX;
    println!(
        "{STALLED_TOGETHER} readers who read nothing for {} s: {each:.0} KiB of the server each \
         ({before:.0} KiB before, {peak:.0} at most; at most {KIB_MAX} each); all have every message \
         once, {again} came again: {}.",
        STALLED.as_secs(),
        said(is_small)
    );
    is_small
}

fn said(holds: bool) -> &'static str {
    if holds { "holds" } else { "DOES NOT HOLD" }
}

/// Delivery times, in microseconds.
#[derive(Default)]
struct Times(Vec<u32>);

impl Times {
    fn add(&mut self, more: Self) {
        self.0.extend(more.0);
    }

    /// The percentile, in milliseconds.
    fn at(&self, share: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        f64::from(sorted[(sorted.len() - 1) * share / 100]) / 1e3
    }

    fn tell(&self, when: &str) {
        let (p50, p99) = (self.at(50), self.at(99));
        println!("{when:<34}{p50:>10.2}{p99:>10.2}{:>12}", self.0.len());
    }
}
