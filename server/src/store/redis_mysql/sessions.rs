//! Sessions: MySQL has them and Redis caches them, so users stay signed in when either is unavailable or
//! Redis is empty.

use async_trait::async_trait;
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Error, Fault};
use crate::store::{NewSession, Session, SessionStore, StoredSession, TokenHash};

use super::RedisMysqlStore;

/// How long a cached session is used without reading it again. So long it takes until a changed name or
/// role is noticed.
const BELIEVED_MS: i64 = 60_000;

#[async_trait]
impl SessionStore for RedisMysqlStore {
    async fn open_session(&self, new: NewSession) -> Answer<bool> {
        self.mysql.open_session(new).await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
        let good = |session: &Session| session.expires_at > now;
        // Without Redis, MySQL answers.
        let cached = self.redis.cached_session(token).await.unwrap_or(None);
        if let Some((session, checked_at)) = &cached
            && now.ms_since(*checked_at) < BELIEVED_MS
        {
            return Ok(Some(session.clone()).filter(good));
        }
        match self.mysql.session(token, now).await {
            Ok(Some(session)) => {
                if let Err(fault) = self.redis.cache_session(token, &session, now).await {
                    tracing::debug!(%fault, "session not cached");
                    return Ok(Some(session));
                }
                // The session may have been closed after it was read and before it was cached.
                let still = self.mysql.session(token, now).await?;
                if still.as_ref() != Some(&session) {
                    self.redis.drop_session(token).await?;
                }
                Ok(still)
            }
            Ok(None) => {
                if cached.is_some() {
                    self.redis.drop_session(token).await?;
                }
                Ok(None)
            }
            Err(Error::Fault(fault @ Fault::Unavailable { .. })) => match cached {
                Some((session, _)) => Ok(Some(session).filter(good)),
                None => Err(fault.into()),
            },
            Err(other) => Err(other),
        }
    }

    async fn close_session(&self, token: TokenHash) -> Answer<bool> {
        // MySQL first: a cache that is emptied too early is filled again.
        let closed = self.mysql.close_session(token).await?;
        self.redis.drop_session(token).await?;
        self.redis.publish_signed_out(token).await?;
        Ok(closed)
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<StoredSession>> {
        self.mysql.sessions(user, now).await
    }

    async fn close_sessions(
        &self,
        user: UserId,
        keeps: Option<TokenHash>,
        by: Option<UserId>,
    ) -> Answer<usize> {
        let now = (self.clock)();
        let ended = self.mysql.close_sessions(user, keeps, by, now).await?;
        self.publish_signed_out_of(user, keeps).await?;
        Ok(ended)
    }
}

impl RedisMysqlStore {
    /// Rows of closed sessions stay until they are swept, so this can be repeated if Redis could not be
    /// reached.
    pub(super) async fn publish_signed_out_of(
        &self,
        user: UserId,
        keeps: Option<TokenHash>,
    ) -> Answer<()> {
        let tokens = self.mysql.tokens(user).await?;
        for token in tokens.into_iter().filter(|token| Some(*token) != keeps) {
            self.redis.drop_session(token).await?;
            self.redis.publish_signed_out(token).await?;
        }
        Ok(())
    }
}
