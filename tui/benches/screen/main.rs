//! How quickly a key is answered by a frame, and how much memory it takes, with 100,000 messages in
//! the open meeting; and what the program needs when it starts and when nothing happens.
//!
//! `cargo bench -p plenary --bench screen`. Fails if something takes longer, or more, than is promised.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use self::talk::Talk;

mod program;
mod talk;

/// Messages of the open meeting.
const MESSAGES: u32 = 100_000;

/// Keys and sizes that are tried.
const TRIES: usize = 1_000;

/// From a key to its frame, for 99 of 100.
const KEY: Duration = Duration::from_millis(2);

/// From another size to its frame, for 99 of 100.
const RESIZE: Duration = Duration::from_millis(16);

/// What the whole process may need with all these messages, in MB.
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
    let mut talk = Talk::open(120, 36);
    let messages = u64::from(MESSAGES);
    let began = Instant::now();
    for number in 1..=messages {
        talk.hears(
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
                format!("  TOO SLOW: {limit:?} is promised")
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
        keys.push(talk.timed(|talk| talk.key(key)));
    }
    talk.key("ctrl-u");
    say("a letter", keys, Some(KEY));
    let heard =
        (1..=TRIES as u64).map(|more| talk.timed(|talk| talk.hears(messages + more, "one more")));
    say("a message that comes", heard.collect(), Some(KEY));
    let sizes = [(200, 60), (80, 24), (44, 20), (120, 36), (100, 30)];
    let resized = (0..TRIES).map(|at| {
        let (columns, rows) = sizes[at % sizes.len()];
        talk.timed(|talk| talk.resize(columns, rows))
    });
    say("another size", resized.collect(), Some(RESIZE));
    talk.resize(120, 36);
    let mut pages = Vec::new();
    while !talk.is_at_beginning() {
        pages.push(talk.timed(|talk| talk.key("pageup")));
    }
    let last = pages.split_off(pages.len() - TRIES.min(pages.len() / 2));
    pages.truncate(TRIES);
    say("a page up, the first thousand", pages, Some(KEY));
    say("a page up, the last thousand", last, Some(KEY));
    let keys = (0..TRIES).map(|_| talk.timed(|talk| talk.key("x")));
    say("a letter, far above the end", keys.collect(), Some(KEY));
    let end = messages + TRIES as u64;
    let heard =
        (1..=TRIES as u64).map(|more| talk.timed(|talk| talk.hears(end + more, "one more")));
    say("a message, far above the end", heard.collect(), Some(KEY));
    println!(
        "{:<38}{:>8.3} us",
        "working in one of the messages",
        ms(all) * 1_000.0 / f64::from(MESSAGES)
    );
    let memory_mb = program::memory_mb(std::process::id());
    println!("{:<38}{memory_mb:>8.1} MB", "memory of the process");
    if memory_mb > MEMORY_MB {
        println!("TOO MUCH: {MEMORY_MB} MB are promised");
        holds = false;
    }
    holds
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
