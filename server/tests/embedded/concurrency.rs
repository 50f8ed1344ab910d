//! Concurrent requests: one order of events, no duplicate messages, no duplicate participants.

use plenary_testkit::Http;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Harness, path};

const JOINERS: usize = 200;
const POSTERS: usize = 50;
const POSTS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_joins_and_posts_have_one_order() {
    let names: Vec<String> = (0..JOINERS).map(|n| format!("person{n}")).collect();
    let harness = Harness::with(&names);
    let here = harness.active(3_600);

    // Each user joins twice at once: one request succeeds.
    let mut joining = JoinSet::new();
    for name in names.iter().chain(&names) {
        let person = harness.http(name);
        joining.spawn(async move { person.get(&path(here, "join")).await.status });
    }
    let answers = joining.join_all().await;
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        JOINERS
    );
    assert_eq!(
        answers.iter().filter(|status| **status == 409).count(),
        JOINERS
    );

    let mut posting = JoinSet::new();
    for name in &names[..POSTERS] {
        let (person, name) = (harness.http(name), name.clone());
        posting.spawn(async move { post_some(&person, &path(here, "message"), &name).await });
    }
    let mut acknowledged: Vec<(i64, String)> =
        posting.join_all().await.into_iter().flatten().collect();
    acknowledged.sort_unstable();
    assert_eq!(acknowledged.len(), POSTERS * POSTS);
    assert_eq!(
        harness.rows("SELECT seq, body FROM message ORDER BY seq"),
        acknowledged
    );
    let seqs = "SELECT COUNT(DISTINCT seq) || ' ' || MAX(seq) FROM
        (SELECT seq FROM message UNION ALL SELECT seq FROM event_log)";
    let all = 1 + JOINERS + POSTERS * POSTS;
    assert_eq!(
        harness.value(seqs),
        format!("{all} {all}"),
        "no gaps, no doubles"
    );
    harness.assert_whole();
}

/// Posts one after the other, so that the log keeps each user's order.
async fn post_some(person: &Http, at: &str, name: &str) -> Vec<(i64, String)> {
    let mut acknowledged = vec![];
    for n in 0..POSTS {
        let body = format!("{name} says {n}");
        let posted = person.post(at, &json!({"body": body})).await.ok();
        acknowledged.push((posted["seq"].as_i64().expect("a seq"), body));
    }
    assert!(
        acknowledged.is_sorted_by_key(|(seq, _)| *seq),
        "{acknowledged:?}"
    );
    acknowledged
}
