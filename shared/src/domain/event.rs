//! Events: the entries of an instance's log.

use serde::{Deserialize, Serialize};

use super::{Moderation, Reason};
use crate::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use crate::text::MessageBody;
use crate::time::Timestamp;

/// A numbered entry of an instance's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The generation of the live state that emitted the event; 0 if it was read from the durable store.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The number within the log, from 1 without gaps.
    pub seq: Seq,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// When it happened, by the store's clock.
    pub timestamp: Timestamp,
}

/// What an event reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The instance started.
    Opened,
    /// A user joined.
    Join {
        /// The user's id.
        #[serde(rename = "userID")]
        user: UserId,
        /// The user's name.
        #[serde(default)]
        name: String,
    },
    /// A participant left or was removed.
    Leave {
        /// The user's id.
        #[serde(rename = "userID")]
        user: UserId,
        /// The reason.
        reason: Reason,
    },
    /// A participant posted a message.
    Message {
        /// The user's id.
        #[serde(rename = "userID")]
        user: UserId,
        /// The id that the sender's client chose.
        cmid: Cmid,
        /// The text; empty if the message is deleted.
        body: MessageBody,
        /// The seq of the message that it replies to.
        #[serde(default, rename = "replyTo", skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        /// When the sender edited it last, if the event was read after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edited: Option<Timestamp>,
        /// When the sender deleted it, if the event was read after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deleted: Option<Timestamp>,
    },
    /// A participant edited a message.
    Edited {
        /// The user's id.
        #[serde(rename = "userID")]
        user: UserId,
        /// The id that the sender's client chose for the change.
        cmid: Cmid,
        /// The seq of the message.
        target: Seq,
        /// The new text; empty if the message was deleted later.
        body: MessageBody,
    },
    /// A participant deleted a message.
    Deleted {
        /// The user's id.
        #[serde(rename = "userID")]
        user: UserId,
        /// The id that the sender's client chose for the change.
        cmid: Cmid,
        /// The seq of the message.
        target: Seq,
    },
    /// An admin moderated the instance.
    Moderated(Moderation),
    /// The instance ended. This is the last event.
    Closed {
        /// The reason.
        reason: Reason,
    },
}

impl EventKind {
    /// The word on the wire and in stores.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Join { .. } => "join",
            Self::Leave { .. } => "leave",
            Self::Message { .. } => "message",
            Self::Edited { .. } => "edited",
            Self::Deleted { .. } => "deleted",
            Self::Moderated(_) => "moderated",
            Self::Closed { .. } => "closed",
        }
    }

    /// The user who caused the event, or who joined or left.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Opened | Self::Closed { .. } => None,
            Self::Join { user, .. }
            | Self::Leave { user, .. }
            | Self::Message { user, .. }
            | Self::Edited { user, .. }
            | Self::Deleted { user, .. }
            | Self::Moderated(Moderation { user, .. }) => Some(*user),
        }
    }
}
