//! The context of every service: store, clock, randomness, limits and metrics.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use plenary_shared::domain::{ProfileVisibility, Reject, User};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::auth::{LoginLimiter, Passwords};
use crate::clock::Clock;
use crate::config::CurrentSettings;
use crate::metrics::Metrics;
use crate::read_positions::ReadPositions;
use crate::request_limits::RequestLimiter;
use crate::store::{Store, TokenHash};

/// A source of randomness that is fit for secrets. It fills the given bytes.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The context of every service.
#[derive(Clone)]
pub struct Ctx {
    pub store: Arc<dyn Store>,
    pub clock: Clock,
    /// Randomness for ids, tokens and passwords.
    pub randomness: Randomness,
    /// Who sees the profiles of participants.
    pub profiles: ProfileVisibility,
    /// The settings that can change while the server runs.
    pub settings: CurrentSettings,
    pub login_limiter: Arc<LoginLimiter>,
    /// Computes password hashes.
    pub passwords: Arc<Passwords>,
    /// Limits on searches and signals. `None`: there are none.
    pub request_limiter: Option<Arc<RequestLimiter>>,
    /// Read positions that are not stored yet.
    pub read_positions: Arc<ReadPositions>,
    pub metrics: Arc<Metrics>,
    /// Limits how many rejected joins are published to admins.
    pub denials: Arc<DenialLimiter>,
}

/// Rejected joins that one server publishes per second, so that repeated attempts flood nobody.
const DENIALS_PER_SECOND_MAX: u32 = 20;

/// Counts the rejected joins that were published in the current second.
#[derive(Debug, Default)]
pub struct DenialLimiter {
    /// The second since 1970, and the count.
    published: Mutex<(i64, u32)>,
}

impl DenialLimiter {
    /// Returns whether another rejected join may be published now, and counts it.
    pub fn admit(&self, at: Timestamp) -> bool {
        let second = at.as_ms().div_euclid(1_000);
        let mut published = self
            .published
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if published.0 != second {
            *published = (second, 0);
        }
        published.1 += 1;
        published.1 <= DENIALS_PER_SECOND_MAX
    }
}

impl Ctx {
    /// Returns a context with limits that suit this machine.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        randomness: Randomness,
        settings: CurrentSettings,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            store,
            clock,
            randomness,
            profiles: ProfileVisibility::Admins,
            settings,
            login_limiter: LoginLimiter::new(),
            passwords: Passwords::new(processors),
            request_limiter: None,
            read_positions: Arc::default(),
            metrics: Arc::default(),
            denials: Arc::default(),
        }
    }

    /// Counts a search of this user: `rate_limited`.
    pub fn count_search(&self, user: UserId) -> Result<(), Reject> {
        let limiter = self.request_limiter.as_ref();
        limiter.map_or(Ok(()), |limiter| limiter.count_search(user, self.now()))
    }

    /// Counts a signal of this user to others: `rate_limited`.
    pub fn count_signal(&self, user: UserId) -> Result<(), Reject> {
        let limiter = self.request_limiter.as_ref();
        limiter.map_or(Ok(()), |limiter| limiter.count_signal(user, self.now()))
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The user who sent a request, as identified by the login token.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: User,
    pub session: TokenHash,
}
