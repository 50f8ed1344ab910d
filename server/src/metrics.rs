//! Figures for operators: what is counted and timed here, in the words of Prometheus. There are no
//! names, addresses or texts of people in them, and no label that grows with what people do.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};
use tokio::time::Instant;

mod recent;

use recent::Recent;

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of times that should be milliseconds, in seconds.
const FAST: [f64; 13] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Bounds of how late something may come that has its time, in seconds.
const LATE: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// One label and its value.
type Label = [(&'static str, &'static str); 1];

/// What a time is spent on, from a post to the screen and to the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A post, in the store's atom and on the way there and back.
    Store,
    /// An event, from its own time until the hub of this server has it.
    Feed,
    /// A frame of events, until the connection has taken it.
    Send,
    /// A transaction of the archiver.
    Archive,
}

/// Everything that is counted and timed in one server.
pub struct Metrics {
    registry: Registry,
    posts: Family<Label, Counter>,
    stages: Family<Label, Histogram, Fast>,
    stores: Family<Label, Histogram, Fast>,
    store_errors: Family<Label, Counter>,
    answers: Family<Label, Counter>,
    closes: Family<Label, Counter>,
    /// Events that were written to connections.
    pub deliveries: Counter,
    /// Connections that have said hello or may do so.
    pub connections: Gauge,
    /// Connections that were lost and did not come back within the grace.
    pub reaped: Counter,
    /// Fences that followers here were told of.
    pub fences: Counter,
    /// How late meetings were started here.
    starts_late: Histogram,
    /// How late everybody was out of meetings that were ended here.
    ends_late: Histogram,
    archive_lag_events: Gauge<f64, AtomicU64>,
    archive_lag_seconds: Gauge<f64, AtomicU64>,
    /// Meetings that are followed here.
    pub rooms: Gauge<i64, AtomicI64>,
    /// What is kept of them for those who read, in bytes.
    pub queue_bytes: Gauge<i64, AtomicI64>,
    /// When the server began, from where the last minute is counted.
    began: Instant,
    recent: Recent,
    /// How late the last meetings began and ended here, in milliseconds, and the latest of all.
    lateness: [Lateness; 2],
}

/// How late something was, in milliseconds; below 0: nothing was yet.
#[derive(Debug)]
struct Lateness {
    last: AtomicI64,
    most: AtomicI64,
}

impl Lateness {
    const fn new() -> Self {
        Self {
            last: AtomicI64::new(-1),
            most: AtomicI64::new(-1),
        }
    }

    fn note(&self, late_ms: i64) {
        let late_ms = late_ms.max(0);
        self.last.store(late_ms, Ordering::Relaxed);
        self.most.fetch_max(late_ms, Ordering::Relaxed);
    }

    fn told(&self) -> Option<(i64, i64)> {
        let (last, most) = (&self.last, &self.most);
        let found = (last.load(Ordering::Relaxed), most.load(Ordering::Relaxed));
        (found.1 >= 0).then_some(found)
    }
}

/// Makes the histograms of a family.
#[derive(Clone, Copy, Debug)]
struct Fast;

impl MetricConstructor<Histogram> for Fast {
    fn new_metric(&self) -> Histogram {
        Histogram::new(FAST)
    }
}

impl Metrics {
    /// A post has come to this: `taken`, `repeated`, `refused` or `failed`.
    pub fn posted(&self, outcome: &'static str) {
        self.posts.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// A stage took so long.
    pub fn staged(&self, stage: Stage, took: Duration) {
        let stage = match stage {
            Stage::Store => "store",
            Stage::Feed => "feed",
            Stage::Send => "send",
            Stage::Archive => "archive",
        };
        let stages = self.stages.get_or_create(&[("stage", stage)]);
        stages.observe(took.as_secs_f64());
    }

    /// A store was asked, and took so long.
    pub fn asked(&self, store: &'static str, took: Duration) {
        let stores = self.stores.get_or_create(&[("store", store)]);
        stores.observe(took.as_secs_f64());
    }

    /// A store did not answer, or refused everything.
    pub fn store_failed(&self, store: &'static str) {
        self.recent.failed(self.began.elapsed());
        self.store_errors.get_or_create(&[("store", store)]).inc();
    }

    /// A request failed by something that must not happen. What a store did not answer is counted as
    /// that.
    pub fn broke(&self) {
        self.recent.failed(self.began.elapsed());
    }

    /// A connection has taken an event that happened so long ago.
    pub fn delivered(&self, took: Duration) {
        self.recent.delivered(self.began.elapsed(), took);
    }

    /// From an event to the connections: 95 of 100 in the last minute took no longer, in milliseconds.
    /// `None`: there were none.
    pub fn delivery_p95_ms(&self) -> Option<u32> {
        self.recent.p95_ms(self.began.elapsed())
    }

    /// What went wrong in the last minute: round trips that a store did not answer in time, and
    /// requests that broke.
    pub fn recent_errors(&self) -> u64 {
        self.recent.errors(self.began.elapsed())
    }

    /// How late meetings began here, the last and the latest, in milliseconds; `None`: none did.
    pub fn starts_late_ms(&self) -> Option<(i64, i64)> {
        self.lateness[0].told()
    }

    /// The same of their ends.
    pub fn ends_late_ms(&self) -> Option<(i64, i64)> {
        self.lateness[1].told()
    }

    /// A request was answered with this status.
    pub fn answered(&self, status: u16) {
        if status == 500 {
            self.broke();
        }
        let class = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.answers.get_or_create(&[("code", class)]).inc();
    }

    /// A connection was closed for this reason.
    pub fn closed(&self, reason: &'static str) {
        self.closes.get_or_create(&[("reason", reason)]).inc();
    }

    /// A meeting was started so late, in milliseconds.
    pub fn started(&self, late_ms: i64) {
        self.lateness[0].note(late_ms);
        self.starts_late.observe(seconds(late_ms));
    }

    /// Everybody was out of a meeting that ended so late, in milliseconds.
    pub fn ended(&self, late_ms: i64) {
        self.lateness[1].note(late_ms);
        self.ends_late.observe(seconds(late_ms));
    }

    /// So many events are not archived, the oldest of them for so many milliseconds; `None`: nobody
    /// knows, which is told as no number.
    pub fn archive_lag(&self, lag: Option<(i64, i64)>) {
        let (events, oldest_s) = lag.map_or((f64::NAN, f64::NAN), |(events, oldest_ms)| {
            (
                f64::from(i32::try_from(events).unwrap_or(i32::MAX)),
                seconds(oldest_ms),
            )
        });
        self.archive_lag_events.set(events);
        self.archive_lag_seconds.set(oldest_s);
    }

    /// All of it, as [`MEDIA_TYPE`] says.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Self {
            registry: Registry::with_prefix("plenary"),
            posts: Family::default(),
            stages: Family::new_with_constructor(Fast),
            stores: Family::new_with_constructor(Fast),
            store_errors: Family::default(),
            answers: Family::default(),
            closes: Family::default(),
            deliveries: Counter::default(),
            connections: Gauge::default(),
            reaped: Counter::default(),
            fences: Counter::default(),
            starts_late: Histogram::new(LATE),
            ends_late: Histogram::new(LATE),
            archive_lag_events: Gauge::default(),
            archive_lag_seconds: Gauge::default(),
            rooms: Gauge::default(),
            queue_bytes: Gauge::default(),
            began: Instant::now(),
            recent: Recent::default(),
            lateness: [Lateness::new(), Lateness::new()],
        };
        all.register_counts();
        all.register_times();
        all.register_states();
        all
    }
}

