//! Password hashes: argon2id in a bounded set of buffers that are reused.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;

use crate::error::Fault;

/// Bytes of randomness in the salt of a password.
const SALT_BYTES: usize = 16;

/// Memory of one hash, in KiB. This and the next two are the OWASP recommendation for argon2id.
const HASH_MEMORY_KIB: u32 = 19_456;
const HASH_PASSES: u32 = 2;
const HASH_LANES: u32 = 1;

/// Hashes that are computed at the same time, at most. Together with [`HASH_MEMORY_KIB`] this is the
/// memory that passwords need: 76 MiB. More processors would only help somebody who guesses.
const HASHES_MAX: usize = 4;

/// The hash that is checked when the account does not exist. It costs as much as a real one, and no
/// known password matches it.
const NO_ACCOUNT_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$M8MfO3zcqJIK/sMDeTa5iw$NKNtUYoeOxjNsJjLjnz+E8TPLErV9HRhx2nGTZz3gzg";

/// Computes and checks password hashes, a few at a time.
pub struct Passwords {
    /// The buffers that are not in use: one for each hash that was ever computed at the same time. They
    /// are kept, because an allocator that gets such blocks back does not return them to the system.
    buffers: Mutex<Vec<Buffer>>,
    turns: Semaphore,
}

type Buffer = Vec<Block>;

impl Passwords {
    /// Returns a hasher that leaves half of the processors to everything else.
    pub fn new(processors: usize) -> Arc<Self> {
        Arc::new(Self {
            buffers: Mutex::default(),
            turns: Semaphore::new((processors / 2).clamp(1, HASHES_MAX)),
        })
    }

    /// Hashes a new password, in PHC format.
    pub async fn hash(
        self: &Arc<Self>,
        password: String,
        salt: [u8; SALT_BYTES],
    ) -> Result<String, Fault> {
        self.run(move |buffer| hash(&password, &salt, buffer)).await
    }

    /// Returns whether the password matches the hash. Without a hash the answer is no, after the same
    /// time.
    pub async fn verify(
        self: &Arc<Self>,
        password: String,
        expected: Option<String>,
    ) -> Result<bool, Fault> {
        self.run(move |buffer| {
            let hash = expected.as_deref().unwrap_or(NO_ACCOUNT_HASH);
            let matches = verify(&password, hash, buffer)?;
            Ok(matches && expected.is_some())
        })
        .await
    }

    /// Waits for a turn, and works on a blocking thread.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Buffer) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let this = self.clone();
        // The semaphore is never closed.
        let turn = self.turns.acquire().await;
        let turn = turn.map_err(|e| Fault::broken("waiting for a password hash", e))?;
        // Returned by the thread: a hash cannot be stopped, even if the client is gone.
        turn.forget();
        tokio::task::spawn_blocking(move || {
            let turn = Turn(&this);
            let mut buffer = this.take_buffer();
            let result = work(&mut buffer);
            this.return_buffer(buffer);
            drop(turn);
            result
        })
        .await
        .map_err(|e| Fault::broken("hashing a password", e))?
    }

    fn take_buffer(&self) -> Buffer {
        let kept = self
            .buffers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        kept.unwrap_or_else(|| vec![Block::new(); HASH_MEMORY_KIB as usize])
    }

    fn return_buffer(&self, buffer: Buffer) {
        if buffer.len() > HASH_MEMORY_KIB as usize {
            return;
        }
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.push(buffer);
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("turns", &self.turns.available_permits())
            .finish_non_exhaustive()
    }
}

/// A turn to compute a hash. Dropping it gives the turn to the next.
struct Turn<'a>(&'a Passwords);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.turns.add_permits(1);
    }
}

/// Returns a new salt.
pub fn new_salt(randomness: &dyn Fn(&mut [u8])) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    randomness(&mut salt);
    salt
}

