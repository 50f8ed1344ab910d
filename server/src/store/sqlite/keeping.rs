//! People as admins keep them: roles, passwords, who is shut out, and whose sessions there are.

use plenary_shared::domain::{Code, Role};
use plenary_shared::ids::UserId;
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, Params, Row, named_params};

use crate::error::{Answer, Fault};
use crate::store::{Feed, SessionListed, TokenHash, sanitize};

use super::audit;
use super::row;
use super::writer::WriteTransaction;

/// Gives somebody a role.
pub(super) fn set_role(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    role: Role,
    by: Option<UserId>,
) -> Answer<()> {
    change_one(
        tx,
        "UPDATE user
         SET role = :role
         WHERE userID = :user",
        named_params! { ":role": role.as_str(), ":user": user.get() },
    )?;
    Ok(audit::note(
        tx,
        by,
        "role",
        &target(user),
        Some(role.as_str()),
    )?)
}

/// Shuts somebody out since then, or lets them in again; their sessions end.
pub(super) fn set_disabled(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    since: Option<Timestamp>,
    by: Option<UserId>,
) -> Answer<()> {
    change_one(
        tx,
        "UPDATE user
         SET disabled_at = :since
         WHERE userID = :user",
        named_params! { ":since": since.map(Timestamp::as_ms), ":user": user.get() },
    )?;
    end_sessions(tx, user)?;
    let action = if since.is_some() {
        "disabled"
    } else {
        "enabled"
    };
    Ok(audit::note(tx, by, action, &target(user), None)?)
}

/// Sets a password's hash; `not_found`.
pub(super) fn set_password(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    hash: &str,
    by: Option<UserId>,
) -> Answer<()> {
    change_one(
        tx,
        "UPDATE user
         SET passwordHash = :hash
         WHERE userID = :user",
        named_params! { ":hash": hash, ":user": user.get() },
    )?;
    Ok(audit::note(tx, by, "password", &target(user), None)?)
}

/// The sessions of somebody that are good, the newest first.
pub(super) fn sessions(
    conn: &Connection,
    user: UserId,
    now: Timestamp,
) -> Answer<Vec<SessionListed>> {
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
pub(super) fn close_sessions(
    tx: &mut WriteTransaction<'_>,
    user: UserId,
    by: Option<UserId>,
) -> Answer<usize> {
    let ended = end_sessions(tx, user)?;
    audit::note(tx, by, "sessions_revoked", &target(user), None)?;
    Ok(ended)
}

/// Changes the row of one person; `not_found`.
fn change_one(tx: &WriteTransaction<'_>, sql: &str, values: impl Params) -> Answer<()> {
    if row::change(tx.conn, sql, values)? == 0 {
        return Err(Code::NotFound.into());
    }
    Ok(())
}

/// How many were good.
fn end_sessions(tx: &mut WriteTransaction<'_>, user: UserId) -> Result<usize, Fault> {
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

fn target(user: UserId) -> String {
    format!("user {user}")
}
