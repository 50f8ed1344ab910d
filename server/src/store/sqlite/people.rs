//! People and their sessions.

use plenary_shared::domain::{Code, Gender, Reject, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, Row, named_params};

use crate::error::{Answer, Fault};
use crate::store::{Account, NewSession, NewUser, PersonListed, Session, TokenHash};

use super::audit;
use super::fault::is_duplicate;
use super::row;
use super::writer::WriteTransaction;

/// Sessions whose time is over that are removed whenever one is opened: more than come.
const SWEPT: usize = 100;

/// A session's label, in characters, as wide as it is in other stores. What is longer is cut.
const LABEL_CHARS_MAX: usize = 255;

/// The account of an address (any case), if there is one.
pub(super) fn account(conn: &Connection, email: &str) -> Answer<Option<Account>> {
    let email = email.trim();
    Ok(row::one(
        conn,
        "user",
        "SELECT userID, name, age, gender, email, role, passwordHash, disabled_at
         FROM user
         WHERE emailKey IN (:typed, :lower)
         ORDER BY emailKey = :lower DESC, userID
         LIMIT 1",
        named_params! { ":typed": email, ":lower": email.to_lowercase() },
        |row| {
            Ok(Account {
                user: row::user(row)?,
                password_hash: row::text(row, "passwordHash"),
                disabled: row::maybe_time(row, "disabled_at").is_some(),
            })
        },
    )?)
}

/// Adds a person. `invalid` if the address is taken.
pub(super) fn add_user(tx: &mut WriteTransaction<'_>, new: NewUser) -> Answer<User> {
    let added = row::change(
        tx.conn,
        "INSERT INTO user (name, age, gender, email, role)
         VALUES (:name, :age, :gender, :email, :role)",
        named_params! {
            ":name": new.name,
            ":age": new.age,
            ":gender": new.gender.map(Gender::as_str),
            ":email": new.email,
            ":role": new.role.as_str(),
        },
    );
    match added {
        Ok(_) => {}
        Err(error) if is_duplicate(&error) => {
            let detail = "Somebody has this e-mail address already: choose another.";
            return Err(Reject::new(Code::Invalid, detail).into());
        }
        Err(error) => return Err(error.into()),
    }
    let id = u64::try_from(tx.conn.last_insert_rowid())
        .ok()
        .and_then(|id| UserId::new(id).ok())
        .ok_or_else(|| Fault::broken("adding a person", "SQLite gave no usable id"))?;
    audit::note(tx, new.by, "added", &format!("user {id}"), None)?;
    let NewUser {
        name,
        email,
        age,
        gender,
        role,
        by: _,
    } = new;
    Ok(User {
        id,
        name,
        age,
        gender,
        email,
        role,
    })
}

/// A page of all people, by id, above `after`.
pub(super) fn users(
    conn: &Connection,
    after: Option<UserId>,
    limit: usize,
) -> Answer<Vec<PersonListed>> {
    Ok(row::all(
        conn,
        "user",
        "SELECT userID, name, age, gender, email, role, disabled_at
         FROM user
         WHERE userID >= :from
         ORDER BY userID
         LIMIT :limit",
        named_params! {
            ":from": after.map_or(0, |id| id.get() + 1),
            ":limit": limit.min(limits::PAGE_MAX),
        },
        |row| {
            Ok(PersonListed {
                user: row::user(row)?,
                disabled_at: row::maybe_time(row, "disabled_at"),
            })
        },
    )?)
}

/// Opens a session.
pub(super) fn open_session(tx: &mut WriteTransaction<'_>, new: &NewSession) -> Answer<()> {
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
pub(super) fn session(
    conn: &Connection,
    token: TokenHash,
    now: Timestamp,
) -> Answer<Option<Session>> {
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
pub(super) fn close_session(tx: &mut WriteTransaction<'_>, token: TokenHash) -> Answer<bool> {
    let changed = row::change(
        tx.conn,
        "DELETE FROM session
         WHERE tokenHash = :token",
        named_params! { ":token": &token.0[..] },
    )?;
    tx.tell(crate::store::Feed::SignedOut(token));
    Ok(changed > 0)
}
