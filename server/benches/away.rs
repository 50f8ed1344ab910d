//! Measures posts while the database is unavailable for minutes: they continue as before, and the
//! archive catches up.
//!
//! `cargo bench -p plenary-server --bench away [MINUTES]`, default 5. A real server on its own
//! Redis and MariaDB, 200 posts a second. Fails if a post fails, if posts take longer than with the
//! database, or if the archive catches up too late.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plenary_testkit::{Fixture, FixtureBuilder, Ws, instance};
use tokio::runtime::Runtime;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The posted text.
const SAID: &str = "I have read the second draft, and I would rather move the deadline.";

/// Users who post.
const PEOPLE: usize = 20;

/// Posts of all users in a second.
const POSTS_PER_S: u32 = 200;

/// Default length of the outage.
const MINUTES: u64 = 5;

/// The longest outage: beyond it posts are refused, because un-archived events are bounded.
const MINUTES_MAX: u64 = 8;

/// How long posts are measured with the database, before and after.
const WITH: Duration = Duration::from_mins(1);

/// How much the p99 may grow without the database: more than noise.
const P99_RATIO_MAX: f64 = 1.25;

/// How long the archive may take once the database is back.
const CAUGHT_UP: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let minutes = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let minutes = minutes.unwrap_or(MINUTES);
    assert!(
        (1..=MINUTES_MAX).contains(&minutes),
        "use 1 to {MINUTES_MAX} minutes: beyond that un-archived events reach their limit"
    );
    let runtime = Runtime::new().expect("a runtime");
    if runtime.block_on(measure(Duration::from_mins(minutes))) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// State shared by the users who post.
#[derive(Default)]
struct Shared {
    /// Times of the posts answered since the last reading, in microseconds.
    times: Mutex<Vec<u32>>,
    acknowledged: AtomicUsize,
    is_over: AtomicBool,
}

async fn measure(away: Duration) -> bool {
    let names: Vec<String> = (1..=PEOPLE).map(|n| format!("person{n}")).collect();
    let mut fixture = FixtureBuilder::new()
        .people(1, &names)
        .meeting(1, "Assembly", None)
        .instance(1, 1, -60, 7_200)
        .start();
    let shared = Arc::new(Shared::default());
    let mut posting = vec![];
    for (number, token) in fixture.tokens(&names).iter().enumerate() {
        let mut person = Ws::hello(&fixture.server.url(), token).await;
        person.join(instance(1, 1)).await.expect("it is public");
        posting.push(tokio::spawn(post(shared.clone(), number, person)));
    }
    sleep(Duration::from_secs(5)).await;
    take(&shared.times);

    println!(
        "{POSTS_PER_S} posts/s of {PEOPLE} users\n{:<34}{:>10}{:>10}{:>10}{:>12}{:>10}",
        "ms until a post is answered", "posts", "p50", "p99", "not archived", "MB"
    );
    sleep(WITH).await;
    let mut with = take(&shared.times);
    tell("with the database", &with, &fixture);
    tokio::task::block_in_place(|| fixture.stores.mariadb.kill9());
    sleep(away).await;
    let without = take(&shared.times);
    tell("without the database", &without, &fixture);
    let behind = lag(&fixture).0;
    tokio::task::block_in_place(|| fixture.stores.mariadb.restart());
    let caught_up = caught_up(&fixture).await;
    tell(
        "while the archive catches up",
        &take(&shared.times),
        &fixture,
    );
    sleep(WITH).await;
    let after = take(&shared.times);
    tell("with the database again", &after, &fixture);
    with.extend(after);

    shared.is_over.store(true, Ordering::SeqCst);
    for person in posting {
        person.await.expect("nobody's post fails");
    }
    let acknowledged = shared.acknowledged.load(Ordering::SeqCst);
    is_whole(&fixture, acknowledged).await;
    let ratio = at(&without, 99) / at(&with, 99);
    let holds = ratio <= P99_RATIO_MAX && caught_up <= CAUGHT_UP;
    println!(
        "away for {} s: no post failed, {acknowledged} are in the archive, each once. p99 {ratio:.2} \
         times as with the database (at most {P99_RATIO_MAX}); {behind} events behind, caught up \
         after {:.1} s (at most {}): {}.",
        away.as_secs(),
        caught_up.as_secs_f64(),
        CAUGHT_UP.as_secs(),
        if holds { "holds" } else { "DOES NOT HOLD" }
    );
    holds
}

/// Posts at the given rate, each after the previous one was answered.
async fn post(shared: Arc<Shared>, number: usize, mut person: Ws) {
    let people = u32::try_from(PEOPLE).expect("a small number");
    let share = u32::try_from(number).expect("a small number");
    sleep(Duration::from_secs(1) * share / POSTS_PER_S).await;
    let mut turn = interval(Duration::from_secs(1) * people / POSTS_PER_S);
    // A late user catches up, so that slow answers do not lower the rate.
    turn.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while !shared.is_over.load(Ordering::SeqCst) {
        turn.tick().await;
        let began = Instant::now();
        let posted = person.post(instance(1, 1), SAID).await;
        assert!(!posted.expect("nobody's post fails").repeat);
        let took = u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX);
        shared.acknowledged.fetch_add(1, Ordering::SeqCst);
        lock(&shared.times).push(took);
    }
}

/// How long the archive takes for everything posted until the database was back.
async fn caught_up(fixture: &Fixture) -> Duration {
    let began = Instant::now();
    let upto = lag(fixture).1;
    loop {
        let (behind, last) = lag(fixture);
        if last - behind >= upto {
            return began.elapsed();
        }
        assert!(
            began.elapsed() < CAUGHT_UP * 4,
            "{behind} events are still not archived"
        );
        sleep(Duration::from_millis(100)).await;
    }
}

/// The number of un-archived events, and the last seq.
fn lag(fixture: &Fixture) -> (u64, u64) {
    let said = tokio::task::block_in_place(|| {
        let redis = &fixture.stores.redis;
        redis.command(&["HMGET", "{meeting:1:order:1}", "seq", "archived"])
    });
    let numbers: Vec<u64> = said.iter().map(|n| n.parse().expect("a number")).collect();
    (numbers[0] - numbers[1], numbers[0])
}

/// Waits until the archive has every acknowledged post and no other.
async fn is_whole(fixture: &Fixture, acknowledged: usize) {
    while lag(fixture).0 > 0 {
        sleep(Duration::from_millis(100)).await;
    }
    let count = "SELECT CONCAT(COUNT(*), ' ', COUNT(DISTINCT cmid)) FROM message";
    let count = tokio::task::block_in_place(|| fixture.stores.database.value(count));
    assert_eq!(count, format!("{acknowledged} {acknowledged}"));
}

fn tell(when: &str, times: &[u32], fixture: &Fixture) {
    println!(
        "{when:<34}{:>10}{:>10.2}{:>10.2}{:>12}{:>10.1}",
        times.len(),
        at(times, 50),
        at(times, 99),
        lag(fixture).0,
        resident_mb(fixture)
    );
}

/// The percentile, in milliseconds.
fn at(times: &[u32], share: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = sorted.len().saturating_sub(1) * share / 100;
    sorted.get(at).map_or(0.0, |time| f64::from(*time) / 1e3)
}

fn resident_mb(fixture: &Fixture) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", fixture.server.pid()));
    let status = status.expect("this needs Linux with /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: f64 = kib.and_then(|kib| kib.parse().ok()).expect("a number");
    kib * 1_024.0 / 1e6
}

fn take(times: &Mutex<Vec<u32>>) -> Vec<u32> {
    std::mem::take(&mut *lock(times))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
