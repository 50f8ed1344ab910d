//! Secrets: login tokens, passwords' hashes, and the gate that slows down guessing.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use plenary_shared::domain::{Code, Reject};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Fault;
use crate::store::TokenHash;

/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

/// Bytes of randomness in a password's salt.
const SALT_BYTES: usize = 16;

/// Memory of one hash, in KiB: with the next two, what OWASP's cheat sheet asks of argon2id.
const HASH_MEMORY_KIB: u32 = 19_456;
const HASH_PASSES: u32 = 2;
const HASH_LANES: u32 = 1;

/// What a password is checked against when there is no such account: as dear as a real one, and
/// the hash of nothing that anyone knows.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$M8MfO3zcqJIK/sMDeTa5iw$NKNtUYoeOxjNsJjLjnz+E8TPLErV9HRhx2nGTZz3gzg";

/// Tries to sign in that one address has at once.
const TRIES: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Tries that come back to one address in a minute.
const TRIES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Tries that wait for a hash, all addresses together. More are told to come again: a queue of
/// hashes would otherwise hold more memory and time than there is.
const WAITING_MAX: usize = 64;

/// After so many tries the gate forgets the addresses that have all their tries again.
const TRIES_PER_SWEEP: u32 = 1_024;

/// A login token: 256 random bits in lower-case hexadecimal. Shown once, stored only as its hash.
pub struct Token(String);

impl Token {
    /// A new one.
    pub fn new(randomness: &dyn Fn(&mut [u8])) -> Self {
        let mut bytes = [0; TOKEN_BYTES];
        randomness(&mut bytes);
        Self(TokenHash(bytes).to_hex())
    }

    /// Reads one from a request; `None` if it is none that was ever given out.
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (text.len() == 2 * TOKEN_BYTES && hexadecimal).then(|| Self(text.to_owned()))
    }

    /// What is stored of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The secret itself, for its owner.
    pub fn into_secret(self) -> String {
        self.0
    }
}

/// The way to a password's hash: few at a time, few in the queue, few tries for each address.
#[derive(Debug)]
pub struct Gate {
    tries: DefaultKeyedRateLimiter<String>,
    tries_since_sweep: AtomicU32,
    waiting: Arc<Semaphore>,
    hashing: Arc<Semaphore>,
}

impl Gate {
    /// With as many hashes at a time as there are processors.
    pub fn new(processors: usize) -> Self {
        let quota = Quota::per_minute(TRIES_PER_MINUTE).allow_burst(TRIES);
        Self {
            tries: RateLimiter::keyed(quota),
            tries_since_sweep: AtomicU32::new(0),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            hashing: Arc::new(Semaphore::new(processors.max(1))),
        }
    }

    /// Lets one try to sign in pass. `too_many_requests` if this address, or everybody together,
    /// tries too often.
    pub fn pass(&self, address: &str) -> Result<Pass, Reject> {
        let Ok(place) = self.waiting.clone().try_acquire_owned() else {
            return Err(Code::TooManyRequests.into());
        };
        self.take_a_try(address)?;
        Ok(Pass {
            _place: place,
            hashing: self.hashing.clone(),
        })
    }

    fn take_a_try(&self, address: &str) -> Result<(), Reject> {
        if self.tries_since_sweep.fetch_add(1, Ordering::Relaxed) >= TRIES_PER_SWEEP {
            self.tries_since_sweep.store(0, Ordering::Relaxed);
            self.tries.retain_recent();
            self.tries.shrink_to_fit();
        }
        self.tries.check_key(&address.to_owned()).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let wait_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
            let mut reject = Reject::from(Code::TooManyRequests);
            reject.retry_after_s = Some(wait_s.saturating_add(1));
            reject
        })
    }
}

/// A try to sign in that was let pass; it holds its place in the queue until it is dropped.
#[derive(Debug)]
pub struct Pass {
    _place: OwnedSemaphorePermit,
    hashing: Arc<Semaphore>,
}

