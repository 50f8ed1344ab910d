//! The meeting list and its groups.

use std::collections::{BTreeSet, HashMap};

use chrono::Days;
use plenary_shared::domain::{Instance, InstanceState};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Unread;
use plenary_shared::time::Timestamp;

use crate::clock::Zone;

/// A meeting is in the group "starting soon" this long before its start.
pub const UPCOMING_MS: i64 = 15 * 60 * 1_000;

/// How long the server's echo of a change may take.
const ECHO_MS: i64 = 3_000;

/// The meeting list as the server last sent it.
#[derive(Clone, Debug, Default)]
pub struct Meetings {
    all: Vec<Instance>,
    /// Meetings to join automatically when they start.
    auto_join: BTreeSet<InstanceId>,
    /// When automatic joining was turned on or off here.
    auto_join_set_at: HashMap<InstanceId, Timestamp>,
    /// The numbers for Alt and a digit. A meeting keeps its number while it is listed.
    numbers: HashMap<InstanceId, usize>,
    unread: HashMap<InstanceId, Unread>,
    /// Whether the server has sent the list.
    pub loaded: bool,
    /// When the list was cached, until the server sends it.
    pub cached_at: Option<Timestamp>,
    /// Whether the list changed again while a request for it was pending.
    pub stale: bool,
}

/// A group in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Live,
    /// Starting within [`UPCOMING_MS`].
    Soon,
    /// Starting later today.
    Today,
    Tomorrow,
    /// Starting after tomorrow.
    Later,
    /// Ended or cancelled.
    Ended,
}

impl Group {
    /// Returns the heading of the group.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Live => "LIVE NOW",
            Self::Soon => "STARTING SOON",
            Self::Today => "LATER TODAY",
            Self::Tomorrow => "TOMORROW",
            Self::Later => "LATER",
            Self::Ended => "ENDED",
        }
    }
}

/// A line in the list.
#[derive(Clone, Copy, Debug)]
pub enum ListLine<'a> {
    /// A group heading with the number of meetings in the group.
    Group(Group, usize),
    Entry(Entry<'a>),
}

/// A meeting in the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub group: Group,
    /// The number for Alt and a digit.
    pub number: usize,
    pub instance: &'a Instance,
}

impl Meetings {
    /// Replaces the list with the server's.
    pub fn set(&mut self, all: Vec<Instance>) {
        self.all = all;
        self.number();
        self.loaded = true;
        self.cached_at = None;
    }

    /// Sets the cached list.
    pub fn set_cached(&mut self, all: Vec<Instance>, at: Timestamp) {
        self.all = all;
        self.number();
        self.cached_at = Some(at);
    }

    /// Returns the meeting with this number.
    pub fn numbered(&self, number: usize) -> Option<InstanceId> {
        let mut numbers = self.numbers.iter();
        numbers
            .find(|(_, other)| **other == number)
            .map(|(id, _)| *id)
    }

    /// Gives each new meeting the lowest free number, in the order of the list.
    fn number(&mut self) {
        let mut numbers = std::mem::take(&mut self.numbers);
        numbers.retain(|id, _| self.get(*id).is_some());
        let mut new: Vec<&Instance> = self.all.iter().collect();
        new.retain(|instance| !numbers.contains_key(&instance.id));
        new.sort_by_key(|instance| {
            let (rank, time) = match instance.state {
                InstanceState::Active => (0, instance.fromdatetime.as_ms()),
                InstanceState::Scheduled => (1, instance.fromdatetime.as_ms()),
                InstanceState::Ending | InstanceState::Ended => (2, -instance.end().as_ms()),
            };
            (rank, time, instance.id)
        });
        let taken: BTreeSet<usize> = numbers.values().copied().collect();
        let free = (1..).filter(|number| !taken.contains(number));
        numbers.extend(new.iter().map(|instance| instance.id).zip(free));
        self.numbers = numbers;
    }

    /// Replaces the unread counts with the server's.
    pub fn set_unread(&mut self, unread: Vec<Unread>) {
        let unread = unread.into_iter().map(|left| (left.instance, left));
        self.unread = unread.collect();
    }

    /// Returns the unread count that the server last sent for a meeting.
    pub fn unread(&self, id: InstanceId) -> Option<&Unread> {
        self.unread.get(&id)
    }

    /// Clears the unread count of a meeting.
    pub fn set_read(&mut self, id: InstanceId) {
        self.unread.remove(&id);
    }

    /// Returns whether the meeting is joined automatically when it starts.
    pub fn joins_automatically(&self, id: InstanceId) -> bool {
        self.auto_join.contains(&id)
    }

