//! One instance in detail, counted event by event: stays, connections and timeline, and which of it
//! was not sent yet.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::limits::{STAYS_MAX, TIMELINE_MAX};
use plenary_shared::protocol::{
    Attendee, DetailLine, DetailUpdate, MeetingTotals, Stay, TimelineEntry, TimelineKind,
};
use plenary_shared::time::Timestamp;

use crate::store::dashboard::{Attended, Coming, Denial, Holder};

mod arrivals;

/// Users of one line, so that it stays below the limit of a frame, even with the longest names and
/// many stays.
const PEOPLE_PER_LINE: usize = 20;

/// Timeline entries of one line; an announcement is the longest.
const TRACES_PER_LINE: usize = 8;

/// One instance, counted up to a seq.
#[derive(Debug)]
pub(super) struct Detail {
    id: InstanceId,
    /// The last counted seq.
    pub(super) upto: Seq,
    /// The live generation that was counted; `None` if only the record was.
    pub(super) generation: Option<Generation>,
    /// Whether it was counted from the start.
    pub(super) is_begun: bool,
    people: BTreeMap<UserId, Attendee>,
    here: u32,
    sums: MeetingTotals,
    traces: VecDeque<TimelineEntry>,
    traced: u64,
    /// Users without connections, with the start of that stay.
    lost: HashMap<UserId, Timestamp>,
    /// Whether the connections were read before.
    is_held: bool,
    changed: BTreeSet<UserId>,
    told_traces: u64,
    told_sums: MeetingTotals,
    edition: Edition,
}

/// What was sent last.
#[derive(Debug, Default)]
struct Edition {
    /// 0 if nothing was sent.
    number: u64,
    follows: u64,
    changes: Vec<Arc<str>>,
    /// The complete state, once a watcher needs it.
    all: Option<Vec<Arc<str>>>,
}

impl Detail {
    /// Returns an instance of which nothing is counted.
    pub(super) fn new(id: InstanceId) -> Self {
        Self {
            id,
            upto: Seq::default(),
            generation: None,
            is_begun: false,
            people: BTreeMap::new(),
            here: 0,
            sums: MeetingTotals::default(),
            traces: VecDeque::new(),
            traced: 0,
            lost: HashMap::new(),
            is_held: false,
            changed: BTreeSet::new(),
            told_traces: 0,
            told_sums: MeetingTotals::default(),
            edition: Edition::default(),
        }
    }

    /// Starts again from the record up to a seq; `last` are its last events.
    pub(super) fn begin(
        &mut self,
        generation: Option<Generation>,
        upto: Seq,
        attended: Attended,
        last: &[Event],
    ) {
        let (traced, denied) = (self.traced, self.sums.denied);
        *self = Self::new(self.id);
        self.traced = traced;
        self.told_traces = traced;
        self.sums.denied = denied;
        self.is_begun = true;
        self.generation = generation;
        self.upto = upto;
        self.sums.seq = upto;
        for Coming {
            user,
            name,
            at,
            left,
        } in attended.comings
        {
            match left {
                None => self.come(user, &name, at),
                Some(reason) => self.go(user, at, reason),
            }
        }
        for (user, said) in attended.said {
            self.person(user).messages = said;
        }
        for event in last.iter().filter(|event| event.seq <= upto) {
            self.trace_event(event);
        }
    }

    /// Counts the next event.
    pub(super) fn count(&mut self, event: &Event) {
        self.upto = event.seq;
        self.sums.seq = event.seq;
        match &event.kind {
            EventKind::Join { user, name } => self.come(*user, name, event.timestamp),
            EventKind::Leave { user, reason } => self.go(*user, event.timestamp, *reason),
            EventKind::Message { user, .. } => self.person(*user).messages += 1,
            EventKind::Opened
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Moderated(_)
            | EventKind::Closed { .. } => {}
        }
        self.trace_event(event);
    }

