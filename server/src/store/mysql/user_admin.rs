//! What admins change of users: roles, passwords, whether they are disabled, and their sessions.

use plenary_shared::domain::{Code, Role};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use super::pool::{MysqlStore, Transaction};
use crate::error::{Answer, Fault};
use crate::store::sql::users::Current;
use crate::store::sql::{Change, Dialect, Query, audit, params, users};
use crate::store::{NewPassword, StoredSession, TokenHash};

/// Sessions of one user that are ended at once: more than anybody opens.
const SESSIONS_MAX: usize = 10_000;

impl MysqlStore {
    /// Sets a user's role; `not_found`. Returns whether it is another one.
    pub async fn set_role(
        &self,
        user: UserId,
        role: Role,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<bool> {
        let mut work = self.transaction().await?;
        if current(&mut work, user).await?.role == role {
            return Ok(false);
        }
        work.execute(users::set_role(user, role)).await?;
        let (target, detail) = (audit::user(user), Some(role.to_string()));
        work.execute(audit::entry(now, by, "role", target, detail))
            .await?;
        work.commit().await?;
        Ok(true)
    }

    /// Disables a user since then or enables them, and expires their sessions, which can still be
    /// listed by [`Self::tokens`]. `not_found`. Returns false, and changes nothing, if they were disabled
    /// or enabled already.
    pub async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<bool> {
        let mut work = self.transaction().await?;
        if current(&mut work, user).await?.disabled == since.is_some() {
            return Ok(false);
        }
        work.execute(users::set_disabled(user, since)).await?;
        // Also when they are enabled, so that sessions from before they were disabled stay expired.
        expire_sessions(&mut work, user, None, now).await?;
        let action = if since.is_some() {
            "disabled"
        } else {
            "enabled"
        };
        work.execute(audit::entry(now, by, action, audit::user(user), None))
            .await?;
        work.commit().await?;
        Ok(true)
    }

    /// Sets a user's password hash and expires their sessions, which can still be listed by
    /// [`Self::tokens`]. `not_found`; `wrong_password` if another hash than the one to replace is stored.
    pub async fn set_password(&self, new: &NewPassword, now: Timestamp) -> Answer<()> {
        let NewPassword { user, by, .. } = *new;
        let mut work = self.transaction().await?;
        let current = current(&mut work, user).await?;
        if new.replaces.is_some() && current.password_hash != new.replaces {
            return Err(Code::WrongPassword.into());
        }
        work.execute(users::set_password(user, &new.hash)).await?;
        expire_sessions(&mut work, user, new.keeps, now).await?;
        for action in ["password", "sessions_revoked"] {
            work.execute(audit::entry(now, by, action, audit::user(user), None))
                .await?;
        }
        Ok(work.commit().await?)
    }

    /// Expires all sessions of a user but `keeps`, which can still be listed by [`Self::tokens`]. Returns
    /// how many were valid.
    pub async fn close_sessions(
        &self,
        user: UserId,
        keeps: Option<TokenHash>,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<usize> {
        let mut work = self.transaction().await?;
        let ended = expire_sessions(&mut work, user, keeps, now).await?;
        let target = audit::user(user);
        work.execute(audit::entry(now, by, "sessions_revoked", target, None))
            .await?;
        work.commit().await?;
        Ok(ended)
    }

    /// A user's valid sessions, the newest first.
    pub async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<StoredSession>> {
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

/// Locks the row of a user; `not_found`.
async fn current(work: &mut Transaction, user: UserId) -> Answer<Current> {
    let found = work.one(users::current(Dialect::Mysql, user)).await?;
    found.ok_or_else(|| Code::NotFound.into())
}

async fn expire_sessions(
    work: &mut Transaction,
    user: UserId,
    keeps: Option<TokenHash>,
    now: Timestamp,
) -> Result<usize, Fault> {
    // No hash is empty.
    let keeps = keeps.map_or(Vec::new(), |token| token.0.to_vec());
    let change = Change::new(
        // Not `now`, because the clock of another server may be behind.
        "UPDATE session
         SET expires_at = created_at
         WHERE userID = :user
           AND expires_at > :now
           AND tokenHash <> :keeps",
        params! { "user": user, "now": now, "keeps": &keeps[..] },
    );
    let expired = work.execute(change).await?;
    Ok(usize::try_from(expired.rows).unwrap_or(usize::MAX))
}
