//! Sessions: what lasts is in `MySQL`, Redis caches it, so an empty Redis signs nobody out and an
//! absent `MySQL` neither.

use async_trait::async_trait;
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Error, Fault};
use crate::store::{NewSession, Session, SessionListed, SessionStore, TokenHash};

use super::RedisMysqlStore;

/// How long a cached session is believed without a look at what lasts: so long after a change of a
/// person's name or role by somebody else, it is seen.
const BELIEVED_MS: i64 = 60_000;

#[async_trait]
impl SessionStore for RedisMysqlStore {
    async fn open_session(&self, new: NewSession) -> Answer<()> {
        self.mysql.open_session(new).await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
        let good = |session: &Session| session.expires_at > now;
        // Without Redis, what lasts says it all.
        let cached = self.redis.cached_session(token).await.unwrap_or(None);
        if let Some((session, checked_at)) = &cached
            && now.ms_since(*checked_at) < BELIEVED_MS
        {
            return Ok(Some(session.clone()).filter(good));
        }
        match self.mysql.session(token, now).await {
            Ok(Some(session)) => {
                if let Err(fault) = self.redis.cache_session(token, &session, now).await {
                    tracing::debug!(%fault, "a session is not cached");
                    return Ok(Some(session));
                }
                // Whoever ended it meanwhile may have emptied the cache before it was filled here.
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
        // What lasts first: a cache that is dropped too early is filled again.
        let closed = self.mysql.close_session(token).await?;
        self.redis.drop_session(token).await?;
        self.redis.notice_signed_out(token).await?;
        Ok(closed)
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>> {
        self.mysql.sessions(user, now).await
    }

    async fn close_sessions(&self, user: UserId, by: Option<UserId>) -> Answer<usize> {
        let now = (self.clock)();
        let ended = self.mysql.close_sessions(user, by, now).await?;
        self.tell_signed_out(user).await?;
        Ok(ended)
    }
}

impl RedisMysqlStore {
    /// The rows of what is over stay until they are swept, so this can be tried again if the cache or
    /// the other servers could not be told.
    pub(super) async fn tell_signed_out(&self, user: UserId) -> Answer<()> {
        for token in self.mysql.tokens(user).await? {
            self.redis.drop_session(token).await?;
            self.redis.notice_signed_out(token).await?;
        }
        Ok(())
    }
}
