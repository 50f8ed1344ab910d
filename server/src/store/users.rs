//! User accounts.

use async_trait::async_trait;
use plenary_shared::domain::{Gender, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::time::Timestamp;

use crate::error::Answer;

use super::TokenHash;

/// A user with their credentials.
#[derive(Clone)]
pub struct Account {
    pub user: User,
    /// The password's hash in PHC format; `None`: no sign-in by password.
    pub password_hash: Option<String>,
    pub disabled: bool,
}

/// A user to add.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub name: String,
    /// The email address in lower case.
    pub email: String,
    /// The age in years.
    pub age: Option<u32>,
    pub gender: Option<Gender>,
    pub role: Role,
    /// The password's hash in PHC format; `None`: no sign-in by password.
    pub password_hash: Option<String>,
    /// The admin who adds the user, for the audit; `None`: the command line.
    pub by: Option<UserId>,
}

/// A password to set.
#[derive(Clone)]
pub struct NewPassword {
    /// The user.
    pub user: UserId,
    /// The password's hash in PHC format.
    pub hash: String,
    /// The hash that it replaces. `None`: any.
    pub replaces: Option<String>,
    /// The session that stays open. All others end.
    pub keeps: Option<TokenHash>,
    /// Who sets it, for the audit; `None`: the command line.
    pub by: Option<UserId>,
}

/// A user in the list of all users.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct PersonListed {
    #[serde(flatten)]
    pub user: User,
    /// Since when the account is disabled, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
}

/// Reads and changes user accounts. `by`: the admin who does it, for the audit; `None`: the command line.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Returns the account with this email address, in any case.
    async fn account(&self, email: &str) -> Answer<Option<Account>>;
    /// Adds a user. `invalid`: the address is taken.
    async fn add_user(&self, new: NewUser) -> Answer<User>;
    /// Sets a password's hash and closes the sessions of the user on all servers, in one step.
    /// `wrong_password`: another hash than the one to replace is stored.
    async fn set_password(&self, new: NewPassword) -> Answer<()>;
    async fn user(&self, id: UserId) -> Answer<Option<PersonListed>>;
    /// Returns a page of all users, by id, above `after`.
    async fn users(&self, after: Option<UserId>, limit: usize) -> Answer<Vec<PersonListed>>;
    /// Sets the role of a user. It applies from their next request on. Returns whether it is another one.
    async fn set_role(&self, user: UserId, role: Role, by: Option<UserId>) -> Answer<bool>;
    /// Disables an account since then and closes its sessions on all servers; `None` enables it. Returns
    /// false, and changes nothing, if it was disabled or enabled already.
    async fn set_disabled(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        by: Option<UserId>,
    ) -> Answer<bool>;
}
