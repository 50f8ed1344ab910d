//! Moderation requests of admins, and the request that explains why a user may join or not.

use serde::{Deserialize, Serialize};

use crate::domain::ModerationAction;
use crate::ids::{Cmid, InstanceId, UserId};
use crate::time::Timestamp;

/// See [`super::Verb::Moderate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moderate {
    /// The instance to moderate.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// An id that the client chooses. A retry under the same id has no effect.
    pub cmid: Cmid,
    /// What to do.
    #[serde(flatten)]
    pub action: RequestedAction,
    /// The reason, shown to all participants: one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A moderation action as an admin requests it.
pub type RequestedAction = ModerationAction<Target, Extension>;

/// The new end of an instance. Exactly one of the fields is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Extension {
    /// How many minutes to add to the current end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// The new end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub todatetime: Option<Timestamp>,
}

/// The user whom a moderation request concerns. Exactly one of the fields is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    /// The user's id.
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// The user's email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// See [`super::Verb::Explain`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    /// The instance to join.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The email address of the user who wants to join.
    pub email: String,
}

/// The rule that decides whether a user may join an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// Whether they may join now.
    pub allowed: bool,
    /// The rule's word: `unknown_user`, `disabled`, `not_started`, `ended`, `already_participant`,
    /// `not_in_audience`, `banned`, `locked`, `full`, `public` or `in_audience`.
    pub rule: String,
    /// Why, in a sentence.
    pub explanation: String,
    /// What would change it, in a sentence.
    pub remedy: String,
}
