//! What an admin asks for: moderation a running instance.

use serde::{Deserialize, Serialize};

use crate::ids::{Cmid, InstanceId, UserId};
use crate::text::MessageBody;
use crate::time::Timestamp;

/// See [`super::Verb::Moderate`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moderate {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The client's own id of it; the same id never does it a second time.
    pub cmid: Cmid,
    /// What is to be done.
    #[serde(flatten)]
    pub measure: Measure,
    /// Why: one line, told to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is to be done. The word is `do`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Measure {
    /// Moves the end to later.
    Extend(Longer),
    /// Ends it at once.
    End {},
    /// Lets nobody join any more; who is in stays in.
    Lock {},
    /// Lets people join again.
    Unlock {},
    /// Lets nobody speak any more.
    ReadOnly {},
    /// Lets people speak again.
    Writable {},
    /// Lets somebody speak no more.
    Mute(Target),
    /// Lets them speak again.
    Unmute(Target),
    /// Takes somebody out.
    Remove {
        /// Whom.
        #[serde(flatten)]
        target: Target,
        /// Whether they may not come back.
        #[serde(default)]
        ban: bool,
    },
    /// Lets somebody come back.
    Unban(Target),
    /// Says something to everybody.
    Announce {
        /// What.
        body: MessageBody,
    },
}

/// By how much longer: one of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Longer {
    /// So many minutes later than its end is by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// The new end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub todatetime: Option<Timestamp>,
}

/// Who is meant: one of the two.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Target {
    /// Their number.
    #[serde(default, rename = "userID", skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// Their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// See [`super::Verb::Explain`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The address of whoever wants to join.
    pub email: String,
}

/// The rule that lets somebody join an instance, or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Verdict {
    /// Whether they may join now.
    pub allowed: bool,
    /// The rule's word: `unknown_person`, `disabled`, `not_begun`, `over`, `already_in`,
    /// `not_in_audience`, `banned`, `locked`, `full`, `public` or `in_audience`.
    pub rule: String,
    /// Why, in a sentence.
    pub because: String,
    /// What would change it, in a sentence.
    pub change: String,
}
