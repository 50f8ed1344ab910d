//! What the server says without being asked, and how a client tells its lines apart.

use serde::{Deserialize, Serialize};

use super::{
    DashboardLine, DashboardUpdate, DetailLine, DetailUpdate, PresenceChange, Reply, WaitingChange,
};
use crate::domain::Event;
use crate::ids::{Generation, InstanceId, Seq, UserId};

/// What the server says without being asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Push {
    /// Something happened in a followed instance.
    Event(Box<Event>),
    /// The archive has a followed instance up to this seq.
    Durable(Durable),
    /// The live state of a followed instance begins anew above this seq.
    Fence(Fence),
    /// One has read a followed instance up to this seq, at another terminal.
    Read(ReadPositionChange),
    /// Somebody is writing in a followed instance.
    Typing(Typing),
    /// Somebody in a followed instance is there, or is not.
    Presence(PresenceChange),
    /// Somebody waits for an instance that one waits for or looks at, or does not any more.
    Waiting(WaitingChange),
    /// A list should be read again.
    Changed(Changed),
    /// The dashboard, for an admin who watches.
    Dashboard(Box<DashboardUpdate>),
    /// One instance in detail, for an admin who looks into it.
    Detail(Box<DetailUpdate>),
}

/// See [`Push::Read`]. It never goes back: of two, the higher one holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadPositionChange {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The last seq that was read.
    pub read: Seq,
}

/// See [`Push::Typing`]. It is over with the next message of theirs, when they leave, or when
/// [`crate::limits::TYPING_SHOWN_MS`] have passed without another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// Who.
    #[serde(rename = "typing")]
    pub user: UserId,
}

/// See [`Push::Durable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durable {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// In which generation.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// The last seq in the archive.
    pub durable: Seq,
}

/// See [`Push::Fence`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Where.
    #[serde(flatten)]
    pub instance: InstanceId,
    /// The new generation.
    #[serde(rename = "gen")]
    pub generation: Generation,
    /// Events above this seq that were seen in an older generation are void.
    #[serde(rename = "fence")]
    pub base: Seq,
}

/// See [`Push::Changed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Where, if it is about one instance.
    #[serde(flatten)]
    pub instance: Option<InstanceId>,
    /// Which list.
    pub changed: ChangedList,
}

/// See [`Changed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangedList {
    /// The list of meetings.
    Meetings,
    /// The participants of a followed instance, or those who wait for one: who is there was told in
    /// vain.
    Participants,
}

/// One line from the server, as a client reads it.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerLine {
    /// An answer; what `ok` holds depends on the verb.
    Reply(Reply<serde_json::Value>),
    /// Something that was not asked for.
    Push(Push),
}

impl ServerLine {
    /// Reads one line. An unknown kind of line is an error that names no content.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        /// The keys by which the kinds differ.
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
