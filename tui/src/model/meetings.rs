//! The list of meetings in its groups: running, soon, later, over.

use std::collections::{BTreeSet, HashMap};

use chrono::Days;
use plenary_shared::domain::{Instance, InstanceState};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::Unread;
use plenary_shared::time::Timestamp;

use crate::clock::Zone;

/// How long before its start a meeting is "soon".
pub const SOON_MS: i64 = 15 * 60 * 1_000;

/// What the server said last.
#[derive(Clone, Debug, Default)]
pub struct Meetings {
    all: Vec<Instance>,
    /// Those that are joined by themselves when they begin.
    waited_for: BTreeSet<InstanceId>,
    /// What of them is not read.
    unread: HashMap<InstanceId, Unread>,
    /// Whether the server has said anything yet.
    pub loaded: bool,
    /// When the list was kept on this machine, until the server has said it.
    pub kept_at: Option<Timestamp>,
    /// Whether it changed again while it was being asked for.
    pub stale: bool,
}

/// A group of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// They run now.
    Live,
    /// They begin within [`SOON_MS`].
    Soon,
    /// They begin later today.
    Today,
    /// They begin tomorrow.
    Tomorrow,
    /// They begin after that.
    Later,
    /// They are over.
    Ended,
}

impl Group {
    /// What the list calls it.
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

/// A line of the list.
#[derive(Clone, Copy, Debug)]
pub enum Listed<'a> {
    /// The title of a group, and how many are in it.
    Group(Group, usize),
    /// A meeting.
    Entry(Entry<'a>),
}

/// A row of the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its group.
    pub group: Group,
    /// Its number, for Alt and a digit.
    pub number: usize,
    /// The meeting.
    pub instance: &'a Instance,
}

impl Meetings {
    /// What the server says now.
    pub fn set(&mut self, all: Vec<Instance>) {
        self.all = all;
        self.loaded = true;
        self.kept_at = None;
    }

    /// What was kept on this machine; the server has said nothing yet.
    pub fn set_kept(&mut self, all: Vec<Instance>, at: Timestamp) {
        self.all = all;
        self.kept_at = Some(at);
    }

    /// What the server counts of what is not read.
    pub fn set_unread(&mut self, unread: Vec<Unread>) {
        let unread = unread.into_iter().map(|left| (left.instance, left));
        self.unread = unread.collect();
    }

    /// What of one was not read when the server said so last.
    pub fn unread(&self, id: InstanceId) -> Option<&Unread> {
        self.unread.get(&id)
    }

    /// All of one has been read.
    pub fn set_read(&mut self, id: InstanceId) {
        self.unread.remove(&id);
    }

    /// Whether one is joined by itself when it begins.
    pub fn is_waited_for(&self, id: InstanceId) -> bool {
        self.waited_for.contains(&id)
    }

    /// One is to be joined by itself when it begins, or is not any more. Says which.
    pub fn toggle_wait(&mut self, id: InstanceId) -> bool {
        if self.waited_for.remove(&id) {
            return false;
        }
        self.waited_for.insert(id)
    }

    /// One that is waited for and was cancelled.
    pub fn called_off(&self) -> Option<InstanceId> {
        let off = self.all.iter().filter(|instance| instance.cancelled);
        off.map(|instance| instance.id)
            .find(|id| self.is_waited_for(*id))
    }

    /// Those that were waited for and have begun; of those that will not begin any more nothing is
    /// kept.
    pub fn take_begun(&mut self) -> Vec<InstanceId> {
        let state = |id: &InstanceId| {
            let found = self.all.iter().find(|instance| instance.id == *id);
            found.map(|instance| instance.state)
        };
        let begun = self.waited_for.iter().copied();
        let begun = begun.filter(|id| state(id) == Some(InstanceState::Active));
        let begun: Vec<InstanceId> = begun.collect();
        let mut waited_for = std::mem::take(&mut self.waited_for);
        waited_for.retain(|id| {
            self.get(*id)
                .is_some_and(|i| i.state == InstanceState::Scheduled)
        });
        self.waited_for = waited_for;
        begun
    }

    /// What is known of one.
    pub fn get(&self, id: InstanceId) -> Option<&Instance> {
        self.all.iter().find(|instance| instance.id == id)
    }

    /// All, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Instance> {
        self.all.iter()
    }

    /// When it is over, as its log says.
    pub fn set_end(&mut self, id: InstanceId, end: Timestamp) {
        if let Some(instance) = self.all.iter_mut().find(|instance| instance.id == id) {
            instance.todatetime = end;
        }
    }

    /// One's stay in a meeting began or ended, before the list says so itself.
    pub fn set_joined(&mut self, id: InstanceId, joined: Option<Timestamp>) {
        if let Some(instance) = self.all.iter_mut().find(|instance| instance.id == id) {
            instance.joined = joined;
        }
    }

    /// How many are in a meeting, before the list says so itself.
    pub fn set_participants(&mut self, id: InstanceId, count: usize) {
        if let Some(instance) = self.all.iter_mut().find(|instance| instance.id == id) {
            instance.participants = u32::try_from(count).unwrap_or(u32::MAX);
        }
    }

    /// The rows, in order: what begins first stands first, what ended last stands first.
    pub fn entries(&self, now: Timestamp, zone: Zone) -> Vec<Entry<'_>> {
        let mut rows: Vec<(Group, &Instance)> = self
            .all
            .iter()
            .map(|instance| (group(instance, now, zone), instance))
            .collect();
        rows.sort_by_key(|(group, instance)| {
            let time = match group {
                Group::Ended => -instance.todatetime.as_ms(),
                Group::Live | Group::Soon | Group::Today | Group::Tomorrow | Group::Later => {
                    instance.fromdatetime.as_ms()
                }
            };
            (*group, time, instance.id)
        });
        rows.into_iter()
            .enumerate()
            .map(|(index, (group, instance))| Entry {
                group,
                number: index + 1,
                instance,
            })
            .collect()
    }
}

/// The lines of a list: each group under its title.
pub fn listed<'a>(entries: &[Entry<'a>]) -> Vec<Listed<'a>> {
    let mut lines = Vec::new();
    let mut group = None;
    for entry in entries {
        if group.replace(entry.group) != Some(entry.group) {
            let same = entries.iter().filter(|other| other.group == entry.group);
            lines.push(Listed::Group(entry.group, same.count()));
        }
        lines.push(Listed::Entry(*entry));
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
    if from.ms_since(now) <= SOON_MS {
        Group::Soon
    } else if day <= today {
        Group::Today
    } else if today.checked_add_days(Days::new(1)) == Some(day) {
        Group::Tomorrow
    } else {
        Group::Later
    }
}
