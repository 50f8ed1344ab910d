//! 50,000 lines at once into the open conversation: how long until the last one shows, what that costs
//! the processor, and how long a key waits meanwhile; beside weechat and irssi, by turns.
//!
//! `cargo bench -p plenary --bench flood`, with `weechat` and `irssi` installed; what is not there is
//! left out, and said. Everybody has a terminal of 120x36 that the same reader reads, and is sent the
//! same lines by this program: plenary in frames of the wire, the others in IRC. Fails if plenary is not
//! first in both, or if a key waits too long.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use plenary_testkit::{Client, Pty};

mod irc;
mod other;
mod wire;

/// Lines of a flood.
const LINES: u64 = 50_000;

/// Floods of each.
const ROUNDS: usize = 5;

/// What a key may wait.
const KEY: Duration = Duration::from_millis(50);

/// Between two keys.
const BETWEEN_KEYS: Duration = Duration::from_millis(15);

/// How long a program is left alone before its flood.
const CALM: Duration = Duration::from_millis(1_500);

/// One flood.
struct Flood {
    wall: Duration,
    /// What the processor was busy with the program.
    busy: Duration,
}

fn main() -> ExitCode {
    let mut of_all: Vec<(&str, Vec<Flood>)> = vec![("plenary", vec![])];
    for other in other::OTHERS {
        match other.path() {
            Some(_) => of_all.push((other.name, vec![])),
            None => println!("{}: not installed, left out", other.name),
        }
    }
    for _ in 0..ROUNDS {
        for (name, floods) in &mut of_all {
            let other = other::OTHERS.iter().find(|other| other.name == *name);
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
        println!("NOT FIRST: to be that is promised");
    }
    let mut waits: Vec<Duration> = (0..ROUNDS).flat_map(|_| plenary_with_keys()).collect();
    waits.sort();
    let longest = waits.last().copied().unwrap_or_default();
    println!(
        "{} keys meanwhile wait {:.1} ms in the median, {:.1} ms at most",
        waits.len(),
        ms(median(waits.clone())),
        ms(longest)
    );
    let is_quick = !waits.is_empty() && longest <= KEY;
    if !is_quick {
        println!("TOO LONG: {KEY:?} is promised");
    }
    if is_first && is_quick {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What the nth line says.
fn line(number: u64) -> String {
    format!("line {number:05} and then somebody says a little more than fits into one row of it")
}

/// Who says it.
fn who(number: u64) -> &'static str {
    ["grace", "linus", "barbara", "margaret", "ken", "radia"]
        [usize::try_from(number % 6).expect("small")]
}

/// Joined, before the flood.
fn joined() -> (wire::Wire, Pty) {
    let wire = wire::Wire::begin();
    let client = Client::with_token(&wire.url(), "token");
    let mut pty = Pty::open(&client, 120, 36);
    pty.wait_text("Seminar");
    pty.send("\r");
    pty.wait_text("you joined");
    thread::sleep(CALM);
    (wire, pty)
}

fn plenary() -> (Flood, Pty) {
    let (wire, pty) = joined();
    let flood = measured(&pty, || wire.flood());
    (flood, pty)
}

/// How long each key waits until it is on the screen, while the flood comes.
fn plenary_with_keys() -> Vec<Duration> {
    let (wire, mut pty) = joined();
    let mut waits = Vec::new();
    let mut written = String::new();
    wire.flood();
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

/// From the beginning of the flood until its last line is on the screen.
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

/// How long the processor was busy with a process, in ticks of 10 ms.
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
