//! Who is there, who is not, and who has not been there yet.

use serde::{Deserialize, Serialize};

use crate::domain::Presence;
use crate::ids::{InstanceId, UserId};
use crate::time::Timestamp;

/// See [`super::Verb::Idle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// Whether it is so.
    pub idle: bool,
}

/// See [`super::Push::Presence`]. It is over when they leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceTold {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Who.
    #[serde(rename = "presence")]
    pub user: UserId,
    /// How they are there.
    pub state: Presence,
    /// Since when.
    pub since: Timestamp,
}

/// Who is invited and has not been in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Absent {
    /// How many, as far as the archive knows.
    pub count: usize,
    /// The first of them by name; [`crate::limits::ABSENT_MAX`] at most.
    pub people: Vec<Invited>,
}

/// Somebody who is invited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invited {
    /// Who, if the server knows somebody of this address.
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// What they are called; otherwise their address.
    pub name: String,
}
