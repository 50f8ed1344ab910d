//! Secrets: login tokens, password hashes, and the limiter that slows down guessing.

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

/// Bytes of randomness in the salt of a password.
const SALT_BYTES: usize = 16;

/// Memory of one hash, in KiB. This and the next two are the OWASP recommendation for argon2id.
const HASH_MEMORY_KIB: u32 = 19_456;
const HASH_PASSES: u32 = 2;
const HASH_LANES: u32 = 1;

/// The hash that is checked when the account does not exist. It costs as much as a real one, and no
/// known password matches it.
const NO_ACCOUNT_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$M8MfO3zcqJIK/sMDeTa5iw$NKNtUYoeOxjNsJjLjnz+E8TPLErV9HRhx2nGTZz3gzg";

/// Login attempts that one email address may make in a burst.
const ATTEMPTS_BURST: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Login attempts per minute that one email address regains.
const ATTEMPTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Login attempts of all addresses that may wait for a hash. Further attempts are rejected, which
/// bounds the memory and the waiting time of the queue.
const WAITING_MAX: usize = 64;

/// Attempts after which the limiter drops the addresses that have regained their whole burst.
const ATTEMPTS_PER_SWEEP: u32 = 1_024;

/// A login token: 256 random bits in lower-case hexadecimal. Shown once, stored only as its hash.
pub struct Token(String);

impl Token {
    /// Generates a token.
    pub fn new(randomness: &dyn Fn(&mut [u8])) -> Self {
        let mut bytes = [0; TOKEN_BYTES];
        randomness(&mut bytes);
        Self(TokenHash(bytes).to_hex())
    }

    /// Parses a token. Returns `None` if the text cannot be a token.
    pub fn parse(text: &str) -> Option<Self> {
        let hexadecimal = text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        (text.len() == 2 * TOKEN_BYTES && hexadecimal).then(|| Self(text.to_owned()))
    }

    /// Returns the hash, which is what the stores keep.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }

    /// Returns the secret, for its owner.
    pub fn into_secret(self) -> String {
        self.0
    }
}

/// Limits login attempts: hashes at a time, attempts in the queue, and attempts per email address.
#[derive(Debug)]
pub struct LoginLimiter {
    attempts: DefaultKeyedRateLimiter<String>,
    attempts_since_sweep: AtomicU32,
    waiting: Arc<Semaphore>,
    hashing: Arc<Semaphore>,
}

impl LoginLimiter {
    /// Returns a limiter that computes one hash per processor at a time.
    pub fn new(processors: usize) -> Self {
        let quota = Quota::per_minute(ATTEMPTS_PER_MINUTE).allow_burst(ATTEMPTS_BURST);
        Self {
            attempts: RateLimiter::keyed(quota),
            attempts_since_sweep: AtomicU32::new(0),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            hashing: Arc::new(Semaphore::new(processors.max(1))),
        }
    }

    /// Admits one login attempt. Returns `too_many_requests` if this address, or all addresses
    /// together, make too many attempts.
    pub fn acquire(&self, address: &str) -> Result<Permit, Reject> {
        let Ok(place) = self.waiting.clone().try_acquire_owned() else {
            return Err(Code::TooManyRequests.into());
        };
        self.count_attempt(address)?;
        Ok(Permit {
            _place: place,
            hashing: self.hashing.clone(),
        })
    }

    fn count_attempt(&self, address: &str) -> Result<(), Reject> {
        if self.attempts_since_sweep.fetch_add(1, Ordering::Relaxed) >= ATTEMPTS_PER_SWEEP {
            self.attempts_since_sweep.store(0, Ordering::Relaxed);
            self.attempts.retain_recent();
            self.attempts.shrink_to_fit();
        }
        let counted = self.attempts.check_key(&address.to_owned());
        counted.map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let wait_s = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
            let mut reject = Reject::from(Code::TooManyRequests);
            reject.retry_after_s = Some(wait_s.saturating_add(1));
            reject
        })
    }
}

