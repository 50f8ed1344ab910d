//! A server that is killed: what was acknowledged is there, once, in order, and the file is whole.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use plenary_shared::ids::InstanceId;
use plenary_testkit::{Http, until_async};
use serde_json::json;
use tokio::task::JoinSet;

use crate::stage::{Stage, path};

const POSTERS: usize = 20;
const KILLS: usize = 6;
const POSTS_BETWEEN: usize = 150;

/// What was acknowledged: seq → body.
type Acknowledged = Arc<Mutex<BTreeMap<i64, String>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let names: Vec<String> = (0..POSTERS).map(|n| format!("person{n}")).collect();
    let mut stage = Stage::with(&names);
    let here = stage.active(3_600);
    let acknowledged = Acknowledged::default();
    let count = Arc::new(AtomicUsize::new(0));
    let enough = Arc::new(AtomicBool::new(false));
    let mut posting = JoinSet::new();
    for name in &names {
        let person = stage.http(name);
        person.get(&path(here, "join")).await.ok();
        posting.spawn(post_until(
            person,
            here,
            name.clone(),
            acknowledged.clone(),
            (count.clone(), enough.clone()),
        ));
    }
    for kill in 1..=KILLS {
        let wanted = kill * POSTS_BETWEEN;
        until_async("some posts to be acknowledged", || async {
            (count.load(Ordering::Relaxed) >= wanted).then_some(())
        })
        .await;
        stage.server.kill9();
        stage.assert_whole();
        stage.server.restart();
    }
    enough.store(true, Ordering::Relaxed);
    posting.join_all().await;

    stage.assert_whole();
    let acknowledged = acknowledged.lock().expect("no poster panicked").clone();
    assert!(acknowledged.len() >= KILLS * POSTS_BETWEEN);
    let stored: BTreeMap<i64, String> = stage
        .rows("SELECT seq, body FROM message")
        .into_iter()
        .collect();
    for (seq, body) in &acknowledged {
        assert_eq!(stored.get(seq), Some(body));
    }
    let mut bodies: Vec<&String> = stored.values().collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), stored.len(), "a retry made a second message");
    let gaps = "SELECT MAX(seq) - COUNT(*) FROM
        (SELECT seq FROM message UNION ALL SELECT seq FROM event_log)";
    assert_eq!(stage.value(gaps), "0");
    // Whoever joined without a connection is in all the time.
    assert_eq!(
        stage.value("SELECT COUNT(*) FROM stay"),
        POSTERS.to_string()
    );
}

/// One message after the other, each sent until it is acknowledged.
async fn post_until(
    person: Http,
    here: InstanceId,
    name: String,
    acknowledged: Acknowledged,
    (count, enough): (Arc<AtomicUsize>, Arc<AtomicBool>),
) {
    for n in 0.. {
        if enough.load(Ordering::Relaxed) {
            return;
        }
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
        let before = acknowledged
            .lock()
            .expect("no poster panicked")
            .insert(seq, body);
        assert_eq!(before, None, "two messages of one seq");
        count.fetch_add(1, Ordering::Relaxed);
    }
}
