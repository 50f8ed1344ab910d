//! Metrics in the `OpenMetrics` format of Prometheus. They contain no names, email addresses or message
//! texts, and the number of label values is fixed.

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

use crate::tasks::TaskStates;

mod recent;

use recent::Recent;

/// The media type of [`Metrics::encode`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Histogram buckets of operations that should take milliseconds, in seconds.
const FAST: [f64; 13] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Histogram buckets of delays of scheduled operations, in seconds.
const LATE: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// One label and its value.
type Label = [(&'static str, &'static str); 1];

/// A stage of a message on its way from the sender to the readers and the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From the call of the store until it has answered.
    Store,
    /// From the timestamp of the event until the hub of this server receives it.
    Feed,
    /// Writing the pending events to a connection.
    Send,
    /// One transaction of the archiver.
    Archive,
}

/// All metrics of one server.
pub struct Metrics {
    registry: Registry,
    posts: Family<Label, Counter>,
    stages: Family<Label, Histogram, Fast>,
    stores: Family<Label, Histogram, Fast>,
    store_errors: Family<Label, Counter>,
    responses: Family<Label, Counter>,
    closes: Family<Label, Counter>,
    tasks_up: Family<Label, Gauge>,
    task_panics: Family<Label, Counter>,
    /// The states of the background tasks.
    pub tasks: TaskStates,
    /// Jumps of the server's clock.
    pub clock_jumps: Counter,
    /// Events written to connections.
    pub deliveries: Counter,
    pub connections: Gauge,
    /// Lost connections that did not return within the grace period.
    pub reaped: Counter,
    /// Fences of instances that are followed on this server.
    pub fences: Counter,
    starts_late: Histogram,
    ends_late: Histogram,
    archive_lag_events: Gauge<f64, AtomicU64>,
    archive_lag_seconds: Gauge<f64, AtomicU64>,
    disk_free_bytes: Gauge<f64, AtomicU64>,
    disk_reserve_bytes: Gauge<f64, AtomicU64>,
    /// Instances that are followed on this server.
    pub rooms: Gauge<i64, AtomicI64>,
    /// Size of the events that are buffered for the followers, in bytes.
    pub ring_bytes: Gauge<i64, AtomicI64>,
    /// Start of the server, the origin of the time in `recent`.
    began: Instant,
    recent: Recent,
    start_lateness: Lateness,
    end_lateness: Lateness,
}

/// The last and the largest delay, in milliseconds; -1 before the first.
#[derive(Debug)]
struct Lateness {
    last: AtomicI64,
    max: AtomicI64,
}

impl Lateness {
    const fn new() -> Self {
        Self {
            last: AtomicI64::new(-1),
            max: AtomicI64::new(-1),
        }
    }

    fn record(&self, late_ms: i64) {
        let late_ms = late_ms.max(0);
        self.last.store(late_ms, Ordering::Relaxed);
        self.max.fetch_max(late_ms, Ordering::Relaxed);
    }

    fn read(&self) -> Option<(i64, i64)> {
        let max = self.max.load(Ordering::Relaxed);
        (max >= 0).then(|| (self.last.load(Ordering::Relaxed), max))
    }
}

/// Constructs the histograms of a family.
#[derive(Clone, Copy, Debug)]
struct Fast;

impl MetricConstructor<Histogram> for Fast {
    fn new_metric(&self) -> Histogram {
        Histogram::new(FAST)
    }
}

