//! People as admins keep them: roles, passwords, who is shut out, and whose sessions there are.

use mysql_async::{Params, Row, params};
use plenary_shared::domain::{Code, Role};
use plenary_shared::ids::UserId;
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::time::Timestamp;

use super::audit;
use super::link::{MysqlStore, Work};
use super::row;
use crate::error::{Answer, Fault};
use crate::store::{SessionListed, TokenHash, sanitize};

/// Sessions of one person that are ended at once: more than anybody opens.
const SESSIONS_MAX: usize = 10_000;

impl MysqlStore {
    /// Gives somebody a role; `not_found`.
    pub async fn set_role(
        &self,
        user: UserId,
        role: Role,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        change_one(
            &mut work,
            "UPDATE `user`
             SET role = :role
             WHERE userID = :user",
            params! { "role" => role.as_str(), "user" => user.get() },
        )
        .await?;
        let (target, detail) = (target(user), Some(role.to_string()));
        audit::note(&mut work, now, by, "role", target, detail).await?;
        Ok(work.commit().await?)
    }

    /// Shuts somebody out since then, or lets them in again, and makes their sessions worthless;
    /// these can still be looked up. `not_found`.
    pub async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        change_one(
            &mut work,
            "UPDATE `user`
             SET disabled_at = :since
             WHERE userID = :user",
            params! { "since" => since.map(row::at), "user" => user.get() },
        )
        .await?;
        // Also where they are let in again: what was good before they were shut out is good no more.
        expire_sessions(&mut work, user, now).await?;
        let action = if since.is_some() {
            "disabled"
        } else {
            "enabled"
        };
        audit::note(&mut work, now, by, action, target(user), None).await?;
        Ok(work.commit().await?)
    }

    /// Sets a password's hash; `not_found`.
    pub async fn set_password(
        &self,
        user: UserId,
        hash: &str,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<()> {
        let mut work = self.transaction().await?;
        change_one(
            &mut work,
            "UPDATE `user`
             SET passwordHash = :hash
             WHERE userID = :user",
            params! { "hash" => hash, "user" => user.get() },
        )
        .await?;
        audit::note(&mut work, now, by, "password", target(user), None).await?;
        Ok(work.commit().await?)
    }

    /// Makes all sessions of somebody worthless; these can still be looked up. How many were good.
    pub async fn close_sessions(
        &self,
        user: UserId,
        by: Option<UserId>,
        now: Timestamp,
    ) -> Answer<usize> {
        let mut work = self.transaction().await?;
        let ended = expire_sessions(&mut work, user, now).await?;
        audit::note(&mut work, now, by, "sessions_revoked", target(user), None).await?;
        work.commit().await?;
        Ok(ended)
    }

    /// The sessions of somebody that are good, the newest first.
    pub async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>> {
        let rows = self
            .rows(
                "SELECT label, created_at, expires_at
                 FROM session
                 WHERE userID = :user
                   AND expires_at > :now
                 ORDER BY created_at DESC
                 LIMIT :limit",
                params! { "user" => user.get(), "now" => row::at(now), "limit" => PAGE_MAX },
            )
            .await?;
        Ok(row::usable(&rows, "session", |row| {
            Ok(SessionListed {
                label: sanitize::one_line(&row::text(row, "label").unwrap_or_default()),
                created_at: row::time(row, "created_at")?,
                expires_at: row::time(row, "expires_at")?,
            })
        }))
    }

    /// The tokens of somebody, those too whose time is over.
    pub async fn tokens(&self, user: UserId) -> Answer<Vec<TokenHash>> {
        let rows = self
            .rows(
                "SELECT tokenHash
                 FROM session
                 WHERE userID = :user
                 LIMIT :limit",
                params! { "user" => user.get(), "limit" => SESSIONS_MAX },
            )
            .await?;
        Ok(row::usable(&rows, "session", token))
    }
}

/// Changes the row of one person; `not_found`.
async fn change_one(work: &mut Work, sql: &str, values: Params) -> Answer<()> {
    let changed = work.change(sql, values).await?;
    if changed.rows == 0 {
        return Err(Code::NotFound.into());
    }
    Ok(())
}

async fn expire_sessions(work: &mut Work, user: UserId, now: Timestamp) -> Result<usize, Fault> {
    let changed = work
        .change(
            // Not now, for another server's clock may be behind.
            "UPDATE session
             SET expires_at = created_at
             WHERE userID = :user
               AND expires_at > :now",
            params! { "user" => user.get(), "now" => row::at(now) },
        )
        .await?;
    Ok(usize::try_from(changed.rows).unwrap_or(usize::MAX))
}

fn target(user: UserId) -> String {
    format!("user {user}")
}

fn token(row: &Row) -> Result<TokenHash, row::Unusable> {
    const COLUMN: &str = "tokenHash";
    row::get::<Vec<u8>>(row, COLUMN)
        .and_then(|bytes| bytes.try_into().ok())
        .map(TokenHash)
        .ok_or(row::Unusable(COLUMN))
}