    /// Sets the connections that hold each stay. `rtt` returns a connection's round trip, where
    /// this server knows it.
    pub(super) fn hold(
        &mut self,
        holders: Vec<Holder>,
        at: Timestamp,
        rtt: impl Fn(UserId, &str) -> Option<u32>,
    ) {
        let mut by_person: HashMap<UserId, Vec<Holder>> = HashMap::new();
        for one in holders {
            by_person.entry(one.user).or_default().push(one);
        }
        let mut turned = Vec::new();
        for (user, person) in &mut self.people {
            let held = by_person.remove(user).unwrap_or_default();
            let live = || held.iter().filter(|one| !one.lost);
            let servers: BTreeSet<&str> = live()
                .filter_map(|one| one.connection.split('.').next())
                .collect();
            let found = (
                count(held.len()),
                count(held.len() - live().count()),
                count(servers.len()),
                live().filter_map(|one| rtt(*user, &one.connection)).max(),
            );
            let known = (
                person.connections,
                person.lost,
                person.servers,
                person.rtt_ms,
            );
            if found != known {
                (
                    person.connections,
                    person.lost,
                    person.servers,
                    person.rtt_ms,
                ) = found;
                self.changed.insert(*user);
            }
            let stay = person.stays.last().filter(|stay| stay.to.is_none());
            let is_lost = stay.is_some() && found.0 > 0 && found.0 == found.1;
            match (self.lost.get(user).copied(), stay) {
                (None, Some(stay)) if is_lost => {
                    self.lost.insert(*user, stay.from);
                    turned.push((*user, TimelineKind::ConnectionLost));
                }
                (Some(since), Some(stay)) if !is_lost && since == stay.from => {
                    self.lost.remove(user);
                    turned.push((*user, TimelineKind::Reconnected));
                }
                (Some(since), stay) if stay.is_none_or(|stay| stay.from != since) => {
                    self.lost.remove(user);
                }
                _ => {}
            }
        }
        // Users who were lost before the first read are not an event.
        if std::mem::replace(&mut self.is_held, true) {
            for (user, what) in turned {
                self.trace(at, Some(user), None, what);
            }
        }
    }

    /// Adds a refused user.
    pub(super) fn deny(&mut self, denial: Denial) {
        self.sums.denied += 1;
        let code = denial.code;
        self.trace(
            denial.at,
            Some(denial.user),
            None,
            TimelineKind::Denied { code },
        );
        if let Some(last) = self.traces.back_mut() {
            last.name = denial.name;
        }
    }

    fn person(&mut self, user: UserId) -> &mut Attendee {
        self.changed.insert(user);
        self.people.entry(user).or_insert_with(|| Attendee {
            user,
            name: String::new(),
            stays: Vec::new(),
            earlier_stays: 0,
            earlier_ms: 0,
            messages: 0,
            connections: 0,
            lost: 0,
            servers: 0,
            rtt_ms: None,
        })
    }

    fn come(&mut self, user: UserId, name: &str, at: Timestamp) {
        let person = self.person(user);
        name.clone_into(&mut person.name);
        person.stays.push(Stay {
            from: at,
            to: None,
            reason: None,
        });
        if person.stays.len() > STAYS_MAX {
            let first = person.stays.remove(0);
            person.earlier_stays += 1;
            person.earlier_ms += first.to.map_or(0, |to| to.ms_since(first.from));
        }
        self.here += 1;
        if self.here > self.sums.peak {
            self.sums.peak = self.here;
            self.sums.peak_at = Some(at);
        }
        arrivals::add(&mut self.sums.arrivals, at);
    }

    fn go(&mut self, user: UserId, at: Timestamp, reason: plenary_shared::domain::Reason) {
        let person = self.person(user);
        let Some(stay) = person.stays.last_mut().filter(|stay| stay.to.is_none()) else {
            return;
        };
        stay.to = Some(at);
        stay.reason = Some(reason);
        let stayed_ms = at.ms_since(stay.from).max(0);
        self.sums.stays += 1;
        self.sums.stayed_ms += stayed_ms;
        self.here = self.here.saturating_sub(1);
    }

