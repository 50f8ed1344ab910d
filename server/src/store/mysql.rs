//! The durable store in MySQL or MariaDB: users, the schedule, the archive.
//!
//! A [`MysqlStore`] emits no events and does not know the live state. Every statement has a deadline: a
//! database that is unavailable or slow is a [`Fault::Unavailable`].

use plenary_shared::domain::{Event, InstanceState, Meeting, Reason, Restrictions, User};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;

use crate::error::Fault;

mod archive;
mod dashboard;
mod deployment;
mod diagnose;
mod error;
mod full_text;
mod history;
mod import;
mod lifecycle;
mod migrate;
mod moderation;
mod planning;
mod pool;
mod read_positions;
mod rebuild;
mod schedule;
mod search;
mod statement;
mod trial;
mod user_admin;
mod users;

pub use super::sql::lifecycle::Stored;
pub use import::{Import, Inserted};
pub use planning::LivePlan;
pub use pool::MysqlStore;
pub use read_positions::MessageRange;

/// What the live state of an instance is built from.
#[derive(Clone, Debug)]
pub struct Opening {
    pub instance: InstanceId,
    pub meeting: Meeting,
    /// How often the meeting was changed.
    pub revision: u64,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Active or ending.
    pub state: InstanceState,
    /// Why it is ending, if it is.
    pub reason: Option<Reason>,
    /// When the archived log was closed. Nothing may follow.
    pub closed_at: Option<Timestamp>,
    /// The generation of the new live state.
    pub generation: Generation,
    /// The last archived seq. The live log continues above it.
    pub floor: Seq,
    /// The time of the latest archived event, apart from leaves of lost connections.
    pub latest: Option<Timestamp>,
    /// The audience: addresses in lower case. Empty when the meeting is public.
    pub audience: Vec<String>,
    /// The participants according to the archive, in the order of joining.
    pub stays: Vec<Stay>,
    /// The latest archived messages in ascending order, by which repeated posts are recognized.
    pub sent: Vec<Sent>,
    /// The users who have messages below `sent`, and the last of these.
    pub floors: Vec<Floor>,
    /// All users who have ever joined.
    pub people: Vec<User>,
    pub restrictions: Restrictions,
}

/// A participant according to the archive.
#[derive(Clone, Debug)]
pub struct Stay {
    pub user: User,
    pub joined: Timestamp,
    /// The seq of the join.
    pub seq: Seq,
}

/// An archived message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The author.
    pub user: UserId,
    /// The id that the author's client gave it.
    pub cmid: Cmid,
    pub seq: Seq,
    pub timestamp: Timestamp,
}

/// The last of a user's older messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// The author.
    pub user: UserId,
    pub seq: Seq,
    /// The latest cmid of version 7, if there is one.
    pub latest: Option<Cmid>,
}

/// An active or ending instance as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    pub instance: InstanceId,
    pub to: Timestamp,
    /// Active or ending.
    pub state: InstanceState,
    /// The generation of the live state.
    pub generation: Generation,
    /// The last archived seq.
    pub archived: Seq,
    /// Why it is ending, if it is.
    pub reason: Option<Reason>,
}

/// A part of an instance's log to archive.
#[derive(Clone, Debug)]
pub struct Batch {
    pub instance: InstanceId,
    /// The generation in which it was read.
    pub generation: Generation,
    /// The last archived seq according to the sender.
    pub after: Seq,
    /// The events that follow: `after + 1`, `after + 2` … without gaps.
    pub events: Vec<Event>,
}

impl Batch {
    /// The last archived seq after the batch.
    pub fn last(&self) -> Seq {
        self.events.last().map_or(self.after, |event| event.seq)
    }
}

/// The lengths of the words that the full-text index has. Other words have to be searched for without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedWords {
    /// Characters of the shortest indexed word: `innodb_ft_min_token_size`.
    pub chars_min: usize,
    /// Characters of the longest indexed word: `innodb_ft_max_token_size`.
    pub chars_max: usize,
}

impl Default for IndexedWords {
    /// The defaults of MySQL and MariaDB.
    fn default() -> Self {
        Self {
            chars_min: 3,
            chars_max: 84,
        }
    }
}

/// The outcome of archiving a [`Batch`].
#[derive(Debug)]
pub enum Archived {
    /// The batch is archived.
    Done {
        instance: InstanceId,
        /// The last archived seq.
        last: Seq,
    },
    /// Nothing was stored: the archive has another last seq or generation, or the instance has ended.
    /// The sender must read both ends of the log again.
    Stale { instance: InstanceId },
    /// Nothing was stored, and a repetition does not help: the seqs have a gap, or the database refuses
    /// a row. The other batches of the call are not affected.
    Broken { instance: InstanceId, fault: Fault },
}
