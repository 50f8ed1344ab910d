//! The histories of everybody against the archive.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use plenary_shared::domain::Event;
use plenary_shared::ids::InstanceId;
use plenary_testkit::Stores;

use crate::person::{Seen, told};
use crate::reading::Readings;
use crate::stage::{Sample, Stage, Whose};

/// Of each kind of violation so many are printed.
const PRINTED_MAX: usize = 10;

/// How much more memory a server may have at the end than at the beginning: buffers, caches, and
/// what an allocator keeps.
const GROWTH_KIB_MAX: u64 = 64 * 1_024;

/// Of how many parts of a run the memory is told.
const MEMORY_PARTS: u32 = 10;

/// What became of a run.
pub struct Verdict {
    wrong: Vec<String>,
    lines: Vec<String>,
    readings: Readings,
}

impl Verdict {
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty()
    }

    pub fn print(&self) {
        for line in &self.lines {
            println!("{line}");
        }
        self.readings.print();
        for wrong in self.wrong.iter().take(PRINTED_MAX) {
            println!("WRONG: {wrong}");
        }
        for late in self.readings.late() {
            println!("LATE: {late}");
        }
        if self.is_good() {
            println!("verdict: nothing lost, nothing doubled, everything in order");
        } else {
            println!("verdict: {} violations", self.wrong.len());
        }
    }
}

/// One row of the archive: seq, kind, user, body.
type Row = (u64, String, String, String);

