//! Requests about what was said: changing it, deleting it.

use serde::{Deserialize, Serialize};

use crate::ids::{Cmid, InstanceId, Seq};
use crate::text::MessageBody;

/// See [`super::Verb::Edit`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Which message of one's own.
    pub target: Seq,
    /// The client's own id of the change; the same id never makes a second change.
    pub cmid: Cmid,
    /// What it is to say.
    pub body: MessageBody,
}

/// See [`super::Verb::Delete`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Which message of one's own.
    pub target: Seq,
    /// The client's own id of the change; the same id never makes a second change.
    pub cmid: Cmid,
}
