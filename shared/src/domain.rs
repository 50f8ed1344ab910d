//! People, meetings, instances, participants, events, and why someone is told no.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{Cmid, Generation, InstanceId, MeetingId, Seq, UserId};
use crate::text::MessageBody;
use crate::time::Timestamp;

mod moderation;

pub use moderation::{
    EndChange, Moderation, ModerationAction, ModerationKind, Restrictions, StoredModeration,
    Subject,
};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every case.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in stores and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|w| w.as_str() == text).ok_or_else(|| UnknownWord {
                    word: text.to_owned(),
                    known: Self::ALL.iter().map(|w| w.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

/// A word that is none of the words it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is none of: {known}")]
pub struct UnknownWord {
    word: String,
    known: String,
}

words! {
    /// What a person may do.
    Role {
        /// Joins what they are invited to, and what is public.
        Member = "member",
        /// Also sees every meeting, and steers them.
        Admin = "admin",
    }
}

words! {
    /// As the original's table has it.
    Gender {
        /// male
        Male = "male",
        /// female
        Female = "female",
        /// other
        Other = "other",
    }
}

words! {
    /// Where an instance is in its life.
    InstanceState {
        /// Before its start.
        Scheduled = "scheduled",
        /// Open: people may join and post.
        Active = "active",
        /// Closed to joins and posts; its record is being completed.
        Ending = "ending",
        /// Over; what lasts is in the archive.
        Ended = "ended",
    }
}

words! {
    /// Why somebody left, or why an instance closed.
    Reason {
        /// They said so.
        Left = "left",
        /// Their connection was lost and did not come back within the grace.
        ConnectionLost = "connection_lost",
        /// The instance's time was over.
        Scheduled = "scheduled",
        /// An admin ended the instance.
        Ended = "ended",
        /// Nothing was running at the instance's time.
        Missed = "missed",
        /// An admin took them out.
        Removed = "removed",
        /// An admin called the instance off before it began.
        Cancelled = "cancelled",
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// Who.
    #[serde(rename = "userID")]
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// In years.
    pub age: Option<u32>,
    /// As they say.
    pub gender: Option<Gender>,
    /// Their address, as stored.
    pub email: String,
    /// What they may do.
    pub role: Role,
}

impl User {
    /// The address as audiences are compared with: in lower case.
    pub fn email_key(&self) -> String {
        self.email.to_lowercase()
    }
}

/// A meeting: what its instances have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Meeting {
    /// Which.
    #[serde(rename = "meetingID")]
    pub id: MeetingId,
    /// One line.
    pub title: String,
    /// Any text, or none.
    pub description: String,
    /// Whether anyone who is signed in may join.
    #[serde(rename = "isPublic")]
    pub is_public: bool,
}

/// One occurrence of a meeting as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instance {
    /// The meeting's title.
    pub title: String,
    /// The meeting's description.
    pub description: String,
    /// Whether anyone who is signed in may join.
    #[serde(rename = "isPublic")]
    pub is_public: bool,
    /// When it begins.
    pub fromdatetime: Timestamp,
    /// When it is over.
    pub todatetime: Timestamp,
    /// Which.
    #[serde(flatten)]
    pub id: InstanceId,
    /// Where it is in its life.
    pub state: InstanceState,
    /// How many participants are in it now.
    pub participants: u32,
    /// Since when the asking person is a participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Timestamp>,
    /// Whether it has ended because an admin called it off before it began.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
}

words! {
    /// Whether somebody who is in is there.
    Presence {
        /// A terminal of theirs answers, or they joined without one.
        Present = "present",
        /// None of their terminals that answer has been used for [`crate::limits::IDLE_AFTER_MS`].
        Idle = "idle",
        /// Their connection is lost; it has the grace to come back.
        Reconnecting = "reconnecting",
    }
}

impl Presence {
    /// Whether there is nothing to say of it.
    pub const fn is_present(&self) -> bool {
        matches!(self, Self::Present)
    }
}

/// Somebody who has joined an active instance and has not left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Participant {
    /// What they are called.
    pub name: String,
    /// In years.
    pub age: Option<u32>,
    /// As they say.
    pub gender: Option<Gender>,
    /// Their address.
    pub email: String,
    /// Who.
    #[serde(rename = "userID")]
    pub id: UserId,
    /// When this stay began.
    pub joined: Timestamp,
    /// Whether they are there; missing where they are.
    #[serde(default = "present", skip_serializing_if = "Presence::is_present")]
    pub presence: Presence,
    /// Since when they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

const fn present() -> Presence {
    Presence::Present
}

/// Somebody an event speaks of, who need not be a participant any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserRef {
    /// Who.
    #[serde(rename = "userID")]
    pub id: UserId,
    /// What they are called.
    pub name: String,
}

/// One numbered entry of an instance's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The generation of the live state that emitted it; 0 when it was read from the archive.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// Its number.
    pub seq: Seq,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
    /// When, by the store's clock.
    pub timestamp: Timestamp,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The instance became active.
    Opened,
    /// Somebody became a participant.
    Join {
        /// Who.
        #[serde(rename = "userID")]
        user: UserId,
        /// What they are called.
        #[serde(default)]
        name: String,
    },
    /// Somebody is no participant any more.
    Leave {
        /// Who.
        #[serde(rename = "userID")]
        user: UserId,
        /// Why.
        reason: Reason,
    },
    /// Somebody said something.
    Message {
        /// Who.
        #[serde(rename = "userID")]
        user: UserId,
        /// Their client's own id of it.
        cmid: Cmid,
        /// What they said, as it is now; gone where they deleted it.
        body: MessageBody,
        /// The message that it answers.
        #[serde(default, rename = "replyTo", skip_serializing_if = "Option::is_none")]
        reply_to: Option<Seq>,
        /// When they changed it last, if it was read after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edited: Option<Timestamp>,
        /// When they deleted it, if it was read after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deleted: Option<Timestamp>,
    },
    /// Somebody changed what they had said.
    Edited {
        /// Who.
        #[serde(rename = "userID")]
        user: UserId,
        /// Their client's own id of the change.
        cmid: Cmid,
        /// Which message of theirs.
        target: Seq,
        /// What it says since; gone where they deleted it later.
        body: MessageBody,
    },
    /// Somebody deleted what they had said.
    Deleted {
        /// Who.
        #[serde(rename = "userID")]
        user: UserId,
        /// Their client's own id of the change.
        cmid: Cmid,
        /// Which message of theirs.
        target: Seq,
    },
    /// An admin steered the instance.
    Moderated(Moderation),
    /// The instance is over; nothing comes after this.
    Closed {
        /// Why.
        reason: Reason,
    },
}

