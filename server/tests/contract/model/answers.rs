//! The model's answers to reads: pages, lists, and the agenda.

use std::collections::BTreeMap;

use plenary_server::store::Head;
use plenary_shared::domain::{Code, Event, EventKind, Instance, InstanceState, User, UserRef};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::Message;
use plenary_shared::time::Timestamp;

use super::state::{self, Answered, Model, Phase, When};
use super::step::{Kind, Pick};

/// Part of a log: its seqs, and whether there are more beyond.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub seqs: Vec<usize>,
    pub more: bool,
}

/// Participants with their join times.
pub type Present = Vec<(UserId, String, Timestamp)>;

impl Model {
    /// The position of an instance that this user may read.
    pub fn readable(&self, at: Option<usize>, user: &User, now: When) -> Answered<usize> {
        let place = at.ok_or(Code::NotFound)?;
        let here = &self.instances[place];
        match here.live {
            Some(_) if self.may_read(here, user) => Ok(place),
            Some(_) => Err(Code::NotAllowed),
            None if self.may_read_stored(here, user) => Ok(place),
            None => Err(self.why_not(at, user, now)),
        }
    }

    /// A page of the events of this kind.
    pub fn part(
        &self,
        at: usize,
        kind: Kind,
        of: Option<UserId>,
        pick: Pick,
        limit: usize,
    ) -> Part {
        let is_of_it = |what: &EventKind| match (kind, what) {
            (Kind::Events, _) | (Kind::Messages, EventKind::Message { .. }) => true,
            (Kind::MessagesOf(_), EventKind::Message { user, .. }) => Some(*user) == of,
            (
                Kind::Messages | Kind::MessagesOf(_),
                EventKind::Opened
                | EventKind::Join { .. }
                | EventKind::Leave { .. }
                | EventKind::Edited { .. }
                | EventKind::Deleted { .. }
                | EventKind::Moderated(_)
                | EventKind::Closed { .. },
            ) => false,
        };
        let log = self.instances[at].log.iter().zip(1..);
        let all: Vec<usize> = log
            .filter(|(entry, _)| is_of_it(&entry.what))
            .map(|(_, seq)| seq)
            .collect();
        let is_within = |seq: &usize| match pick {
            Pick::Last => true,
            Pick::Before(bound) => (*seq as u64) < bound,
            Pick::After(bound) => *seq as u64 > bound,
        };
        let within: Vec<usize> = all.into_iter().filter(is_within).collect();
        let more = within.len() > limit;
        let seqs = match pick {
            Pick::Last | Pick::Before(_) => within[within.len().saturating_sub(limit)..].to_vec(),
            Pick::After(_) => within.into_iter().take(limit).collect(),
        };
        Part { seqs, more }
    }

    /// These events as they must be read; their times are known.
    pub fn facts(&self, at: usize, seqs: &[usize]) -> Vec<(Seq, EventKind, Timestamp)> {
        let log = &self.instances[at].log;
        seqs.iter()
            .map(|at| {
                let entry = &log[at - 1];
                (seq(*at), entry.what.clone(), entry.when.low)
            })
            .collect()
    }

    pub fn messages(&self, at: usize, seqs: &[usize]) -> Vec<Message> {
        let facts = self.facts(at, seqs).into_iter();
        facts
            .filter_map(|(seq, what, timestamp)| match what {
                EventKind::Message {
                    user, cmid, body, ..
                } => Some(Message {
                    user,
                    body,
                    timestamp,
                    seq,
                    cmid,
                    name: self.name(user),
                    reply_to: None,
                    edited: None,
                    deleted: None,
                }),
                EventKind::Opened
                | EventKind::Join { .. }
                | EventKind::Leave { .. }
                | EventKind::Edited { .. }
                | EventKind::Deleted { .. }
                | EventKind::Moderated(_)
                | EventKind::Closed { .. } => None,
            })
            .collect()
    }

    /// All users that these events name.
    pub fn users_named(&self, events: &[Event]) -> Vec<UserRef> {
        let users = events.iter().filter_map(|event| event.kind.user());
        let names: BTreeMap<UserId, String> = users.map(|id| (id, self.name(id))).collect();
        let persons = names.into_iter();
        persons.map(|(id, name)| UserRef { id, name }).collect()
    }

    fn name(&self, id: UserId) -> String {
        let found = self.users.iter().find(|user| user.id == id);
        found.map(|user| user.name.clone()).unwrap_or_default()
    }

    // --- users and instances ---

    pub fn present(&self, at: usize) -> Present {
        let here = &self.instances[at];
        here.stays()
            .iter()
            .map(|stay| {
                let joined = here.log[stay.join - 1].when.low;
                (stay.user, self.name(stay.user), joined)
            })
            .collect()
    }

    pub fn people(&self, at: Option<usize>, user: &User, now: When) -> Answered<Present> {
        match at {
            Some(place) if self.instances[place].live.is_some() => {
                Ok(self.present(self.readable(at, user, now)?))
            }
            _ => Err(self.why_not(at, user, now)),
        }
    }

    pub fn head(&self, at: usize) -> Option<Head> {
        let here = &self.instances[at];
        here.live.as_ref()?;
        Some(Head {
            generation: self.generation(at),
            seq: seq(here.log.len()),
            durable: seq(here.archived),
        })
    }

