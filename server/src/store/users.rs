//! Accounts: who there is, what they may do, and their passwords.

use async_trait::async_trait;
use plenary_shared::domain::{Gender, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

/// A person and what they sign in with.
#[derive(Clone)]
pub struct Account {
    /// The person.
    pub user: User,
    /// Their password's hash in PHC form; `None`: they cannot sign in with a password.
    pub password_hash: Option<String>,
    /// Whether they may not sign in.
    pub disabled: bool,
}

/// A person to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// What they are called.
    pub name: String,
    /// Their address, in lower case.
    pub email: String,
    /// In years.
    pub age: Option<u32>,
    /// As they say.
    pub gender: Option<Gender>,
    /// What they may do.
    pub role: Role,
    /// The admin who adds them, for the audit; nobody where it is the command line.
    pub by: Option<UserId>,
}

/// A person as a list of everybody shows them.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct PersonListed {
    /// Who.
    #[serde(flatten)]
    pub user: User,
    /// Since when they may not sign in, if they may not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
}

/// Reads and changes user accounts. `by`: the admin who does it, for the audit; `None`: the command line.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// The account of an address (any case), if there is one.
    async fn account(&self, email: &str) -> Answer<Option<Account>>;
    /// Adds a person. `invalid` if the address is taken.
    async fn add_user(&self, new: NewUser) -> Answer<User>;
    /// Sets a password's hash.
    async fn set_password(&self, user: UserId, hash: &str, by: Option<UserId>) -> Answer<()>;
    /// The user with this id.
    async fn user(&self, id: UserId) -> Answer<Option<PersonListed>>;
    /// A page of all users, by id, above `after`.
    async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>>;
    /// Gives somebody a role, which counts from their next request on. `by`: the admin, for the audit.
    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<()>;
    /// Shuts somebody out since then, and ends their sessions, everywhere at once; `None`: lets them
    /// in again.
    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<()>;
}
