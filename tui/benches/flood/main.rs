//! A flood of 50,000 messages into the open meeting: time until the last one shows, CPU time, and the
//! latency of keys meanwhile, compared with weechat and irssi.
//!
//! Run with `cargo bench -p plenary --bench flood`. Clients that are not installed are skipped. All
//! clients run in a terminal of 120x36 and receive the same lines from this program, plenary over its
//! WebSocket, the others over IRC. Fails if plenary is not the fastest or if a key waits too long.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use plenary_testkit::{Client, Pty};

mod flood_server;
mod irc_server;
mod other_clients;

/// The number of lines in a flood.
const LINES: u64 = 50_000;

/// The number of floods for each client.
const ROUNDS: usize = 5;

/// Limit of the latency of a key.
const KEY: Duration = Duration::from_millis(50);

/// The interval of keys.
const BETWEEN_KEYS: Duration = Duration::from_millis(15);

/// The idle time before a flood.
const CALM: Duration = Duration::from_millis(1_500);

/// The measurement of a flood.
struct Flood {
    wall: Duration,
    /// The CPU time of the client.
    busy: Duration,
}

fn main() -> ExitCode {
    let mut of_all: Vec<(&str, Vec<Flood>)> = vec![("plenary", vec![])];
    for other in other_clients::OTHERS {
        match other.path() {
            Some(_) => of_all.push((other.name, vec![])),
            None => println!("{}: not installed, skipped", other.name),
        }
    }
    for _ in 0..ROUNDS {
        for (name, floods) in &mut of_all {
            let other = other_clients::OTHERS
                .iter()
                .find(|other| other.name == *name);
            floods.push(match other {
                Some(other) => other.flood(),
                None => plenary().0,
            });
        }
    }
    println!(
        "{LINES} lines, median of {ROUNDS}{:>20}{:>16}",
        "to the last", "processor"
    );
    let medians = of_all.iter_mut().map(|(name, floods)| {
        let wall = median(floods.iter().map(|flood| flood.wall).collect());
        let busy = median(floods.iter().map(|flood| flood.busy).collect());
        println!("{name:<30}{:>12.0} ms{:>12.0} ms", ms(wall), ms(busy));
        (wall, busy)
    });
    let medians: Vec<(Duration, Duration)> = medians.collect();
    let (wall, busy) = medians[0];
    let is_first = medians[1..]
        .iter()
        .all(|other| wall < other.0 && busy < other.1);
    if !is_first {
        println!("TOO SLOW: another client is faster");
    }
    let mut waits: Vec<Duration> = (0..ROUNDS).flat_map(|_| plenary_with_keys()).collect();
    waits.sort();
    let longest = waits.last().copied().unwrap_or_default();
    println!(
        "{} keys during a flood: {:.1} ms median, {:.1} ms max",
        waits.len(),
        ms(median(waits.clone())),
        ms(longest)
    );
    let is_quick = !waits.is_empty() && longest <= KEY;
    if !is_quick {
        println!("TOO SLOW: the limit is {KEY:?}");
    }
    if is_first && is_quick {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Returns the text of the nth line.
fn line(number: u64) -> String {
    format!("line {number:05} and then somebody says a little more than fits into one row of it")
}

/// Returns the author of the nth line.
fn author(number: u64) -> &'static str {
    ["grace", "linus", "barbara", "margaret", "ken", "radia"]
        [usize::try_from(number % 6).expect("small")]
}

/// Starts the server and a client that has joined the meeting.
fn joined() -> (flood_server::PlenaryServer, Pty) {
    let server = flood_server::PlenaryServer::start();
    let client = Client::with_token(&server.url(), "token");
    let mut pty = Pty::open(&client, 120, 36);
    pty.wait_text("Seminar");
    pty.send("\r");
    pty.wait_text("you joined");
    thread::sleep(CALM);
    (server, pty)
}

fn plenary() -> (Flood, Pty) {
    let (server, pty) = joined();
    let flood = measured(&pty, || server.flood());
    (flood, pty)
}

/// Measures the latency of keys during a flood.
fn plenary_with_keys() -> Vec<Duration> {
    let (server, mut pty) = joined();
    let mut waits = Vec::new();
    let mut written = String::new();
    server.flood();
    while !pty.screen().contains(&format!("line {LINES:05}")) {
        written.push(char::from(
            b'a' + u8::try_from(waits.len() % 26).expect("small"),
        ));
        if written.len() > 60 {
            break;
        }
        let began = Instant::now();
        pty.send(&written[written.len() - 1..]);
        pty.wait("the key", |screen| screen.contains(&format!("› {written}")));
        waits.push(began.elapsed());
        thread::sleep(BETWEEN_KEYS);
    }
    waits
}

/// Measures from the start of the flood until its last line shows.
fn measured(pty: &Pty, flood: impl FnOnce()) -> Flood {
    let last = format!("line {LINES:05}");
    let (before, began) = (busy(pty.pid()), Instant::now());
    flood();
    pty.wait("the last line", |screen| screen.contains(&last));
    Flood {
        wall: began.elapsed(),
        busy: busy(pty.pid()).saturating_sub(before),
    }
}

/// Returns the CPU time of a process, with a resolution of 10 ms.
fn busy(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<u64>().expect("ticks");
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