impl Metrics {
    /// Counts a post. The outcome is `accepted`, `repeated`, `rejected` or `failed`.
    pub fn record_post(&self, outcome: &'static str) {
        self.posts.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Records the duration of a stage.
    pub fn observe_stage(&self, stage: Stage, took: Duration) {
        let stage = match stage {
            Stage::Store => "store",
            Stage::Feed => "feed",
            Stage::Send => "send",
            Stage::Archive => "archive",
        };
        let stages = self.stages.get_or_create(&[("stage", stage)]);
        stages.observe(took.as_secs_f64());
    }

    /// Records the duration of a round trip to a store.
    pub fn observe_round_trip(&self, store: &'static str, took: Duration) {
        let stores = self.stores.get_or_create(&[("store", store)]);
        stores.observe(took.as_secs_f64());
    }

    /// Counts a round trip that a store did not answer in time.
    pub fn record_store_error(&self, store: &'static str) {
        self.recent.record_error(self.began.elapsed());
        self.store_errors.get_or_create(&[("store", store)]).inc();
    }

    /// Counts a request that failed because of a defect. Store errors are counted separately.
    pub fn record_internal_error(&self) {
        self.recent.record_error(self.began.elapsed());
    }

    /// Records the time from an event to its delivery.
    pub fn record_delivery(&self, took: Duration) {
        self.recent.record_delivery(self.began.elapsed(), took);
    }

    /// Returns the 95th percentile of the delivery times of the last minute in milliseconds, or `None`
    /// without deliveries.
    pub fn delivery_p95_ms(&self) -> Option<u32> {
        self.recent.p95_ms(self.began.elapsed())
    }

    /// Returns the number of store errors and internal errors in the last minute.
    pub fn recent_errors(&self) -> u64 {
        self.recent.errors(self.began.elapsed())
    }

    /// Returns the last and the largest start delay of a meeting on this server, in milliseconds.
    pub fn starts_late_ms(&self) -> Option<(i64, i64)> {
        self.start_lateness.read()
    }

    /// Returns the last and the largest end delay of a meeting on this server, in milliseconds.
    pub fn ends_late_ms(&self) -> Option<(i64, i64)> {
        self.end_lateness.read()
    }

    /// Counts an HTTP response.
    pub fn record_response(&self, status: u16) {
        if status == 500 {
            self.record_internal_error();
        }
        let class = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.responses.get_or_create(&[("code", class)]).inc();
    }

    /// Counts a closed connection.
    pub fn record_close(&self, reason: &'static str) {
        self.closes.get_or_create(&[("reason", reason)]).inc();
    }

    /// Records the delay of a meeting start, in milliseconds.
    pub fn record_start(&self, late_ms: i64) {
        self.start_lateness.record(late_ms);
        self.starts_late.observe(seconds(late_ms));
    }

    /// Records the delay of a meeting end, in milliseconds: until the last participant has left.
    pub fn record_end(&self, late_ms: i64) {
        self.end_lateness.record(late_ms);
        self.ends_late.observe(seconds(late_ms));
    }

    /// Sets the number of events that are not archived, and the age of the oldest in milliseconds.
    /// `None` exports both as unknown (NaN).
    pub fn set_archive_lag(&self, lag: Option<(i64, i64)>) {
        let (events, oldest_s) = lag.map_or((f64::NAN, f64::NAN), |(events, oldest_ms)| {
            (
                f64::from(i32::try_from(events).unwrap_or(i32::MAX)),
                seconds(oldest_ms),
            )
        });
        self.archive_lag_events.set(events);
        self.archive_lag_seconds.set(oldest_s);
    }

    /// Sets the free space for the data and its reserve, in bytes. `None` exports both as unknown (NaN).
    pub fn set_disk(&self, space: Option<(u64, u64)>) {
        let (free, reserve) = space.map_or((f64::NAN, f64::NAN), |(free, reserve)| {
            (bytes(free), bytes(reserve))
        });
        self.disk_free_bytes.set(free);
        self.disk_reserve_bytes.set(reserve);
    }

    /// Exports how many log lines were not written.
    pub fn register_dropped_lines(&mut self, lines: Counter) {
        let help = "Log lines that were dropped because they could not be written";
        self.add("log_lines_dropped", help, lines);
    }

    /// Returns all metrics as text of the type [`MEDIA_TYPE`].
    pub fn encode(&self) -> Result<String, fmt::Error> {
        for (name, state) in self.tasks.all() {
            let up = self.tasks_up.get_or_create(&[("task", name)]);
            up.set(i64::from(state.is_running));
            let panics = self.task_panics.get_or_create(&[("task", name)]);
            panics.inc_by(state.panics.saturating_sub(panics.get()));
        }
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
            responses: Family::default(),
            closes: Family::default(),
            tasks_up: Family::default(),
            task_panics: Family::default(),
            tasks: TaskStates::default(),
            clock_jumps: Counter::default(),
            deliveries: Counter::default(),
            connections: Gauge::default(),
            reaped: Counter::default(),
            fences: Counter::default(),
            starts_late: Histogram::new(LATE),
            ends_late: Histogram::new(LATE),
            archive_lag_events: Gauge::default(),
            archive_lag_seconds: Gauge::default(),
            disk_free_bytes: Gauge::default(),
            disk_reserve_bytes: Gauge::default(),
            rooms: Gauge::default(),
            ring_bytes: Gauge::default(),
            began: Instant::now(),
            recent: Recent::default(),
            start_lateness: Lateness::new(),
            end_lateness: Lateness::new(),
        };
        all.register_counts();
        all.register_times();
        all.register_states();
        all
    }
}

