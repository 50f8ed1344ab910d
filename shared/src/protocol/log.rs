//! Reading and posting: instances, pages of their logs, and messages.

use serde::{Deserialize, Serialize};

use super::{Absent, Unread};
use crate::domain::{Event, Instance, ModerationAction, Participant, UserRef};
use crate::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use crate::limits;
use crate::text::MessageBody;
use crate::time::Timestamp;

/// See [`super::Verb::Open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// How many of the last events to return.
    #[serde(default = "page_default")]
    pub limit: usize,
}

/// See [`super::Verb::Post`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// An id that the client chooses. A retry under the same id does not post a second message.
    pub cmid: Cmid,
    /// The text.
    pub body: MessageBody,
    /// The seq of the message that it replies to.
    #[serde(default, rename = "replyTo", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// When the server answers.
    #[serde(default, skip_serializing_if = "Ack::is_ordered")]
    pub ack: Ack,
}

/// When the server answers a post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Ack {
    /// When the message is ordered and visible. It survives the crash of any server.
    #[default]
    Ordered,
    /// When the durable store has the message, or after [`limits::DURABLE_WAIT_MS_MAX`].
    Durable,
}

impl Ack {
    /// Whether it is the default, which is left out on the wire.
    pub const fn is_ordered(&self) -> bool {
        matches!(self, Self::Ordered)
    }
}

/// See [`super::Verb::Events`]. With `before`: the page that ends below that seq. Otherwise: the page after
/// `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Events {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Only events after this seq.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// Only events before this seq; the latest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// The maximum number of entries.
    #[serde(default = "page_default")]
    pub limit: usize,
}

/// See [`super::Verb::UserMessages`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMessages {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The sender.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// Only events after this seq.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// Only messages before this seq; the latest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// The maximum number of entries.
    #[serde(default = "page_default")]
    pub limit: usize,
}

fn page_default() -> usize {
    limits::PAGE_DEFAULT
}

/// The answer to [`super::Verb::Meetings`], and to `GET /meetings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MeetingsOk {
    /// Active, upcoming and recently ended instances that the user may join, by start.
    pub meetings: Vec<Instance>,
    /// Unread counts of the instances that have started. Left out while they are unavailable.
    #[serde(default)]
    pub unread: Vec<Unread>,
    /// The server's time.
    pub now: Timestamp,
}

/// The answer to [`super::Verb::Open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOk {
    /// The instance.
    #[serde(flatten)]
    pub instance: Instance,
    /// The generation of the live state; 0 if the log is read from the durable store.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The last seq. The server pushes later events.
    pub seq: Seq,
    /// The last seq in the durable store.
    pub durable: Seq,
    /// The participants, in the order of joining.
    pub roster: Vec<Participant>,
    /// The last events, by seq.
    pub events: Vec<Event>,
    /// Whether there are events before these.
    pub more: bool,
    /// The names of all users in `events`.
    pub users: Vec<UserRef>,
    /// The unread count. Left out while it is unavailable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<Unread>,
    /// The invited users who have not joined, for an active private instance. Left out while they are
    /// unavailable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absent>,
    /// What an admin has restricted. Left out if nothing is.
    #[serde(default, skip_serializing_if = "OwnRestrictions::is_none")]
    pub restrictions: OwnRestrictions,
}

/// What an admin has restricted in an active instance, as far as it concerns the reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnRestrictions {
    /// Whether nobody can join.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub locked: bool,
    /// Whether nobody can post.
    #[serde(
        default,
        rename = "readOnly",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub read_only: bool,
    /// Whether the reader cannot post.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub muted: bool,
}

impl OwnRestrictions {
    /// Whether nothing is restricted.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Applies the next action of the log, as `reader` sees it.
    pub fn apply(&mut self, action: &ModerationAction, reader: Option<UserId>) {
        use ModerationAction as Action;
        match action {
            Action::Lock => self.locked = true,
            Action::Unlock => self.locked = false,
            Action::ReadOnly => self.read_only = true,
            Action::Writable => self.read_only = false,
            Action::Mute(user) if Some(user.id) == reader => self.muted = true,
            Action::Unmute(user) if Some(user.id) == reader => self.muted = false,
            Action::Mute(_)
            | Action::Unmute(_)
            | Action::Extend(_)
            | Action::End
            | Action::Remove(_)
            | Action::Ban(_)
            | Action::Unban(_)
            | Action::Announce { .. } => {}
        }
    }
}

/// The answer to [`super::Verb::Join`], [`super::Verb::Leave`] and [`super::Verb::Post`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Posted {
    /// The seq of the event.
    pub seq: Seq,
    /// The time of the event, by the store's clock.
    pub timestamp: Timestamp,
    /// Whether an earlier request with the same cmid had this effect.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
    /// Only for [`Ack::Durable`]: whether the durable store has the message. If not, the message is
    /// still ordered and visible and will be stored; a retry with the same cmid waits again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durable: Option<bool>,
}

/// The answer to [`super::Verb::Events`], and to `GET …/events`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventsOk {
    /// By seq, ascending.
    pub events: Vec<Event>,
    /// Whether there are more in the requested direction.
    pub more: bool,
    /// The names of all users in `events`.
    pub users: Vec<UserRef>,
}

/// The answer to [`super::Verb::UserMessages`]; by HTTP under the names of the ten functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagesOk {
    /// By seq, ascending.
    pub messages: Vec<Message>,
    /// Whether there are more in the requested direction.
    pub more: bool,
}

/// One message of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// The sender.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// The current text; empty if the message is deleted.
    pub body: MessageBody,
    /// When it was posted.
    pub timestamp: Timestamp,
    /// The seq in the instance's log.
    pub seq: Seq,
    /// The id that the sender's client chose.
    pub cmid: Cmid,
    /// The sender's name.
    pub name: String,
    /// The seq of the message that it replies to.
    #[serde(default, rename = "replyTo", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// When the sender edited it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Timestamp>,
    /// When the sender deleted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
}
