//! Hostile loads against a real server while a chat is running beside them.
//!
//! `script/attack` runs the full loads against a release build, and prints what each of them cost: memory,
//! descriptors, and the p99 of the chat. A short form is an ordinary test.

use std::cell::Cell;
use std::time::Duration;

use plenary_testkit::{Server, ServerOptions, open_descriptors, resident_kib};
use tokio::time::{Instant, sleep};

use self::chat::Chat;
use self::loads::{LOADS, Load, Target};
use self::machine::Machine;

mod chat;
mod loads;
mod machine;

/// Memory may exceed that at the start by this share, in percent, after a load.
const RESIDENT_PERCENT_MAX: u64 = 20;

/// Time that the memory has to return, in seconds.
const RETURN_S: u64 = 30;

/// The p99 of the chat beside a load, in milliseconds.
const P99_MS_MAX: f64 = 50.0;

/// The share of processor time above which the machine counts as saturated.
const BUSY_SATURATED: f64 = 0.9;

/// Right sign-ins beside a flood of others: the p99, in milliseconds.
const SIGN_IN_P99_MS_MAX: f64 = 1_000.0;

/// How much of each load is run, and which promises are checked.
struct Extent {
    /// Divides the number of connections and requests.
    divisor: usize,
    checks_times: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_hostile_loads_cost_the_others_nothing() {
    attack(&Extent {
        divisor: 100,
        checks_times: false,
    })
    .await;
}

#[ignore = "script/attack runs it against a release build"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_loads_cost_the_others_nothing() {
    attack(&Extent {
        divisor: 1,
        checks_times: true,
    })
    .await;
}

async fn attack(extent: &Extent) {
    let mut server = Server::embedded(ServerOptions {
        // The loads come from many addresses, which the test reports as a proxy does.
        args: ["--trusted-proxies", "127.0.0.1", "--log", "warn"]
            .map(str::to_owned)
            .to_vec(),
        env: vec![],
    });
    let target = Target::prepare(&server).await;
    let chat = Chat::start(&server).await;
    // What every server allocates once: caches, the memory of password hashes.
    loads::warm_up(&target).await;
    let start_kib = settled_kib(&server).await;
    println!(
        "resident at the start: {start_kib} KiB; open descriptors: {}",
        open_descriptors(server.pid())
    );
    println!(
        "{:<42}{:>10}{:>8}{:>12}{:>12}{:>8}{:>8}{:>9}{:>9}{:>7}",
        "load",
        "requests",
        "s",
        "peak KiB",
        "after KiB",
        "peak fd",
        "after",
        "p50 ms",
        "p99 ms",
        "busy"
    );
    let mut failures = vec![];
    for load in LOADS {
        failures.extend(measure(load, extent, &server, &target, &chat, start_kib).await);
    }
    chat.stop().await;
    failures.extend(target.failures());
    assert_eq!(server.ended(), None, "the server is still running");
    let panics: Vec<String> = server
        .log()
        .into_iter()
        .filter(|line| line.contains("panicked"))
        .collect();
    assert!(panics.is_empty(), "{panics:#?}");
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Runs one load and prints its row. Returns the promises that do not hold.
async fn measure(
    load: &Load,
    extent: &Extent,
    server: &Server,
    target: &Target,
    chat: &Chat,
    start_kib: u64,
) -> Vec<String> {
    let (pid, peaks) = (server.pid(), Cell::new((0, 0)));
    let look = async {
        loop {
            let (kib, open) = (resident_kib(pid), open_descriptors(pid));
            peaks.set((peaks.get().0.max(kib), peaks.get().1.max(open)));
            sleep(Duration::from_millis(100)).await;
        }
    };
    chat.take_times();
    let (machine, began) = (Machine::look(), Instant::now());
    let amount = load.amount.div_ceil(extent.divisor);
    let done = tokio::select! {
        done = (load.run)(target, amount) => done,
        () = look => unreachable!("it never ends"),
    };
    let (took, busy) = (began.elapsed().as_secs_f64(), machine.busy_since());
    let times = chat.take_times();
    let most_kib = start_kib + start_kib * RESIDENT_PERCENT_MAX / 100;
    let after_kib = returned_kib(server, most_kib).await;
    let (peak_kib, peak_open) = peaks.get();
    println!(
        "{:<42}{done:>10}{took:>8.1}{peak_kib:>12}{after_kib:>12}{peak_open:>8}{:>8}{:>9.1}{:>9.1}{:>6.0}%",
        load.name,
        open_descriptors(pid),
        times.at(50),
        times.at(99),
        busy * 100.0
    );
    let mut failures = vec![];
    if after_kib > most_kib {
        failures.push(format!(
            "{}: {after_kib} KiB afterwards, at most {most_kib}",
            load.name
        ));
    }
    if extent.checks_times && times.at(99) >= P99_MS_MAX {
        let what = format!("{}: p99 of the chat {:.1} ms", load.name, times.at(99));
        if busy >= BUSY_SATURATED {
            println!(
                "    {what}; the machine was saturated: {:.0}% busy",
                busy * 100.0
            );
        } else {
            failures.push(what);
        }
    }
    let sign_ins = target.take_sign_ins();
    if !sign_ins.is_empty() {
        let p99 = sign_ins.at(99);
        println!(
            "    right sign-ins beside it: {}, p99 {p99:.0} ms",
            sign_ins.len()
        );
        if extent.checks_times && p99 >= SIGN_IN_P99_MS_MAX && busy < BUSY_SATURATED {
            failures.push(format!("{}: p99 of right sign-ins {p99:.0} ms", load.name));
        }
    }
    failures
}

/// Waits until the resident memory is at most this, at most [`RETURN_S`]. Returns it.
async fn returned_kib(server: &Server, most_kib: u64) -> u64 {
    let until = Instant::now() + Duration::from_secs(RETURN_S);
    loop {
        let kib = resident_kib(server.pid());
        if kib <= most_kib || Instant::now() >= until {
            return kib;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until the resident memory does not change. Returns it.
async fn settled_kib(server: &Server) -> u64 {
    let mut last = 0;
    loop {
        let kib = resident_kib(server.pid());
        if kib == last {
            return kib;
        }
        last = kib;
        sleep(Duration::from_secs(1)).await;
    }
}

/// Durations, in microseconds.
#[derive(Debug, Default)]
struct Times(Vec<u32>);

impl Times {
    /// The percentile, in milliseconds; 0 without any.
    fn at(&self, share: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted
            .get(last * share / 100)
            .map_or(0.0, |micros| f64::from(*micros) / 1e3)
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, took: Duration) {
        self.0
            .push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }
}
