//! Measurements during a run, and their limits.

use std::collections::BTreeMap;
use std::time::Duration;

/// The measured durations of each metric. `None` is a timeout.
#[derive(Debug, Default)]
pub struct Measurements {
    /// Metric during single faults. The limits apply to these.
    single: BTreeMap<Metric, Vec<Option<Duration>>>,
    /// Metric during overlapping random faults.
    overlapping: BTreeMap<Metric, Vec<Option<Duration>>>,
    is_random: bool,
}

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    pub name: &'static str,
    /// The limit, if there is one.
    pub limit: Option<Duration>,
}

impl Measurements {
    /// Records a duration, or `None` for a timeout.
    pub fn record(&mut self, metric: Metric, took: Option<Duration>) {
        let times = if self.is_random {
            &mut self.overlapping
        } else {
            &mut self.single
        };
        times.entry(metric).or_default().push(took);
    }

    /// Records the following durations as measured during random faults.
    pub fn start_random_faults(&mut self) {
        self.is_random = true;
    }

    /// Returns a message for each metric that exceeded its limit.
    pub fn late(&self) -> Vec<String> {
        let late = |(metric, times): (&Metric, &Vec<Option<Duration>>)| {
            let limit = metric.limit?;
            let count = times.iter().filter(|took| !is_within(**took, limit));
            let count = count.count();
            (count > 0).then(|| {
                format!(
                    "{}: {count} of {} took longer than {limit:?}",
                    metric.name,
                    times.len()
                )
            })
        };
        self.single.iter().filter_map(late).collect()
    }

    pub fn print(&self) {
        println!("measurements (min / median / max of n), single faults:");
        for (metric, times) in &self.single {
            let verdict = match metric.limit {
                Some(limit) if times.iter().all(|took| is_within(*took, limit)) => {
                    format!(": within the limit of {limit:?}")
                }
                Some(limit) => format!(": LATE, the limit is {limit:?}"),
                None => String::new(),
            };
            println!("  {}: {}{verdict}", metric.name, summary(times));
        }
        if self.is_random {
            println!("during overlapping faults:");
        }
        for (metric, times) in &self.overlapping {
            println!("  {}: {}", metric.name, summary(times));
        }
    }
}

fn is_within(took: Option<Duration>, limit: Duration) -> bool {
    took.is_some_and(|took| took <= limit)
}

fn summary(times: &[Option<Duration>]) -> String {
    let mut known: Vec<Duration> = times.iter().copied().flatten().collect();
    known.sort();
    let missing = times.len() - known.len();
    let late = if missing > 0 {
        format!(", {missing} timed out")
    } else {
        String::new()
    };
    let at = |index: usize| known.get(index).map_or(f64::NAN, Duration::as_secs_f64);
    format!(
        "{:.2} s / {:.2} s / {:.2} s of {}{late}",
        at(0),
        at(known.len() / 2),
        at(known.len().saturating_sub(1)),
        times.len()
    )
}
