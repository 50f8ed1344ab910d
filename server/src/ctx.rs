//! What every service is handed: the store, the clock, the randomness.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use plenary_shared::domain::User;
use plenary_shared::time::Timestamp;

use crate::auth::Gate;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::reading::Reading;
use crate::store::{Store, TokenHash};

/// Where randomness comes from: fills the bytes, from a source fit for secrets.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What every service is handed.
#[derive(Clone)]
pub struct Ctx {
    /// The only door to data.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// The randomness.
    pub randomness: Randomness,
    /// How long a login token is good, in seconds.
    pub session_ttl_s: u32,
    /// The way to passwords: what slows down guessing them.
    pub gate: Arc<Gate>,
    /// How far people have read, until it is written.
    pub reading: Arc<Reading>,
    /// What is counted and timed.
    pub metrics: Arc<Metrics>,
    /// How many refusals may be told.
    pub denials: Arc<Denials>,
}

/// Refusals that one server tells within a second: whoever tries again and again floods nobody.
const DENIALS_TOLD_MAX: u32 = 20;

/// How many refusals were told within the running second.
#[derive(Debug, Default)]
pub struct Denials {
    /// The second, since 1970, and how many.
    told: Mutex<(i64, u32)>,
}

impl Denials {
    /// Whether one more may be told at this time; then it counts.
    pub fn may_tell(&self, at: Timestamp) -> bool {
        let second = at.as_ms().div_euclid(1_000);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.0 != second {
            *told = (second, 0);
        }
        told.1 += 1;
        told.1 <= DENIALS_TOLD_MAX
    }
}

impl Ctx {
    /// With a gate of its own, which hashes as many passwords at a time as there are processors.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        randomness: Randomness,
        session_ttl_s: u32,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            store,
            clock,
            randomness,
            session_ttl_s,
            gate: Arc::new(Gate::new(processors)),
            reading: Arc::default(),
            metrics: Arc::default(),
            denials: Arc::default(),
        }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("session_ttl_s", &self.session_ttl_s)
            .finish_non_exhaustive()
    }
}

/// Who asks, known from the login token alone.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The person.
    pub user: User,
    /// The session by which they are known.
    pub session: TokenHash,
}
