//! One meeting in detail, as the server pushes it, and how an admin looks at it.

use std::collections::{BTreeMap, VecDeque};

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{Detail, DetailPerson, DetailSums, Stay, Trace, TraceWhat};
use plenary_shared::time::Timestamp;

use crate::model::editor::Editor;
use crate::text;

/// Lines of what happened that are kept: some screens of them.
const TRACES_KEPT_MAX: usize = 500;

/// One meeting in detail.
#[derive(Clone, Debug)]
pub struct Looked {
    /// Which.
    pub instance: InstanceId,
    /// Whether anything was told of it yet.
    pub known: bool,
    /// Why nothing is told of it.
    pub refused: Option<String>,
    /// The figures over everybody.
    pub sums: DetailSums,
    /// Everybody who was ever in.
    pub people: BTreeMap<UserId, DetailPerson>,
    /// What happened, in its order.
    pub traces: VecDeque<Trace>,
}

impl Looked {
    /// Of which nothing is known.
    pub fn of(instance: InstanceId) -> Self {
        Self {
            instance,
            known: false,
            refused: None,
            sums: DetailSums::default(),
            people: BTreeMap::new(),
            traces: VecDeque::new(),
        }
    }

    /// Takes what the server tells. What was still on its way of another meeting is dropped.
    pub fn take(&mut self, event: Detail) {
        if event.instance != self.instance {
            return;
        }
        if event.anew {
            *self = Self::of(self.instance);
        }
        self.known = true;
        if let Some(sums) = event.sums {
            self.sums = sums;
        }
        let people = event.people.into_iter();
        self.people.extend(people.map(|one| (one.user, one)));
        self.traces.extend(event.traces);
        let over = self.traces.len().saturating_sub(TRACES_KEPT_MAX);
        self.traces.drain(..over);
    }

    /// How many are in, are gone, and have lost their connection.
    pub fn counts(&self) -> (usize, usize, usize) {
        let here = self.people.values().filter(|one| is_in(one)).count();
        let lost = self.people.values().filter(|one| is_lost(one)).count();
        (here, self.people.len() - here, lost)
    }

    /// How long a stay was on average, those that go on counted up to now, in milliseconds.
    pub fn average_stay_ms(&self, now: Timestamp) -> Option<i64> {
        let going_on = self.people.values().filter_map(|one| one.stays.last());
        let (mut stays, mut ms) = (self.sums.stays, self.sums.stayed_ms);
        for stay in going_on.filter(|stay| stay.to.is_none()) {
            stays += 1;
            ms += now.ms_since(stay.from).max(0);
        }
        let stays = i64::try_from(stays).ok().filter(|stays| *stays > 0)?;
        Some(ms / stays)
    }
}

/// Whether somebody is in.
pub fn is_in(one: &DetailPerson) -> bool {
    one.stays.last().is_some_and(|stay| stay.to.is_none())
}

/// Whether they are in, and have lost every connection.
pub fn is_lost(one: &DetailPerson) -> bool {
    is_in(one) && one.connections > 0 && one.lost == one.connections
}

/// How long a stay was, or is by now, in milliseconds.
pub fn stay_ms(stay: &Stay, now: Timestamp) -> i64 {
    stay.to.unwrap_or(now).ms_since(stay.from).max(0)
}

/// How long somebody was in, in all, in milliseconds.
pub fn stayed_ms(one: &DetailPerson, now: Timestamp) -> i64 {
    let told: i64 = one.stays.iter().map(|stay| stay_ms(stay, now)).sum();
    one.earlier_ms + told
}

/// Which half of the screen keys go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// Who was ever in.
    #[default]
    People,
    /// What happened.
    Events,
}

/// By what people are sorted; each in the way that puts first what is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeopleSort {
    /// Who came first.
    #[default]
    Joined,
    /// Who was in longest.
    Stayed,
    /// Who said most.
    Said,
    /// By name.
    Name,
}

