//! Slows down the guessing of passwords, by account and by address, without keeping the owners out.
//!
//! Only failures count. After a few of them, an account or an address has to wait before its next attempt,
//! twice as long each time. Somebody who has signed in before from the same address is not affected by the
//! failures of others: they have their own count, and their own queue for a password hash. Accounts that do
//! not exist are counted like others, so that the limits do not reveal which accounts exist.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plenary_shared::domain::{Code, Reject};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::peer::{Network, Peer};

/// Failures of an account after which each further attempt has to wait.
const ACCOUNT_FAILURES: u32 = 10;

/// Failures of an address after which each further attempt has to wait: a school or an office shares one.
const ADDRESS_FAILURES: u32 = 20;

/// The first wait, in seconds. Every further failure doubles it.
const WAIT_S: u64 = 1;

/// Doublings after which every limit is reached.
const DOUBLINGS_MAX: u32 = 10;

/// The longest wait of an account, in seconds: about a hundred attempts a day.
const ACCOUNT_WAIT_S_MAX: u64 = 900;

/// The longest wait of an address, in seconds. Shorter, because others may use the address.
const ADDRESS_WAIT_S_MAX: u64 = 60;

/// Time after which failures are forgotten, in seconds.
const FORGET_S: u64 = 3_600;

/// Accounts, and addresses, whose failures are counted. Above this, the harmless ones are forgotten.
const COUNTED_MAX: usize = 65_536;

/// Pairs of account and address that are remembered after a sign-in. Above this, the oldest is forgotten.
const KNOWN_MAX: usize = 16_384;

/// Time after which a sign-in from an address is forgotten, in seconds: 30 days.
const KNOWN_S: u64 = 30 * 86_400;

/// Attempts of each standing that may wait for a hash. Further attempts are rejected, which bounds the
/// waiting time.
const WAITING_MAX: usize = 64;

/// Unknown attempts of one address that may wait for a hash.
const WAITING_PER_ADDRESS_MAX: usize = 32;

/// Limits login attempts.
#[derive(Debug)]
pub struct LoginLimiter {
    state: Mutex<State>,
    known_places: Arc<Semaphore>,
    known_address_places: Arc<Semaphore>,
    unknown_places: Arc<Semaphore>,
    /// Taken by one unknown attempt at a time, so that a known one waits for at most one of them.
    turn: Arc<Semaphore>,
}

type Pair = (String, Network);

#[derive(Debug, Default)]
struct State {
    accounts: Failures<String>,
    addresses: Failures<Network>,
    /// The failures of known pairs.
    pairs: Failures<Pair>,
    known: Known<Pair>,
    known_addresses: Known<Network>,
    /// Unknown attempts that wait for a hash, by address.
    waiting: HashMap<Network, usize>,
}

/// What is known about the sender of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The account has signed in from this address.
    Known,
    /// Another account has signed in from this address.
    KnownAddress,
    Unknown,
}

