//! Limits on requests that store nothing but cost much or reach many: searches, and signals to other users.
//!
//! Each server counts for itself and in memory: unlike posts, these requests leave nothing behind.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use plenary_shared::domain::Reject;
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::rate_limits::{Quota, wait_ms};

/// Pages of search results of a user: a search without matches reads many. A page costs at most some tens of
/// milliseconds.
const SEARCHES: Quota = Quota {
    burst: 60,
    per_minute: 120,
};

/// Signals (typing, waiting) of a user from all terminals.
const SIGNALS: Quota = Quota {
    burst: 100,
    per_minute: 120,
};

/// Users after whom those with a full bucket are forgotten for the first time.
const USERS_MIN: usize = 1_024;

/// Limits the requests of each user.
#[derive(Debug)]
pub struct RequestLimiter {
    searches: Counter,
    signals: Counter,
}

impl Default for RequestLimiter {
    fn default() -> Self {
        Self {
            searches: Counter::new(SEARCHES),
            signals: Counter::new(SIGNALS),
        }
    }
}

impl RequestLimiter {
    /// Counts a search: `rate_limited`.
    pub fn count_search(&self, user: UserId, now: Timestamp) -> Result<(), Reject> {
        self.searches.count(user, now)
    }

    /// Counts a signal to other users: `rate_limited`.
    pub fn count_signal(&self, user: UserId, now: Timestamp) -> Result<(), Reject> {
        self.signals.count(user, now)
    }
}

#[derive(Debug)]
struct Counter {
    quota: Quota,
    buckets: Mutex<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    /// When each bucket is full again, in microseconds since 1970. Missing buckets are full.
    full_us: HashMap<UserId, i64>,
    /// The number of buckets at which the full ones are removed.
    sweep_at: usize,
}

impl Counter {
    fn new(quota: Quota) -> Self {
        let buckets = Buckets {
            full_us: HashMap::new(),
            sweep_at: USERS_MIN,
        };
        Self {
            quota,
            buckets: Mutex::new(buckets),
        }
    }

    fn count(&self, user: UserId, now: Timestamp) -> Result<(), Reject> {
        let now_us = now.as_ms().saturating_mul(1_000);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let full_us = buckets.full_us.entry(user).or_default();
        *full_us = self
            .quota
            .count(*full_us, now_us)
            .map_err(|wait_us| Reject::rate_limited(wait_ms(wait_us)))?;
        if buckets.full_us.len() >= buckets.sweep_at {
            buckets.full_us.retain(|_, full_us| *full_us > now_us);
            buckets.sweep_at = USERS_MIN.max(buckets.full_us.len() * 2);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use plenary_shared::domain::Code;

    use super::*;

    #[test]
    fn searches_of_one_user_are_limited() {
        let limiter = RequestLimiter::default();
        let [ada, bob] = [1, 2].map(|id| UserId::new(id).expect("a small number"));
        let now = Timestamp::from_ms(1_000_000);
        for _ in 0..SEARCHES.burst {
            limiter.count_search(ada, now).expect("a part of the burst");
        }
        let reject = limiter.count_search(ada, now).expect_err("one too many");
        assert_eq!(
            (reject.code, reject.wait_ms()),
            (Code::RateLimited, Some(500))
        );
        limiter.count_search(bob, now).expect("another user");
        limiter.count_signal(ada, now).expect("another kind");
        limiter
            .count_search(ada, now.plus_ms(500))
            .expect("one is regained");
    }
}
