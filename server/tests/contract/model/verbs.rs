//! What each operation does to the model, in a few lines each.

use plenary_server::store::{ConnectionId, NodeId};
use plenary_shared::domain::{Code, EventKind, InstanceState, Reason, User};
use plenary_shared::ids::{Cmid, UserId};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;

use super::state::{Answered, Lease, Live, Model, Phase, Published, Stay, When};

impl Model {
    /// The position of an instance that is open for joins and posts.
    fn open(&self, at: Option<usize>, user: &User, now: When) -> Answered<usize> {
        match at {
            Some(place) if self.instances[place].is_open(now) => Ok(place),
            _ => Err(self.why_not(at, user, now)),
        }
    }

    // --- what users do ---

    pub fn join(
        &mut self,
        at: Option<usize>,
        user: &User,
        by: Option<&ConnectionId>,
        now: When,
    ) -> Answered<usize> {
        let at = self.open(at, user, now)?;
        let here = &self.instances[at];
        if here.stay(user.id).is_some() {
            return Err(Code::AlreadyParticipant);
        }
        if !self.is_invited(here, user) {
            return Err(Code::NotAllowed);
        }
        let join = self.emit(at, joined(user), now, 0);
        let holders = by.iter().map(|by| (by.to_string(), None)).collect();
        if let Some(live) = &mut self.instances[at].live {
            live.stays.push(Stay {
                user: user.id,
                join,
                lasting: by.is_none(),
                holders,
            });
        }
        Ok(join)
    }

    pub fn leave(&mut self, at: Option<usize>, user: &User, now: When) -> Answered<usize> {
        let at = self.open(at, user, now)?;
        self.assert_in(at, user)?;
        self.end_stay(at, user.id);
        Ok(self.emit(at, left(user.id, Reason::Left), now, 0))
    }

    /// Returns the seq, and whether it is a repeat.
    pub fn post(
        &mut self,
        at: Option<usize>,
        user: &User,
        (cmid, body): (Cmid, MessageBody),
        now: When,
    ) -> Answered<(usize, bool)> {
        if let Some(before) = at.and_then(|at| self.instances[at].said(user.id, cmid)) {
            return Ok((before, true));
        }
        let at = self.open(at, user, now)?;
        self.assert_in(at, user)?;
        let user = user.id;
        Ok((
            self.emit(
                at,
                EventKind::Message {
                    user,
                    cmid,
                    body,
                    reply_to: None,
                    edited: None,
                    deleted: None,
                },
                now,
                0,
            ),
            false,
        ))
    }

    fn assert_in(&self, at: usize, user: &User) -> Answered<()> {
        let here = &self.instances[at];
        match here.stay(user.id) {
            Some(_) => Ok(()),
            None if self.may_read(here, user) => Err(Code::NotParticipant),
            None => Err(Code::NotAllowed),
        }
    }

    // --- connections ---

    pub fn hold(&mut self, at: Option<usize>, user: &User, by: &ConnectionId) -> Answered<()> {
        let Some(at) = at.filter(|at| self.instances[*at].live.is_some()) else {
            return Ok(());
        };
        if !self.may_read(&self.instances[at], user) {
            return Err(Code::NotAllowed);
        }
        if let Some(stay) = self.instances[at].stay_mut(user.id) {
            stay.holders.insert(by.to_string(), None);
        }
        Ok(())
    }

    pub fn detach(&mut self, at: Option<usize>, by: &ConnectionId, now: When) {
        let Some(at) = at else { return };
        for stay in self.instances[at].stays_mut() {
            if let Some(lost @ None) = stay.holders.get_mut(&by.to_string()) {
                *lost = Some(now);
            }
        }
    }

    pub fn reap(&mut self, at: Option<usize>, grace_ms: i64, now: When) {
        let Some(at) = at.filter(|at| self.instances[*at].is_open(now)) else {
            return;
        };
        let is_due = |lost: &When| lost.passed + grace_ms <= now.passed;
        let mut leaving = vec![];
        for stay in self.instances[at].stays_mut() {
            let due = stay.holders.values().flatten().copied().filter(is_due);
            let Some(lost) = due.reduce(When::later) else {
                continue;
            };
            stay.holders
                .retain(|_, lost| !lost.as_ref().is_some_and(is_due));
            if stay.holders.is_empty() && !stay.lasting {
                leaving.push((stay.user, stay.join, lost));
            }
        }
        let batch = self.batch();
        for (user, join, lost) in leaving {
            // Not before its stay started.
            let when = lost.later(self.instances[at].log[join - 1].when);
            self.end_stay(at, user);
            self.emit(at, left(user, Reason::ConnectionLost), when, batch);
        }
    }