impl LoginLimiter {
    /// Returns a limiter that has seen nothing.
    pub fn new() -> Arc<Self> {
        let places = || Arc::new(Semaphore::new(WAITING_MAX));
        Arc::new(Self {
            state: Mutex::default(),
            known_places: places(),
            known_address_places: places(),
            unknown_places: places(),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// Admits one attempt to sign in to the account. Returns `too_many_requests` with the time to wait if
    /// the account or the address has failed too often, or if too many attempts wait.
    pub fn acquire(
        self: &Arc<Self>,
        account: &str,
        peer: Peer,
        now: Instant,
    ) -> Result<Attempt, Reject> {
        let network = peer.network();
        let pair = (account.to_owned(), network);
        let mut state = self.state();
        let standing = state.standing(&pair, now);
        let wait = state.wait(standing, &pair, now);
        if !wait.is_zero() {
            return Err(too_many(wait));
        }
        let places = match standing {
            Standing::Known => &self.known_places,
            Standing::KnownAddress => &self.known_address_places,
            Standing::Unknown => &self.unknown_places,
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            return Err(Code::TooManyRequests.into());
        };
        if standing == Standing::Unknown {
            let waiting = state.waiting.entry(network).or_default();
            if *waiting >= WAITING_PER_ADDRESS_MAX {
                return Err(Code::TooManyRequests.into());
            }
            *waiting += 1;
        }
        Ok(Attempt {
            limiter: self.clone(),
            standing,
            pair,
            began: now,
            is_settled: false,
            _place: place,
        })
    }

    /// Remembers that this account was used from this address, after a sign-in or with a token.
    pub fn remember(&self, account: &str, peer: Peer, now: Instant) {
        let network = peer.network();
        let mut state = self.state();
        state.known.remember(&(account.to_owned(), network), now);
        state.known_addresses.remember(&network, now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every statement leaves the state consistent, so a poisoned lock is still usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn standing(&self, pair: &Pair, now: Instant) -> Standing {
        if self.known.contains(pair, now) {
            Standing::Known
        } else if self.known_addresses.contains(&pair.1, now) {
            Standing::KnownAddress
        } else {
            Standing::Unknown
        }
    }

    fn wait(&self, standing: Standing, pair: &Pair, now: Instant) -> Duration {
        let of_pair = || self.pairs.wait(pair, ACCOUNT_LIMIT, now);
        let of_account = || self.accounts.wait(&pair.0, ACCOUNT_LIMIT, now);
        let of_address = || self.addresses.wait(&pair.1, ADDRESS_LIMIT, now);
        match standing {
            Standing::Known => of_pair(),
            Standing::KnownAddress => of_pair().max(of_address()),
            Standing::Unknown => of_account().max(of_address()),
        }
    }

    fn count_failure(&mut self, standing: Standing, pair: &Pair, now: Instant) {
        match standing {
            Standing::Known => self.pairs.count(pair, now),
            Standing::KnownAddress => {
                self.pairs.count(pair, now);
                self.addresses.count(&pair.1, now);
            }
            Standing::Unknown => {
                self.accounts.count(&pair.0, now);
                self.addresses.count(&pair.1, now);
            }
        }
    }
}

/// An admitted attempt. It holds its place in the queue until it is dropped. An attempt whose client has
/// gone before the result counts as a failure.
#[derive(Debug)]
pub struct Attempt {
    limiter: Arc<LoginLimiter>,
    standing: Standing,
    pair: Pair,
    began: Instant,
    is_settled: bool,
    _place: OwnedSemaphorePermit,
}

impl Attempt {
    /// Waits until the hash of this attempt may be computed. The result has to be held until it is.
    pub async fn turn(&self) -> Result<Option<OwnedSemaphorePermit>, AcquireError> {
        match self.standing {
            Standing::Known => Ok(None),
            Standing::KnownAddress | Standing::Unknown => {
                self.limiter.turn.clone().acquire_owned().await.map(Some)
            }
        }
    }

    /// Counts a wrong password.
    pub fn failed(mut self, now: Instant) {
        self.is_settled = true;
        let mut state = self.limiter.state();
        state.count_failure(self.standing, &self.pair, now);
    }

    /// Counts nothing: the server could not check the password, or the account is disabled.
    pub fn forgive(mut self) {
        self.is_settled = true;
    }

    /// Forgets the failures of the account, and remembers it at this address.
    pub fn succeeded(mut self, now: Instant) {
        self.is_settled = true;
        let mut state = self.limiter.state();
        state.accounts.forget(self.pair.0.as_str());
        state.pairs.forget(&self.pair);
        state.known.remember(&self.pair, now);
        state.known_addresses.remember(&self.pair.1, now);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        if !self.is_settled {
            state.count_failure(self.standing, &self.pair, self.began);
        }
        if self.standing != Standing::Unknown {
            return;
        }
        if let Some(waiting) = state.waiting.get_mut(&self.pair.1) {
            *waiting -= 1;
            if *waiting == 0 {
                state.waiting.remove(&self.pair.1);
            }
        }
    }
}

fn too_many(wait: Duration) -> Reject {
    let wait_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
    let mut reject = Reject::from(Code::TooManyRequests);
    reject.retry_after_s = Some(wait_s.saturating_add(1));
    reject
}

/// How many failures are free, and how long the wait may become.
#[derive(Clone, Copy)]
struct Limit {
    free: u32,
    wait_s_max: u64,
}

const ACCOUNT_LIMIT: Limit = Limit {
    free: ACCOUNT_FAILURES,
    wait_s_max: ACCOUNT_WAIT_S_MAX,
};

const ADDRESS_LIMIT: Limit = Limit {
    free: ADDRESS_FAILURES,
    wait_s_max: ADDRESS_WAIT_S_MAX,
};

/// Failures by key: how many, and when the last was.
#[derive(Debug)]
struct Failures<K>(HashMap<K, (u32, Instant)>);

impl<K> Default for Failures<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone> Failures<K> {
    /// Returns how long the key has to wait from now on.
    fn wait(&self, key: &K, limit: Limit, now: Instant) -> Duration {
        let Some((count, last)) = self.0.get(key) else {
            return Duration::ZERO;
        };
        let Some(doublings) = count.checked_sub(limit.free) else {
            return Duration::ZERO;
        };
        let wait_s = WAIT_S << doublings.min(DOUBLINGS_MAX);
        let until = *last + Duration::from_secs(wait_s.min(limit.wait_s_max));
        until.saturating_duration_since(now)
    }

    fn count(&mut self, key: &K, now: Instant) {
        if let Some((count, last)) = self.0.get_mut(key) {
            *count = if is_forgotten(*last, now) {
                1
            } else {
                count.saturating_add(1)
            };
            *last = now;
            return;
        }
        if self.0.len() >= COUNTED_MAX {
            self.make_room(now);
        }
        self.0.insert(key.clone(), (1, now));
    }

    fn forget<Q: Hash + Eq + ?Sized>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
    {
        self.0.remove(key);
    }

    /// Forgets what is old, then what has few failures, then everything.
    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, (_, last)| !is_forgotten(*last, now));
        if self.0.len() >= COUNTED_MAX {
            self.0.retain(|_, (count, _)| *count >= ACCOUNT_FAILURES);
        }
        if self.0.len() >= COUNTED_MAX {
            self.0.clear();
        }
    }
}

fn is_forgotten(last: Instant, now: Instant) -> bool {
    now.saturating_duration_since(last) >= Duration::from_secs(FORGET_S)
}

/// Keys that have signed in, and when they last did.
#[derive(Debug)]
struct Known<K>(HashMap<K, Instant>);

impl<K> Default for Known<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Clone> Known<K> {
    fn contains(&self, key: &K, now: Instant) -> bool {
        let age = self.0.get(key).map(|at| now.saturating_duration_since(*at));
        age.is_some_and(|age| age < Duration::from_secs(KNOWN_S))
    }

    fn remember(&mut self, key: &K, now: Instant) {
        if let Some(at) = self.0.get_mut(key) {
            *at = now;
            return;
        }
        if self.0.len() >= KNOWN_MAX {
            let oldest = self.0.iter().min_by_key(|(_, at)| **at);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.0.remove(&oldest);
            }
        }
        self.0.insert(key.clone(), now);
    }
}

#[cfg(test)]
mod tests;
