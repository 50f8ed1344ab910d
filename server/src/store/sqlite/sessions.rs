//! Sessions.

use async_trait::async_trait;
use plenary_shared::ids::UserId;
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, Row, named_params};

use crate::error::{Answer, Fault};
use crate::store::{Feed, NewSession, Session, SessionListed, SessionStore, TokenHash, sanitize};

use super::users::target;
use super::writer::WriteTransaction;
use super::{SqliteStore, audit, row};

/// Sessions whose time is over that are removed whenever one is opened: more than come.
const SWEPT: usize = 100;

/// A session's label, in characters, as wide as it is in other stores. What is longer is cut.
const LABEL_CHARS_MAX: usize = 255;

#[async_trait]
impl SessionStore for SqliteStore {
    async fn open_session(&self, new: NewSession) -> Answer<()> {
        self.link.write(move |atom| open_session(atom, &new)).await
    }

    async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
        self.link.read(move |conn| session(conn, token, now)).await
    }

    async fn close_session(&self, token: TokenHash) -> Answer<bool> {
        self.link
            .write(move |atom| close_session(atom, token))
            .await
    }

    async fn sessions(&self, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>> {
        self.link.read(move |conn| sessions(conn, user, now)).await
    }

    async fn close_sessions(&self, user: UserId, by: Option<UserId>) -> Answer<usize> {
        self.link
            .write(move |atom| close_sessions(atom, user, by))
            .await
    }
}

/// Opens a session.
fn open_session(tx: &mut WriteTransaction<'_>, new: &NewSession) -> Answer<()> {
    row::change(
        tx.conn,
        "DELETE FROM session
         WHERE tokenHash IN (
           SELECT tokenHash
           FROM session
           WHERE expires_at <= :now
           ORDER BY expires_at
           LIMIT :swept)",
        named_params! { ":now": new.created_at.as_ms(), ":swept": SWEPT },
    )?;
    // The same token is the same call, come again.
    row::change(
        tx.conn,
        "INSERT INTO session (tokenHash, userID, created_at, expires_at, label)
         VALUES (:token, :user, :created_at, :expires_at, :label)
         ON CONFLICT (tokenHash) DO UPDATE SET expires_at = excluded.expires_at",
        named_params! {
            ":token": &new.token.0[..],
            ":user": new.user.get(),
            ":created_at": new.created_at.as_ms(),
            ":expires_at": new.expires_at.as_ms(),
            ":label": new.label.chars().take(LABEL_CHARS_MAX).collect::<String>(),
        },
    )?;
    Ok(())
}

/// The session of a token, if it is good at `now`.
fn session(conn: &Connection, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
    Ok(row::one(
        conn,
        "session",
        "SELECT s.expires_at, u.userID, u.name, u.age, u.gender, u.email, u.role
         FROM session s
         JOIN user u ON u.userID = s.userID
         WHERE s.tokenHash = :token
           AND s.expires_at > :now
           AND u.disabled_at IS NULL",
        named_params! { ":token": &token.0[..], ":now": now.as_ms() },
        |row: &Row<'_>| {
            Ok(Session {
                user: row::user(row)?,
                expires_at: row::time(row, "expires_at")?,
            })
        },
    )?)
}

/// Closes a session; whether there was one.
fn close_session(tx: &mut WriteTransaction<'_>, token: TokenHash) -> Answer<bool> {
    let changed = row::change(
        tx.conn,
        "DELETE FROM session
         WHERE tokenHash = :token",
        named_params! { ":token": &token.0[..] },
    )?;
    tx.tell(crate::store::Feed::SignedOut(token));
    Ok(changed > 0)
}

/// The sessions of somebody that are good, the newest first.
fn sessions(conn: &Connection, user: UserId, now: Timestamp) -> Answer<Vec<SessionListed>> {
    Ok(row::all(
        conn,
        "session",
        "SELECT label, created_at, expires_at
         FROM session
         WHERE userID = :user
           AND expires_at > :now
         ORDER BY created_at DESC
         LIMIT :limit",
        named_params! { ":user": user.get(), ":now": now.as_ms(), ":limit": PAGE_MAX },
        |row| {
            Ok(SessionListed {
                label: sanitize::one_line(&row::text(row, "label").unwrap_or_default()),
                created_at: row::time(row, "created_at")?,
                expires_at: row::time(row, "expires_at")?,
            })
        },
    )?)
}

/// Ends all sessions of somebody; how many there were.
fn close_sessions(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    by: Option<UserId>,
) -> Answer<usize> {
    let ended = end_sessions(tx, user)?;
    audit::note(tx, by, "sessions_revoked", &target(user), None)?;
    Ok(ended)
}

/// How many were good.
pub(super) fn end_sessions(tx: &mut WriteTransaction<'_>, user: UserId) -> Result<usize, Fault> {
    let now = tx.now;
    let tokens = row::all(
        tx.conn,
        "session",
        "SELECT tokenHash, expires_at
         FROM session
         WHERE userID = :user",
        named_params! { ":user": user.get() },
        |row| {
            let expires_at = row::time(row, "expires_at")?;
            Ok((token(row)?, expires_at))
        },
    )?;
    // The server may be another process: it reads this as soon as it sees that the file has changed.
    row::change(
        tx.conn,
        "INSERT OR REPLACE INTO signed_out (tokenHash)
         SELECT tokenHash
         FROM session
         WHERE userID = :user",
        named_params! { ":user": user.get() },
    )?;
    row::change(
        tx.conn,
        "DELETE FROM session
         WHERE userID = :user",
        named_params! { ":user": user.get() },
    )?;
    let good = tokens.iter().filter(|(_, expires)| *expires > now).count();
    for (token, _) in tokens {
        tx.tell(Feed::SignedOut(token));
    }
    Ok(good)
}

/// Tells which sessions were ended since the last look, by another process too.
pub(super) fn tell_signed_out(tx: &mut WriteTransaction<'_>) -> Result<(), Fault> {
    let tokens = row::all(
        tx.conn,
        "signed_out",
        "DELETE FROM signed_out
         RETURNING tokenHash",
        [],
        token,
    )?;
    for token in tokens {
        tx.tell(Feed::SignedOut(token));
    }
    Ok(())
}

fn token(row: &Row<'_>) -> Result<TokenHash, row::Unusable> {
    const COLUMN: &str = "tokenHash";
    row::get::<Vec<u8>>(row, COLUMN)
        .and_then(|bytes| bytes.try_into().ok())
        .map(TokenHash)
        .ok_or(row::Unusable(COLUMN))
}