    pub fn reap_all(&mut self, grace_ms: i64, now: When) {
        let dead: Vec<(NodeId, Lease)> = self
            .nodes
            .extract_if(.., |_, lease| lease.until.passed <= now.passed)
            .collect();
        for here in &mut self.instances {
            for stay in here.stays_mut() {
                for (by, lost) in &mut stay.holders {
                    let of = |node: &NodeId| by.starts_with(&format!("{node}."));
                    let end = dead.iter().find(|(node, _)| of(node));
                    if let (None, Some((_, lease))) = (&lost, end) {
                        *lost = Some(lease.renewed);
                    }
                }
            }
        }
        for at in 0..self.instances.len() {
            self.reap(Some(at), grace_ms, now);
        }
    }

    /// The live servers.
    pub fn renew_lease(&mut self, node: &NodeId, lease_ms: i64, now: When) -> Vec<NodeId> {
        let lease = Lease {
            until: now.plus_ms(lease_ms),
            renewed: now,
        };
        self.nodes.insert(node.clone(), lease);
        let live = self.nodes.iter();
        live.filter(|(_, lease)| lease.until.passed > now.passed)
            .map(|(node, _)| node.clone())
            .collect()
    }

    // --- time ---

    /// Starts an instance and returns its end time.
    pub fn start(&mut self, at: Option<usize>, now: When) -> Option<Timestamp> {
        let at = at?;
        let here = &mut self.instances[at];
        if here.state != InstanceState::Scheduled || here.from.passed > now.passed {
            return None;
        }
        here.state = InstanceState::Active;
        here.generation += 1;
        here.live = Some(Live {
            phase: Phase::Active,
            stays: vec![],
        });
        let to = here.to;
        let when = if to.passed <= now.passed { to } else { now };
        self.emit(at, EventKind::Opened, when, 0);
        Some(self.instances[at].to.low)
    }

    /// Whether it is ending or has ended.
    pub fn mark(&mut self, at: Option<usize>, reason: Reason, now: When) -> bool {
        let Some(here) = at.map(|at| &mut self.instances[at]) else {
            return false;
        };
        let is_due = reason == Reason::Ended || here.to.passed <= now.passed;
        if here.state == InstanceState::Active && is_due {
            here.state = InstanceState::Ending;
            here.reason = Some(reason);
        }
        matches!(here.state, InstanceState::Ending | InstanceState::Ended)
    }

    /// Closes an ending instance.
    pub fn close(&mut self, at: usize, now: When) {
        let here = &mut self.instances[at];
        let (Some(reason), Some(live)) = (here.reason, here.live.as_mut()) else {
            return;
        };
        if live.phase == Phase::Closed {
            return;
        }
        live.phase = Phase::Closed;
        let leaving = std::mem::take(&mut live.stays);
        let is_over = here.to.passed <= now.passed;
        let when = if is_over { here.to } else { now };
        let batch = self.batch();
        for stay in leaving {
            self.emit(at, left(stay.user, reason), when, batch);
        }
        self.emit(at, EventKind::Closed { reason }, when, 0);
    }

    pub fn archive(&mut self, at: usize) {
        let here = &mut self.instances[at];
        if here.live.is_some() {
            here.archived = here.log.len();
        }
    }

    pub fn record(&mut self, at: usize) {
        self.instances[at].state = InstanceState::Ended;
    }

    pub fn destroy(&mut self, at: usize) {
        self.instances[at].live = None;
    }

    /// Drops the live state of ended instances.
    pub fn sweep(&mut self) {
        for here in &mut self.instances {
            if here.state == InstanceState::Ended {
                here.live = None;
            }
        }
    }

    /// Moves deadlines, for back ends whose clock stays.
    pub fn move_deadlines(&mut self, ms: i64) {
        for here in &mut self.instances {
            here.from.nearer(ms);
            here.to.nearer(ms);
            for stay in here.stays_mut() {
                stay.holders
                    .values_mut()
                    .flatten()
                    .for_each(|lost| lost.nearer(ms));
            }
        }
        for lease in self.nodes.values_mut() {
            lease.until.nearer(ms);
            lease.renewed.nearer(ms);
        }
    }

    /// Rebuilds the live state from the archive.
    pub fn fence(&mut self, remembers: bool, now: When) {
        if !remembers {
            self.nodes.clear();
        }
        for at in 0..self.instances.len() {
            let here = &mut self.instances[at];
            here.published.clear();
            match here.state {
                InstanceState::Active | InstanceState::Ending => here.rebuild(remembers, now),
                // Without data, nothing of it is left.
                InstanceState::Ended if !remembers => here.live = None,
                InstanceState::Scheduled | InstanceState::Ended => continue,
            }
            if here.live.is_none() {
                continue;
            }
            let published = Published::Fence(here.generation, here.log.len());
            if here.log.is_empty() {
                let to = here.to;
                let when = if to.passed <= now.passed { to } else { now };
                self.emit(at, EventKind::Opened, when, 0);
            } else {
                here.published.push(published);
            }
        }
    }
}

fn joined(user: &User) -> EventKind {
    EventKind::Join {
        user: user.id,
        name: user.name.clone(),
    }
}

fn left(user: UserId, reason: Reason) -> EventKind {
    EventKind::Leave { user, reason }
}
