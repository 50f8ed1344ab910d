//! What a store tells the hub: events as they happen, and the log behind them.

use async_trait::async_trait;
use plenary_shared::domain::Event;
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::{BoardServer, PresenceTold, WaitTold};
use tokio::sync::mpsc;

use crate::error::{Answer, Fault};

use super::overview::Denial;
use super::read_positions::ReadPosition;
use super::sessions::TokenHash;

/// What the live store says without being asked, to the hub.
#[derive(Clone, Debug)]
pub enum Feed {
    /// An event of a followed instance. May be lost or late: its seq tells.
    Event(Box<Event>),
    /// The archive has a followed instance up to this seq.
    Durable {
        /// Where.
        instance: InstanceId,
        /// In which generation.
        generation: Generation,
        /// The last seq in the archive.
        seq: Seq,
    },
    /// A followed instance's live state begins anew.
    Fence {
        /// Where.
        instance: InstanceId,
        /// The new generation.
        generation: Generation,
        /// Events above this seq of older generations are void.
        base: Seq,
    },
    /// Events may have been lost: look at every followed instance's position.
    Gap,
    /// A schedule or a list of meetings has changed.
    Changed,
    /// Sessions were closed.
    SignedOut(TokenHash),
    /// Somebody has read further, maybe at another server.
    Read(ReadPosition),
    /// Somebody is writing in a followed instance. Kept nowhere: it may be lost.
    Typing {
        /// Where.
        instance: InstanceId,
        /// Who.
        user: UserId,
    },
    /// Whether a participant of a followed instance is there. Kept by no log: it may be lost.
    Presence(PresenceTold),
    /// Whether somebody waits for a followed instance to begin. May be lost.
    Waiting(WaitTold),
    /// Somebody was refused, maybe at another server. May be lost.
    Denied(Box<Denial>),
    /// How another server is, or this one. Told every few seconds; may be lost.
    Server(Box<BoardServer>),
}

/// How far a followed instance's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The live generation.
    pub generation: Generation,
    /// The last seq.
    pub seq: Seq,
    /// Up to which seq the archive has it.
    pub durable: Seq,
}

/// Feeds the hub. A store has one feed.
#[async_trait]
pub trait FeedStore: Send + Sync {
    /// Begins to feed the hub; a store has one feed.
    async fn feed(&self) -> Result<mpsc::Receiver<Feed>, Fault>;
    /// Feeds this instance's events from now on; answered when it does.
    async fn follow(&self, instance: InstanceId) -> Answer<()>;
    /// Feeds this instance's events no longer.
    async fn unfollow(&self, instance: InstanceId) -> Answer<()>;
    /// How far these instances' logs are; `None`: not live.
    async fn heads(&self, instances: &[InstanceId]) -> Answer<Vec<Option<Head>>>;
    /// Events above `after`, for the hub itself: asks no permission.
    async fn backfill(&self, instance: InstanceId, after: Seq, limit: usize) -> Answer<Vec<Event>>;
}
