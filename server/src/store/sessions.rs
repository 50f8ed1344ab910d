//! Sessions: what a login token stands for.

use std::fmt;

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

/// SHA-256 of a login token: what is stored of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// In lower-case hexadecimal.
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
}

// Not even a hash of a token reaches a log.
impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

/// A session to be opened.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// By what it is known.
    pub token: TokenHash,
    /// Whose.
    pub user: UserId,
    /// When it begins.
    pub created_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// What it is called in lists.
    pub label: String,
}

/// A session that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub user: User,
    /// When it stops being good.
    pub expires_at: Timestamp,
}

/// A session as a list shows it. Its token is known to nobody.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct SessionListed {
    /// What it is called: the machine's name, most often.
    pub label: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
}

/// Opens, finds and closes sessions.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Opens a session.
    async fn open_session(&self, new: NewSession) -> Answer<()>;
    /// The session of a token, if it is good at `now`.
    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>>;
    /// Closes a session; whether there was one.
    async fn close_session(&self, token: TokenHash) -> Answer<bool>;
    /// The sessions of somebody that are good at `now`, the newest first; as many as a page holds.
    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>>;
    /// Ends all sessions of somebody, everywhere at once; how many there were.
    async fn close_sessions(&self, user: UserId, by: Option<UserId>) -> Answer<usize>;
}
