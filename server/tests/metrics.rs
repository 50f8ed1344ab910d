//! `GET /metrics`: well-formed, on its own address, and correct after traffic.

use std::collections::BTreeMap;

use axum::http::Method;
use plenary_shared::ids::InstanceId;
use plenary_testkit::{Http, Server, ServerOptions, Stores, Ws, until, until_async};

/// Messages that the participants post.
const POSTS: usize = 20;

fn options() -> ServerOptions {
    ServerOptions {
        args: ["--metrics-bind", "127.0.0.1:0"]
            .map(str::to_owned)
            .to_vec(),
        ..ServerOptions::default()
    }
}

/// Waits for the log line that names the address of the metrics.
fn metrics_url(server: &Server) -> String {
    let bound = until("the metrics to be served", || {
        let log = server.log();
        let line = log
            .iter()
            .find(|line| line.contains("serving metrics at"))?;
        let bound = line.split("bound=").nth(1)?;
        bound.split_whitespace().next().map(str::to_owned)
    });
    format!("http://{bound}")
}

/// Starts a public meeting with three participants who follow it.
async fn meeting_of_three(server: &Server) -> (InstanceId, Vec<Ws>) {
    let add = ["meeting", "add", "--title", "Seminar", "--public", "--json"];
    let meeting = server.cli(&add).json()["meetingID"].to_string();
    let from_now = ["schedule", &meeting, "--from", "now", "--for", "1h"];
    server.cli(&[&["meeting"], &from_now[..]].concat()).ok();
    let here: InstanceId = format!("{meeting}/1").parse().expect("an instance");
    let mut people = vec![];
    for name in ["ada", "bob", "eve"] {
        let email = format!("{name}@example.org");
        server.add_user(name, &email, "correct horse");
        let token = server.token(&email);
        let mut ws = Ws::hello(&server.url(), &token).await;
        let begun = Http::with_token(&server.url(), &token);
        until_async("the meeting to start", async || {
            let at = format!("/meeting/{meeting}/order/1");
            (begun.get(&at).await.body["state"] == "active").then_some(())
        })
        .await;
        ws.open(here).await.expect("it is public");
        people.push(ws);
    }
    for ws in &mut people {
        ws.join(here).await.expect("it is public");
    }
    (here, people)
}

async fn metrics(url: &str) -> BTreeMap<String, f64> {
    parse(&text(url).await)
}

async fn text(url: &str) -> String {
    let request = Http::nobody(url).request(Method::GET, "/metrics");
    let answer = request.send().await.expect("it answers");
    assert_eq!(answer.status(), 200);
    let media = answer.headers()["content-type"].to_str().expect("ASCII");
    assert!(media.starts_with("application/openmetrics-text"), "{media}");
    answer.text().await.expect("it is text")
}

/// Returns every sample by its name and labels. Panics if a line does not have the format.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut types: BTreeMap<&str, &str> = BTreeMap::new();
    let mut samples = BTreeMap::new();
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(about) = line.strip_prefix("# ") {
            let words: Vec<&str> = about.splitn(3, ' ').collect();
            assert!(["HELP", "TYPE"].contains(&words[0]), "{line}");
            if words[0] == "TYPE" {
                let known = ["counter", "gauge", "histogram", "info"];
                assert!(known.contains(&words[2]), "{line}");
                assert!(types.insert(words[1], words[2]).is_none(), "{line}");
            }
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a value");
        let bare = name.split('{').next().expect("a name");
        let (family, kind) = types
            .iter()
            .filter(|(family, _)| bare.starts_with(**family))
            .max_by_key(|(family, _)| family.len())
            .expect("a family with a TYPE line");
        let suffix = &bare[family.len()..];
        let right = match *kind {
            "counter" => suffix == "_total",
            "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            "info" => suffix == "_info",
            _ => suffix.is_empty(),
        };
        assert!(right && bare.starts_with("plenary_"), "{line}");
        let value: f64 = value.parse().expect("a number");
        assert!(samples.insert(name.to_owned(), value).is_none(), "{line}");
    }
    samples
}

