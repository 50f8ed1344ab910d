//! How busy the machine is, which says whether a slow answer is the server's.

use std::fs;

/// Processor time of the whole machine, in ticks.
pub struct Machine {
    idle: f64,
    total: f64,
}

impl Machine {
    /// Reads the figures of the kernel.
    pub fn look() -> Self {
        let stat = fs::read_to_string("/proc/stat").expect("this needs Linux with /proc");
        let first = stat.lines().next().unwrap_or_default();
        let ticks: Vec<f64> = first
            .split_whitespace()
            .skip(1)
            .flat_map(str::parse)
            .collect();
        Self {
            // Idle, and waiting for a disk.
            idle: ticks.iter().skip(3).take(2).sum(),
            total: ticks.iter().take(8).sum(),
        }
    }

    /// The share of processor time that was used since then.
    pub fn busy_since(&self) -> f64 {
        let now = Self::look();
        1.0 - (now.idle - self.idle) / (now.total - self.total).max(1.0)
    }
}