impl Metrics {
    fn register_counts(&mut self) {
        // Exported as 0 from the start, so that the first one shows as an increase.
        for outcome in ["accepted", "repeated", "rejected", "rate_limited", "failed"] {
            drop(self.posts.get_or_create(&[("outcome", outcome)]));
        }
        self.add("posts", "Posts by outcome", self.posts.clone());
        let help = "Events written to connections";
        self.add("deliveries", help, self.deliveries.clone());
        let help = "Round trips that a store did not answer in time";
        self.add("store_errors", help, self.store_errors.clone());
        let help = "HTTP responses by status class";
        self.add("http_responses", help, self.responses.clone());
        drop(self.closes.get_or_create(&[("reason", "too_slow")]));
        let help = "Closed WebSocket connections by reason; too_slow: the client did not read for too long; protocol_error: no hello, or not a valid frame";
        self.add("connections_closed", help, self.closes.clone());
        let help = "Lost connections that did not return within the grace period";
        self.add("connections_reaped", help, self.reaped.clone());
        let help = "Fences of followed meetings; each one means that Redis lost data";
        self.add("fences", help, self.fences.clone());
        let help = "Panics of each background task; it was restarted after each";
        self.add("task_panics", help, self.task_panics.clone());
        let help = "Jumps of the server's clock by more than a second";
        self.add("clock_jumps", help, self.clock_jumps.clone());
    }

    fn register_times(&mut self) {
        let help = "Duration of each stage of a message: store, feed, send, archive";
        self.add("stage_seconds", help, self.stages.clone());
        let help = "Duration of round trips to the stores";
        self.add("store_seconds", help, self.stores.clone());
        let help = "Delay of the meeting starts that this server performed";
        self.add("start_lateness_seconds", help, self.starts_late.clone());
        let help = "Delay of the meeting ends that this server performed, to the last leave";
        self.add("end_lateness_seconds", help, self.ends_late.clone());
    }

    fn register_states(&mut self) {
        let help = "Open WebSocket connections";
        self.add("connections", help, self.connections.clone());
        let help = "Events of all meetings that are not archived yet";
        self.add("archive_lag_events", help, self.archive_lag_events.clone());
        let help = "Age of the oldest event that is not archived yet";
        self.add(
            "archive_lag_seconds",
            help,
            self.archive_lag_seconds.clone(),
        );
        let help = "Free disk space for the data file";
        self.add("disk_free_bytes", help, self.disk_free_bytes.clone());
        let help = "Free disk space below which posts are refused";
        self.add("disk_reserve_bytes", help, self.disk_reserve_bytes.clone());
        let help = "Meetings that are followed on this server";
        self.add("rooms", help, self.rooms.clone());
        let help = "Size of the events that are buffered for the followers";
        self.add("ring_bytes", help, self.ring_bytes.clone());
        let help = "Whether each background task is running: 1, or 0 until it is restarted";
        self.add("task_up", help, self.tasks_up.clone());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        self.add("build", "Version of the server", build);
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

/// Converts a delay to seconds. Clocks differ a little, so a negative delay counts as 0.
#[expect(clippy::cast_precision_loss, reason = "delays are far below 2^53 ms")]
fn seconds(late_ms: i64) -> f64 {
    late_ms.max(0) as f64 / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "disks are far below 2^53 bytes")]
fn bytes(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_encoded_as_openmetrics() {
        let metrics = Metrics::default();
        metrics.record_post("accepted");
        metrics.record_post("accepted");
        metrics.observe_stage(Stage::Store, Duration::from_millis(3));
        metrics.record_start(-5);
        metrics.record_end(2_000);
        metrics.record_close("too_slow");
        metrics.record_store_error("redis");
        let text = metrics.encode().expect("writing to a String works");
        for line in [
            "# TYPE plenary_posts counter",
            "plenary_posts_total{outcome=\"accepted\"} 2",
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
