//! What a store reports to the hub: events as they happen, and the log behind them.

use async_trait::async_trait;
use plenary_shared::domain::Event;
use plenary_shared::ids::{Generation, InstanceId, MeetingId, Seq, UserId};
use plenary_shared::protocol::{PresenceChange, ServerStatus, WaitingChange};
use tokio::sync::mpsc;

use crate::error::{Answer, Fault};

use super::dashboard::Denial;
use super::read_positions::ReadPosition;
use super::sessions::TokenHash;

/// A report to the hub.
#[derive(Clone, Debug)]
pub enum Feed {
    /// An event of a followed instance. May be lost or late, which its seq shows.
    Event(Box<Event>),
    /// The archive has the log of a followed instance up to a seq.
    Durable {
        instance: InstanceId,
        generation: Generation,
        /// The last archived seq.
        seq: Seq,
    },
    /// The live state of a followed instance was rebuilt.
    Fence {
        instance: InstanceId,
        generation: Generation,
        /// Events of older generations above this seq are void.
        base: Seq,
    },
    /// Reports may have been lost: compare the positions of all followed instances.
    Gap,
    /// A schedule or a list of meetings has changed.
    Changed,
    /// A session was closed.
    SignedOut(TokenHash),
    /// Connections have to check again what their users may do.
    Access(AccessChange),
    /// A read position has advanced, on any server.
    Read(ReadPosition),
    /// A participant of a followed instance is typing. May be lost.
    Typing { instance: InstanceId, user: UserId },
    /// The presence of a participant of a followed instance. May be lost.
    Presence(PresenceChange),
    /// A user started or stopped waiting for a followed instance. May be lost.
    Waiting(WaitingChange),
    /// A user was refused, on any server. May be lost.
    Denied(Box<Denial>),
    /// The state of a server, sent every few seconds. May be lost.
    Server(Box<ServerStatus>),
}

/// Whose permissions may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessChange {
    /// The role of a user.
    User(UserId),
    /// Who may read a meeting.
    Meeting(MeetingId),
    /// Something that another program changed.
    Any,
}

/// How far the log of an instance is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub generation: Generation,
    pub seq: Seq,
    /// The last archived seq.
    pub durable: Seq,
}

/// Feeds the hub. A store has one feed.
#[async_trait]
pub trait FeedStore: Send + Sync {
    /// Starts the feed. Can be called once.
    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault>;
    /// Starts reporting events of an instance. Returns once it does.
    async fn follow(&self, instance: InstanceId) -> Answer<()>;
    /// Stops reporting events of an instance.
    async fn unfollow(&self, instance: InstanceId) -> Answer<()>;
    /// Returns how far the logs of these instances are; `None` if not live.
    async fn heads(&self, instances: &[InstanceId]) -> Answer<Vec<Option<Head>>>;
    /// Returns events above `after`. Checks no permission.
    async fn backfill(&self, instance: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>>;
}
