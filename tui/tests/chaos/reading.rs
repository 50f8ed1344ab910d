//! What is measured on the way, and what is promised of it.

use std::collections::BTreeMap;
use std::time::Duration;

/// Times by what was measured.
#[derive(Debug, Default)]
pub struct Readings {
    /// While one thing at a time is broken: what is promised is promised then.
    alone: BTreeMap<Measured, Vec<Option<Duration>>>,
    /// While the next thing may break before people have got over the last.
    among_others: BTreeMap<Measured, Vec<Option<Duration>>>,
    is_random: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measured {
    pub what: &'static str,
    /// How long it may take at most, where that is promised.
    pub at_most: Option<Duration>,
}

impl Readings {
    /// A reading; `None` when it did not come in time.
    pub fn note(&mut self, what: Measured, took: Option<Duration>) {
        let times = if self.is_random {
            &mut self.among_others
        } else {
            &mut self.alone
        };
        times.entry(what).or_default().push(took);
    }

    /// From here on things break as the dice fall.
    pub fn become_random(&mut self) {
        self.is_random = true;
    }

    /// What took longer than is promised.
    pub fn late(&self) -> Vec<String> {
        let late = |(what, times): (&Measured, &Vec<Option<Duration>>)| {
            let at_most = what.at_most?;
            let count = times.iter().filter(|took| !is_within(**took, at_most));
            let count = count.count();
            (count > 0).then(|| {
                format!(
                    "{}: {count} of {} took longer than {at_most:?}",
                    what.what,
                    times.len()
                )
            })
        };
        self.alone.iter().filter_map(late).collect()
    }

    pub fn print(&self) {
        println!("readings (least / middle / most of n), one fault at a time:");
        for (what, times) in &self.alone {
            let verdict = match what.at_most {
                Some(at_most) if times.iter().all(|took| is_within(*took, at_most)) => {
                    format!(": at most {at_most:?}, as promised")
                }
                Some(at_most) => format!(": LATE, {at_most:?} is promised"),
                None => String::new(),
            };
            println!("  {}: {}{verdict}", what.what, summary(times));
        }
        if self.is_random {
            println!("and among other faults, which may overlap:");
        }
        for (what, times) in &self.among_others {
            println!("  {}: {}", what.what, summary(times));
        }
    }
}

fn is_within(took: Option<Duration>, at_most: Duration) -> bool {
    took.is_some_and(|took| took <= at_most)
}

fn summary(times: &[Option<Duration>]) -> String {
    let mut known: Vec<Duration> = times.iter().copied().flatten().collect();
    known.sort();
    let missing = times.len() - known.len();
    let late = if missing > 0 {
        format!(", {missing} never")
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
