//! The end of a run: everything settles, every instance ends, and the clients' histories and
//! acknowledgements are compared with the archive.

use std::collections::{BTreeMap, BTreeSet};

use plenary_server::error::Error;
use plenary_server::store::{LogStore, Page, ParticipationStore};
use plenary_shared::domain::{Code, Event, EventKind, Role, User};
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};

use crate::clients::{self, Client, OPENED_EVENTS};
use crate::run::Run;

/// A run that has not settled after this many steps never will.
const REST_STEPS_MAX: usize = 8_000;

/// How often to wait until no absent user is shown as a participant.
const PATIENCE_ROUNDS: usize = 4;

/// Steps between two checks whether the instances have ended.
const LOOK_STEPS: usize = 20;

impl Run<'_> {
    /// Lets everything settle and end, and checks the result. Returns the number of events.
    pub(crate) async fn come_to_the_end(&mut self) -> usize {
        if !self.violations.is_empty() {
            return 0;
        }
        self.heal();
        let mut left_behind = Vec::new();
        for _ in 0..PATIENCE_ROUNDS {
            self.rest().await;
            if !self.violations.is_empty() {
                return 0;
            }
            left_behind = self.left_behind().await;
            if left_behind.is_empty() {
                break;
            }
        }
        for what in left_behind {
            self.violate(what);
        }
        let last = self
            .scene
            .instances
            .iter()
            .map(|(_, _, to)| to.as_ms())
            .max();
        let left = last.unwrap_or_default() + 1 - self.now_ms();
        if left > 0 {
            self.pass(left);
        }
        self.rests = false;
        self.end_all().await;
        let mut events = 0;
        if self.violations.is_empty() {
            events = self.check_all().await;
        }
        events
    }

    /// Waits until connected users are where they want to be and absent users are shown as left.
    async fn rest(&mut self) {
        let mut until = self.now_ms() + Self::patience_ms();
        self.rests = true;
        for _ in 0..REST_STEPS_MAX {
            // The grace period starts when a server has reported the lost connection.
            if self
                .servers
                .iter()
                .flatten()
                .any(|server| !server.lost.is_empty())
            {
                until = self.now_ms() + Self::patience_ms();
            }
            let rested = self.now_ms() > until && self.clients.iter().all(has_rested);
            if rested || !self.violations.is_empty() {
                return;
            }
            self.step().await;
        }
        self.stuck();
    }

    async fn end_all(&mut self) {
        let ids: Vec<InstanceId> = self.scene.instances.iter().map(|(id, _, _)| *id).collect();
        let mut ended = false;
        for at in 0..REST_STEPS_MAX {
            if !self.violations.is_empty() {
                return;
            }
            if at % LOOK_STEPS == 0 && !ended {
                self.gate.settle().await;
                ended = true;
                for id in &ids {
                    ended &= self.ground.lasting(*id).await.state == "ended";
                    ended &= self.ground.left(*id).is_empty();
                }
            }
            if ended && self.clients.iter().all(has_heard_the_end) {
                return;
            }
            self.step().await;
        }
        for id in ids {
            let what = format!(
                "{id}: {:?} {:?}",
                self.ground.lasting(id).await,
                self.ground.left(id)
            );
            self.note(what);
        }
        self.stuck();
    }

    fn stuck(&mut self) {
        let mut what = String::from("it does not come to rest");
        for (at, client) in self.clients.iter().enumerate() {
            let client = format!(
                "; client {at} alive {} asking {:?} following {} in {} over {} done {} at {:?}",
                client.alive,
                client.asking,
                client.link.as_ref().is_some_and(|link| link.following),
                client.is_in,
                client.over,
                client.is_done(),
                client.position()
            );
            what += &client;
        }
        self.violate(what);
    }

    /// Participants whose terminals are gone.
    async fn left_behind(&mut self) -> Vec<String> {
        self.gate.settle().await;
        let mut found = Vec::new();
        let store = self
            .servers
            .iter()
            .flatten()
            .next()
            .map(|one| one.store.clone());
        let Some(store) = store else { return found };
        self.gate.set_open(true);
        for (id, _, to) in self.scene.instances.clone() {
            if self.now_ms() >= to.as_ms() {
                continue;
            }
            match store.people(id, &root()).await {
                Ok(people) => {
                    for one in people {
                        let is_there = |client: &Client| {
                            client.alive && client.here == id && client.user.id == one.id
                        };
                        if !self.clients.iter().any(is_there) {
                            found.push(format!("{} is in {id} although nobody is there", one.id));
                        }
                    }
                }
                // An instance that no server has started has no participants.
                Err(Error::Reject(reject)) if reject.code == Code::NotStarted => {}
                Err(error) => found.push(format!("the participants of {id}: {error}")),
            }
        }
        self.gate.set_open(false);
        found
    }

    async fn check_all(&mut self) -> usize {
        self.gate.settle().await;
        let store = self.servers.iter().flatten().next().expect("they are up");
        let store = store.store.clone();
        self.gate.set_open(true);
        let mut events = 0;
        for (id, _, _) in self.scene.instances.clone() {
            let page = Page::After(Seq::default());
            let log = match store.events(id, &root(), page, OPENED_EVENTS).await {
                Ok(page) => page.events,
                Err(error) => {
                    self.violate(format!("the log of {id} cannot be read: {error}"));
                    continue;
                }
            };
            events += log.len();
            let lasting = self.ground.lasting(id).await;
            if lasting.archived != log.len() as u64 {
                self.violate(format!("{id}: {lasting:?} of {} events", log.len()));
            }
            for wrong in self.wrong_in_log(id, &log) {
                self.violate(wrong);
            }
            let mut wrong = Vec::new();
            for (at, client) in self.clients.iter().enumerate() {
                if client.here == id {
                    let found = self.wrong_for(client, &log);
                    wrong.extend(found.into_iter().map(|what| format!("client {at}: {what}")));
                }
            }
            for one in wrong {
                self.violate(one);
            }
            if !self.violations.is_empty() {
                for event in &log {
                    self.note(format!(
                        "    {id} seq {} {} {:?}",
                        event.seq, event.timestamp, event.kind
                    ));
                }
            }
        }
        self.gate.set_open(false);
        events
    }

    /// Checks one log: no gaps, the life in the right order, every stay starts and ends in time, no
    /// duplicate messages.
    fn wrong_in_log(&self, id: InstanceId, log: &[Event]) -> Vec<String> {
        let to = self.to_of(id);
        let mut wrong = Vec::new();
        let mut inside: BTreeMap<UserId, &Event> = BTreeMap::new();
        let mut said: BTreeSet<(UserId, Cmid)> = BTreeSet::new();
        for (at, event) in log.iter().enumerate() {
            let is_first = at == 0;
            let is_last = at + 1 == log.len();
            let well = match &event.kind {
                EventKind::Opened => is_first,
                EventKind::Join { user, .. } => {
                    event.timestamp < to && inside.insert(*user, event).is_none()
                }
                EventKind::Leave { user, .. } => inside
                    .remove(user)
                    .is_some_and(|join| event.timestamp >= join.timestamp && event.timestamp <= to),
                EventKind::Message { user, cmid, .. }
                | EventKind::Edited { user, cmid, .. }
                | EventKind::Deleted { user, cmid, .. } => {
                    event.timestamp < to && inside.contains_key(user) && said.insert((*user, *cmid))
                }
                EventKind::Moderated(done) => {
                    event.timestamp < to && said.insert((done.user, done.cmid))
                }
                EventKind::Closed { .. } => {
                    is_last && inside.is_empty() && event.timestamp <= to.max(event.timestamp)
                }
            };
            if event.seq.get() != at as u64 + 1 || !well {
                wrong.push(format!("{id}: the log is wrong at {event:?}"));
            }
        }
        if !matches!(
            log.last().map(|last| &last.kind),
            Some(EventKind::Closed { .. })
        ) {
            wrong.push(format!("{id}: its log is not closed"));
        }
        if !matches!(
            log.first().map(|first| &first.kind),
            Some(EventKind::Opened)
        ) {
            wrong.push(format!("{id}: its log is not opened"));
        }
        wrong
    }

    /// Compares what one client received with the archive.
    fn wrong_for(&self, client: &Client, log: &[Event]) -> Vec<String> {
        let mut wrong = Vec::new();
        let at = |seq: Seq| -> Option<&Event> {
            let index = usize::try_from(seq.get()).ok()?.checked_sub(1)?;
            log.get(index)
        };
        for (seq, (what, when)) in &client.durable {
            let is_there =
                at(*seq).is_some_and(|event| event.kind == *what && event.timestamp == *when);
            if !is_there {
                wrong.push(format!("received durable {seq}, but it is not: {what:?}"));
            }
        }
        if let (Some(replica), true) = (&client.replica, client.alive) {
            let known: Vec<_> = replica
                .events()
                .map(|event| (event.seq, &event.kind, event.timestamp))
                .collect();
            let there: Vec<_> = log
                .iter()
                .map(|event| (event.seq, &event.kind, event.timestamp))
                .collect();
            if known != there {
                wrong.push(format!("knows {known:?}"));
            }
        }
        let mut last = Seq::default();
        for one in &client.outbox {
            let found: Vec<&Event> = log
                .iter()
                .filter(|event| {
                    matches!(&event.kind, EventKind::Message { user, cmid, .. }
                    if *user == client.user.id && *cmid == one.cmid)
                })
                .collect();
            let body_is = |event: &Event| matches!(&event.kind, EventKind::Message { body, .. } if body.as_str() == one.body);
            let acked = one.acks.last().copied();
            match found.as_slice() {
                [] => {
                    // After a data loss the acknowledgement is lost too, and nobody is there, or
                    // allowed, to send the message again.
                    let excused = self.lossy && (!client.alive || one.refused.is_some());
                    if one.durable.is_some() || (acked.is_some() && !excused) {
                        wrong.push(format!(
                            "{} was acknowledged by {:?} and is lost",
                            one.cmid, one.acks
                        ));
                    }
                    if client.alive && one.refused.is_none() {
                        wrong.push(format!("{} was never refused and is not there", one.cmid));
                    }
                }
                [event] => {
                    if !body_is(event) {
                        wrong.push(format!("{} says something else", one.cmid));
                    }
                    if one.refused.is_some() {
                        wrong.push(format!("{} was refused and is there", one.cmid));
                    }
                    if client.alive && acked.is_some_and(|seq| seq != event.seq) {
                        wrong.push(format!(
                            "{} was acknowledged by {:?} and is {}",
                            one.cmid, one.acks, event.seq
                        ));
                    }
                    if one.durable.is_some_and(|seq| seq != event.seq) {
                        wrong.push(format!(
                            "{} was durable by {:?} and is {}",
                            one.cmid, one.durable, event.seq
                        ));
                    }
                    // After a data loss, a later message may come before one that is sent again.
                    if event.seq < last && client.alive && !self.lossy && !self.begun_anew {
                        wrong.push(format!("{} comes before an earlier message", one.cmid));
                    }
                    last = last.max(event.seq);
                }
                _ => wrong.push(format!("{} is there {} times", one.cmid, found.len())),
            }
        }
        wrong
    }
}

fn has_rested(client: &Client) -> bool {
    let is_following = client.link.as_ref().is_some_and(|link| link.following);
    !client.alive
        || (client.asking.is_none()
            && is_following
            && client.is_done()
            && (client.is_in || client.over || !client.wants_in))
}

fn has_heard_the_end(client: &Client) -> bool {
    let is_following = client.link.as_ref().is_some_and(|link| link.following);
    !client.alive
        || (client.is_done()
            && is_following
            && client
                .replica
                .as_ref()
                .is_some_and(plenary_shared::replica::Replica::is_closed))
}

fn root() -> User {
    clients::person(UserId::new(1).expect("small"), Role::Admin)
}
