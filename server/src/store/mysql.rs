//! What lasts, in MySQL or MariaDB: people, the schedule, the record.
//!
//! The [`MysqlStore`] speaks SQL and nothing else: it emits no event and knows nothing of what is live.
//! Every statement has a deadline; a database that is away or late is a [`Fault::Unavailable`], never a
//! caller that hangs.

use plenary_shared::domain::{Event, InstanceState, Meeting, Reason, Restrictions, User};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;

use crate::error::Fault;

mod absent;
mod archive;
mod arrival;
mod audit;
mod deployment;
mod examine;
mod keeping;
mod life;
mod link;
mod migrate;
mod moderation;
mod overview;
mod people;
mod planning;
mod read;
mod reading;
mod row;
mod schedule;
mod search;

pub use arrival::{Reception, Taken};
pub use link::MysqlStore;
pub use migrate::MigrateError;
pub use planning::LivePlan;
pub use reading::Stretch;

/// All that the live store needs to let an instance begin, or begin anew.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Which.
    pub instance: InstanceId,
    /// What it is an instance of.
    pub meeting: Meeting,
    /// How often the meeting was changed.
    pub revision: u64,
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// Active or ending.
    pub state: InstanceState,
    /// Why it is ending, if it is.
    pub reason: Option<Reason>,
    /// When its log closed, if the archive has that: nothing may follow it.
    pub closed_at: Option<Timestamp>,
    /// The generation of the live state that is to be made.
    pub generation: Generation,
    /// The last seq of the archive: the live log goes on above it.
    pub floor: Seq,
    /// Who may join: addresses in lower case. Empty when the meeting is public.
    pub audience: Vec<String>,
    /// Joins without a leave in the archive, in the order of joining.
    pub stays: Vec<Stay>,
    /// The latest messages of the archive, ascending, so that their cmids are known again.
    pub sent: Vec<Sent>,
    /// How far messages are left out of `sent`, of everybody who has such.
    pub floors: Vec<Floor>,
    /// Everybody who has ever joined.
    pub people: Vec<User>,
    /// What holds because admins said so.
    pub restrictions: Restrictions,
}

/// Somebody who has joined and not left, by the archive.
#[derive(Clone, Debug)]
pub struct Stay {
    /// Who.
    pub user: User,
    /// When the stay began.
    pub joined: Timestamp,
    /// The join's number.
    pub seq: Seq,
}

/// A message that the archive has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Who said it.
    pub user: UserId,
    /// Their client's own id of it.
    pub cmid: Cmid,
    /// Its number.
    pub seq: Seq,
    /// When.
    pub timestamp: Timestamp,
}

/// How far somebody's older messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Whose.
    pub user: UserId,
    /// The last of them.
    pub seq: Seq,
    /// The cmid of version 7 that was made last, if they have such.
    pub latest: Option<Cmid>,
}

/// An instance that has begun and has not ended, as what lasts knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Which.
    pub instance: InstanceId,
    /// When it is over.
    pub to: Timestamp,
    /// Active or ending.
    pub state: InstanceState,
    /// The generation of its live state.
    pub generation: Generation,
    /// The last seq of the archive.
    pub archived: Seq,
    /// Why it is ending, if it is.
    pub reason: Option<Reason>,
}

/// A part of an instance's log, to be archived.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Whose log.
    pub instance: InstanceId,
    /// In which generation it was read.
    pub generation: Generation,
    /// The last seq that the archive has, by whoever sends this.
    pub after: Seq,
    /// What follows it: `after + 1`, `after + 2` … without a hole.
    pub events: Vec<Event>,
}

impl Batch {
    /// The last seq of the archive once this is in it.
    pub fn last(&self) -> Seq {
        self.events.last().map_or(self.after, |event| event.seq)
    }
}

/// What became of a [`Batch`].
#[derive(Debug)]
pub enum Archived {
    /// It is in the archive.
    Done {
        /// Whose log.
        instance: InstanceId,
        /// The last seq of the archive now.
        last: Seq,
    },
    /// Nothing of it was stored: the archive is elsewhere, or in another generation, or the
    /// instance has ended. Read both ends again.
    Stale {
        /// Whose log.
        instance: InstanceId,
    },
    /// Nothing of it was stored, and trying again does not help: its seqs have a hole, or the
    /// database refuses a row of it. The other batches of the call are not concerned.
    Broken {
        /// Whose log.
        instance: InstanceId,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// An instance and its meeting, as what lasts knows them.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Which.
    pub instance: InstanceId,
    /// What it is an instance of.
    pub meeting: Meeting,
    /// How often the meeting was changed.
    pub revision: u64,
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// Where it is in its life.
    pub state: InstanceState,
    /// The generation of its live state; 0 before its start.
    pub generation: Generation,
    /// The last seq of the archive.
    pub archived: Seq,
    /// Why it is ending or has ended.
    pub reason: Option<Reason>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}