async fn check_metrics(server: &Server, stores: &[&str]) {
    let url = metrics_url(server);
    let (here, mut people) = meeting_of_three(server).await;
    for n in 0..POSTS {
        let ws = &mut people[n % 3];
        ws.post(here, "hello").await.expect("all have joined");
    }
    people[2].leave(here).await.expect("eve has joined");
    let refused = people[2].post(here, "still here?").await;
    assert!(refused.is_err());
    // Three joins, the posts and a leave. Nobody followed when the meeting started.
    let events = 3 + POSTS + 1;
    #[expect(clippy::cast_precision_loss, reason = "a few")]
    let expected = [
        ("plenary_posts_total{outcome=\"accepted\"}", POSTS as f64),
        ("plenary_posts_total{outcome=\"rejected\"}", 1.0),
        ("plenary_posts_total{outcome=\"failed\"}", 0.0),
        (
            "plenary_stage_seconds_count{stage=\"store\"}",
            (POSTS + 1) as f64,
        ),
        ("plenary_deliveries_total", (3 * events) as f64),
        ("plenary_connections", 3.0),
        ("plenary_rooms", 1.0),
        ("plenary_archive_lag_events", 0.0),
        ("plenary_fences_total", 0.0),
        ("plenary_start_lateness_seconds_count", 1.0),
        ("plenary_connections_reaped_total", 0.0),
    ];
    let exported = until_async("the metrics to match", async || {
        let exported = metrics(&url).await;
        let wrong: Vec<_> = expected
            .iter()
            .map(|(name, value)| (name, value, exported.get(*name)))
            .filter(|(_, value, got)| *got != Some(value))
            .collect();
        if !wrong.is_empty() {
            eprintln!("{wrong:?}");
            return None;
        }
        Some(exported)
    })
    .await;
    assert!(exported["plenary_ring_bytes"] > 0.0);
    assert!(exported["plenary_stage_seconds_count{stage=\"feed\"}"] > 0.0);
    for store in stores {
        let count = format!("plenary_store_seconds_count{{store=\"{store}\"}}");
        assert!(exported[&count] > 0.0, "{count}");
    }
    // Buckets are cumulative, and the last contains all.
    let inside = "plenary_stage_seconds_bucket{le=\"0.25\",stage=\"store\"}";
    let all = "plenary_stage_seconds_bucket{le=\"+Inf\",stage=\"store\"}";
    assert!(exported[inside] <= exported[all]);
    #[expect(clippy::float_cmp, reason = "whole numbers")]
    {
        assert_eq!(exported[all], expected[3].1);
    }
    drop(people);
    until_async("all connections to close", async || {
        let exported = metrics(&url).await;
        let closed = exported
            .iter()
            .filter(|(name, _)| name.contains("_connections_closed_"));
        let closed: f64 = closed.map(|(_, count)| count).sum();
        let is_done = exported["plenary_connections"] == 0.0 && (closed - 3.0).abs() < f64::EPSILON;
        is_done.then_some(())
    })
    .await;
    // The main address does not serve metrics, and the metrics address serves nothing else.
    let nobody = Http::nobody(&server.url());
    assert_eq!(nobody.get("/metrics").await.status, 404);
    let other = Http::nobody(&url).request(Method::GET, "/me").send().await;
    assert_eq!(other.expect("it answers").status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_correct_on_redis_and_mysql() {
    let stores = Stores::start();
    let server = Server::with(&stores.redis, &stores.database, options());
    check_metrics(&server, &["redis", "mysql"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_correct_on_sqlite() {
    let server = Server::embedded(options());
    check_metrics(&server, &["sqlite"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unavailable_store_is_counted() {
    let mut stores = Stores::start();
    let server = Server::with(&stores.redis, &stores.database, options());
    let url = metrics_url(&server);
    stores.redis.kill9();
    until_async("the Redis errors to be counted", async || {
        let exported = metrics(&url).await;
        let failed = exported.get("plenary_store_errors_total{store=\"redis\"}");
        let lag = exported["plenary_archive_lag_events"];
        (failed.is_some_and(|count| *count > 0.0) && lag.is_nan()).then_some(())
    })
    .await;
}