/// Ends everybody and compares.
pub async fn of(mut stage: Stage) -> Verdict {
    let mut wrong = std::mem::take(&mut stage.wrong);
    let people = std::mem::take(&mut stage.people);
    let mut archive: BTreeMap<InstanceId, Vec<Row>> = BTreeMap::new();
    for id in stage.instances() {
        let rows = tokio::task::block_in_place(|| rows(&stage.stores, id));
        check_balance(id, &rows, &mut wrong);
        let keys = live_keys(&stage.stores, id);
        if keys.len() > 1 {
            wrong.push(format!("{id}: still live: {keys:?}"));
        }
        archive.insert(id, rows);
    }
    let (mut said, mut taken, mut durable, mut deaths) = (0, 0, 0, 0);
    for person in people {
        let (name, id, seen, log) = person.end().await;
        said += seen.said.len();
        taken += seen.taken.len();
        durable += seen.durable.len();
        deaths += seen.deaths;
        check_lines(&name, &seen, &archive[&id], &mut wrong);
        check_log(&name, &log, &archive[&id], &mut wrong);
    }
    let lasted = stage.began.elapsed();
    let messages: usize = archive
        .values()
        .flatten()
        .filter(|row| row.1 == "message")
        .count();
    let mut lines = vec![format!(
        "{said} lines said, {taken} acknowledged, {durable} as durable, {messages} messages in the \
         archive in {:.0} s; {deaths} clients died, {} shown as left",
        lasted.as_secs_f64(),
        stage.lost()
    )];
    lines.extend(memory_over_time(&stage.memory, lasted));
    lines.push(check_memory(&stage.memory, &mut wrong));
    Verdict {
        wrong,
        lines,
        readings: std::mem::take(&mut stage.readings),
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

/// Seqs without a hole, opened first, closed last, and each join with one leave.
fn check_balance(id: InstanceId, rows: &[Row], wrong: &mut Vec<String>) {
    for (at, (seq, ..)) in rows.iter().enumerate() {
        if *seq != at as u64 + 1 {
            wrong.push(format!("{id}: event {seq} stands at place {}", at + 1));
            return;
        }
    }
    let kinds: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    let once = |kind| kinds.iter().filter(|k| **k == kind).count() == 1;
    if kinds.first() != Some(&"opened") || kinds.last() != Some(&"closed") {
        wrong.push(format!("{id}: it does not go from opened to closed"));
    }
    if !once("opened") || !once("closed") {
        wrong.push(format!("{id}: it was opened or closed more than once"));
    }
    let mut inside: HashMap<&str, bool> = HashMap::new();
    for (seq, kind, user, _) in rows {
        let is_in = inside.entry(user).or_default();
        match (kind.as_str(), *is_in) {
            ("join", false) => *is_in = true,
            ("leave", true) => *is_in = false,
            ("join" | "leave", _) => wrong.push(format!("{id}: {user}'s {kind} {seq} is too much")),
            ("message", false) => wrong.push(format!("{id}: {user} spoke from outside at {seq}")),
            _ => {}
        }
    }
    for (user, is_in) in inside {
        if is_in {
            wrong.push(format!("{id}: {user} never left"));
        }
    }
}

/// Everything that was said is there once and in its order, and nothing else.
fn check_lines(name: &str, seen: &Seen, archive: &[Row], wrong: &mut Vec<String>) {
    let mut found: HashMap<&str, Vec<u64>> = HashMap::new();
    let own = format!("{name} says ");
    for (seq, kind, _, body) in archive {
        if kind == "message" && body.starts_with(&own) {
            found.entry(body).or_default().push(*seq);
        }
    }
    let mut last = 0;
    for text in &seen.said {
        match found.remove(text.as_str()).unwrap_or_default().as_slice() {
            [] if seen.durable.contains(text) => {
                wrong.push(format!("'{text}' was durable and is lost"));
            }
            [] if seen.taken.contains(text) => {
                wrong.push(format!("'{text}' was acknowledged and is lost"));
            }
            [] if seen.cut_short.contains(text) => {}
            [] => wrong.push(format!("'{text}' was sent and is lost")),
            [seq] if *seq < last && !seen.refused.contains(text) => {
                wrong.push(format!("'{text}' is out of order: {seq} after {last}"));
            }
            [seq] if seen.refused.contains(text) => last = last.min(*seq),
            [seq] => last = *seq,
            seqs => wrong.push(format!("'{text}' is there {} times", seqs.len())),
        }
    }
    for (text, seqs) in found {
        wrong.push(format!("'{text}' was never said, and is there at {seqs:?}"));
    }
}

/// What the client has is what the archive has, up to its end.
fn check_log(name: &str, log: &[Event], archive: &[Row], wrong: &mut Vec<String>) {
    let Some(first) = log.first() else {
        return wrong.push(format!("{name} has no log"));
    };
    let before = usize::try_from(first.seq.get()).expect("small") - 1;
    let expected = &archive[before.min(archive.len())..];
    let mut known = log.iter().map(told);
    for row in expected {
        let own = known.next();
        if own.as_ref() != Some(row) {
            return wrong.push(format!("{name} has {own:?} where the archive has {row:?}"));
        }
    }
    if let Some(more) = known.next() {
        wrong.push(format!("{name} has {more:?}, and the archive nothing"));
    }
}

/// A line for each of a few parts of the run: the middle of each process' memory in it.
fn memory_over_time(samples: &[Sample], lasted: Duration) -> Vec<String> {
    let mut lines = vec!["memory in MiB: server 0, server 1, Redis".to_owned()];
    for part in 0..MEMORY_PARTS {
        let within = |sample: &&Sample| {
            sample.at >= lasted * part / MEMORY_PARTS
                && sample.at < lasted * (part + 1) / MEMORY_PARTS
        };
        let of = |whose| {
            let samples = samples.iter().filter(within);
            middle_kib(samples.filter(|sample| sample.whose == whose)) / 1_024
        };
        lines.push(format!(
            "  from {:5.0} s on: {:4} {:4} {:4}",
            (lasted * part / MEMORY_PARTS).as_secs_f64(),
            of(Whose::Server(0)),
            of(Whose::Server(1)),
            of(Whose::Redis)
        ));
    }
    lines
}

/// The middle of the first third of all samples of servers against that of the last.
fn check_memory(samples: &[Sample], wrong: &mut Vec<String>) -> String {
    let servers = samples.iter().filter(|sample| sample.whose != Whose::Redis);
    let servers: Vec<&Sample> = servers.collect();
    let third = servers.len() / 3;
    let begun = middle_kib(servers[..third].iter().copied());
    let ended = middle_kib(servers[servers.len() - third..].iter().copied());
    let most = servers.iter().map(|sample| sample.kib).max();
    if ended > begun + GROWTH_KIB_MAX {
        wrong.push(format!("a server grew from {begun} KiB to {ended} KiB"));
    }
    format!(
        "a server's memory: {} MiB in the first third, {} MiB in the last, {} MiB at most",
        begun / 1_024,
        ended / 1_024,
        most.unwrap_or_default() / 1_024
    )
}

fn middle_kib<'a>(samples: impl Iterator<Item = &'a Sample>) -> u64 {
    let mut kib: Vec<u64> = samples.map(|sample| sample.kib).collect();
    kib.sort_unstable();
    kib.get(kib.len() / 2).copied().unwrap_or_default()
}
