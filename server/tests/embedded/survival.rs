//! Kills of the server: acknowledged posts are stored once, in order, and the file is intact.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use plenary_shared::ids::InstanceId;
use plenary_testkit::{Http, until_async};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Harness, path};

const POSTERS: usize = 20;
const POSTS_EACH: usize = 500;
const KILLS: usize = 20;

/// The longest delay of a kill, in microseconds: several commits.
const PAUSE_US_MAX: u64 = 10_000;

/// When the server is killed: after this many acknowledged posts and a short delay.
struct Moment {
    posts: usize,
    pause: Duration,
}

/// The moments drawn from the seed, in ascending order. `PLENARY_SEED` replays a failure.
fn moments() -> Vec<Moment> {
    let seed = std::env::var("PLENARY_SEED").ok();
    let seed = seed.map_or_else(rand::random, |seed| seed.parse().expect("a whole number"));
    // Printed when the test fails.
    println!("killed at moments of PLENARY_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut moments: Vec<Moment> = (0..KILLS)
        .map(|_| Moment {
            posts: random.random_range(0..POSTERS * POSTS_EACH - POSTERS),
            pause: Duration::from_micros(random.random_range(0..PAUSE_US_MAX)),
        })
        .collect();
    moments.sort_by_key(|moment| moment.posts);
    moments
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_lose_and_duplicate_nothing() {
    let names: Vec<String> = (0..POSTERS).map(|n| format!("person{n}")).collect();
    let mut harness = Harness::with(&names);
    let here = harness.active(3_600);
    let count = Arc::new(AtomicUsize::new(0));
    let mut posting = JoinSet::new();
    for name in &names {
        let person = harness.http(name);
        person.get(&path(here, "join")).await.ok();
        posting.spawn(post_all(person, here, name.clone(), count.clone()));
    }
    for (kill, moment) in moments().iter().enumerate() {
        until_async("some posts to be acknowledged", || async {
            (count.load(Ordering::Relaxed) >= moment.posts).then_some(())
        })
        .await;
        tokio::time::sleep(moment.pause).await;
        harness.server.kill9();
        // The first process to open the file recovers it: another program, or the next server.
        if kill % 2 == 0 {
            harness.assert_whole();
        }
        harness.server.restart();
        harness.assert_whole();
    }
    let mut acknowledged = BTreeMap::new();
    for (seq, body) in posting.join_all().await.into_iter().flatten() {
        let before = acknowledged.insert(seq, body);
        assert_eq!(before, None, "two messages of one seq");
    }
    assert_eq!(acknowledged.len(), POSTERS * POSTS_EACH);

    // Every post was sent until it was acknowledged, so exactly these posts are stored.
    let stored: BTreeMap<i64, String> = harness
        .rows("SELECT seq, body FROM message")
        .into_iter()
        .collect();
    assert_eq!(stored, acknowledged);
    let seqs = "SELECT COUNT(DISTINCT seq) || ' ' || MAX(seq) FROM
        (SELECT seq FROM message UNION ALL SELECT seq FROM event_log)";
    let all = 1 + POSTERS + POSTERS * POSTS_EACH;
    assert_eq!(
        harness.value(seqs),
        format!("{all} {all}"),
        "no gaps, no doubles"
    );
    // Users who joined without a connection stay participants.
    assert_eq!(
        harness.value("SELECT COUNT(*) FROM stay"),
        POSTERS.to_string()
    );
    harness.assert_whole();
}

/// Posts messages one after the other, each until it is acknowledged, so that seqs ascend.
async fn post_all(
    person: Http,
    here: InstanceId,
    name: String,
    count: Arc<AtomicUsize>,
) -> Vec<(i64, String)> {
    let mut acknowledged = Vec::with_capacity(POSTS_EACH);
    for n in 0..POSTS_EACH {
        let cmid = uuid::Uuid::now_v7().to_string();
        let body = format!("{name} says {n}");
        let seq = until_async("a post to be acknowledged", || async {
            let request = person
                .request("POST".parse().expect("a method"), &path(here, "message"))
                .header("Idempotency-Key", &cmid)
                .json(&json!({"body": body}));
            // A server that is down does not answer: the same post is sent again.
            let answer = person.try_send(request).await.ok()?;
            match answer.status {
                200 | 201 => answer.body["seq"].as_i64(),
                503 => None,
                status => panic!("{status}: {}", answer.body),
            }
        })
        .await;
        acknowledged.push((seq, body));
        count.fetch_add(1, Ordering::Relaxed);
    }
    assert!(
        acknowledged.is_sorted_by_key(|(seq, _)| *seq),
        "{name}'s messages are in another order"
    );
    acknowledged
}