    /// Takes over that automatic joining was turned on or off on another terminal. Returns whether
    /// that changed anything. Ignored shortly after a change here, whose echo it may be.
    pub fn share_auto_join(&mut self, id: InstanceId, joins: bool, now: Timestamp) -> bool {
        let set_at = self.auto_join_set_at.get(&id);
        if set_at.is_some_and(|at| now.ms_since(*at) < ECHO_MS) {
            return false;
        }
        if joins {
            self.auto_join.insert(id)
        } else {
            self.auto_join.remove(&id)
        }
    }

    /// Turns automatic joining on or off. Returns the new state.
    pub fn toggle_auto_join(&mut self, id: InstanceId, now: Timestamp) -> bool {
        self.auto_join_set_at.insert(id, now);
        if self.auto_join.remove(&id) {
            return false;
        }
        self.auto_join.insert(id)
    }

    /// Returns a meeting that was to be joined automatically and was cancelled.
    pub fn cancelled_auto_join(&self) -> Option<InstanceId> {
        let off = self.all.iter().filter(|instance| instance.cancelled);
        off.map(|instance| instance.id)
            .find(|id| self.joins_automatically(*id))
    }

    /// Takes the meetings to join automatically that have started, and forgets those that will not
    /// start.
    pub fn take_started(&mut self) -> Vec<InstanceId> {
        let state = |id: &InstanceId| {
            let found = self.all.iter().find(|instance| instance.id == *id);
            found.map(|instance| instance.state)
        };
        let started = self.auto_join.iter().copied();
        let started = started.filter(|id| state(id) == Some(InstanceState::Active));
        let started: Vec<InstanceId> = started.collect();
        let mut auto_join = std::mem::take(&mut self.auto_join);
        auto_join.retain(|id| {
            self.get(*id)
                .is_some_and(|i| i.state == InstanceState::Scheduled)
        });
        self.auto_join = auto_join;
        started
    }

    pub fn get(&self, id: InstanceId) -> Option<&Instance> {
        self.all.iter().find(|instance| instance.id == id)
    }

    /// Returns all instances, unordered.
    pub fn iter(&self) -> impl Iterator<Item = &Instance> {
        self.all.iter()
    }

    /// Sets the end of a meeting, before the server sends the list again.
    pub fn set_end(&mut self, id: InstanceId, end: Timestamp) {
        if let Some(instance) = self.all.iter_mut().find(|instance| instance.id == id) {
            instance.todatetime = end;
        }
    }

    /// Sets when the user joined a meeting, before the server sends the list again.
    pub fn set_joined(&mut self, id: InstanceId, joined: Option<Timestamp>) {
        if let Some(instance) = self.all.iter_mut().find(|instance| instance.id == id) {
            instance.joined = joined;
        }
    }

    /// Sets the number of participants, before the server sends the list again.
    pub fn set_participants(&mut self, id: InstanceId, count: usize) {
        if let Some(instance) = self.all.iter_mut().find(|instance| instance.id == id) {
            instance.participants = u32::try_from(count).unwrap_or(u32::MAX);
        }
    }

    /// Returns the meetings in display order: by start, and ended ones by end with the latest
    /// first.
    pub fn entries(&self, now: Timestamp, zone: Zone) -> Vec<Entry<'_>> {
        let mut rows: Vec<(Group, &Instance)> = self
            .all
            .iter()
            .map(|instance| (group(instance, now, zone), instance))
            .collect();
        rows.sort_by_key(|(group, instance)| {
            let time = match group {
                Group::Ended => -instance.end().as_ms(),
                Group::Live | Group::Soon | Group::Today | Group::Tomorrow | Group::Later => {
                    instance.fromdatetime.as_ms()
                }
            };
            (*group, time, instance.id)
        });
        rows.into_iter()
            .map(|(group, instance)| Entry {
                group,
                number: self.numbers.get(&instance.id).copied().unwrap_or_default(),
                instance,
            })
            .collect()
    }
}

/// Groups the entries under headings.
pub fn grouped<'a>(entries: &[Entry<'a>]) -> Vec<ListLine<'a>> {
    let mut lines = Vec::new();
    let mut group = None;
    for entry in entries {
        if group.replace(entry.group) != Some(entry.group) {
            let same = entries.iter().filter(|other| other.group == entry.group);
            lines.push(ListLine::Group(entry.group, same.count()));
        }
        lines.push(ListLine::Entry(*entry));
    }
    lines
}

fn group(instance: &Instance, now: Timestamp, zone: Zone) -> Group {
    match instance.state {
        InstanceState::Active => return Group::Live,
        InstanceState::Ending | InstanceState::Ended => return Group::Ended,
        InstanceState::Scheduled => {}
    }
    let from = instance.fromdatetime;
    let (today, day) = (zone.day(now), zone.day(from));
    if from.ms_since(now) <= UPCOMING_MS {
        Group::Soon
    } else if day <= today {
        Group::Today
    } else if today.checked_add_days(Days::new(1)) == Some(day) {
        Group::Tomorrow
    } else {
        Group::Later
    }
}
