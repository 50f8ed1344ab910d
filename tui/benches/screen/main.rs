//! Latency from a key to its frame and memory usage with 100,000 messages in the open meeting, and the
//! start time and idle usage of the program.
//!
//! Run with `cargo bench -p plenary --bench screen`. Fails if a limit is exceeded.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use self::chat::Chat;

mod chat;
mod program;

/// The number of messages in the open meeting.
const MESSAGES: u32 = 100_000;

/// The number of keys and resizes per measurement.
const TRIES: usize = 1_000;

/// Limit from a key to its frame, 99th percentile.
const KEY: Duration = Duration::from_millis(2);

/// Limit from a resize to its frame, 99th percentile.
const RESIZE: Duration = Duration::from_millis(16);

/// Memory limit of the process with all messages, in MB.
const MEMORY_MB: f64 = 150.0;

fn main() -> ExitCode {
    let holds = [with_many_messages(), program::measure()];
    if holds.iter().all(|holds| *holds) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn with_many_messages() -> bool {
    let mut chat = Chat::open(120, 36);
    let messages = u64::from(MESSAGES);
    let began = Instant::now();
    for number in 1..=messages {
        chat.receive(
            number,
            "and then somebody said something that needs a little more than a row of the chat",
        );
    }
    let all = began.elapsed();
    println!(
        "{MESSAGES} messages open, 120x36{:>24}{:>10}",
        "median", "p99"
    );
    let mut holds = true;
    let mut say = |what: &str, mut times: Vec<Duration>, limit: Option<Duration>| {
        times.sort();
        let (median, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
        let verdict = match limit {
            Some(limit) if p99 > limit => {
                holds = false;
                format!("  TOO SLOW: the limit is {limit:?}")
            }
            Some(_) | None => String::new(),
        };
        println!(
            "{what:<38}{:>8.3} ms{:>7.3} ms{verdict}",
            ms(median),
            ms(p99)
        );
    };
    let mut keys = Vec::with_capacity(TRIES);
    for at in 0..TRIES {
        let key = if at % 60 == 59 { "ctrl-u" } else { "x" };
        keys.push(chat.timed(|chat| chat.key(key)));
    }
    chat.key("ctrl-u");
    say("a letter", keys, Some(KEY));
    let heard =
        (1..=TRIES as u64).map(|more| chat.timed(|chat| chat.receive(messages + more, "one more")));
    say("an incoming message", heard.collect(), Some(KEY));
    let sizes = [(200, 60), (80, 24), (44, 20), (120, 36), (100, 30)];
    let resized = (0..TRIES).map(|at| {
        let (columns, rows) = sizes[at % sizes.len()];
        chat.timed(|chat| chat.resize(columns, rows))
    });
    say("a resize", resized.collect(), Some(RESIZE));
    chat.resize(120, 36);
    let mut pages = Vec::new();
    while !chat.is_at_beginning() {
        pages.push(chat.timed(|chat| chat.key("pageup")));
    }
    let last = pages.split_off(pages.len() - TRIES.min(pages.len() / 2));
    pages.truncate(TRIES);
    say("a page up, first thousand", pages, Some(KEY));
    say("a page up, last thousand", last, Some(KEY));
    let keys = (0..TRIES).map(|_| chat.timed(|chat| chat.key("x")));
    say("a letter, scrolled far up", keys.collect(), Some(KEY));
    let end = messages + TRIES as u64;
    let heard =
        (1..=TRIES as u64).map(|more| chat.timed(|chat| chat.receive(end + more, "one more")));
    say("a message, scrolled far up", heard.collect(), Some(KEY));
    println!(
        "{:<38}{:>8.3} us",
        "processing one of the messages",
        ms(all) * 1_000.0 / f64::from(MESSAGES)
    );
    let memory_mb = program::memory_mb(std::process::id());
    println!("{:<38}{memory_mb:>8.1} MB", "process memory");
    if memory_mb > MEMORY_MB {
        println!("TOO MUCH: the limit is {MEMORY_MB} MB");
        holds = false;
    }
    holds
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