impl Pass {
    /// Whether this password is that of this hash; without a hash it is wrong, and takes as long.
    pub async fn password_is_right(
        self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Fault> {
        let turn = self.hashing.clone().acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            // Held until the hash is done, even if whoever asked has gone: a hash cannot be stopped.
            let _held = (self, turn);
            let is_right = verify(&password, hash.as_deref().unwrap_or(NOBODY))?;
            Ok(is_right && hash.is_some())
        })
        .await
        .map_err(|e| Fault::broken("checking a password", e))?
    }
}

/// A new password's hash in PHC form. Takes long: not on a thread that serves.
pub fn hash_password(password: &str, randomness: &dyn Fn(&mut [u8])) -> Result<String, Fault> {
    let mut salt = [0; SALT_BYTES];
    randomness(&mut salt);
    let hash: PasswordHash = hasher()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|e| Fault::broken("hashing a password", e))?;
    Ok(hash.to_string())
}

/// Whether this is the password of this hash. Takes long: not on a thread that serves.
fn verify(password: &str, hash: &str) -> Result<bool, Fault> {
    let hash =
        PasswordHash::new(hash).map_err(|e| Fault::broken("reading a password's hash", e))?;
    match hasher()?.verify_password(password.as_bytes(), &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(e) => Err(Fault::broken("checking a password", e)),
    }
}

fn hasher() -> Result<Argon2<'static>, Fault> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES, None)
        .map_err(|e| Fault::broken("setting up argon2id", e))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn counting(bytes: &mut [u8]) {
        for (at, byte) in (0..).zip(bytes) {
            *byte = at;
        }
    }

    #[test]
    fn a_token_has_256_bits_and_is_known_by_its_hash() {
        let token = Token::new(&counting);
        let hash = token.hash();
        let secret = token.into_secret();
        assert_eq!(secret.len(), 64);
        assert!(secret.starts_with("000102030405"));
        let read = Token::parse(&secret).expect("a token that was given out");
        assert_eq!(read.hash(), hash);
        assert_ne!(hash.to_hex(), secret);
    }

    #[rstest]
    #[case("")]
    #[case("00")]
    #[case(&"0".repeat(63))]
    #[case(&"0".repeat(65))]
    #[case(&"G".repeat(64))]
    #[case(&"A".repeat(64))]
    #[case(&"é".repeat(32))]
    fn what_was_never_given_out_is_no_token(#[case] text: &str) {
        assert!(Token::parse(text).is_none());
    }

    #[test]
    fn a_password_is_checked_against_its_hash() {
        let hash = hash_password("correct horse", &counting).expect("a hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(verify("correct horse", &hash).expect("a check"));
        assert!(!verify("battery staple", &hash).expect("a check"));
        assert!(matches!(verify("x", "no hash"), Err(Fault::Broken { .. })));
    }

    #[test]
    fn nobody_costs_what_an_account_costs() {
        let cost = format!("$argon2id$v=19$m={HASH_MEMORY_KIB},t={HASH_PASSES},p={HASH_LANES}$");
        assert!(NOBODY.starts_with(&cost));
        assert!(!verify("", NOBODY).expect("a check"));
    }

    #[tokio::test]
    async fn without_an_account_no_password_is_right() {
        let gate = Gate::new(1);
        let pass = gate.pass("nobody@example.org").expect("the first try");
        let right = pass.password_is_right("x".to_owned(), None).await;
        assert!(!right.expect("a check"));
    }

    #[test]
    fn one_address_has_ten_tries() {
        let gate = Gate::new(1);
        for _ in 0..TRIES.get() {
            gate.pass("ada@example.org").expect("one of ten");
        }
        let reject = gate.pass("ada@example.org").expect_err("the eleventh");
        assert_eq!(reject.code, Code::TooManyRequests);
        let wait_s = reject.retry_after_s.expect("when to come again");
        assert!((1..=7).contains(&wait_s), "{wait_s}");
        gate.pass("bob@example.org").expect("somebody else's first");
    }

    #[test]
    fn the_queue_is_bounded() {
        let gate = Gate::new(1);
        let queue: Vec<Pass> = (0..WAITING_MAX)
            .map(|n| gate.pass(&format!("{n}@example.org")).expect("a place"))
            .collect();
        let reject = gate.pass("late@example.org").expect_err("no place");
        assert_eq!(reject.code, Code::TooManyRequests);
        drop(queue);
        gate.pass("late@example.org").expect("a place again");
    }
}
