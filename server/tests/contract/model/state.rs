//! What a store must contain after any steps, as plain lists in memory.

use std::collections::{BTreeMap, BTreeSet};

use plenary_server::store::NodeId;
use plenary_shared::domain::{Code, EventKind, InstanceState, Meeting, Reason, Role, User};
use plenary_shared::ids::{Cmid, InstanceId, UserId};
use plenary_shared::time::Timestamp;

/// When something was done: by the jumps alone, which decide what must happen; and between two times of
/// the store's clock, which cannot be known more exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// Milliseconds of jumps.
    pub passed: i64,
    /// Not before this time.
    pub low: Timestamp,
    /// Not after this time.
    pub high: Timestamp,
}

impl When {
    pub fn plus_ms(self, ms: i64) -> Self {
        Self {
            passed: self.passed + ms,
            low: self.low.plus_ms(ms),
            high: self.high.plus_ms(ms),
        }
    }

    /// The time after a jump on a back end whose clock stays and whose deadlines move.
    pub(super) fn nearer(&mut self, ms: i64) {
        (self.low, self.high) = (self.low.plus_ms(-ms), self.high.plus_ms(-ms));
    }

    pub fn later(self, other: Self) -> Self {
        Self {
            passed: self.passed.max(other.passed),
            low: self.low.max(other.low),
            high: self.high.max(other.high),
        }
    }
}

/// One entry of a log. Its time is a range until it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub what: EventKind,
    pub when: When,
    /// Entries with the same number may come in any order; 0: fixed order.
    pub batch: usize,
}

/// One user's stay.
#[derive(Clone, Debug)]
pub struct Stay {
    pub user: UserId,
    /// The seq of its join.
    pub join: usize,
    /// Joined without a connection.
    pub lasting: bool,
    /// The connections that hold it, with the time of their loss.
    pub holders: BTreeMap<String, Option<When>>,
}

/// The phase of a live instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Active,
    Ending,
    Closed,
}

#[derive(Clone, Debug)]
pub struct Live {
    pub phase: Phase,
    /// In the order of joining.
    pub stays: Vec<Stay>,
}

/// What followers receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The entry with this seq, in this generation.
    Event(u64, usize),
    /// A new generation, and the seq after which it starts.
    Fence(u64, usize),
}

#[derive(Clone, Debug)]
pub struct Instance {
    pub id: InstanceId,
    /// Its position in the list of meetings.
    pub meeting: usize,
    pub from: When,
    pub to: When,
    pub state: InstanceState,
    pub reason: Option<Reason>,
    pub generation: u64,
    pub archived: usize,
    pub live: Option<Live>,
    pub log: Vec<Entry>,
    pub published: Vec<Published>,
}

#[derive(Clone, Debug)]
pub struct Gathering {
    pub meeting: Meeting,
    /// Addresses in lower case.
    pub audience: BTreeSet<String>,
}

/// What is known of a server's lease.
#[derive(Clone, Copy, Debug)]
pub struct Lease {
    pub until: When,
    /// Its last sign of life.
    pub renewed: When,
}

/// An answer: the value, or the code of a rejection.
pub type Answered<T> = Result<T, Code>;

/// The whole state.
#[derive(Debug)]
pub struct Model {
    /// Whether events are archived after they are acknowledged.
    pub archives_later: bool,
    pub users: Vec<User>,
    pub meetings: Vec<Gathering>,
    pub instances: Vec<Instance>,
    /// The servers.
    pub nodes: BTreeMap<NodeId, Lease>,
    batches: usize,
}

impl Model {
    pub fn new(archives_later: bool) -> Self {
        Self {
            archives_later,
            users: vec![],
            meetings: vec![],
            instances: vec![],
            nodes: BTreeMap::new(),
            batches: 0,
        }
    }

    // --- permissions ---

    pub(super) fn is_invited(&self, here: &Instance, user: &User) -> bool {
        let gathering = &self.meetings[here.meeting];
        gathering.meeting.is_public || gathering.audience.contains(&user.email_key())
    }

    /// Whether a user may read an instance that is not live.
    pub fn may_read_stored(&self, here: &Instance, user: &User) -> bool {
        user.role == Role::Admin || self.is_invited(here, user)
    }

    /// Whether a user may read an instance in any state.
    pub fn may_read(&self, here: &Instance, user: &User) -> bool {
        self.may_read_stored(here, user) || here.stay(user.id).is_some()
    }

