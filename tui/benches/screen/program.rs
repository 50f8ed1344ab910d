//! The real program in a terminal: start time, memory, and CPU usage while idle.

use std::fs;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use plenary_testkit::{Client, Pty, Server, ServerOptions};

/// The number of measured starts.
const STARTS: usize = 20;

/// Limit from the start to the first paint.
const FIRST_PAINT: Duration = Duration::from_millis(100);

/// Memory limit after the start, in MB.
const START_MB: f64 = 20.0;

/// Duration of the idle measurement.
const IDLE: Duration = Duration::from_secs(30);

/// Limit of the CPU usage while idle, as a fraction of the time.
const BUSY_MAX: f64 = 0.001;

/// The interval in which the clock on the screen changes.
const MINUTE_MS: u128 = 60_000;

/// Measures the program. Returns whether all limits hold.
pub fn measure() -> bool {
    let server = Server::embedded(ServerOptions::default());
    let email = "ada@example.org";
    server.add_user("Ada", email, "correct horse battery");
    server
        .cli(&["meeting", "add", "--title", "Seminar", "--public"])
        .ok();
    // Starts on a full minute, so that the clock and the remaining time change together.
    let minute = now_ms() / MINUTE_MS * MINUTE_MS;
    let time = chrono::DateTime::from_timestamp_millis(i64::try_from(minute).expect("a time"));
    let from = time.expect("a time").to_rfc3339();
    server
        .cli(&["meeting", "schedule", "1", "--from", &from, "--for", "45m"])
        .ok();
    let client = Client::with_token(&server.url(), &server.token(email));
    let mut holds = true;
    let mut times: Vec<Duration> = (0..STARTS).map(|_| first_paint(&client)).collect();
    times.sort();
    let (median, last) = (times[STARTS / 2], times[STARTS - 1]);
    println!(
        "\n{:<38}{:>7.1} ms{:>7.1} ms",
        "start to first paint (median, most)",
        ms(median),
        ms(last)
    );
    if median > FIRST_PAINT {
        println!("TOO SLOW: the limit is {FIRST_PAINT:?}");
        holds = false;
    }
    let pty = Pty::open(&client, 120, 36);
    pty.wait_text("Seminar");
    let start_mb = memory_mb(pty.pid());
    println!("{:<38}{start_mb:>7.1} MB", "memory when started");
    if start_mb > START_MB {
        println!("TOO MUCH: the limit is {START_MB} MB");
        holds = false;
    }
    // The clock changes once a minute and redraws. Avoids that moment.
    let into_minute = now_ms() % MINUTE_MS;
    if into_minute + IDLE.as_millis() + 2_000 > MINUTE_MS {
        let left = u64::try_from(MINUTE_MS - into_minute).expect("a minute");
        thread::sleep(Duration::from_millis(left));
    }
    thread::sleep(Duration::from_secs(1));
    let (busy, written) = (busy_ms(pty.pid()), pty.written());
    thread::sleep(IDLE);
    let busy = busy_ms(pty.pid()) - busy;
    let written = pty.written() - written;
    let share = f64::from(busy) / ms(IDLE);
    println!(
        "{:<38}{:>7.3} %{written:>7} bytes to the terminal",
        "CPU usage in 30 s idle",
        share * 100.0
    );
    if share > BUSY_MAX || written > 0 {
        println!(
            "TOO MUCH: the limits are {} % and 0 bytes",
            BUSY_MAX * 100.0
        );
        holds = false;
    }
    holds
}

fn now_ms() -> u128 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("later than that").as_millis()
}

/// Returns the resident memory of a process in MB.
pub fn memory_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.expect("its memory") / 1_024.0
}

fn first_paint(client: &Client) -> Duration {
    let began = Instant::now();
    let pty = Pty::open(client, 120, 36);
    pty.wait("the first paint", |screen| !screen.trim().is_empty());
    began.elapsed()
}

/// Returns the CPU time of a process in ms, with a resolution of 10 ms.
fn busy_ms(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
    let (_, fields) = stat.rsplit_once(") ").expect("a name");
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |at: usize| fields[at].parse::<u32>().expect("ticks");
    (ticks(11) + ticks(12)) * 10
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
