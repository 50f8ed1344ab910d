//! Users and their sessions.

use plenary_shared::domain::{Code, Gender, Reject, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::limits::PAGE_MAX;
use plenary_shared::text::email_key;
use plenary_shared::time::Timestamp;

use super::{Change, Dialect, Query, Row, Unusable, params};
use crate::store::{
    Account, NewSession, NewUser, PersonListed, Session, StoredSession, TokenHash, sanitize,
};

/// Expired sessions that are removed whenever a session is opened, so that they do not accumulate.
const EXPIRED_REMOVED_MAX: usize = 100;

/// The length of a session's label in characters: the width of its column in MySQL. A longer label is
/// cut.
const LABEL_CHARS_MAX: usize = 255;

/// The account of an email address in any case.
pub fn account(email: &str) -> Query<Account> {
    let email = email.trim();
    Query::new(
        "user",
        "SELECT userID, name, age, gender, email, role, passwordHash, disabled_at
         FROM user
         WHERE emailKey IN (:typed, :lower)
         ORDER BY emailKey = :lower DESC, userID
         LIMIT 1",
        params! { "typed": email, "lower": email_key(email) },
        |row| {
            Ok(Account {
                user: row.user()?,
                password_hash: row.text("passwordHash"),
                disabled: row.maybe_time("disabled_at").is_some(),
            })
        },
    )
}

/// Adds a user.
pub fn insert(new: &NewUser) -> Change {
    Change::new(
        "INSERT INTO user (name, age, gender, email, role, passwordHash)
         VALUES (:name, :age, :gender, :email, :role, :hash)",
        params! {
            "name": new.name.as_str(),
            "age": new.age,
            "gender": new.gender.map(Gender::as_str),
            "email": new.email.as_str(),
            "role": new.role.as_str(),
            "hash": new.password_hash.as_deref(),
        },
    )
}

/// The user that [`insert`] has added.
pub fn inserted(id: UserId, new: NewUser) -> User {
    User {
        id,
        name: new.name,
        age: new.age,
        gender: new.gender,
        email: new.email,
        role: new.role,
    }
}

/// The answer to a second user with the same email address.
pub fn email_taken() -> Reject {
    Reject::new(
        Code::Invalid,
        "This email address already has an account: choose another.",
    )
}

/// A page of users in the order of their ids, above `after`.
pub fn page(after: Option<UserId>, limit: usize) -> Query<PersonListed> {
    Query::new(
        "user",
        "SELECT userID, name, age, gender, email, role, disabled_at
         FROM user
         WHERE userID >= :from
         ORDER BY userID
         LIMIT :limit",
        params! {
            "from": after.map_or(0, |id| id.get() + 1),
            "limit": limit.min(PAGE_MAX),
        },
        listed,
    )
}

pub fn by_id(id: UserId) -> Query<PersonListed> {
    Query::new(
        "user",
        "SELECT userID, name, age, gender, email, role, disabled_at
         FROM user
         WHERE userID = :user",
        params! { "user": id },
        listed,
    )
}

fn listed(row: &dyn Row) -> Result<PersonListed, Unusable> {
    Ok(PersonListed {
        user: row.user()?,
        disabled_at: row.maybe_time("disabled_at"),
    })
}

/// What a transaction has to know about a user before it changes them.
pub struct Current {
    /// The role.
    pub role: Role,
    /// The password's hash.
    pub password_hash: Option<String>,
    /// Whether the account is disabled.
    pub disabled: bool,
}

/// The user to change, who is locked until the transaction ends.
pub fn current(dialect: Dialect, user: UserId) -> Query<Current> {
    let lock = match dialect {
        Dialect::Mysql => "FOR UPDATE",
        Dialect::Sqlite => "",
    };
    Query::new(
        "user",
        format!(
            "SELECT userID, name, age, gender, email, role, passwordHash, disabled_at
             FROM user
             WHERE userID = :user {lock}"
        ),
        params! { "user": user },
        |row| {
            Ok(Current {
                role: row.user()?.role,
                password_hash: row.text("passwordHash"),
                disabled: row.maybe_time("disabled_at").is_some(),
            })
        },
    )
}

/// Sets a user's role.
pub fn set_role(user: UserId, role: Role) -> Change {
    Change::new(
        "UPDATE user
         SET role = :role
         WHERE userID = :user",
        params! { "role": role.as_str(), "user": user },
    )
}

/// Disables a user since then, or enables them.
pub fn set_disabled(user: UserId, since: Option<Timestamp>) -> Change {
    Change::new(
        "UPDATE user
         SET disabled_at = :since
         WHERE userID = :user",
        params! { "since": since, "user": user },
    )
}

/// Sets a user's password hash.
pub fn set_password(user: UserId, hash: &str) -> Change {
    Change::new(
        "UPDATE user
         SET passwordHash = :hash
         WHERE userID = :user",
        params! { "hash": hash, "user": user },
    )
}

/// Removes sessions that have expired, the oldest first.
pub fn remove_expired_sessions(dialect: Dialect, now: Timestamp) -> Change {
    Change::new(
        match dialect {
            Dialect::Mysql => {
                "DELETE FROM session
                 WHERE expires_at <= :now
                 ORDER BY expires_at
                 LIMIT :limit"
            }
            Dialect::Sqlite => {
                "DELETE FROM session
                 WHERE tokenHash IN (
                   SELECT tokenHash
                   FROM session
                   WHERE expires_at <= :now
                   ORDER BY expires_at
                   LIMIT :limit)"
            }
        },
        params! { "now": now, "limit": EXPIRED_REMOVED_MAX },
    )
}

/// Adds a session, unless its user is disabled or has another password by now. A repeated call with the
/// same token only sets its expiry.
pub fn insert_session(dialect: Dialect, new: &NewSession) -> Change {
    let on_duplicate = match dialect {
        // Waits for a transaction that is changing the user.
        Dialect::Mysql => {
            "LOCK IN SHARE MODE
             ON DUPLICATE KEY UPDATE expires_at = :expires_at"
        }
        Dialect::Sqlite => "ON CONFLICT (tokenHash) DO UPDATE SET expires_at = :expires_at",
    };
    Change::new(
        format!(
            "INSERT INTO session (tokenHash, userID, created_at, expires_at, label)
             SELECT :token, userID, :created_at, :expires_at, :label
             FROM user
             WHERE userID = :user
               AND disabled_at IS NULL
               AND (:hash IS NULL OR passwordHash = :hash)
             {on_duplicate}"
        ),
        params! {
            "token": &new.token.0[..],
            "user": new.user,
            "created_at": new.created_at,
            "expires_at": new.expires_at,
            "label": new.label.chars().take(LABEL_CHARS_MAX).collect::<String>(),
            "hash": new.password_hash.as_deref(),
        },
    )
}

/// The session of a token, unless it has expired at `now` or its user is disabled.
pub fn session(token: TokenHash, now: Timestamp) -> Query<Session> {
    Query::new(
        "session",
        "SELECT s.expires_at, u.userID, u.name, u.age, u.gender, u.email, u.role
         FROM session s
         JOIN user u ON u.userID = s.userID
         WHERE s.tokenHash = :token
           AND s.expires_at > :now
           AND u.disabled_at IS NULL",
        params! { "token": &token.0[..], "now": now },
        |row| {
            Ok(Session {
                user: row.user()?,
                expires_at: row.time("expires_at")?,
            })
        },
    )
}

pub fn remove_session(token: TokenHash) -> Change {
    Change::new(
        "DELETE FROM session
         WHERE tokenHash = :token",
        params! { "token": &token.0[..] },
    )
}

/// A user's sessions that have not expired at `now`, the newest first.
pub fn sessions(user: UserId, now: Timestamp) -> Query<StoredSession> {
    Query::new(
        "session",
        "SELECT tokenHash, label, created_at, expires_at
         FROM session
         WHERE userID = :user
           AND expires_at > :now
         ORDER BY created_at DESC
         LIMIT :limit",
        params! { "user": user, "now": now, "limit": PAGE_MAX },
        |row| {
            Ok(StoredSession {
                token: token(row)?,
                label: sanitize::one_line(&row.text("label").unwrap_or_default()),
                created_at: row.time("created_at")?,
                expires_at: row.time("expires_at")?,
            })
        },
    )
}

/// The hash of a token, from `tokenHash`.
pub fn token(row: &dyn Row) -> Result<TokenHash, Unusable> {
    const COLUMN: &str = "tokenHash";
    row.bytes(COLUMN)
        .and_then(|bytes| bytes.try_into().ok())
        .map(TokenHash)
        .ok_or(Unusable(COLUMN))
}
