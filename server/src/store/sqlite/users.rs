//! User accounts.

use async_trait::async_trait;
use plenary_shared::domain::{Code, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::error::{Answer, Fault};
use crate::store::sql::{Change, audit, users};
use crate::store::{Account, NewUser, PersonListed, UserStore};

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

    async fn set_password(&self, user: UserId, hash: &str, by: Option<UserId>) -> Answer<()> {
        let change = users::set_password(user, hash);
        self.link
            .write(move |tx| {
                change_one(tx, change)?;
                Ok(tx.audit(by, "password", audit::user(user), None)?)
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

    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<()> {
        self.link
            .write(move |tx| {
                change_one(tx, users::set_role(user, role))?;
                Ok(tx.audit(by, "role", audit::user(user), Some(role.to_string()))?)
            })
            .await
    }

    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<()> {
        let action = if since.is_some() {
            "disabled"
        } else {
            "enabled"
        };
        self.link
            .write(move |tx| {
                change_one(tx, users::set_disabled(user, since))?;
                end_sessions(tx, user)?;
                Ok(tx.audit(by, action, audit::user(user), None)?)
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

/// Changes the row of one user; `not_found`.
fn change_one(tx: &WriteTransaction<'_>, change: Change) -> Answer<()> {
    if tx.execute(change)? == 0 {
        return Err(Code::NotFound.into());
    }
    Ok(())
}