    fn trace_event(&mut self, event: &Event) {
        let what = match &event.kind {
            EventKind::Opened => TimelineKind::Opened,
            EventKind::Join { .. } => TimelineKind::Join,
            EventKind::Leave { reason, .. } => TimelineKind::Leave { reason: *reason },
            EventKind::Message { body, .. } => TimelineKind::Message {
                bytes: body.as_str().len(),
            },
            EventKind::Edited { target, body, .. } => TimelineKind::Edited {
                target: *target,
                bytes: body.as_str().len(),
            },
            EventKind::Deleted { target, .. } => TimelineKind::Deleted { target: *target },
            EventKind::Moderated(done) => TimelineKind::Moderated {
                moderation: Box::new(done.clone()),
            },
            EventKind::Closed { reason } => TimelineKind::Closed { reason: *reason },
        };
        self.trace(event.timestamp, event.kind.user(), Some(event.seq), what);
        if let (EventKind::Moderated(done), Some(last)) = (&event.kind, self.traces.back_mut()) {
            last.name.clone_from(&done.name);
        }
    }

    fn trace(&mut self, at: Timestamp, user: Option<UserId>, seq: Option<Seq>, what: TimelineKind) {
        self.traced += 1;
        let person = user.and_then(|user| self.people.get(&user));
        self.traces.push_back(TimelineEntry {
            number: self.traced,
            at,
            user,
            name: person.map(|one| one.name.clone()).unwrap_or_default(),
            seq,
            kind: what,
        });
        if self.traces.len() > TIMELINE_MAX {
            self.traces.pop_front();
        }
    }

    /// Creates an edition of what has changed. Returns whether there is a new one.
    pub(super) fn publish(&mut self, number: u64) -> bool {
        if !self.is_begun {
            return false;
        }
        let is_first = self.edition.number == 0;
        let sums = (self.sums != self.told_sums).then(|| self.sums.clone());
        let traces = self.traces.iter();
        let news = DetailUpdate {
            totals: sums,
            attendees: self
                .changed
                .iter()
                .filter_map(|user| self.people.get(user).cloned())
                .collect(),
            timeline: traces
                .filter(|trace| trace.number > self.told_traces)
                .cloned()
                .collect(),
            ..DetailUpdate::of(self.id)
        };
        let is_news =
            news.totals.is_some() || !news.attendees.is_empty() || !news.timeline.is_empty();
        if !is_first && !is_news {
            return false;
        }
        self.changed.clear();
        self.told_sums.clone_from(&self.sums);
        self.told_traces = self.traced;
        self.edition = Edition {
            number,
            follows: self.edition.number,
            changes: lines(news),
            all: None,
        };
        true
    }

    /// Returns the lines for a watcher that has the edition `seen`, and the edition that it has
    /// then.
    pub(super) fn told(&mut self, seen: Option<u64>) -> Option<(u64, Vec<Arc<str>>)> {
        let number = self.edition.number;
        if number == 0 || seen == Some(number) {
            return None;
        }
        if seen.is_some_and(|seen| seen == self.edition.follows) && self.edition.follows > 0 {
            return Some((number, self.edition.changes.clone()));
        }
        if self.edition.all.is_none() {
            self.edition.all = Some(lines(DetailUpdate {
                reset: true,
                totals: Some(self.sums.clone()),
                attendees: self.people.values().cloned().collect(),
                timeline: self.traces.iter().cloned().collect(),
                ..DetailUpdate::of(self.id)
            }));
        }
        let all = self.edition.all.clone();
        Some((number, all.unwrap_or_default()))
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Splits an update into lines of bounded size.
fn lines(news: DetailUpdate) -> Vec<Arc<str>> {
    let people = news.attendees.chunks(PEOPLE_PER_LINE);
    let traces = news.timeline.chunks(TRACES_PER_LINE);
    let of = DetailUpdate::of(news.instance);
    let mut parts = vec![of.clone(); people.len().max(traces.len()).max(1)];
    for (part, people) in parts.iter_mut().zip(people) {
        part.attendees = people.to_vec();
    }
    for (part, traces) in parts.iter_mut().zip(traces) {
        part.timeline = traces.to_vec();
    }
    if let Some(first) = parts.first_mut() {
        first.reset = news.reset;
        first.totals = news.totals;
    }
    parts
        .into_iter()
        .filter_map(|detail| serde_json::to_string(&DetailLine { detail }).ok())
        .map(Arc::from)
        .collect()
}

#[cfg(test)]
mod tests;
