//! Sessions.

use async_trait::async_trait;
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;
use rusqlite::named_params;

use crate::error::{Answer, Fault};
use crate::store::sql::{Dialect, audit, users};
use crate::store::{
    AccessChange, Feed, NewSession, Session, SessionStore, StoredSession, TokenHash,
};

use super::writer::WriteTransaction;
use super::{SqliteStore, statement};

#[async_trait]
impl SessionStore for SqliteStore {
    async fn open_session(&self, new: NewSession) -> Answer<bool> {
        self.link
            .write(move |tx| {
                tx.execute(users::remove_expired_sessions(
                    Dialect::Sqlite,
                    new.created_at,
                ))?;
                let opened = tx.execute(users::insert_session(Dialect::Sqlite, &new))?;
                Ok(opened > 0)
            })
            .await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
        self.link
            .read(move |conn| Ok(statement::one(conn, users::session(token, now))?))
            .await
    }

    async fn close_session(&self, token: TokenHash) -> Answer<bool> {
        self.link
            .write(move |tx| {
                let removed = tx.execute(users::remove_session(token))?;
                tx.tell(Feed::SignedOut(token));
                Ok(removed > 0)
            })
            .await
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<StoredSession>> {
        self.link
            .read(move |conn| Ok(statement::all(conn, users::sessions(user, now))?))
            .await
    }

    async fn close_sessions(
        &self,
        user: UserId,
        keeps: Option<TokenHash>,
        by: Option<UserId>,
    ) -> Answer<usize> {
        self.link
            .write(move |tx| {
                let ended = end_sessions(tx, user, keeps)?;
                tx.audit(by, "sessions_revoked", audit::user(user), None)?;
                Ok(ended)
            })
            .await
    }
}

/// Ends all sessions of a user but `keeps`. Returns how many were valid.
pub(super) fn end_sessions(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    keeps: Option<TokenHash>,
) -> Result<usize, Fault> {
    let now = tx.now;
    // No hash is empty.
    let keeps = keeps.map_or(Vec::new(), |token| token.0.to_vec());
    let tokens = statement::select_all(
        tx.conn,
        "session",
        "SELECT tokenHash, expires_at
         FROM session
         WHERE userID = :user
           AND tokenHash <> :keeps",
        named_params! { ":user": user.get(), ":keeps": keeps },
        |row| {
            let expires_at = row.time("expires_at")?;
            Ok((users::token(row)?, expires_at))
        },
    )?;
    // The server may be another process: it reads this table once it sees that the file has changed.
    statement::change(
        tx.conn,
        "INSERT OR REPLACE INTO signed_out (tokenHash)
         SELECT tokenHash
         FROM session
         WHERE userID = :user
           AND tokenHash <> :keeps",
        named_params! { ":user": user.get(), ":keeps": keeps },
    )?;
    statement::change(
        tx.conn,
        "DELETE FROM session
         WHERE userID = :user
           AND tokenHash <> :keeps",
        named_params! { ":user": user.get(), ":keeps": keeps },
    )?;
    let valid = tokens.iter().filter(|(_, expires)| *expires > now).count();
    for (token, _) in tokens {
        tx.tell(Feed::SignedOut(token));
    }
    Ok(valid)
}

/// Publishes the sessions that other processes have ended, and that they may have changed permissions.
pub(super) fn tell_signed_out(tx: &mut WriteTransaction<'_>) -> Result<(), Fault> {
    tx.tell(Feed::Access(AccessChange::Any));
    let tokens = statement::select_all(
        tx.conn,
        "signed_out",
        "DELETE FROM signed_out
         RETURNING tokenHash",
        [],
        users::token,
    )?;
    for token in tokens {
        tx.tell(Feed::SignedOut(token));
    }
    Ok(())
}
