//! Measures reads from a database with a million messages, and the memory of a server that serves
//! it.
//!
//! `cargo bench -p plenary-server --bench reading`. The database is created once with the store's
//! own operations in the build directory, which takes a minute or two. Fails if a limit is
//! exceeded.

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

/// Reads of each kind.
const READINGS: usize = 1_000;

/// Reads of each kind that are not counted; they warm the caches.
const WARM: usize = 20;

/// The limit of a read, for the median and the p99.
const LIMIT: Duration = Duration::from_millis(5);

/// Events of an open and of a page, as the client requests them.
const PAGE: usize = 200;

/// The number of last messages that are read.
const LAST: usize = 50;

/// Messages of one user that the client requests: more than anybody posted in these meetings.
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

/// A kind of read.
#[derive(Clone, Copy)]
enum Kind {
    Open,
    Last,
    Person,
    Middle,
}

impl Kind {
    /// The name in the table.
    const ALL: [(Self, &str); 4] = [
        (Self::Open, "open a meeting"),
        (Self::Last, "the last 50 messages"),
        (Self::Person, "one user's messages"),
        (Self::Middle, "a page from the middle"),
    ];
}

/// Reads everything of every meeting. Returns whether all of it was fast enough.
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
            (archive.active.as_slice(), "one of 99 active"),
            (archive.ended.as_slice(), "one of 101 ended"),
            (large, "200,000 messages, 1,000 participants"),
        ] {
            let times = sample(&store, kind, rooms).await;
            holds &= tell(what, place, times);
        }
    }
    let quiet = archive.quiet();
    let times = sample(&store, Kind::Person, std::slice::from_ref(&quiet)).await;
    holds & tell("one user's messages", "a user with one message", times)
}

/// A meeting and its users.
#[derive(Clone)]
struct Room {
    here: InstanceId,
    /// The last seq of its log.
    last: u64,
    /// The users who read and who are read.
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

/// Prints a line. Returns whether it is fast enough.
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
