//! Measures posts that SQLite acknowledges in a second, each on disk: of many concurrent callers,
//! whose posts share commits, and with one commit for each post.
//!
//! `cargo bench -p plenary-server --bench posting`. Prints a table and a verdict from the medians
//! of this run, and fails if the promised rates are not reached.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use futures_util::future::join_all;
use plenary_server::clock;
use plenary_server::store::sqlite::{Purpose, SqliteStore};
use plenary_server::store::{
    FeedStore, LifecycleStore, MeetingStore, MessageStore, NewMeeting, NewUser, ParticipationStore,
    UserStore,
};
use plenary_shared::domain::{Role, User};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::text::MessageBody;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Concurrent callers, each of whom waits for an answer before the next post.
const CALLERS: usize = 50;

/// Posts of one caller in one sample with many callers.
const POSTS_EACH: usize = 200;

/// Posts in one sample with one commit for each post.
const POSTS_ALONE: usize = 1_000;

/// Posts a second that many callers must reach.
const PER_S_MIN: f64 = 15_000.0;

/// How many times as fast many callers must be.
const GAIN_MIN: f64 = 5.0;

/// A typical message.
const SAID: &str =
    "I have read the second draft, and I would rather move the deadline than drop the tests.";

/// Posts a second, one entry for each sample.
type Rates = Mutex<Vec<f64>>;

static TOGETHER: Rates = Mutex::new(Vec::new());
static ALONE: Rates = Mutex::new(Vec::new());

fn main() -> ExitCode {
    divan::main();
    let (Some(together), Some(alone)) = (median(&TOGETHER), median(&ALONE)) else {
        // Only one of the two was selected, or none.
        return ExitCode::SUCCESS;
    };
    let gain = together / alone;
    let holds = together >= PER_S_MIN && gain >= GAIN_MIN;
    println!(
        "\n{CALLERS} callers: {together:.0} posts/s (at least {PER_S_MIN:.0}). \
         One commit a post: {alone:.0} posts/s. {gain:.1} times (at least {GAIN_MIN:.0}): {}.",
        if holds { "holds" } else { "DOES NOT HOLD" }
    );
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// 50 concurrent callers in one meeting.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn fifty_callers(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    bencher
        .counter(ItemsCount::new(CALLERS * POSTS_EACH))
        .bench_local(|| {
            let took = stage.runtime.block_on(async {
                let begin = Instant::now();
                let callers = stage.people.iter().map(|person| {
                    let (meeting, person) = (stage.meeting.clone(), person.clone());
                    tokio::spawn(async move { meeting.say(&person, POSTS_EACH).await })
                });
                for caller in join_all(callers).await {
                    caller.expect("a caller does not panic");
                }
                begin.elapsed()
            });
            note(&TOGETHER, CALLERS * POSTS_EACH, took);
        });
    stage.check();
}

/// The same users in turn: no post shares a commit with another.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn one_commit_a_post(bencher: Bencher<'_, '_>) {
    let stage = Stage::new();
    bencher
        .counter(ItemsCount::new(POSTS_ALONE))
        .bench_local(|| {
            let took = stage.runtime.block_on(async {
                let begin = Instant::now();
                for turn in 0..POSTS_ALONE {
                    stage.meeting.say(&stage.people[turn % CALLERS], 1).await;
                }
                begin.elapsed()
            });
            note(&ALONE, POSTS_ALONE, took);
        });
    stage.check();
}

/// A store on its own empty database, opened as a server opens it, and users in a meeting.
struct Stage {
    runtime: Runtime,
    meeting: Arc<Meeting>,
    people: Vec<User>,
    _directory: TempDir,
}

/// The meeting that is posted to.
struct Meeting {
    store: Arc<SqliteStore>,
    here: InstanceId,
    body: MessageBody,
    acknowledged: AtomicUsize,
}

impl Stage {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        // Beside the build, because a temporary directory may be in memory, where nothing waits for
        // a disk.
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let (meeting, people) = runtime.block_on(Meeting::begin(directory.path()));
        Self {
            runtime,
            meeting: Arc::new(meeting),
            people,
            _directory: directory,
        }
    }

    /// Every acknowledged post is in the log.
    fn check(&self) {
        let here = [self.meeting.here];
        let heads = self.runtime.block_on(self.meeting.store.heads(&here));
        let head = heads.expect("an answer")[0].expect("the meeting is live");
        let opened_and_joined = 1 + CALLERS;
        let acknowledged = self.meeting.acknowledged.load(Ordering::Relaxed);
        assert_eq!(
            usize::try_from(head.seq.get()).expect("a small number"),
            opened_and_joined + acknowledged
        );
    }
}

impl Meeting {
    async fn begin(directory: &Path) -> (Self, Vec<User>) {
        let clock = clock::of_machine();
        let store =
            SqliteStore::open(directory, clock.clone(), Purpose::Serve).expect("an empty file");
        let new = NewMeeting {
            by: None,
            title: "Seminar".to_owned(),
            description: String::new(),
            is_public: true,
            audience: vec![],
        };
        let meeting = store.add_meeting(new).await.expect("a meeting");
        let now = clock();
        let to = now.plus_ms(86_400_000);
        let here = store
            .schedule(meeting.id, now, to, None)
            .await
            .expect("a time");
        store.start(here, now).await.expect("a start");
        // As in a server, a follower receives each post.
        let mut fed = store.feed().await.expect("the first feed");
        tokio::spawn(async move { while fed.recv().await.is_some() {} });
        store.follow(here).await.expect("followed");
        let mut people = Vec::with_capacity(CALLERS);
        for number in 0..CALLERS {
            let new = NewUser {
                name: format!("Person {number}"),
                email: format!("person{number}@example.org"),
                age: None,
                gender: None,
                role: Role::Member,
                password_hash: None,
                by: None,
            };
            let person = store.add_user(new).await.expect("a person");
            store.join(here, &person, None).await.expect("is in");
            people.push(person);
        }
        let meeting = Self {
            store,
            here,
            body: MessageBody::parse(SAID).expect("a body"),
            acknowledged: AtomicUsize::new(0),
        };
        (meeting, people)
    }

    /// Posts one after the other, each after the previous one was acknowledged.
    async fn say(&self, person: &User, posts: usize) {
        for _ in 0..posts {
            let cmid = Cmid(uuid::Uuid::now_v7());
            let posted = self.store.post(self.here, person, cmid, &self.body).await;
            assert!(!posted.expect("an acknowledged post").repeat);
        }
        self.acknowledged.fetch_add(posts, Ordering::Relaxed);
    }
}

fn note(rates: &Rates, posts: usize, took: Duration) {
    let posts = u32::try_from(posts).expect("a small number");
    let mut rates = rates.lock().unwrap_or_else(PoisonError::into_inner);
    rates.push(f64::from(posts) / took.as_secs_f64());
}

fn median(rates: &Rates) -> Option<f64> {
    let mut rates = rates.lock().unwrap_or_else(PoisonError::into_inner);
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied()
}