/// An admitted login attempt. It holds its place in the queue until it is dropped.
#[derive(Debug)]
pub struct Permit {
    _place: OwnedSemaphorePermit,
    hashing: Arc<Semaphore>,
}

impl Permit {
    /// Returns whether the password matches the hash. Without a hash the answer is no, after the same
    /// time.
    pub async fn verify(self, password: String, hash: Option<String>) -> Result<bool, Fault> {
        let turn = self.hashing.clone().acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            // Held until the hash is computed, even if the client is gone: a hash cannot be stopped.
            let _held = (self, turn);
            let matches = verify(&password, hash.as_deref().unwrap_or(NO_ACCOUNT_HASH))?;
            Ok(matches && hash.is_some())
        })
        .await
        .map_err(|e| Fault::broken("checking a password", e))?
    }
}

/// Hashes a new password, in PHC format. Slow: call it on a blocking thread.
pub fn hash_password(password: &str, randomness: &dyn Fn(&mut [u8])) -> Result<String, Fault> {
    let mut salt = [0; SALT_BYTES];
    randomness(&mut salt);
    let hash: PasswordHash = hasher()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|e| Fault::broken("hashing a password", e))?;
    Ok(hash.to_string())
}

/// Returns whether the password matches the hash. Slow: call it on a blocking thread.
fn verify(password: &str, hash: &str) -> Result<bool, Fault> {
    let hash = PasswordHash::new(hash).map_err(|e| Fault::broken("reading a password hash", e))?;
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
    fn token_has_256_bits_and_a_hash() {
        let token = Token::new(&counting);
        let hash = token.hash();
        let secret = token.into_secret();
        assert_eq!(secret.len(), 64);
        assert!(secret.starts_with("000102030405"));
        let read = Token::parse(&secret).expect("a token that was issued");
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
    fn malformed_token_is_rejected(#[case] text: &str) {
        assert!(Token::parse(text).is_none());
    }

    #[test]
    fn password_matches_only_its_hash() {
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
    fn missing_account_costs_as_much_as_a_real_one() {
        let cost = format!("$argon2id$v=19$m={HASH_MEMORY_KIB},t={HASH_PASSES},p={HASH_LANES}$");
        assert!(NO_ACCOUNT_HASH.starts_with(&cost));
        assert!(!verify("", NO_ACCOUNT_HASH).expect("a check"));
    }

    #[tokio::test]
    async fn no_password_matches_a_missing_account() {
        let limiter = LoginLimiter::new(1);
        let permit = limiter.acquire("nobody@example.org").expect("the first");
        let matches = permit.verify("x".to_owned(), None).await;
        assert!(!matches.expect("a check"));
    }

    #[test]
    fn one_address_has_ten_attempts() {
        let limiter = LoginLimiter::new(1);
        for _ in 0..ATTEMPTS_BURST.get() {
            limiter.acquire("ada@example.org").expect("one of ten");
        }
        let reject = limiter.acquire("ada@example.org").expect_err("the 11th");
        assert_eq!(reject.code, Code::TooManyRequests);
        let wait_s = reject.retry_after_s.expect("a waiting time");
        assert!((1..=7).contains(&wait_s), "{wait_s}");
        limiter.acquire("bob@example.org").expect("bob's first");
    }

    #[test]
    fn login_queue_is_bounded() {
        let limiter = LoginLimiter::new(1);
        let queue: Vec<Permit> = (0..WAITING_MAX)
            .map(|n| limiter.acquire(&format!("{n}@example.org")))
            .collect::<Result<_, _>>()
            .expect("a place for each");
        let reject = limiter.acquire("late@example.org").expect_err("no place");
        assert_eq!(reject.code, Code::TooManyRequests);
        drop(queue);
        limiter.acquire("late@example.org").expect("a free place");
    }
}
