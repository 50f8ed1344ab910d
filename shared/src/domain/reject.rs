//! Rejections: why the server refuses a request.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $sentence:literal;)+) => {
        /// The stable codes of rejections, the same on the WebSocket and by HTTP.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for Code {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                crate::openapi::words(Self::ALL.iter().map(|one| one.as_str()))
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for Code {}

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The default sentence for users.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

codes! {
    /// The request is not valid JSON or UTF-8, or has an unknown verb.
    Malformed = "malformed", "The server does not understand this request.";
    /// A field is missing, of the wrong type, or out of its range.
    Invalid = "invalid", "A field is missing or has an invalid value.";
    /// The body of a message is empty.
    BodyEmpty = "body_empty", "The message is empty. Type a text.";
    /// The body of a message is longer than 4,096 bytes.
    BodyTooLong = "body_too_long", "The message is longer than 4,096 bytes. Shorten or split it.";
    /// The body of a message contains control or escape characters.
    BodyControl = "body_control", "The message contains control characters. Remove them.";
    /// A frame or request is larger than 64 KiB.
    TooLarge = "too_large", "The request is larger than 65,536 bytes.";
    /// The body of the HTTP request is not declared as JSON.
    UnsupportedMediaType = "unsupported_media_type", "The body must be JSON. Send the header Content-Type: application/json.";
    /// The origin of the web page that opens the WebSocket is not allowed.
    OriginNotAllowed = "origin_not_allowed", "This web page may not connect. Ask the operator to allow its origin.";
    /// The token is missing, unknown, expired or revoked.
    NotSignedIn = "not_signed_in", "You are not signed in. Sign in and try again.";
    /// The email address or the password is wrong.
    WrongPassword = "wrong_password", "Email or password is wrong.";
    /// The account is disabled.
    Disabled = "disabled", "This account is disabled. Ask an admin to enable it.";
    /// Only admins may do this.
    AdminsOnly = "admins_only", "Only an admin may do this.";
    /// The request names another user than the caller.
    NotYourself = "not_yourself", "The userID is not yours. Leave it out.";
    /// The meeting, instance or user does not exist.
    NotFound = "not_found", "Not found. See the list of meetings.";
    /// The instance has not started.
    NotStarted = "not_started", "This meeting has not started yet.";
    /// The instance has ended.
    Ended = "ended", "This meeting has ended. You can still read its messages.";
    /// The meeting is private and the user is not in its audience.
    NotAllowed = "not_allowed", "You are not invited to this meeting. Ask an admin to invite you.";
    /// The user is a participant already.
    AlreadyParticipant = "already_participant", "You have already joined this meeting.";
    /// The user is not a participant.
    NotParticipant = "not_participant", "You are not in this meeting. Join it first.";
    /// The instance has no message with this seq.
    NoSuchMessage = "no_such_message", "This message does not exist. See the messages of the meeting.";
    /// Another user posted the message.
    NotYours = "not_yours", "You can only edit or delete your own messages.";
    /// The message is deleted.
    MessageDeleted = "message_deleted", "This message has been deleted. Post a new one.";
    /// An admin locked the instance.
    Locked = "locked", "This meeting is locked. Ask an admin to unlock it.";
    /// An admin banned the user.
    Banned = "banned", "You are banned from this meeting.";
    /// An admin turned read-only on.
    ReadOnly = "read_only", "This meeting is read-only.";
    /// An admin muted the user.
    Muted = "muted", "You are muted in this meeting.";
    /// The instance has started and can no longer be moved or cancelled.
    NotScheduled = "not_scheduled", "This meeting has already started. Extend it or end it instead.";
    /// The requested state is the current state.
    AlreadySo = "already_so", "Already done. Nothing changed.";
    /// The instance has the maximum number of participants.
    Full = "full", "This meeting is full. Try again later.";
    /// The connection follows the maximum number of instances.
    TooManyFollowed = "too_many_followed", "This connection already follows 64 meetings. Close one.";
    /// Too many requests in a short time.
    TooManyRequests = "too_many_requests", "Too many attempts. Wait a moment and try again.";
    /// The user posts, joins or searches faster than the server allows.
    RateLimited = "rate_limited", "You are sending too fast. Wait a moment and try again.";
    /// Posts are rejected because the server's disk is almost full.
    DiskReserve = "disk_reserve", "The server's disk is almost full, so it accepts no messages. Try again later.";
    /// Posts are rejected because too many events wait to be archived.
    ArchiveBehind = "archive_behind", "The server is behind with storing messages. Try again soon.";
    /// A store is unavailable.
    Unavailable = "unavailable", "The server cannot reach its data. Try again soon.";
    /// A defect in the server.
    Internal = "internal", "Internal server error.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A rejected request: a stable code and a sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[error("{detail} ({code})")]
pub struct Reject {
    /// The code.
    pub code: Code,
    /// What was wrong, and what to do.
    pub detail: String,
    /// After how many seconds to try again, if that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
    /// The same wait in milliseconds, if it is known exactly (`rate_limited`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

impl Reject {
    /// Creates a rejection with a sentence of its own.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let retry_after_s = match code {
            Code::ArchiveBehind | Code::RateLimited | Code::Unavailable => Some(1),
            Code::TooManyRequests | Code::DiskReserve => Some(10),
            _ => None,
        };
        Self {
            code,
            detail: detail.into(),
            retry_after_s,
            retry_after_ms: None,
        }
    }

    /// Creates the rejection of a request that may be sent again after this many milliseconds.
    pub fn rate_limited(wait_ms: u32) -> Self {
        let seconds = wait_ms.div_ceil(1_000);
        let detail = format!("You are sending too fast. Try again in {seconds} s.");
        Self {
            retry_after_s: Some(seconds),
            retry_after_ms: Some(wait_ms),
            ..Self::new(Code::RateLimited, detail)
        }
    }

    /// Returns how many milliseconds to wait before the next attempt, if that helps.
    pub fn wait_ms(&self) -> Option<u32> {
        let wait_s = self.retry_after_s;
        self.retry_after_ms
            .or_else(|| wait_s.map(|wait_s| wait_s.saturating_mul(1_000)))
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
            | TextError::Invisible { .. }
            | TextError::Form { .. } => Code::Invalid,
        };
        Self::new(code, format!("The {error}."))
    }
}
