//! A server that is killed: what was acknowledged is there, once, in order, and the file is whole.

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

use crate::stage::{Stage, path};

const POSTERS: usize = 20;
const POSTS_EACH: usize = 500;
const KILLS: usize = 20;

/// Where within a commit a kill comes: between none and several of them.
const PAUSE_US_MAX: u64 = 10_000;

/// When the server is killed: so many posts are acknowledged, and a little more time has passed.
struct Moment {
    posts: usize,
    pause: Duration,
}

/// As a seed says, in order. `PLENARY_SEED` gives the one that a failure has named.
fn moments() -> Vec<Moment> {
    let seed = std::env::var("PLENARY_SEED").ok();
    let seed = seed.map_or_else(rand::random, |seed| seed.parse().expect("a whole number"));
    // Shown when the test fails.
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
async fn nothing_acknowledged_is_lost_or_doubled_by_twenty_kills() {
    let names: Vec<String> = (0..POSTERS).map(|n| format!("person{n}")).collect();
    let mut stage = Stage::with(&names);
    let here = stage.active(3_600);
    let count = Arc::new(AtomicUsize::new(0));
    let mut posting = JoinSet::new();
    for name in &names {
        let person = stage.http(name);
        person.get(&path(here, "join")).await.ok();
        posting.spawn(post_all(person, here, name.clone(), count.clone()));
    }
    for (kill, moment) in moments().iter().enumerate() {
        until_async("some posts to be acknowledged", || async {
            (count.load(Ordering::Relaxed) >= moment.posts).then_some(())
        })
        .await;
        tokio::time::sleep(moment.pause).await;
        stage.server.kill9();
        // Whoever opens the file first brings it in order: somebody else, or the next server.
        if kill % 2 == 0 {
            stage.assert_whole();
        }
        stage.server.restart();
        stage.assert_whole();
    }
    let mut acknowledged = BTreeMap::new();
    for (seq, body) in posting.join_all().await.into_iter().flatten() {
        let before = acknowledged.insert(seq, body);
        assert_eq!(before, None, "two messages of one seq");
    }
    assert_eq!(acknowledged.len(), POSTERS * POSTS_EACH);

    // Every post was sent until it was acknowledged: there is no other, and none twice.
    let stored: BTreeMap<i64, String> = stage
        .rows("SELECT seq, body FROM message")
        .into_iter()
        .collect();
    assert_eq!(stored, acknowledged);
    let seqs = "SELECT COUNT(DISTINCT seq) || ' ' || MAX(seq) FROM
        (SELECT seq FROM message UNION ALL SELECT seq FROM event_log)";
    let all = 1 + POSTERS + POSTERS * POSTS_EACH;
    assert_eq!(
        stage.value(seqs),
        format!("{all} {all}"),
        "no gaps, no doubles"
    );
    // Whoever joined without a connection is in all the time.
    assert_eq!(
        stage.value("SELECT COUNT(*) FROM stay"),
        POSTERS.to_string()
    );
    stage.assert_whole();
}

/// One message after the other, each sent until it is acknowledged: so their seqs ascend.
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
            // A server that is gone, or not yet back, says nothing: the same post is sent again.
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
