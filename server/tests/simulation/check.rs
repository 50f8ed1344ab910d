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
const SETTLE_STEPS_MAX: usize = 8_000;

/// How often to wait until no absent user is shown as a participant.
const SETTLE_ROUNDS: usize = 4;

/// Steps between two checks whether the instances have ended.
const CHECK_STEPS: usize = 20;

impl Run<'_> {
    /// Waits until the run settles, ends all instances and checks the result. Returns the number of
    /// events.
    pub(crate) async fn finish_run(&mut self) -> usize {
        if !self.violations.is_empty() {
            return 0;
        }
        self.heal();
        let mut stale_participants = Vec::new();
        for _ in 0..SETTLE_ROUNDS {
            self.settle_clients().await;
            if !self.violations.is_empty() {
                return 0;
            }
            stale_participants = self.stale_participants().await;
            if stale_participants.is_empty() {
                break;
            }
        }
        for what in stale_participants {
            self.violate(what);
        }
        let last = self
            .fixture
            .instances
            .iter()
            .map(|(_, _, to)| to.as_ms())
            .max();
        let remaining_keys = last.unwrap_or_default() + 1 - self.now_ms();
        if remaining_keys > 0 {
            self.pass(remaining_keys);
        }
        self.settling = false;
        self.end_all().await;
        let mut events = 0;
        if self.violations.is_empty() {
            events = self.check_all().await;
        }
        events
    }

    /// Waits until connected users have joined or left as they want, and absent users have left.
    async fn settle_clients(&mut self) {
        let mut until = self.now_ms() + Self::settle_ms();
        self.settling = true;
        for _ in 0..SETTLE_STEPS_MAX {
            // The grace period starts when a server has reported the lost connection.
            if self
                .servers
                .iter()
                .flatten()
                .any(|server| !server.lost.is_empty())
            {
                until = self.now_ms() + Self::settle_ms();
            }
            let rested = self.now_ms() > until && self.clients.iter().all(is_settled);
            if rested || !self.violations.is_empty() {
                return;
            }
            self.step().await;
        }
        self.report_stuck();
    }

    async fn end_all(&mut self) {
        let ids: Vec<InstanceId> = self
            .fixture
            .instances
            .iter()
            .map(|(id, _, _)| *id)
            .collect();
        let mut ended = false;
        for at in 0..SETTLE_STEPS_MAX {
            if !self.violations.is_empty() {
                return;
            }
            if at % CHECK_STEPS == 0 && !ended {
                self.gate.settle().await;
                ended = true;
                for id in &ids {
                    ended &= self.environment.durable_record(*id).await.state == "ended";
                    ended &= self.environment.remaining_keys(*id).is_empty();
                }
            }
            if ended && self.clients.iter().all(received_end) {
                return;
            }
            self.step().await;
        }
        for id in ids {
            let what = format!(
                "{id}: {:?} {:?}",
                self.environment.durable_record(id).await,
                self.environment.remaining_keys(id)
            );
            self.note(what);
        }
        self.report_stuck();
    }

    fn report_stuck(&mut self) {
        let mut what = String::from("it does not come to rest");
        for (at, client) in self.clients.iter().enumerate() {
            let client = format!(
                "; client {at} alive {} asking {:?} following {} in {} over {} done {} at {:?}",
                client.alive,
                client.pending_request,
                client.link.as_ref().is_some_and(|link| link.following),
                client.is_in,
                client.knows_end,
                client.is_done(),
                client.position()
            );
            what += &client;
        }
        self.violate(what);
    }

    /// Participants without a running terminal.
    async fn stale_participants(&mut self) -> Vec<String> {
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
        for (id, _, to) in self.fixture.instances.clone() {
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
                            found.push(format!(
                                "{} is in {id} although no terminal is connected",
                                one.id
                            ));
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
        for (id, _, _) in self.fixture.instances.clone() {
            let page = Page::After(Seq::default());
            let log = match store.events(id, &root(), page, OPENED_EVENTS).await {
                Ok(page) => page.events,
                Err(error) => {
                    self.violate(format!("the log of {id} cannot be read: {error}"));
                    continue;
                }
            };
            events += log.len();
            let durable_record = self.environment.durable_record(id).await;
            if durable_record.archived != log.len() as u64 {
                self.violate(format!("{id}: {durable_record:?} of {} events", log.len()));
            }
            for wrong in self.log_errors(id, &log) {
                self.violate(wrong);
            }
            let mut wrong = Vec::new();
            for (at, client) in self.clients.iter().enumerate() {
                if client.here == id {
                    let found = self.client_errors(client, &log);
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
    fn log_errors(&self, id: InstanceId, log: &[Event]) -> Vec<String> {
        let to = self.end_of(id);
        let mut wrong = Vec::new();
        let mut inside: BTreeMap<UserId, &Event> = BTreeMap::new();
        let mut posted: BTreeSet<(UserId, Cmid)> = BTreeSet::new();
        for (at, event) in log.iter().enumerate() {
            let is_first = at == 0;
            let is_last = at + 1 == log.len();
            let is_valid = match &event.kind {
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
                    event.timestamp < to
                        && inside.contains_key(user)
                        && posted.insert((*user, *cmid))
                }
                EventKind::Moderated(done) => {
                    event.timestamp < to && posted.insert((done.user, done.cmid))
                }
                EventKind::Closed { .. } => {
                    is_last && inside.is_empty() && event.timestamp <= to.max(event.timestamp)
                }
            };
            if event.seq.get() != at as u64 + 1 || !is_valid {
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
    fn client_errors(&self, client: &Client, log: &[Event]) -> Vec<String> {
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
                    if event.seq < last && client.alive && !self.lossy && !self.rebuilt {
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

fn is_settled(client: &Client) -> bool {
    let is_following = client.link.as_ref().is_some_and(|link| link.following);
    !client.alive
        || (client.pending_request.is_none()
            && is_following
            && client.is_done()
            && (client.is_in || client.knows_end || !client.wants_in))
}

fn received_end(client: &Client) -> bool {
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
