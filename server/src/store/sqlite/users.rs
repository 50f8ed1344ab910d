//! User accounts.

use async_trait::async_trait;
use plenary_shared::domain::{Code, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Fault};
use crate::store::sql::users::Current;
use crate::store::sql::{Dialect, audit, users};
use crate::store::{AccessChange, Account, Feed, NewPassword, NewUser, PersonListed, UserStore};

use super::fault::is_duplicate;
use super::sessions::end_sessions;
use super::writer::WriteTransaction;
use super::{SqliteStore, statement};

#[async_trait]
impl UserStore for SqliteStore {
    async fn account(&self, email: &str) -> Answer<Option<Account>> {
        let email = email.to_owned();
        self.link
            .read(move |conn| Ok(statement::one(conn, users::account(&email))?))
            .await
    }

    async fn add_user(&self, new: NewUser) -> Answer<User> {
        self.link.write(move |tx| add_user(tx, new)).await
    }

    async fn set_password(&self, new: NewPassword) -> Answer<()> {
        self.link
            .write(move |tx| {
                let NewPassword { user, by, .. } = new;
                let current = current(tx, user)?;
                if new.replaces.is_some() && current.password_hash != new.replaces {
                    return Err(Code::WrongPassword.into());
                }
                tx.execute(users::set_password(user, &new.hash))?;
                end_sessions(tx, user, new.keeps)?;
                for action in ["password", "sessions_revoked"] {
                    tx.audit(by, action, audit::user(user), None)?;
                }
                Ok(())
            })
            .await
    }

    async fn user(&self, id: UserId) -> Answer<Option<PersonListed>> {
        self.link
            .read(move |conn| Ok(statement::one(conn, users::by_id(id))?))
            .await
    }

    async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>> {
        self.link
            .read(move |conn| Ok(statement::all(conn, users::page(after, limit))?))
            .await
    }

    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<bool> {
        self.link
            .write(move |tx| {
                if current(tx, user)?.role == role {
                    return Ok(false);
                }
                tx.execute(users::set_role(user, role))?;
                tx.tell(Feed::Access(AccessChange::User(user)));
                tx.audit(by, "role", audit::user(user), Some(role.to_string()))?;
                Ok(true)
            })
            .await
    }

    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<bool> {
        let action = if since.is_some() {
            "disabled"
        } else {
            "enabled"
        };
        self.link
            .write(move |tx| {
                if current(tx, user)?.disabled == since.is_some() {
                    return Ok(false);
                }
                tx.execute(users::set_disabled(user, since))?;
                end_sessions(tx, user, None)?;
                tx.audit(by, action, audit::user(user), None)?;
                Ok(true)
            })
            .await
    }
}

fn add_user(tx: &mut WriteTransaction<'_>, new: NewUser) -> Answer<User> {
    match statement::execute(tx.conn, users::insert(&new)) {
        Ok(_) => {}
        Err(error) if is_duplicate(&error) => return Err(users::email_taken().into()),
        Err(error) => return Err(error.into()),
    }
    let id = u64::try_from(tx.conn.last_insert_rowid())
        .ok()
        .and_then(|id| UserId::new(id).ok())
        .ok_or_else(|| Fault::broken("adding a user", "SQLite returned no usable id"))?;
    tx.audit(new.by, "added", audit::user(id), None)?;
    Ok(users::inserted(id, new))
}

/// The user to change; `not_found`.
fn current(tx: &WriteTransaction<'_>, user: UserId) -> Answer<Current> {
    let found = statement::one(tx.conn, users::current(Dialect::Sqlite, user))?;
    found.ok_or_else(|| Code::NotFound.into())
}
