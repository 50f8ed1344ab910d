//! User accounts.

use async_trait::async_trait;
use plenary_shared::domain::{Code, Gender, Reject, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, Params, Row, named_params};

use crate::error::{Answer, Fault};
use crate::store::{Account, NewUser, PersonListed, UserStore};

use super::fault::is_duplicate;
use super::sessions::end_sessions;
use super::writer::WriteTransaction;
use super::{SqliteStore, audit, row};

#[async_trait]
impl UserStore for SqliteStore {
    async fn account(&self, email: &str) -> Answer<Option<Account>> {
        let email = email.to_owned();
        self.link.read(move |conn| account(conn, &email)).await
    }

    async fn add_user(&self, new: NewUser) -> Answer<User> {
        self.link.write(move |atom| add_user(atom, new)).await
    }

    async fn set_password(&self, user: UserId, hash: &str, by: Option<UserId>) -> Answer<()> {
        let hash = hash.to_owned();
        self.link
            .write(move |atom| set_password(atom, user, &hash, by))
            .await
    }

    async fn user(&self, id: UserId) -> Answer<Option<PersonListed>> {
        self.link.read(move |conn| user(conn, id)).await
    }

    async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>> {
        self.link.read(move |conn| users(conn, after, limit)).await
    }

    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<()> {
        self.link
            .write(move |atom| set_role(atom, user, role, by))
            .await
    }

    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<()> {
        self.link
            .write(move |atom| set_disabled(atom, user, since, by))
            .await
    }
}

/// The account of an address (any case), if there is one.
fn account(conn: &Connection, email: &str) -> Answer<Option<Account>> {
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
fn add_user(tx: &mut WriteTransaction<'_>, new: NewUser) -> Answer<User> {
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

/// The user with this id.
fn user(conn: &Connection, id: UserId) -> Answer<Option<PersonListed>> {
    Ok(row::one(
        conn,
        "user",
        "SELECT userID, name, age, gender, email, role, disabled_at
         FROM user
         WHERE userID = :user",
        named_params! { ":user": id.get() },
        listed,
    )?)
}

/// A page of all people, by id, above `after`.
fn users(conn: &Connection, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>> {
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
        listed,
    )?)
}

fn listed(row: &Row<'_>) -> Result<PersonListed, row::Unusable> {
    Ok(PersonListed {
        user: row::user(row)?,
        disabled_at: row::maybe_time(row, "disabled_at"),
    })
}

/// Gives somebody a role.
fn set_role(
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
fn set_disabled(
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
fn set_password(
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

/// Changes the row of one person; `not_found`.
fn change_one(tx: &WriteTransaction<'_>, sql: &str, values: impl Params) -> Answer<()> {
    if row::change(tx.conn, sql, values)? == 0 {
        return Err(Code::NotFound.into());
    }
    Ok(())
}

pub(super) fn target(user: UserId) -> String {
    format!("user {user}")
}
