//! Sessions: what lasts is in `MySQL`, Redis caches it, so an empty Redis signs nobody out and an
//! absent `MySQL` neither.

use plenary_shared::time::Timestamp;

use crate::error::{Answer, Error, Fault};
use crate::store::{Session, TokenHash};

use super::Hybrid;

/// How long a cached session is believed without a look at what lasts: so long after a change of a
/// person's name or role by somebody else, it is seen.
const BELIEVED_MS: i64 = 60_000;

impl Hybrid {
    pub(super) async fn session_of(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Answer<Option<Session>> {
        let good = |session: &Session| session.expires_at > now;
        // Without Redis, what lasts says it all.
        let cached = self.live.cached_session(token).await.unwrap_or(None);
        if let Some((session, checked_at)) = &cached
            && now.ms_since(*checked_at) < BELIEVED_MS
        {
            return Ok(Some(session.clone()).filter(good));
        }
        match self.ledger.session(token, now).await {
            Ok(Some(session)) => {
                if let Err(fault) = self.live.cache_session(token, &session, now).await {
                    tracing::debug!(%fault, "a session is not cached");
                }
                Ok(Some(session))
            }
            Ok(None) => {
                if cached.is_some() {
                    self.live.drop_session(token).await?;
                }
                Ok(None)
            }
            Err(Error::Fault(fault @ Fault::Away { .. })) => match cached {
                Some((session, _)) => Ok(Some(session).filter(good)),
                None => Err(fault.into()),
            },
            Err(other) => Err(other),
        }
    }

    pub(super) async fn sign_out(&self, token: TokenHash) -> Answer<bool> {
        // What lasts first: a cache that is dropped too early is filled again.
        let closed = self.ledger.close_session(token).await?;
        self.live.drop_session(token).await?;
        self.live.notice_signed_out(token).await?;
        Ok(closed)
    }
}
