//! Limits on writing in a real server: on the wire, across a restart, and the reserve of disk space.

use plenary_shared::domain::Code;
use plenary_testkit::{Http, ServerOptions, until_async};
use serde_json::json;

use crate::harness::{Harness, path};

fn with(settings: &[(&str, &str)]) -> Harness {
    let options = ServerOptions {
        args: ["--metrics-bind", "127.0.0.1:0"]
            .map(str::to_owned)
            .to_vec(),
        env: settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    };
    Harness::with_options(&["ada"], options)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limit_names_the_wait_and_survives_a_restart() {
    let mut harness = with(&[
        ("PLENARY_RATE_LIMITS", "true"),
        ("PLENARY_POST_BURST", "3"),
        ("PLENARY_POSTS_PER_MINUTE", "1"),
    ]);
    let here = harness.active(3_600);
    let ada = harness.http("ada");
    ada.get(&path(here, "join")).await.ok();
    let post = path(here, "message");
    for n in 0..3 {
        ada.post(&post, &json!({"body": format!("line {n}")}))
            .await
            .ok();
    }
    harness.server.kill9();
    harness.server.restart();
    let ada = harness.http("ada");
    let refused = ada.post(&post, &json!({"body": "too fast"})).await;
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
    let wait_ms = refused.body["retry_after_ms"].as_u64().expect("a wait");
    assert!((1..=60_000).contains(&wait_ms), "{wait_ms}");
    let seconds = wait_ms.div_ceil(1_000);
    assert_eq!(refused.body["retry_after_s"], seconds);
    assert_eq!(refused.headers["retry-after"], seconds.to_string().as_str());
    let mut ws = harness.ws("ada").await;
    let refused = ws.post(here, "too fast").await.expect_err("the same limit");
    assert_eq!(refused.code, Code::RateLimited);
    assert!(
        refused
            .retry_after_ms
            .is_some_and(|wait_ms| wait_ms <= 60_000)
    );
    let messages = ada.get(&path(here, "messages")).await.ok();
    assert_eq!(messages["messages"].as_array().map(Vec::len), Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_reserve_refuses_posts_and_is_reported() {
    // No disk of a test has a terabyte.
    let harness = with(&[("PLENARY_DISK_RESERVE_MIB", "1048576")]);
    let here = harness.active(3_600);
    let ada = harness.http("ada");
    ada.get(&path(here, "join")).await.ok();
    let refused = ada
        .post(&path(here, "message"), &json!({"body": "x"}))
        .await;
    assert_eq!((refused.status, refused.code()), (503, "disk_reserve"));
    assert!(refused.headers.contains_key("retry-after"));
    let ready = ada.get("/readyz").await;
    assert_eq!(ready.status, 503);
    let detail = ready.body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("the reserve is 1048576 MiB"), "{detail}");
    let doctor = harness.server.cli(&["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(doctor.stdout.contains("posts are refused"), "{doctor:?}");
    let metrics = metrics(&harness).await;
    assert!(
        metrics.contains("plenary_disk_reserve_bytes 1099511627776"),
        "{metrics}"
    );
    ada.get(&path(here, "leave")).await.ok();
}

async fn metrics(harness: &Harness) -> String {
    let url = until_async("the metrics to be served", || async {
        let log = harness.server.log();
        let line = log
            .iter()
            .find(|line| line.contains("serving metrics at"))?;
        let bound = line.split("bound=").nth(1)?.split_whitespace().next()?;
        Some(format!("http://{bound}"))
    })
    .await;
    let body = Http::nobody(&url).get("/metrics").await.ok();
    body.as_str().unwrap_or_default().to_owned()
}
