//! What is measured on the way.

use std::collections::BTreeMap;
use std::time::Duration;

/// Times by what was measured.
#[derive(Debug, Default)]
pub struct Readings(BTreeMap<&'static str, Vec<Option<Duration>>>);

impl Readings {
    /// A reading; `None` when it did not come in time.
    pub fn note(&mut self, what: &'static str, took: Option<Duration>) {
        self.0.entry(what).or_default().push(took);
    }

    pub fn print(&self) {
        println!("readings (least / middle / most of n):");
        for (what, times) in &self.0 {
            let mut known: Vec<Duration> = times.iter().copied().flatten().collect();
            known.sort();
            let missing = times.len() - known.len();
            let late = if missing > 0 {
                format!(", {missing} not in time")
            } else {
                String::new()
            };
            let at = |index: usize| known.get(index).map_or(f64::NAN, Duration::as_secs_f64);
            println!(
                "  {what}: {:.2} s / {:.2} s / {:.2} s of {}{late}",
                at(0),
                at(known.len() / 2),
                at(known.len().saturating_sub(1)),
                times.len()
            );
        }
    }
}
