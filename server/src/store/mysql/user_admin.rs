//! What admins change of users: roles, passwords, whether they are disabled, and their sessions.

use plenary_shared::domain::{Code, Role};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use super::pool::{MysqlStore, Transaction};
use crate::error::{Answer, Fault};
use crate::store::sql::{Change, Query, audit, params, users};
use crate::store::{SessionListed, TokenHash};

/// Sessions of one user that are ended at once: more than anybody opens.
const SESSIONS_MAX: usize = 10_000;

impl MysqlStore {
    /// Sets a user's role; `not_found`.
    pub async fn set_role(
        &self,
        user: UserId,
        role: Role,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        change_one(&mut work, users::set_role(user, role)).await?;
        let (target, detail) = (audit::user(user), Some(role.to_string()));
        work.execute(audit::entry(now, by, "role", target, detail))
            .await?;
        Ok(work.commit().await?)
    }

    /// Disables a user since then or enables them, and expires their sessions, which can still be
    /// listed by [`Self::tokens`]. `not_found`.
    pub async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        change_one(&mut work, users::set_disabled(user, since)).await?;
        // Also when they are enabled, so that sessions from before they were disabled stay expired.
        expire_sessions(&mut work, user, now).await?;
        let action = if since.is_some() {
            "disabled"
        } else {
            "enabled"
        };
        work.execute(audit::entry(now, by, action, audit::user(user), None))
            .await?;
        Ok(work.commit().await?)
    }

    /// Sets a user's password hash; `not_found`.
    pub async fn set_password(
        &self,
        user: UserId,
        hash: &str,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        change_one(&mut work, users::set_password(user, hash)).await?;
        work.execute(audit::entry(now, by, "password", audit::user(user), None))
            .await?;
        Ok(work.commit().await?)
    }

    /// Expires all sessions of a user, which can still be listed by [`Self::tokens`]. Returns how many
    /// were valid.
    pub async fn close_sessions(
        &self,
        user: UserId,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<usize> {
        let mut work = self.transaction().await?;
        let ended = expire_sessions(&mut work, user, now).await?;
        let target = audit::user(user);
        work.execute(audit::entry(now, by, "sessions_revoked", target, None))
            .await?;
        work.commit().await?;
        Ok(ended)
    }

    /// A user's valid sessions, the newest first.
    pub async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>> {
        Ok(self.all(users::sessions(user, now)).await?)
    }

    /// The tokens of a user's sessions, expired ones too.
    pub async fn tokens(&self, user: UserId) -> Answer<Vec<TokenHash>> {
        let query = Query::new(
            "session",
            "SELECT tokenHash
             FROM session
             WHERE userID = :user
             LIMIT :limit",
            params! { "user": user, "limit": SESSIONS_MAX },
            users::token,
        );
        Ok(self.all(query).await?)
    }
}

/// Changes the row of one user; `not_found`.
async fn change_one(work: &mut Transaction, change: Change) -> Answer<()> {
    if work.execute(change).await?.rows == 0 {
        return Err(Code::NotFound.into());
    }
    Ok(())
}

async fn expire_sessions(
    work: &mut Transaction,
    user: UserId,
    now: Timestamp,
) -> Result<usize, Fault> {
    let change = Change::new(
        // Not `now`, because the clock of another server may be behind.
        "UPDATE session
         SET expires_at = created_at
         WHERE userID = :user
           AND expires_at > :now",
        params! { "user": user, "now": now },
    );
    let expired = work.execute(change).await?;
    Ok(usize::try_from(expired.rows).unwrap_or(usize::MAX))
}
