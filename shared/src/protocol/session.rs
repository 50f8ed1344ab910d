//! Signing in by WebSocket and by HTTP, and resuming followed instances.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::Role;
use crate::ids::{Generation, InstanceId, Seq, UserId};
use crate::time::Timestamp;

/// See [`super::Verb::Hello`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// The login token.
    pub token: String,
    /// The client's program and version, for the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The positions of the client in the instances that it follows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resume: Vec<Position>,
}

// Tokens must not reach a log.
#[expect(clippy::missing_fields_in_debug, reason = "the token is a secret")]
impl std::fmt::Debug for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hello")
            .field("client", &self.client)
            .field("resume", &self.resume)
            .finish()
    }
}

/// How far a client has applied an instance's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The generation of the last event.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The seq of the last event that was applied.
    pub seq: Seq,
}

/// The answer to [`super::Verb::Hello`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloOk {
    /// The id of the signed-in user.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// The name of the signed-in user.
    pub name: String,
    /// The email address of the signed-in user.
    pub email: String,
    /// The role of the signed-in user.
    pub role: Role,
    /// The server's version.
    pub server: String,
    /// The server's time.
    pub now: Timestamp,
    /// How each position of the request resumes, in the order of the request.
    #[serde(default)]
    pub resumed: Vec<Resumed>,
}

/// How a position resumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// What the client has to do.
    pub mode: ResumeMode,
}

/// What a client does to resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResumeMode {
    /// Nothing: the server pushes every event after the position.
    Delta,
    /// Open the instance again: too many events are missing, or the generation has changed.
    Snapshot,
    /// Read the rest with `events`: the instance has ended.
    Ended,
    /// Drop the instance: the user cannot read it.
    Gone,
}

/// The body of `POST /login`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// The email address of the account.
    pub email: String,
    /// The password of the account.
    pub password: String,
    /// The label of the session in lists, such as the host name of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// The answer to `POST /login`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LoginOk {
    /// The login token. It is a secret.
    pub token: String,
    /// When the token expires.
    pub expires_at: Timestamp,
    /// The id of the signed-in user.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// The name of the signed-in user.
    pub name: String,
    /// The role of the signed-in user.
    pub role: Role,
}

/// The id of a session in lists: 16 hexadecimal digits. It does not reveal the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub u64);

/// A text that is not a [`SessionId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the ID of a session, 16 hexadecimal digits")]
pub struct SessionIdError;

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, SessionIdError> {
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if text.len() != 16 || !is_hexadecimal {
            return Err(SessionIdError);
        }
        let id = u64::from_str_radix(text, 16).map_err(|_| SessionIdError)?;
        Ok(Self(id))
    }
}

impl Serialize for SessionId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The answer to `GET /user/{userID}/sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionsOk {
    /// The valid sessions, newest first.
    pub sessions: Vec<SessionListed>,
}

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionListed {
    /// The id.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[0-9a-f]{16}$"))]
    pub id: SessionId,
    /// The label, usually the name of the machine.
    pub label: String,
    /// When it started.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Whether it is the session of the request. Left out if not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub current: bool,
}

/// The body of `PUT /user/{userID}/password`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordBody {
    /// The new password. Users must give it; for an admin, one is generated and returned once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_length = 8, max_length = 1_024))]
    pub password: Option<String>,
    /// The current password. Required from users who change their own password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_password: Option<String>,
}
