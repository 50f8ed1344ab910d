//! Sessions, which users open with a login token.

use std::fmt;

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::UserId;
use plenary_shared::protocol::SessionId;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

/// The SHA-256 hash of a login token. The token itself is not stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// Returns lower-case hexadecimal.
    pub fn to_hex(self) -> String {
        use fmt::Write;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut hex, byte| {
                // Writing to a String cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }

    /// Returns the id under which users see the session. It does not reveal the token.
    pub fn id(self) -> SessionId {
        let first = self.0.iter().take(size_of::<u64>());
        SessionId(first.fold(0, |id, byte| id << 8 | u64::from(*byte)))
    }
}

// Keeps hashes of tokens out of logs.
impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

/// A session to open.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub token: TokenHash,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Its name in lists.
    pub label: String,
    /// The password hash that the user signed in with. `None`: without a password.
    pub password_hash: Option<String>,
}

/// A valid session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: User,
    pub expires_at: Timestamp,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The hash of its token.
    pub token: TokenHash,
    /// Its name, usually that of the machine.
    pub label: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Opens, finds and closes sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Opens a session, unless the account is disabled or has another password by now. Returns whether
    /// it is open.
    async fn open_session(&self, new: NewSession) -> Answer<bool>;
    /// Returns the session of a token, if it is valid at `now`.
    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>>;
    /// Closes a session. Returns whether there was one.
    async fn close_session(&self, token: TokenHash) -> Answer<bool>;
    /// Returns the sessions of a user that are valid at `now`, newest first, at most one page.
    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<StoredSession>>;
    /// Closes all sessions of a user but `keeps` on all servers. Returns how many there were.
    async fn close_sessions(
        &self,
        user: UserId,
        keeps: Option<TokenHash>,
        by: Option<UserId>,
    ) -> Answer<usize>;
}
