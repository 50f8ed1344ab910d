//! The domain: users, meetings, instances, participants, events, moderation and rejections.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{InstanceId, MeetingId, UserId};
use crate::time::Timestamp;

mod event;
mod moderation;
mod reject;

pub use event::{Event, EventKind};
pub use moderation::{
    EndChange, Moderation, ModerationAction, ModerationKind, Restrictions, StoredModeration,
    Subject,
};
pub use reject::{Code, Reject};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::openapi::words(Self::ALL.iter().map(|one| one.as_str()))
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $name {}

        impl $name {
            /// All variants.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire and in stores.
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

/// An unknown word for one of these enums.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is not one of: {known}")]
pub struct UnknownWord {
    word: String,
    known: String,
}

words! {
    /// What a user may do.
    Role {
        /// Joins public meetings and those whose audience includes the user.
        Member = "member",
        /// Also sees, plans and moderates all meetings.
        Admin = "admin",
    }
}

words! {
    /// Who sees the email address, the age and the gender of participants. They see their own in any case.
    ProfileVisibility {
        /// Only admins.
        Admins = "admins",
        /// Everybody who may read the meeting.
        Members = "members",
    }
}

words! {
    /// The gender of a user.
    Gender {
        /// `male`
        Male = "male",
        /// `female`
        Female = "female",
        /// `other`
        Other = "other",
    }
}

words! {
    /// The state of an instance.
    InstanceState {
        /// The instance has not started.
        Scheduled = "scheduled",
        /// Users may join and post.
        Active = "active",
        /// Joins and posts are closed. The rest of the log is being archived.
        Ending = "ending",
        /// The instance has ended and its log is archived.
        Ended = "ended",
    }
}

words! {
    /// Why a user left or an instance closed.
    Reason {
        /// The user left.
        Left = "left",
        /// The connection was lost and the user did not reconnect within the grace.
        ConnectionLost = "connection_lost",
        /// The user suspended the client and did not continue it within the grace.
        Suspended = "suspended",
        /// The scheduled end of the instance.
        Scheduled = "scheduled",
        /// An admin ended the instance.
        Ended = "ended",
        /// No server was running at the time of the instance.
        Missed = "missed",
        /// An admin removed the user.
        Removed = "removed",
        /// An admin cancelled the instance before its start.
        Cancelled = "cancelled",
    }
}

/// A user account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// The user's id.
    #[serde(rename = "userID")]
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The age in years.
    pub age: Option<u32>,
    /// The gender, if known.
    pub gender: Option<Gender>,
    /// The email address as stored.
    pub email: String,
    /// The role.
    pub role: Role,
}

impl User {
    /// The email address in NFC and lower case, as audiences store it.
    pub fn email_key(&self) -> String {
        crate::text::email_key(&self.email)
    }
}

/// A meeting: the properties that all of its instances share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Meeting {
    /// The id.
    #[serde(rename = "meetingID")]
    pub id: MeetingId,
    /// The title: one line.
    pub title: String,
    /// The description; may be empty.
    pub description: String,
    /// Whether every user may join.
    #[serde(rename = "isPublic")]
    pub is_public: bool,
}

/// One occurrence of a meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instance {
    /// The meeting's title.
    pub title: String,
    /// The meeting's description.
    pub description: String,
    /// Whether every user may join.
    #[serde(rename = "isPublic")]
    pub is_public: bool,
    /// The start.
    pub fromdatetime: Timestamp,
    /// The end.
    pub todatetime: Timestamp,
    /// The id.
    #[serde(flatten)]
    pub id: InstanceId,
    /// The state.
    pub state: InstanceState,
    /// The current number of participants.
    pub participants: u32,
    /// When the requesting user joined, if they are a participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Timestamp>,
    /// Whether an admin cancelled it before its start.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancelled: bool,
    /// When it really ended, which is before `todatetime` if an admin ended it. Left out while it is
    /// unknown.
    #[serde(default, rename = "endedAt", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

impl Instance {
    /// The end: the real one if an admin ended it early, otherwise the scheduled one.
    pub fn end(&self) -> Timestamp {
        let early = self.ended_at.filter(|_| !self.cancelled);
        early.map_or(self.todatetime, |at| at.min(self.todatetime))
    }
}

words! {
    /// Whether a participant is there.
    Presence {
        /// A connection of the participant is in use, or they joined without a connection.
        Present = "present",
        /// No connection of the participant has been in use for [`crate::limits::IDLE_AFTER_MS`].
        Idle = "idle",
        /// The connection is lost; the participant may reconnect within the grace.
        Reconnecting = "reconnecting",
    }
}

impl Presence {
    /// Whether it is the default, which is left out on the wire.
    pub const fn is_present(&self) -> bool {
        matches!(self, Self::Present)
    }
}

/// A user who has joined an active instance and has not left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Participant {
    /// The user's name.
    pub name: String,
    /// The age in years. Like the gender and the email address, it is left out if it is unknown or if the
    /// viewer may not see it: only admins and the participant may, unless the server shows it to everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<u32>,
    /// The gender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// The email address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user's id.
    #[serde(rename = "userID")]
    pub id: UserId,
    /// When the participant joined.
    pub joined: Timestamp,
    /// The presence. Left out if present.
    #[serde(default = "present", skip_serializing_if = "Presence::is_present")]
    pub presence: Presence,
    /// Since when the participant is idle or reconnecting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

const fn present() -> Presence {
    Presence::Present
}

/// The id and name of a user in an event or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserRef {
    /// The user's id.
    #[serde(rename = "userID")]
    pub id: UserId,
    /// The user's name.
    pub name: String,
}
