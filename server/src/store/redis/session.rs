//! The cache of sessions. It keeps users signed in while MySQL is unavailable.

use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::store::{Session, TokenHash};

use super::{RedisStore, keys};

/// A session as it is cached.
#[derive(Serialize, Deserialize)]
struct Cached {
    user: plenary_shared::domain::User,
    expires_at: Timestamp,
    /// When it was last read from MySQL.
    checked_at: Timestamp,
}

impl RedisStore {
    /// Returns the cached session of a token, and when it was last compared with MySQL.
    pub async fn cached_session(
        &self,
        token: TokenHash,
    ) -> Result<Option<(Session, Timestamp)>, Fault> {
        let mut command = redis::cmd("HGET");
        command.arg(keys::session(token)).arg("session");
        let json: Option<String> = self.ask(&mut command).await?;
        // A session cached by another version may have another shape: it is read from MySQL again.
        Ok(json
            .and_then(|json| serde_json::from_str::<Cached>(&json).ok())
            .map(|cached| {
                let session = Session {
                    user: cached.user,
                    expires_at: cached.expires_at,
                };
                (session, cached.checked_at)
            }))
    }

    /// Caches a session until it expires.
    pub async fn cache_session(
        &self,
        token: TokenHash,
        session: &Session,
        checked_at: Timestamp,
    ) -> Result<(), Fault> {
        let key = keys::session(token);
        let cached = Cached {
            user: session.user.clone(),
            expires_at: session.expires_at,
            checked_at,
        };
        let json = serde_json::to_string(&cached)
            .map_err(|error| Fault::broken("caching a session", error))?;
        let mut pipeline = redis::pipe();
        pipeline
            .cmd("HSET")
            .arg(&key)
            .arg("session")
            .arg(json)
            .ignore();
        pipeline
            .cmd("PEXPIREAT")
            .arg(&key)
            .arg(session.expires_at.as_ms())
            .ignore();
        self.ask_all(&pipeline).await
    }

    /// Removes a session from the cache.
    pub async fn drop_session(&self, token: TokenHash) -> Result<(), Fault> {
        let mut command = redis::cmd("DEL");
        command.arg(keys::session(token));
        self.ask::<u64>(&mut command).await.map(|_| ())
    }
}
