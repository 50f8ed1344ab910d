//! How long reading takes in a file of a million messages, and how much memory a server needs that
//! serves it.
//!
//! `cargo bench -p plenary-server --bench reading`. The file is made by the store's own verbs in the
//! build's directory, once, which takes a minute or two; later runs find it there. Fails if anything
//! takes longer, or more, than is promised.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plenary_server::clock;
use plenary_server::store::sqlite::{Purpose, SqliteStore};
use plenary_server::store::{LogStore, Page};
use plenary_shared::domain::User;
use plenary_shared::ids::{InstanceId, Seq};
use tokio::runtime::Runtime;

use self::archive::Archive;

mod archive;
mod memory;

/// Readings of each kind.
const READINGS: usize = 1_000;

/// Readings of each kind that nobody counts: they fill the caches, as in a server that runs.
const WARM: usize = 20;

/// What a reading may take, in the median and for 99 of 100.
const LIMIT: Duration = Duration::from_millis(5);

/// Events that the client asks for when it opens a meeting, and of a page.
const PAGE: usize = 200;

/// What "the last messages" are.
const LAST: usize = 50;

/// What the client asks for of one person's messages: more than anybody said in these meetings.
const OF_PERSON: usize = 500;

fn main() -> ExitCode {
    let runtime = Runtime::new().expect("a runtime");
    let (archive, holds) = runtime.block_on(async {
        let archive = Archive::find_or_make().await;
        let holds = read(&archive).await;
        (archive, holds)
    });
    let small = memory::serve(&runtime, &archive);
    if holds && small {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A kind of reading, and where its seqs and people come from.
#[derive(Clone, Copy)]
enum Kind {
    Open,
    Last,
    Person,
    Middle,
}

impl Kind {
    /// Each is named as what a person does.
    const ALL: [(Self, &str); 4] = [
        (Self::Open, "open a meeting"),
        (Self::Last, "the last 50 messages"),
        (Self::Person, "one person's messages"),
        (Self::Middle, "a page from the middle"),
    ];
}

/// Reads everything, of every meeting; whether all of it was fast enough.
async fn read(archive: &Archive) -> bool {
    let store = SqliteStore::open(&archive.directory, clock::of_machine(), Purpose::Command)
        .expect("the file that was made");
    println!(
        "\n{:<26}{:<34}{:>10}{:>10}{:>10}",
        "ms", "where", "median", "p99", "max"
    );
    let large = std::slice::from_ref(&archive.large);
    let mut holds = true;
    for (kind, what) in Kind::ALL {
        for (rooms, place) in [
            (archive.active.as_slice(), "one of 99 that go on"),
            (archive.ended.as_slice(), "one of 101 that are over"),
            (large, "200,000 messages, 1,000 people in"),
        ] {
            let times = sample(&store, kind, rooms).await;
            holds &= tell(what, place, times);
        }
    }
    let quiet = archive.quiet();
    let times = sample(&store, Kind::Person, std::slice::from_ref(&quiet)).await;
    holds & tell("one person's messages", "there, who spoke once", times)
}

/// A meeting and whose words are read there.
#[derive(Clone)]
struct Room {
    here: InstanceId,
    /// The last number of its log.
    last: u64,
    /// Who reads, and who is read.
    people: Vec<User>,
}

async fn sample(store: &Arc<SqliteStore>, kind: Kind, rooms: &[Room]) -> Vec<Duration> {
    let mut dice = Dice(1);
    let mut times = Vec::with_capacity(READINGS);
    for turn in 0..WARM + READINGS {
        let room = &rooms[dice.below(rooms.len())];
        let viewer = &room.people[dice.below(room.people.len())];
        let of = &room.people[dice.below(room.people.len())];
        let middle = room.last / 4 + dice.below_u64(room.last / 2);
        let middle = Seq::new(middle).expect("a small number");
        let begin = Instant::now();
        let rows = match kind {
            Kind::Open => {
                let opened = store.open(room.here, viewer, None, PAGE).await;
                opened.map(|opened| opened.events.len())
            }
            Kind::Last => {
                let page = store
                    .messages(room.here, viewer, Page::Before(None), LAST)
                    .await;
                page.map(|page| page.messages.len())
            }
            Kind::Person => {
                let page = Page::Before(None);
                let page = store
                    .user_messages(room.here, viewer, of.id, page, OF_PERSON)
                    .await;
                page.map(|page| page.messages.len())
            }
            Kind::Middle => {
                let page = Page::Before(Some(middle));
                let page = store.events(room.here, viewer, page, PAGE).await;
                page.map(|page| page.events.len())
            }
        };
        let took = begin.elapsed();
        assert!(rows.expect("an answer") > 0, "{} is empty", room.here);
        if turn >= WARM {
            times.push(took);
        }
    }
    times
}

/// Prints a line; whether it is fast enough.
fn tell(what: &str, place: &str, mut times: Vec<Duration>) -> bool {
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    let [median, p99, max] = [at(50), at(99), at(100)];
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let holds = median < LIMIT && p99 < LIMIT;
    println!(
        "{what:<26}{place:<34}{:>10.3}{:>10.3}{:>10.3}{}",
        ms(median),
        ms(p99),
        ms(max),
        if holds { "" } else { "  TOO LONG" }
    );
    holds
}

/// The same choices in every run (Knuth's MMIX generator).
struct Dice(u64);

impl Dice {
    fn below_u64(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a small number");
        usize::try_from(self.below_u64(end)).expect("below a usize")
    }
}