fn hash(password: &str, salt: &[u8], buffer: &mut Buffer) -> Result<String, Fault> {
    let params = Params::new(HASH_MEMORY_KIB, HASH_PASSES, HASH_LANES, None).map_err(broken)?;
    let shown = ParamsString::try_from(&params).map_err(broken)?;
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let output = compute(password, salt, &hasher, Params::DEFAULT_OUTPUT_LEN, buffer)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: shown,
        salt: Some(Salt::new(salt).map_err(broken)?),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

fn verify(password: &str, expected: &str, buffer: &mut Buffer) -> Result<bool, Fault> {
    let expected = PasswordHash::new(expected).map_err(broken)?;
    let algorithm = Algorithm::try_from(expected.algorithm.as_str()).map_err(broken)?;
    let version = expected.version.map(Version::try_from).transpose();
    let version = version.map_err(broken)?.unwrap_or_default();
    let params = Params::try_from(&expected).map_err(broken)?;
    let (Some(salt), Some(output)) = (&expected.salt, &expected.hash) else {
        return Err(Fault::broken(
            "reading a password hash",
            "it has no salt or no hash",
        ));
    };
    let hasher = Argon2::new(algorithm, version, params);
    // Compared in constant time.
    Ok(compute(password, salt, &hasher, output.len(), buffer)? == *output)
}

fn compute(
    password: &str,
    salt: &[u8],
    hasher: &Argon2<'_>,
    output_bytes: usize,
    buffer: &mut Buffer,
) -> Result<Output, Fault> {
    let blocks = hasher.params().block_count();
    if buffer.len() < blocks {
        // A hash with a higher cost. Its buffer is not kept.
        buffer.resize(blocks, Block::new());
    }
    let mut output = vec![0; output_bytes];
    let memory = buffer.as_mut_slice();
    hasher
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory)
        .map_err(broken)?;
    Output::new(&output).map_err(broken)
}

fn broken(error: impl Error + Send + Sync + 'static) -> Fault {
    Fault::broken("computing a password hash", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords() -> Arc<Passwords> {
        Passwords::new(2)
    }

    #[tokio::test]
    async fn password_matches_only_its_hash() {
        let passwords = passwords();
        let hash = passwords.hash("correct horse".to_owned(), [7; 16]).await;
        let hash = hash.expect("a hash");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let check = async |password: &str, hash: &str| {
            let hash = Some(hash.to_owned());
            passwords.verify(password.to_owned(), hash).await
        };
        assert!(check("correct horse", &hash).await.expect("a check"));
        assert!(!check("battery staple", &hash).await.expect("a check"));
        let error = check("x", "no hash").await;
        assert!(matches!(error, Err(Fault::Broken { .. })));
    }

    #[tokio::test]
    async fn hash_with_another_cost_is_checked() {
        // The example of the reference implementation: argon2id, 64 MiB, two passes.
        let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let passwords = passwords();
        let checked = passwords.verify("password".to_owned(), Some(hash.to_owned()));
        assert!(checked.await.expect("a check"));
        assert!(passwords.buffers.lock().expect("not poisoned").is_empty());
    }

    #[test]
    fn missing_account_costs_as_much_as_a_real_one() {
        let cost = format!("$argon2id$v=19$m={HASH_MEMORY_KIB},t={HASH_PASSES},p={HASH_LANES}$");
        assert!(NO_ACCOUNT_HASH.starts_with(&cost));
    }

    #[tokio::test]
    async fn no_password_matches_a_missing_account() {
        let matches = passwords().verify("x".to_owned(), None).await;
        assert!(!matches.expect("a check"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn hashes_share_a_bounded_set_of_buffers() {
        let passwords = passwords();
        let checks = (0..20).map(|n| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.verify(n.to_string(), None).await })
        });
        for check in checks.collect::<Vec<_>>() {
            let matches = check.await.expect("no panic").expect("a check");
            assert!(!matches);
        }
        assert_eq!(passwords.turns.available_permits(), 1);
        let buffers = passwords.buffers.lock().expect("not poisoned");
        assert_eq!(buffers.len(), 1);
    }
}