    /// Why nothing can be done in an instance that is not open.
    pub fn why_not(&self, here: Option<usize>, user: &User, now: When) -> Code {
        let Some(here) = here.map(|at| &self.instances[at]) else {
            return Code::NotFound;
        };
        if !self.may_read_stored(here, user) {
            return Code::NotAllowed;
        }
        match here.state {
            InstanceState::Scheduled if here.from.passed > now.passed => Code::NotStarted,
            InstanceState::Scheduled | InstanceState::Active if here.to.passed > now.passed => {
                Code::NotStarted
            }
            InstanceState::Scheduled
            | InstanceState::Active
            | InstanceState::Ending
            | InstanceState::Ended => Code::Ended,
        }
    }

    // --- operations that emit events ---

    pub(super) fn batch(&mut self) -> usize {
        self.batches += 1;
        self.batches
    }

    pub(super) fn emit(&mut self, at: usize, what: EventKind, when: When, batch: usize) -> usize {
        let archives_later = self.archives_later;
        let here = &mut self.instances[at];
        here.log.push(Entry { what, when, batch });
        let seq = here.log.len();
        here.published.push(Published::Event(here.generation, seq));
        if !archives_later {
            here.archived = seq;
        }
        seq
    }

    pub(super) fn end_stay(&mut self, at: usize, user: UserId) {
        if let Some(live) = &mut self.instances[at].live {
            live.stays.retain(|stay| stay.user != user);
        }
    }
}

impl Instance {
    pub fn stays(&self) -> &[Stay] {
        self.live.as_ref().map_or(&[], |live| &live.stays)
    }

    pub(super) fn stays_mut(&mut self) -> impl Iterator<Item = &mut Stay> {
        self.live.iter_mut().flat_map(|live| &mut live.stays)
    }

    pub fn stay(&self, user: UserId) -> Option<&Stay> {
        self.stays().iter().find(|stay| stay.user == user)
    }

    pub(super) fn stay_mut(&mut self, user: UserId) -> Option<&mut Stay> {
        self.stays_mut().find(|stay| stay.user == user)
    }

    pub(super) fn is_open(&self, now: When) -> bool {
        let is_active = |live: &Live| live.phase == Phase::Active;
        self.live.as_ref().is_some_and(is_active) && now.passed < self.to.passed
    }

    /// The seq of the message that this user posted with this cmid.
    pub(super) fn said(&self, by: UserId, under: Cmid) -> Option<usize> {
        let is_it = |entry: &Entry| matches!(entry.what, EventKind::Message { user, cmid, .. } if (user, cmid) == (by, under));
        self.log.iter().position(is_it).map(|at| at + 1)
    }

    /// Builds the live state from the archive: stays are held by connections that are lost from now
    /// on.
    pub(super) fn rebuild(&mut self, remembers: bool, now: When) {
        if remembers {
            self.archived = self.log.len();
        }
        self.log.truncate(self.archived);
        self.generation += 1;
        let lasting: BTreeSet<usize> = self
            .stays()
            .iter()
            .filter(|stay| remembers && stay.lasting)
            .map(|stay| stay.join)
            .collect();
        let mut stays: Vec<Stay> = vec![];
        for (at, entry) in self.log.iter().enumerate() {
            match entry.what {
                EventKind::Join { user, .. } => stays.push(Stay {
                    user,
                    join: at + 1,
                    lasting: lasting.contains(&(at + 1)),
                    holders: BTreeMap::from([(format!("before.{user}"), Some(now))]),
                }),
                EventKind::Leave { user, .. } => stays.retain(|stay| stay.user != user),
                EventKind::Opened
                | EventKind::Message { .. }
                | EventKind::Edited { .. }
                | EventKind::Deleted { .. }
                | EventKind::Moderated(_)
                | EventKind::Closed { .. } => {}
            }
        }
        let is_closed = matches!(
            self.log.last().map(|entry| &entry.what),
            Some(EventKind::Closed { .. })
        );
        let phase = match self.state {
            _ if is_closed => Phase::Closed,
            InstanceState::Ending => Phase::Ending,
            InstanceState::Scheduled | InstanceState::Active | InstanceState::Ended => {
                Phase::Active
            }
        };
        self.live = Some(Live { phase, stays });
    }
}
