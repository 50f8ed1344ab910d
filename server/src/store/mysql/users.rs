//! Users and their sessions.

use std::collections::HashMap;

use mysql_async::{Params, Value};
use plenary_shared::domain::{User, UserRef};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use super::error::{DUPLICATE, server_code};
use super::pool::MysqlStore;
use super::statement::decoded;
use crate::error::{Answer, Fault};
use crate::store::sql::{Dialect, Row, Unusable, audit, users};
use crate::store::{Account, NewSession, NewUser, PersonListed, Session, TokenHash, sanitize};

/// The numbers of ids that one statement asks for. Missing ids are filled with the last one, so that
/// there are only these few statements to prepare.
const SIZES: &[usize] = &[1, 10, 100];

impl MysqlStore {
    /// The account of an email address in any case.
    pub async fn account(&self, email: &str) -> Answer<Option<Account>> {
        Ok(self.one(users::account(email)).await?)
    }

    /// Adds a user. `invalid` if the address has an account.
    pub async fn add_user(&self, new: NewUser, now: Timestamp) -> Answer<User> {
        let mut work = self.transaction().await?;
        let id = match work.execute(users::insert(&new)).await {
            Ok(added) => added.id,
            Err(fault) if server_code(&fault) == Some(DUPLICATE) => {
                return Err(users::email_taken().into());
            }
            Err(fault) => return Err(fault.into()),
        };
        let id = id
            .and_then(|id| UserId::new(id).ok())
            .ok_or_else(|| Fault::broken("adding a user", "MySQL returned no usable id"))?;
        work.execute(audit::entry(now, new.by, "added", audit::user(id), None))
            .await?;
        work.commit().await?;
        Ok(users::inserted(id, new))
    }

    pub async fn user(&self, id: UserId) -> Answer<Option<PersonListed>> {
        Ok(self.one(users::by_id(id)).await?)
    }

    /// A page of users in the order of their ids, above `after`.
    pub async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>> {
        Ok(self.all(users::page(after, limit)).await?)
    }

    /// The names of these users; a user who is not stored is named `user 7`.
    pub async fn names(&self, users: &[UserId]) -> Answer<Vec<UserRef>> {
        let found = self
            .of_users(
                "SELECT userID, name
                 FROM user
                 WHERE userID IN",
                users,
                |row| {
                    let id = row.user_id("userID")?;
                    Ok((id, row.user_name(id)))
                },
            )
            .await?;
        let names: HashMap<UserId, String> = found.into_iter().collect();
        let person = |&id: &UserId| {
            let name = names.get(&id).cloned();
            let name = name.unwrap_or_else(|| sanitize::nameless(id));
            UserRef { id, name }
        };
        Ok(users.iter().map(person).collect())
    }

    /// Those of these users who are stored.
    pub async fn profiles(&self, users: &[UserId]) -> Answer<Vec<User>> {
        self.of_users(
            "SELECT userID, name, age, gender, email, role
             FROM user
             WHERE userID IN",
            users,
            |row| row.user(),
        )
        .await
    }

    async fn of_users<T>(
        &self,
        select: &str,
        users: &[UserId],
        decode: impl Fn(&dyn Row) -> Result<T, Unusable>,
    ) -> Answer<Vec<T>> {
        let mut found = Vec::with_capacity(users.len());
        for ids in portions(users) {
            let sql = format!("{select} ({})", vec!["?"; ids.len()].join(", "));
            let rows = self.select(&sql, Params::Positional(ids)).await?;
            found.extend(decoded(&rows, "user", &decode).into_iter().flatten());
        }
        Ok(found)
    }

    /// Opens a session, unless its user is disabled or has another password by now. Returns whether it
    /// is open.
    pub async fn open_session(&self, new: NewSession) -> Answer<bool> {
        self.execute(users::remove_expired_sessions(
            Dialect::Mysql,
            new.created_at,
        ))
        .await?;
        let opened = self
            .execute(users::insert_session(Dialect::Mysql, &new))
            .await?;
        Ok(opened.rows > 0)
    }

    /// The session of a token, unless it has expired at `now`.
    pub async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
        Ok(self.one(users::session(token, now)).await?)
    }

    /// Closes a session. Returns whether it existed.
    pub async fn close_session(&self, token: TokenHash) -> Answer<bool> {
        let removed = self.execute(users::remove_session(token)).await?;
        Ok(removed.rows > 0)
    }
}

/// The distinct ids in portions of the sizes of [`SIZES`].
fn portions(users: &[UserId]) -> Vec<Vec<Value>> {
    let mut unique = users.to_vec();
    unique.sort_unstable();
    unique.dedup();
    let largest = SIZES.last().copied().unwrap_or(1);
    let portion = |ids: &[UserId]| {
        let size = SIZES.iter().copied().find(|size| *size >= ids.len());
        let mut values: Vec<Value> = ids.iter().map(|id| id.get().into()).collect();
        let last = values.last().cloned().unwrap_or(Value::NULL);
        values.resize(size.unwrap_or(ids.len()), last);
        values
    };
    unique.chunks(largest).map(portion).collect()
}
