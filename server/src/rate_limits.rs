//! Limits on how fast a user may write, and the disk space that writing leaves free.
//!
//! A limit is a token bucket in the form of the generic cell rate algorithm (GCRA, ITU-T I.371). The state of a
//! bucket is one number: the time at which it is full again. The stores keep these numbers, because a write is
//! counted in the atomic step that stores it.

use std::sync::{Arc, PoisonError, RwLock};

/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;

/// The largest [`Quota::per_minute`]: the interval stays a whole number of milliseconds.
pub const PER_MINUTE_MAX: u32 = 60_000;

/// The largest [`Quota::burst`].
pub const BURST_MAX: u32 = 100_000;

/// How many events may come at once, and how many a minute after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Events at once: 1 to [`BURST_MAX`].
    pub burst: u32,
    /// Events a minute that are regained: 1 to [`PER_MINUTE_MAX`].
    pub per_minute: u32,
}

impl Quota {
    /// Returns the time in which one event is regained, in microseconds.
    pub fn interval_us(self) -> i64 {
        MINUTE_US / i64::from(self.per_minute.clamp(1, PER_MINUTE_MAX))
    }

    /// Counts an event at `now_us`. `full_us`: when the bucket is full. Returns the new time at which it is full, or
    /// the wait in microseconds if the event comes too soon.
    pub fn count(self, full_us: i64, now_us: i64) -> Result<i64, i64> {
        let (interval, burst) = (self.interval_us(), i64::from(self.burst.max(1)));
        // Never further ahead than an empty bucket: the clock or the quota may have changed.
        let full_us = full_us.clamp(now_us, now_us + interval * burst);
        let wait_us = full_us - now_us - interval * (burst - 1);
        if wait_us > 0 {
            return Err(wait_us);
        }
        Ok(full_us + interval)
    }
}

/// The kinds of events that users add to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteKind {
    /// A post, edit or deletion, or an announcement.
    Post,
    /// A join. The leave that follows it is not limited.
    Join,
}

/// How fast each user may write. `None`: as fast as they can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteLimits {
    /// Posts of a user in one instance.
    pub post: Option<Quota>,
    /// Joins of a user in one instance.
    pub join: Option<Quota>,
    /// Posts and joins of a user in all instances together.
    pub account: Option<Quota>,
    /// Free disk space in bytes below which posts are rejected. Applies to the data file only.
    pub disk_reserve_bytes: u64,
}

impl WriteLimits {
    /// Returns the limit of a kind in one instance.
    pub const fn of(&self, kind: WriteKind) -> Option<Quota> {
        match kind {
            WriteKind::Post => self.post,
            WriteKind::Join => self.join,
        }
    }
}

/// Limits that can be changed while they are used.
#[derive(Clone, Debug, Default)]
pub struct SharedLimits(Arc<RwLock<WriteLimits>>);

impl SharedLimits {
    /// Returns the limits that apply now.
    pub fn get(&self) -> WriteLimits {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the limits.
    pub fn set(&self, limits: WriteLimits) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }
}

/// Converts a wait to whole milliseconds, rounded up, at least 1.
pub fn wait_ms(wait_us: i64) -> u32 {
    u32::try_from(wait_us.max(1).saturating_add(999) / 1_000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota {
        burst: 3,
        per_minute: 120,
    };

    const HALF_SECOND_US: i64 = 500_000;

    #[test]
    fn burst_is_accepted_and_then_one_event_each_interval() {
        let mut full = 0;
        for _ in 0..3 {
            full = QUOTA.count(full, 1_000_000).expect("a part of the burst");
        }
        assert_eq!(QUOTA.count(full, 1_000_000), Err(HALF_SECOND_US));
        assert_eq!(QUOTA.count(full, 1_499_999), Err(1));
        let next = QUOTA.count(full, 1_500_000).expect("one is regained");
        assert_eq!(QUOTA.count(next, 1_500_000), Err(HALF_SECOND_US));
        // After a pause the whole burst is available again, and not more.
        let mut full = next;
        for _ in 0..3 {
            full = QUOTA.count(full, 99_000_000).expect("a part of the burst");
        }
        assert_eq!(QUOTA.count(full, 99_000_000), Err(HALF_SECOND_US));
    }

    #[test]
    fn rejected_event_is_not_counted() {
        let mut full = 0;
        for _ in 0..3 {
            full = QUOTA.count(full, 0).expect("a part of the burst");
        }
        for _ in 0..1_000 {
            assert_eq!(QUOTA.count(full, 0), Err(HALF_SECOND_US));
        }
        assert!(QUOTA.count(full, HALF_SECOND_US).is_ok());
    }

    #[test]
    fn clock_that_jumps_back_costs_at_most_one_burst() {
        let full = QUOTA.count(0, 3_600_000_000).expect("the first");
        assert_eq!(QUOTA.count(full, 0), Err(HALF_SECOND_US));
    }

    #[test]
    fn waits_are_rounded_up_to_milliseconds() {
        for (us, ms) in [
            (1, 1),
            (1_000, 1),
            (1_001, 2),
            (500_000, 500),
            (i64::MAX, u32::MAX),
        ] {
            assert_eq!(wait_ms(us), ms, "{us}");
        }
    }
}
