//! The cache of sessions, so that people stay signed in while MySQL is away.

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
    /// When it was last read from what lasts.
    checked_at: Timestamp,
}

impl RedisStore {
    /// The cached session of a token, and when it was last compared with what lasts.
    pub async fn cached_session(
        &self,
        token: TokenHash,
    ) -> Result<Option<(Session, Timestamp)>, Fault> {
        let mut command = redis::cmd("HGET");
        command.arg(keys::session(token)).arg("session");
        let json: Option<String> = self.ask(&mut command).await?;
        // A cached session of another version's shape is no session: what lasts has it.
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

    /// Forgets a session.
    pub async fn drop_session(&self, token: TokenHash) -> Result<(), Fault> {
        let mut command = redis::cmd("DEL");
        command.arg(keys::session(token));
        self.ask::<u64>(&mut command).await.map(|_| ())
    }
}
