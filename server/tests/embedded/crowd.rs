//! Many at once: one order, nothing twice, nobody in twice.

use plenary_testkit::Http;
use serde_json::json;
use tokio::task::JoinSet;

use crate::stage::{Stage, path};

const JOINERS: usize = 200;
const POSTERS: usize = 50;
const POSTS: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_joins_once_and_all_posts_have_one_order() {
    let names: Vec<String> = (0..JOINERS).map(|n| format!("person{n}")).collect();
    let stage = Stage::with(&names);
    let here = stage.active(3_600);

    // Each twice at once: one of both is in.
    let mut joining = JoinSet::new();
    for name in names.iter().chain(&names) {
        let person = stage.http(name);
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
        let (person, name) = (stage.http(name), name.clone());
        posting.spawn(async move { post_some(&person, &path(here, "message"), &name).await });
    }
    let mut acknowledged: Vec<(i64, String)> =
        posting.join_all().await.into_iter().flatten().collect();
    acknowledged.sort_unstable();
    assert_eq!(acknowledged.len(), POSTERS * POSTS);
    assert_eq!(
        stage.rows("SELECT seq, body FROM message ORDER BY seq"),
        acknowledged
    );
    let seqs = "SELECT COUNT(DISTINCT seq) || ' ' || MAX(seq) FROM
        (SELECT seq FROM message UNION ALL SELECT seq FROM event_log)";
    let all = 1 + JOINERS + POSTERS * POSTS;
    assert_eq!(
        stage.value(seqs),
        format!("{all} {all}"),
        "no gaps, no doubles"
    );
    stage.assert_whole();
}

/// One after the other; each one's own order is the log's.
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
