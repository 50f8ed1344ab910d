//! Compares the observations of all clients with the event log in MySQL.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use plenary_shared::domain::Event;
use plenary_shared::ids::InstanceId;
use plenary_testkit::Stores;

use crate::client::{Observed, row};
use crate::harness::{Harness, Sample, SampledProcess};
use crate::measurements::Measurements;

/// The number of violations printed.
const PRINTED_MAX: usize = 10;

/// The allowed growth of a server's memory: buffers, caches and the allocator.
const GROWTH_KIB_MAX: u64 = 64 * 1_024;

/// The number of parts of a run for which memory is printed.
const MEMORY_PARTS: u32 = 10;

/// The result of a run.
pub struct Verdict {
    violations: Vec<String>,
    lines: Vec<String>,
    measurements: Measurements,
}

impl Verdict {
    pub fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    pub fn print(&self) {
        for line in &self.lines {
            println!("{line}");
        }
        self.measurements.print();
        for violations in self.violations.iter().take(PRINTED_MAX) {
            println!("VIOLATION: {violations}");
        }
        for late in self.measurements.late() {
            println!("LATE: {late}");
        }
        if self.is_good() {
            println!("verdict: no message lost, duplicated or out of order");
        } else {
            println!("verdict: {} violations", self.violations.len());
        }
    }
}

/// A row of the event log: seq, kind, user, body.
type Row = (u64, String, String, String);

/// Quits all clients and compares.
pub async fn check(mut harness: Harness) -> Verdict {
    let mut violations = std::mem::take(&mut harness.violations);
    let clients = std::mem::take(&mut harness.clients);
    let mut stored: BTreeMap<InstanceId, Vec<Row>> = BTreeMap::new();
    for id in harness.instances() {
        let rows = tokio::task::block_in_place(|| rows(&harness.stores, id));
        check_log(id, &rows, &mut violations);
        let keys = live_keys(&harness.stores, id);
        if keys.len() > 1 {
            violations.push(format!("{id}: keys left in Redis: {keys:?}"));
        }
        stored.insert(id, rows);
    }
    let (mut posted, mut acknowledged, mut durable, mut crashes) = (0, 0, 0, 0);
    for client in clients {
        let (name, id, seen, log) = client.quit().await;
        posted += seen.posted.len();
        acknowledged += seen.acknowledged.len();
        durable += seen.durable.len();
        crashes += seen.crashes;
        check_messages(&name, &seen, &stored[&id], &mut violations);
        check_client_log(&name, &log, &stored[&id], &mut violations);
    }
    let lasted = harness.began.elapsed();
    let messages: usize = stored
        .values()
        .flatten()
        .filter(|row| row.1 == "message")
        .count();
    let mut lines = vec![format!(
        "{posted} messages posted, {acknowledged} acknowledged, {durable} durable, {messages} in MySQL \
         in {:.0} s; {crashes} client crashes, {} lost connections",
        lasted.as_secs_f64(),
        harness.lost()
    )];
    lines.extend(memory_over_time(&harness.memory, lasted));
    lines.push(check_memory(&harness.memory, &mut violations));
    Verdict {
        violations,
        lines,
        measurements: std::mem::take(&mut harness.measurements),
    }
}

fn rows(stores: &Stores, id: InstanceId) -> Vec<Row> {
    let (meeting, order) = (id.meeting, id.order);
    let rows = stores.database.query(&format!(
        "SELECT seq, eventType, userID, '' FROM event_log \
         WHERE meetingID = {meeting} AND orderID = {order} \
         UNION ALL SELECT seq, 'message', userID, body FROM message \
         WHERE meetingID = {meeting} AND orderID = {order} ORDER BY seq"
    ));
    rows.into_iter()
        .map(|row| {
            let [seq, kind, user, body] = row.try_into().expect("four columns");
            (seq.parse().expect("a seq"), kind, user, body)
        })
        .collect()
}

fn live_keys(stores: &Stores, id: InstanceId) -> Vec<String> {
    let (meeting, order) = (id.meeting, id.order);
    let pattern = format!("*meeting:{meeting}:order:{order}}}*");
    tokio::task::block_in_place(|| stores.redis.keys(&pattern))
}

/// Checks that seqs have no gaps, `opened` is first, `closed` is last, and each join has a leave.
fn check_log(id: InstanceId, rows: &[Row], violations: &mut Vec<String>) {
    for (at, (seq, ..)) in rows.iter().enumerate() {
        if *seq != at as u64 + 1 {
            violations.push(format!("{id}: event {seq} is at position {}", at + 1));
            return;
        }
    }
    let kinds: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    let once = |kind| kinds.iter().filter(|k| **k == kind).count() == 1;
    if kinds.first() != Some(&"opened") || kinds.last() != Some(&"closed") {
        violations.push(format!(
            "{id}: it does not start with opened and end with closed"
        ));
    }
    if !once("opened") || !once("closed") {
        violations.push(format!("{id}: it was opened or closed more than once"));
    }
    let mut inside: HashMap<&str, bool> = HashMap::new();
    for (seq, kind, user, _) in rows {
        let is_in = inside.entry(user).or_default();
        match (kind.as_str(), *is_in) {
            ("join", false) => *is_in = true,
            ("leave", true) => *is_in = false,
            ("join" | "leave", _) => {
                violations.push(format!("{id}: unexpected {kind} of {user} at {seq}"));
            }
            ("message", false) => {
                violations.push(format!("{id}: {user} posted without joining at {seq}"));
            }
            _ => {}
        }
    }
    for (user, is_in) in inside {
        if is_in {
            violations.push(format!("{id}: {user} never left"));
        }
    }
}