impl Metrics {
    fn register_counts(&mut self) {
        // What has not happened yet is shown as 0, so that the first time is an increase.
        for outcome in ["taken", "repeated", "refused", "failed"] {
            drop(self.posts.get_or_create(&[("outcome", outcome)]));
        }
        self.add("posts", "Posts by what came of them", self.posts.clone());
        let help = "Events written to connections";
        self.add("deliveries", help, self.deliveries.clone());
        let help = "Round trips that a store did not answer in time";
        self.add("store_errors", help, self.store_errors.clone());
        let help = "Answers of HTTP by the class of their status";
        self.add("http_responses", help, self.answers.clone());
        drop(self.closes.get_or_create(&[("reason", "too_slow")]));
        let help = "Connections that ended, by why; too_slow: the peer took nothing for too long; protocol_error: no hello, no frames, or broken off";
        self.add("connections_closed", help, self.closes.clone());
        let help = "Lost connections whose grace was over";
        self.add("connections_reaped", help, self.reaped.clone());
        let help = "Fences told to the followed meetings: the live store had forgotten something";
        self.add("fences", help, self.fences.clone());
    }

    fn register_times(&mut self) {
        let help = "Time of each stage of an event's way: store, feed, send, archive";
        self.add("stage_seconds", help, self.stages.clone());
        let help = "Time of the stores' round trips";
        self.add("store_seconds", help, self.stores.clone());
        let help = "How late meetings were started by this server";
        self.add("start_lateness_seconds", help, self.starts_late.clone());
        let help = "How late everybody was out of meetings that this server ended";
        self.add("end_lateness_seconds", help, self.ends_late.clone());
    }

    fn register_states(&mut self) {
        let help = "WebSocket connections that are open";
        self.add("connections", help, self.connections.clone());
        let help = "Events that the archive does not have, in all meetings";
        self.add("archive_lag_events", help, self.archive_lag_events.clone());
        let help = "For how long the oldest of them has waited";
        self.add(
            "archive_lag_seconds",
            help,
            self.archive_lag_seconds.clone(),
        );
        let help = "Meetings that are followed at this server";
        self.add("rooms", help, self.rooms.clone());
        let help = "Bytes of events that are kept for those who follow";
        self.add("queue_bytes", help, self.queue_bytes.clone());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        self.add("build", "The version of the server", build);
    }

    fn add(&mut self, name: &str, help: &str, metric: impl Metric) {
        self.registry.register(name, help, metric);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Clocks differ a little: what seems early is on time.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of lateness are few"
)]
fn seconds(late_ms: i64) -> f64 {
    late_ms.max(0) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_told_in_prometheus_words() {
        let metrics = Metrics::default();
        metrics.posted("taken");
        metrics.posted("taken");
        metrics.staged(Stage::Store, Duration::from_millis(3));
        metrics.started(-5);
        metrics.ended(2_000);
        metrics.closed("too_slow");
        metrics.store_failed("redis");
        let text = metrics.text().expect("a String takes all");
        for line in [
            "# TYPE plenary_posts counter",
            "plenary_posts_total{outcome=\"taken\"} 2",
            "plenary_posts_total{outcome=\"failed\"} 0",
            "# TYPE plenary_stage_seconds histogram",
            "plenary_stage_seconds_bucket{le=\"0.0025\",stage=\"store\"} 0",
            "plenary_stage_seconds_bucket{le=\"0.005\",stage=\"store\"} 1",
            "plenary_stage_seconds_count{stage=\"store\"} 1",
            "plenary_start_lateness_seconds_bucket{le=\"0.01\"} 1",
            "plenary_end_lateness_seconds_sum 2.0",
            "plenary_connections_closed_total{reason=\"too_slow\"} 1",
            "plenary_store_errors_total{store=\"redis\"} 1",
            "plenary_connections 0",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
