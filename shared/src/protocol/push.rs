//! Pushes: the lines that the server sends without a request, and how a client parses lines.

use serde::{Deserialize, Serialize};

use super::{
    DashboardLine, DashboardUpdate, DetailLine, DetailUpdate, PresenceChange, Reply, WaitingChange,
};
use crate::domain::Event;
use crate::ids::{Generation, InstanceId, Seq, UserId};

/// A line that the server sends without a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Push {
    /// An event of a followed instance.
    Event(Box<Event>),
    /// The durable store has a followed instance up to this seq.
    Durable(Durable),
    /// A followed instance starts a new generation above this seq.
    Fence(Fence),
    /// Another connection of the user moved the read position of a followed instance.
    Read(ReadPositionChange),
    /// A participant of a followed instance is typing.
    Typing(Typing),
    /// The presence of a participant of a followed instance has changed.
    Presence(PresenceChange),
    /// A user started or stopped waiting for an instance that this connection waits for or watches.
    Waiting(WaitingChange),
    /// A list has changed and should be read again.
    Changed(Changed),
    /// An update of the dashboard, for admins who watch it.
    Dashboard(Box<DashboardUpdate>),
    /// An update of one instance's detail, for admins who watch it.
    Detail(Box<DetailUpdate>),
}

/// See [`Push::Read`]. Read positions only move forwards: of two updates the higher one applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadPositionChange {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The seq of the last event that the user has read.
    pub read: Seq,
}

/// See [`Push::Typing`]. It ends with the participant's next message, when they leave, or after
/// [`crate::limits::TYPING_SHOWN_MS`] without another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The user's id.
    #[serde(rename = "typing")]
    pub user: UserId,
}

/// See [`Push::Durable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durable {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The generation.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The last seq in the durable store.
    pub durable: Seq,
}

/// See [`Push::Fence`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The instance.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The new generation.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// Events of older generations above this seq are void.
    #[serde(rename = "fence")]
    pub base: Seq,
}

/// See [`Push::Changed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The instance, if the list belongs to one.
    #[serde(flatten)]
    pub instance: Option<InstanceId>,
    /// The list.
    pub changed: ChangedList,
}

/// See [`Changed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangedList {
    /// The list of meetings.
    Meetings,
    /// The participants of a followed instance, or the users who wait for an instance: some pushes
    /// were lost.
    Participants,
}

/// One line from the server, as a client reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerLine {
    /// An answer. The content of `ok` depends on the verb.
    Reply(Reply<serde_json::Value>),
    /// A push.
    Push(Push),
}

impl ServerLine {
    /// Parses one line. The error for an unknown kind of line does not contain the line.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        /// The keys that distinguish the kinds of lines.
        #[derive(Deserialize)]
        struct Kind {
            #[serde(default)]
            id: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            event: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            durable: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            fence: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            read: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            typing: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            dashboard: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            presence: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            waiting: Option<serde::de::IgnoredAny>,
            #[serde(default)]
            detail: Option<serde::de::IgnoredAny>,
        }
        let kind: Kind = serde_json::from_str(line)?;
        Ok(if kind.id.is_some() {
            Self::Reply(serde_json::from_str(line)?)
        } else if kind.event.is_some() {
            Self::Push(Push::Event(serde_json::from_str(line)?))
        } else if kind.durable.is_some() {
            Self::Push(Push::Durable(serde_json::from_str(line)?))
        } else if kind.fence.is_some() {
            Self::Push(Push::Fence(serde_json::from_str(line)?))
        } else if kind.read.is_some() {
            Self::Push(Push::Read(serde_json::from_str(line)?))
        } else if kind.typing.is_some() {
            Self::Push(Push::Typing(serde_json::from_str(line)?))
        } else if kind.presence.is_some() {
            Self::Push(Push::Presence(serde_json::from_str(line)?))
        } else if kind.waiting.is_some() {
            Self::Push(Push::Waiting(serde_json::from_str(line)?))
        } else if kind.dashboard.is_some() {
            let line: DashboardLine = serde_json::from_str(line)?;
            Self::Push(Push::Dashboard(Box::new(line.dashboard)))
        } else if kind.detail.is_some() {
            let line: DetailLine = serde_json::from_str(line)?;
            Self::Push(Push::Detail(Box::new(line.detail)))
        } else {
            Self::Push(Push::Changed(serde_json::from_str(line)?))
        })
    }
}