impl PeopleSort {
    /// Every case, in the order of their keys.
    pub const ALL: [Self; 4] = [Self::Joined, Self::Stayed, Self::Said, Self::Name];

    /// What its column is called.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Joined => "JOINED",
            Self::Stayed => "STAYED",
            Self::Said => "MSGS",
            Self::Name => "NAME",
        }
    }
}

/// How one meeting is looked at.
#[derive(Clone, Debug)]
pub struct Drill {
    /// Which.
    pub instance: InstanceId,
    /// Where keys go.
    pub pane: Pane,
    /// By what people are sorted.
    pub sort: PeopleSort,
    /// Whether the other way round.
    pub reversed: bool,
    /// Which people and events are shown.
    pub filter: Editor,
    /// Whether that is being written.
    pub filtering: bool,
    /// The selected person.
    pub person: Option<UserId>,
    /// The selected event's number; `None`: always the newest.
    pub trace: Option<u64>,
}

impl Drill {
    /// Into this meeting.
    pub fn new(instance: InstanceId) -> Self {
        Self {
            instance,
            pane: Pane::default(),
            sort: PeopleSort::default(),
            reversed: false,
            filter: Editor::new(""),
            filtering: false,
            person: None,
            trace: None,
        }
    }

    /// The people that are shown, in their order.
    pub fn people<'a>(&self, looked: &'a Looked, now: Timestamp) -> Vec<&'a DetailPerson> {
        let people = looked.people.values();
        let mut people: Vec<&DetailPerson> = people
            .filter(|one| self.lets_through(&text::one_line(&one.name)))
            .collect();
        let first = |one: &DetailPerson| one.stays.first().map(|stay| stay.from);
        people.sort_by(|a, b| {
            let order = match self.sort {
                PeopleSort::Joined => first(a).cmp(&first(b)),
                PeopleSort::Stayed => stayed_ms(b, now).cmp(&stayed_ms(a, now)),
                PeopleSort::Said => b.messages.cmp(&a.messages),
                PeopleSort::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
            };
            let order = if self.reversed {
                order.reverse()
            } else {
                order
            };
            order.then(a.user.cmp(&b.user))
        });
        people
    }

    /// What happened and is shown, the newest first.
    pub fn traces<'a>(&self, looked: &'a Looked) -> Vec<&'a Trace> {
        let traces = looked.traces.iter().rev();
        traces
            .filter(|one| {
                let said = format!("{} {}", word(&one.what), text::one_line(&one.name));
                self.lets_through(&said)
            })
            .collect()
    }

    /// The place of the selected person; of the first where they are not shown any more.
    pub fn person_at(&self, people: &[&DetailPerson]) -> usize {
        let selected = |one: &&DetailPerson| Some(one.user) == self.person;
        people.iter().position(selected).unwrap_or(0)
    }

    /// The place of the selected event.
    pub fn trace_at(&self, traces: &[&Trace]) -> usize {
        let selected = |one: &&Trace| Some(one.number) == self.trace;
        traces.iter().position(selected).unwrap_or(0)
    }

    fn lets_through(&self, said: &str) -> bool {
        let said = said.to_lowercase();
        self.filter.text().split_whitespace().all(|word| {
            let (inverse, word) = match word.strip_prefix('!') {
                Some(word) => (true, word),
                None => (false, word),
            };
            word.is_empty() || said.contains(&word.to_lowercase()) != inverse
        })
    }
}

/// What happened, in a word.
pub const fn word(what: &TraceWhat) -> &'static str {
    match what {
        TraceWhat::Opened => "open",
        TraceWhat::Join => "join",
        TraceWhat::Leave { .. } => "leave",
        TraceWhat::Message { .. } => "msg",
        TraceWhat::Edited { .. } => "edit",
        TraceWhat::Deleted { .. } => "delete",
        TraceWhat::Moderated { .. } => "admin",
        TraceWhat::Closed { .. } => "close",
        TraceWhat::Denied { .. } => "deny",
        TraceWhat::Lost => "lost",
        TraceWhat::Back => "back",
    }
}