    pub fn generation(&self, at: usize) -> Generation {
        let here = &self.instances[at];
        let number = here.live.as_ref().map_or(0, |_| here.generation);
        Generation::new(number).expect("a small number")
    }

    /// An instance in this state, as a user's list shows it.
    pub fn shown(&self, at: usize, state: InstanceState, user: &User) -> Instance {
        let here = &self.instances[at];
        let meeting = &self.meetings[here.meeting].meeting;
        let joined = here
            .stay(user.id)
            .map(|stay| here.log[stay.join - 1].when.low);
        Instance {
            title: meeting.title.clone(),
            description: meeting.description.clone(),
            is_public: meeting.is_public,
            fromdatetime: here.from.low,
            todatetime: here.to.low,
            id: here.id,
            state,
            cancelled: false,
            ended_at: None,
            participants: u32::try_from(here.stays().len()).expect("a small number"),
            joined,
        }
    }

    /// An instance as `open` returns it.
    pub fn opened(&self, at: usize, user: &User) -> Instance {
        let here = &self.instances[at];
        let state = match here.live.as_ref().map(|live| live.phase) {
            Some(Phase::Active) => InstanceState::Active,
            Some(Phase::Ending) => InstanceState::Ending,
            Some(Phase::Closed) => InstanceState::Ended,
            None => here.state,
        };
        self.shown(at, state, user)
    }

    /// Live, upcoming and ended instances that this user may see, by start.
    pub fn visible(&self, user: &User, now: When) -> Vec<Instance> {
        let is_listed = |here: &state::Instance| match here.state {
            InstanceState::Scheduled => {
                here.to.passed > now.passed && self.may_read_stored(here, user)
            }
            InstanceState::Active | InstanceState::Ending => {
                self.may_read_stored(here, user) || (is_active(here) && self.may_read(here, user))
            }
            InstanceState::Ended => self.may_read_stored(here, user),
        };
        let mut listed = self.listed(user, is_listed, |here| here.state);
        for one in &mut listed {
            let here = self.instances.iter().find(|here| here.id == one.id);
            if !here.is_some_and(is_active) {
                (one.participants, one.joined) = (0, None);
            }
        }
        listed
    }

    /// Active instances that this user may see, by start.
    pub fn active(&self, user: &User) -> Vec<Instance> {
        let is_listed = |here: &state::Instance| is_active(here) && self.may_read(here, user);
        self.listed(user, is_listed, |_| InstanceState::Active)
    }

    fn listed(
        &self,
        user: &User,
        is_listed: impl Fn(&state::Instance) -> bool,
        state: impl Fn(&state::Instance) -> InstanceState,
    ) -> Vec<Instance> {
        let places = (0..self.instances.len()).filter(|at| is_listed(&self.instances[*at]));
        let mut listed: Vec<Instance> = places
            .map(|at| self.shown(at, state(&self.instances[at]), user))
            .collect();
        listed.sort_by_key(|one| (one.fromdatetime, one.id));
        listed
    }

    // --- agenda ---

    pub fn starts(&self, until: i64) -> Vec<(InstanceId, Timestamp)> {
        self.timed(|here| {
            let is_due = here.state == InstanceState::Scheduled && here.from.passed <= until;
            is_due.then_some(here.from.low)
        })
    }

    pub fn ends(&self, until: i64) -> Vec<(InstanceId, Timestamp)> {
        self.timed(|here| {
            let is_due = here.state == InstanceState::Active && here.to.passed <= until;
            is_due.then_some(here.to.low)
        })
    }

    pub fn live_ends(&self, until: i64) -> Vec<(InstanceId, Timestamp)> {
        self.timed(|here| {
            let phase = here.live.as_ref().map(|live| live.phase);
            let is_due =
                matches!(phase, Some(Phase::Active | Phase::Ending)) && here.to.passed <= until;
            is_due.then_some(here.to.low)
        })
    }

    pub fn ending(&self) -> Vec<InstanceId> {
        let ending = |here: &&state::Instance| here.state == InstanceState::Ending;
        let mut ids: Vec<_> = self
            .instances
            .iter()
            .filter(ending)
            .map(|here| here.id)
            .collect();
        ids.sort_unstable();
        ids
    }

    /// Instances with events that are not archived.
    pub fn lag(&self) -> Vec<InstanceId> {
        let is_behind =
            |here: &&state::Instance| here.live.is_some() && here.archived < here.log.len();
        let mut ids: Vec<_> = self
            .instances
            .iter()
            .filter(is_behind)
            .map(|here| here.id)
            .collect();
        ids.sort_unstable();
        ids
    }

    fn timed(
        &self,
        when: impl Fn(&state::Instance) -> Option<Timestamp>,
    ) -> Vec<(InstanceId, Timestamp)> {
        let mut found: Vec<_> = self
            .instances
            .iter()
            .filter_map(|here| Some((here.id, when(here)?)))
            .collect();
        found.sort_unstable();
        found
    }
}

fn is_active(here: &state::Instance) -> bool {
    here.live
        .as_ref()
        .is_some_and(|live| live.phase == Phase::Active)
}

pub fn seq(number: usize) -> Seq {
    Seq::new(number as u64).expect("a small number")
}
