//! The account that is signed in.

use plenary_shared::domain::Role;
use plenary_shared::ids::UserId;

use crate::journal::Owner;
use crate::session::Token;

/// The account that is signed in.
#[derive(Debug)]
pub struct Session {
    pub server: String,
    pub token: Option<Token>,
    /// The user, once the server has answered hello.
    pub me: Option<Me>,
    /// The account that the outbox belongs to.
    pub outbox_owner: Option<Owner>,
}

/// The user who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Me {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
}