impl EventKind {
    /// The word in stores and on the wire.
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

    /// Whom it speaks of.
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

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $sentence:literal;)+) => {
        /// A stable code for every "no", the same on the WebSocket and by HTTP.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl Code {
            /// Every case.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// What a person is told when there is nothing more exact to say.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

codes! {
    /// Not JSON, not UTF-8, not a request.
    Malformed = "malformed", "This is no request that the server understands.";
    /// A field is missing, of the wrong type, or out of its range.
    Invalid = "invalid", "A field is missing or has a value that it may not have.";
    /// A body with nothing in it.
    BodyEmpty = "body_empty", "The message is empty: write something.";
    /// A body of more than 4,096 bytes.
    BodyTooLong = "body_too_long", "The message has more than 4096 bytes: shorten or split it.";
    /// A body with control or escape characters.
    BodyControl = "body_control", "The message contains control characters: remove them.";
    /// A frame or request of more than 64 KiB.
    TooLarge = "too_large", "The request has more than 65536 bytes: make it smaller.";
    /// No token, or one that is unknown, expired or revoked.
    NotSignedIn = "not_signed_in", "You are not signed in: sign in and try again.";
    /// E-mail or password are wrong.
    WrongPassword = "wrong_password", "E-mail address or password is wrong.";
    /// Their account is disabled.
    Disabled = "disabled", "This account is disabled: ask an admin to enable it.";
    /// What only admins may do.
    AdminsOnly = "admins_only", "Only an admin may do this.";
    /// Acting as somebody else.
    NotYourself = "not_yourself", "The userID is not yours: leave it out.";
    /// There is no such meeting, instance or person.
    NotFound = "not_found", "There is nothing of this name: look at the list of meetings.";
    /// The instance has not begun.
    NotStarted = "not_started", "This meeting has not begun yet.";
    /// The instance is over.
    Ended = "ended", "This meeting has ended: its messages can still be read.";
    /// Neither public nor in the audience.
    NotAllowed = "not_allowed", "You are not allowed to join this meeting: ask who runs it to invite you.";
    /// They are in already.
    AlreadyParticipant = "already_participant", "You have already joined this meeting.";
    /// They are not in.
    NotParticipant = "not_participant", "You are not in this meeting: join it first.";
    /// No message of the instance has this number.
    NoSuchMessage = "no_such_message", "There is no message of this number in the meeting: look at its messages.";
    /// Somebody else said it.
    NotYours = "not_yours", "Somebody else said this: only their own messages may people change or delete.";
    /// Its sender has deleted it.
    MessageDeleted = "message_deleted", "This message has been deleted: write a new one.";
    /// An admin lets nobody join.
    Locked = "locked", "An admin lets nobody join this meeting any more: ask them to unlock it.";
    /// An admin took them out for good.
    Banned = "banned", "An admin has removed you from this meeting, and you may not come back.";
    /// An admin lets nobody speak.
    ReadOnly = "read_only", "An admin has made this meeting read-only: nobody can write in it now.";
    /// An admin lets them speak no more.
    Muted = "muted", "An admin has muted you in this meeting: you can read, but not write.";
    /// Only what has not begun can be moved or cancelled.
    NotScheduled = "not_scheduled", "This meeting has begun or is over: extend it or end it instead.";
    /// What was asked for holds already.
    AlreadySo = "already_so", "This is so already: nothing was changed.";
    /// The instance has as many participants as it may have.
    Full = "full", "This meeting is full: try again when somebody has left.";
    /// A connection follows more instances than it may.
    TooManyFollowed = "too_many_followed", "This connection follows 64 meetings already: close one.";
    /// Too many tries.
    TooManyRequests = "too_many_requests", "Too many tries: wait a little.";
    /// The archive is so far behind that a post could be lost.
    ArchiveBehind = "archive_behind", "The archive is behind and nothing more is taken: try again soon.";
    /// A store is away.
    Unavailable = "unavailable", "The server cannot reach its data just now: try again soon.";
    /// Something broke.
    Internal = "internal", "Something went wrong in the server.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An answer of "no", for the person: a stable code and a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{detail} ({code})")]
pub struct Reject {
    /// Which "no".
    pub code: Code,
    /// What to do about it.
    pub detail: String,
    /// When to try again, in seconds, where that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl Reject {
    /// With a sentence of its own.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after_s = match code {
            Code::ArchiveBehind | Code::Unavailable => Some(1),
            Code::TooManyRequests => Some(10),
            _ => None,
        };
        Self {
            code,
            detail: detail.into(),
            retry_after_s,
        }
    }
}

impl From<Code> for Reject {
    fn from(code: Code) -> Self {
        Self::new(code, code.sentence())
    }
}

impl From<crate::text::TextError> for Reject {
    fn from(error: crate::text::TextError) -> Self {
        use crate::text::TextError;
        let code = match &error {
            TextError::Empty { field: "body" } => Code::BodyEmpty,
            TextError::TooLong { field: "body", .. } => Code::BodyTooLong,
            TextError::Control { field: "body", .. } => Code::BodyControl,
            TextError::Empty { .. }
            | TextError::TooLong { .. }
            | TextError::Control { .. }
            | TextError::Form { .. } => Code::Invalid,
        };
        Self::new(code, format!("The {error}."))
    }
}