/// Checks that each posted message is in MySQL once and in order, and no others.
fn check_messages(name: &str, seen: &Observed, stored: &[Row], violations: &mut Vec<String>) {
    let mut found: HashMap<&str, Vec<u64>> = HashMap::new();
    let own = format!("{name} says ");
    for (seq, kind, _, body) in stored {
        if kind == "message" && body.starts_with(&own) {
            found.entry(body).or_default().push(*seq);
        }
    }
    let mut last = 0;
    for text in &seen.posted {
        match found.remove(text.as_str()).unwrap_or_default().as_slice() {
            [] if seen.durable.contains(text) => {
                violations.push(format!("'{text}' was durable and is lost"));
            }
            [] if seen.acknowledged.contains(text) => {
                violations.push(format!("'{text}' was acknowledged and is lost"));
            }
            [] if seen.unwritten.contains(text) => {}
            [] => violations.push(format!("'{text}' was sent and is lost")),
            [seq] if *seq < last && !seen.rejected.contains(text) => {
                violations.push(format!("'{text}' is out of order: {seq} after {last}"));
            }
            [seq] if seen.rejected.contains(text) => last = last.min(*seq),
            [seq] => last = *seq,
            seqs => violations.push(format!("'{text}' is in MySQL {} times", seqs.len())),
        }
    }
    for (text, seqs) in found {
        violations.push(format!("'{text}' was never posted, but is at {seqs:?}"));
    }
}

/// Checks that the client's log is equal to the event log in MySQL.
fn check_client_log(name: &str, log: &[Event], stored: &[Row], violations: &mut Vec<String>) {
    let Some(first) = log.first() else {
        return violations.push(format!("{name} has no log"));
    };
    let before = usize::try_from(first.seq.get()).expect("small") - 1;
    let expected = &stored[before.min(stored.len())..];
    let mut known = log.iter().map(row);
    for row in expected {
        let own = known.next();
        if own.as_ref() != Some(row) {
            return violations.push(format!("{name} has {own:?}, MySQL has {row:?}"));
        }
    }
    if let Some(more) = known.next() {
        violations.push(format!("{name} has {more:?}, which is not in MySQL"));
    }
}

/// Returns the median memory of each process for each part of the run.
fn memory_over_time(samples: &[Sample], lasted: Duration) -> Vec<String> {
    let mut lines = vec!["memory in MiB: server 0, server 1, Redis".to_owned()];
    for part in 0..MEMORY_PARTS {
        let within = |sample: &&Sample| {
            sample.at >= lasted * part / MEMORY_PARTS
                && sample.at < lasted * (part + 1) / MEMORY_PARTS
        };
        let of = |process| {
            let samples = samples.iter().filter(within);
            median_kib(samples.filter(|sample| sample.process == process)) / 1_024
        };
        lines.push(format!(
            "  from {:5.0} s on: {:4} {:4} {:4}",
            (lasted * part / MEMORY_PARTS).as_secs_f64(),
            of(SampledProcess::Server(0)),
            of(SampledProcess::Server(1)),
            of(SampledProcess::Redis)
        ));
    }
    lines
}

/// Compares the median of the servers' first third of samples with that of the last.
fn check_memory(samples: &[Sample], violations: &mut Vec<String>) -> String {
    let servers = samples
        .iter()
        .filter(|sample| sample.process != SampledProcess::Redis);
    let servers: Vec<&Sample> = servers.collect();
    let third = servers.len() / 3;
    let begun = median_kib(servers[..third].iter().copied());
    let ended = median_kib(servers[servers.len() - third..].iter().copied());
    let most = servers.iter().map(|sample| sample.kib).max();
    if ended > begun + GROWTH_KIB_MAX {
        violations.push(format!("a server grew from {begun} KiB to {ended} KiB"));
    }
    format!(
        "a server's memory: {} MiB in the first third, {} MiB in the last, {} MiB at most",
        begun / 1_024,
        ended / 1_024,
        most.unwrap_or_default() / 1_024
    )
}

fn median_kib<'a>(samples: impl Iterator<Item = &'a Sample>) -> u64 {
    let mut kib: Vec<u64> = samples.map(|sample| sample.kib).collect();
    kib.sort_unstable();
    kib.get(kib.len() / 2).copied().unwrap_or_default()
}
