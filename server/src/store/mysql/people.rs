//! People and their sessions.

use std::collections::HashMap;

use mysql_async::{Row, Value, params};
use plenary_shared::domain::{Code, Person, Reject, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits;
use plenary_shared::time::Timestamp;

use super::audit;
use super::link::{DUPLICATE, MysqlStore, server_code};
use super::row;
use crate::error::{Answer, Fault};
use crate::store::{Account, NewSession, NewUser, PersonListed, Session, TokenHash, sanitize};

/// Ids asked for in one statement. Fewer are filled up with the last one, so that there are only
/// these few statements to prepare.
const ASKED: &[usize] = &[1, 10, 100];

/// Sessions whose time is over that are removed whenever one is opened: more than come.
const SWEPT: u64 = 100;

/// A session's label, in characters: the width of its column. What is longer is cut.
const LABEL_CHARS_MAX: usize = 255;

impl MysqlStore {
    /// The account of an address (any case), if there is one.
    pub async fn account(&self, email: &str) -> Answer<Option<Account>> {
        let email = email.trim();
        let row = self
            .row(
                "SELECT userID, name, age, gender, email, role, passwordHash, disabled_at
                 FROM `user`
                 WHERE emailKey IN (:typed, :lower)
                 ORDER BY emailKey = :lower DESC, userID
                 LIMIT 1",
                params! { "typed" => email, "lower" => email.to_lowercase() },
            )
            .await?;
        Ok(row::usable_one(row.as_ref(), "user", account))
    }

    /// Adds a person. `invalid` if the address is taken.
    pub async fn add_user(&self, new: NewUser, now: Timestamp) -> Answer<User> {
        let mut work = self.transaction().await?;
        let added = work
            .change(
                "INSERT INTO `user` (name, age, gender, email, role)
                 VALUES (:name, :age, :gender, :email, :role)",
                params! {
                    "name" => &new.name,
                    "age" => new.age,
                    "gender" => new.gender.map(plenary_shared::domain::Gender::as_str),
                    "email" => &new.email,
                    "role" => new.role.as_str(),
                },
            )
            .await;
        let id = match added {
            Ok(added) => added.id,
            Err(fault) if server_code(&fault) == Some(DUPLICATE) => return Err(taken().into()),
            Err(fault) => return Err(fault.into()),
        };
        let id = id
            .and_then(|id| UserId::new(id).ok())
            .ok_or_else(|| Fault::broken("adding a person", "the database gave no usable id"))?;
        audit::note(&mut work, now, new.by, "added", format!("user {id}"), None).await?;
        work.commit().await?;
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
    pub async fn user(&self, id: UserId) -> Answer<Option<PersonListed>> {
        let rows = self
            .rows(
                "SELECT userID, name, age, gender, email, role, disabled_at
                 FROM `user`
                 WHERE userID = :user",
                params! { "user" => id.get() },
            )
            .await?;
        Ok(row::usable(&rows, "user", listed).pop())
    }

    /// A page of all people, by id, above `after`.
    pub async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>> {
        let rows = self
            .rows(
                "SELECT userID, name, age, gender, email, role, disabled_at
                 FROM `user`
                 WHERE userID >= :from
                 ORDER BY userID
                 LIMIT :limit",
                params! {
                    "from" => after.map_or(0, |id| id.get() + 1),
                    "limit" => limit.min(limits::PAGE_MAX),
                },
            )
            .await?;
        Ok(row::usable(&rows, "user", listed))
    }

    /// What each of these people is called; people who are gone are called `user 7`.
    pub async fn names(&self, users: &[UserId]) -> Answer<Vec<Person>> {
        let mut known = HashMap::new();
        for asked in in_tens(users) {
            let sql = format!(
                "SELECT userID, name
                 FROM `user`
                 WHERE userID IN ({})",
                marks(asked.len())
            );
            let rows = self.rows(&sql, asked.into()).await?;
            known.extend(row::usable(&rows, "user", name));
        }
        Ok(users
            .iter()
            .map(|&id| Person {
                id,
                name: known
                    .get(&id)
                    .cloned()
                    .unwrap_or_else(|| sanitize::nameless(id)),
            })
            .collect())
    }

    /// Those of these people who are there.
    pub async fn profiles(&self, users: &[UserId]) -> Answer<Vec<User>> {
        let mut known = Vec::with_capacity(users.len());
        for asked in in_tens(users) {
            let sql = format!(
                "SELECT userID, name, age, gender, email, role
                 FROM `user`
                 WHERE userID IN ({})",
                marks(asked.len())
            );
            let rows = self.rows(&sql, asked.into()).await?;
            known.extend(row::usable(&rows, "user", row::user));
        }
        Ok(known)
    }

    /// Opens a session.
    pub async fn open_session(&self, new: NewSession) -> Answer<()> {
        self.change(
            "DELETE FROM session
             WHERE expires_at <= :now
             ORDER BY expires_at
             LIMIT :swept",
            params! { "now" => row::at(new.created_at), "swept" => SWEPT },
        )
        .await?;
        // The same token is the same call, come again.
        self.change(
            "INSERT INTO session (tokenHash, userID, created_at, expires_at, label)
             VALUES (:token, :user, :created_at, :expires_at, :label)
             ON DUPLICATE KEY UPDATE expires_at = :expires_at",
            params! {
                "token" => &new.token.0[..],
                "user" => new.user.get(),
                "created_at" => row::at(new.created_at),
                "expires_at" => row::at(new.expires_at),
                "label" => new.label.chars().take(LABEL_CHARS_MAX).collect::<String>(),
            },
        )
        .await?;
        Ok(())
    }

    /// The session of a token, if it is good at `now`.
    pub async fn session(&self, token: TokenHash, now: Timestamp) -> Answer<Option<Session>> {
        let row = self
            .row(
                "SELECT s.expires_at, u.userID, u.name, u.age, u.gender, u.email, u.role
                 FROM session s
                 JOIN `user` u ON u.userID = s.userID
                 WHERE s.tokenHash = :token
                   AND s.expires_at > :now
                   AND u.disabled_at IS NULL",
                params! { "token" => &token.0[..], "now" => row::at(now) },
            )
            .await?;
        Ok(row::usable_one(row.as_ref(), "session", session))
    }

    /// Closes a session; whether there was one.
    pub async fn close_session(&self, token: TokenHash) -> Answer<bool> {
        let changed = self
            .change(
                "DELETE FROM session
                 WHERE tokenHash = :token",
                params! { "token" => &token.0[..] },
            )
            .await?;
        Ok(changed.rows > 0)
    }
}

fn taken() -> Reject {
    Reject::new(
        Code::Invalid,
        "Somebody has this e-mail address already: choose another.",
    )
}

fn account(row: &Row) -> Result<Account, row::Unusable> {
    Ok(Account {
        user: row::user(row)?,
        password_hash: row::text(row, "passwordHash"),
        disabled: row::maybe_time(row, "disabled_at").is_some(),
    })
}

fn session(row: &Row) -> Result<Session, row::Unusable> {
    Ok(Session {
        user: row::user(row)?,
        expires_at: row::time(row, "expires_at")?,
    })
}

fn listed(row: &Row) -> Result<PersonListed, row::Unusable> {
    Ok(PersonListed {
        user: row::user(row)?,
        disabled_at: row::maybe_time(row, "disabled_at"),
    })
}

fn name(row: &Row) -> Result<(UserId, String), row::Unusable> {
    let id = row::user_id(row, "userID")?;
    Ok((id, row::user_name(row, id)))
}

/// The ids in portions of a few sizes only; see [`ASKED`].
fn in_tens(users: &[UserId]) -> impl Iterator<Item = Vec<Value>> {
    let mut unique = users.to_vec();
    unique.sort_unstable();
    unique.dedup();
    let most = ASKED.last().copied().unwrap_or(1);
    let portions: Vec<Vec<Value>> = unique
        .chunks(most)
        .map(|ids| {
            let size = ASKED.iter().copied().find(|size| *size >= ids.len());
            let mut values: Vec<Value> = ids.iter().map(|id| id.get().into()).collect();
            let filler = values.last().cloned().unwrap_or(Value::NULL);
            values.resize(size.unwrap_or(ids.len()), filler);
            values
        })
        .collect();
    portions.into_iter()
}

/// `?, ?, ?`
fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}
