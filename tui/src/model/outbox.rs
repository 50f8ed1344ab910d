//! The outbox: every line that was sent, until it is in the archive. It decides what goes when, and
//! what an answer, an event, a loss or a fence makes of it; what has to be on disk comes out as
//! records.
//!
//! ```text
//! Keeping → Waiting ⇄ Sent → Taken → (durable: gone)
//!              ↑  ↖______/ ↖__fence__/
//!              └ Failed ←─ a "no"
//! ```
//! Of each meeting one line at a time is on its way, so none is ever taken before one that was
//! written earlier and is still being tried. Its id never changes, so none is taken twice.

use plenary_shared::domain::{Event, What};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::replica::Replica;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;

use crate::journal::{Aim, Line, Record, Target};

/// Lines of one meeting that wait to be taken; when it is full the text stays in the input.
pub const WAITING_MAX: usize = 200;

/// Bytes of all lines, those included that were taken and are not in the archive yet; when it is
/// full the text stays in the input.
pub const BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Tries of a line that breaks something in the server; then a person has to look at it.
const BROKEN_TRIES_MAX: u32 = 5;

/// Events at the end of a log in which lines are looked for: as many as opening a meeting reads.
const SEARCHED_EVENTS: usize = 200;

/// Every line on its way, in the order of writing.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    lines: Vec<Pending>,
    records: Vec<Record>,
}

/// A line on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Where.
    pub instance: InstanceId,
    /// Its own id.
    pub cmid: Cmid,
    /// What it says.
    pub body: MessageBody,
    /// What it is to do.
    pub aim: Aim,
    /// Since when.
    pub since: Timestamp,
    /// How far it is.
    pub state: Sending,
    /// Whether the server may have taken it, for all that is known.
    pub tried: bool,
    /// Whether a join was tried on its behalf.
    rejoined: bool,
    /// How often the server broke on it.
    broken: u32,
}

/// How far a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// It is being written to disk.
    Keeping,
    /// It waits for the connection, for the line before it, or for this time.
    Waiting {
        /// Not before this, and why.
        until: Option<(Timestamp, String)>,
    },
    /// It was sent on this connection.
    Sent {
        /// The log's generation then.
        generation: Generation,
    },
    /// It is in the log, but perhaps not in the archive.
    Taken {
        /// Its number.
        seq: Seq,
        /// In this generation.
        generation: Generation,
    },
    /// It was refused.
    Failed {
        /// Why.
        why: String,
    },
}

/// A line that goes now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its own id.
    pub cmid: Cmid,
    /// What it says.
    pub body: MessageBody,
    /// What it is to do.
    pub aim: Aim,
}

/// What a "no" means for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Try again at this time.
    Later {
        /// When.
        at: Timestamp,
        /// Why.
        why: String,
    },
    /// The server broke on it: try again at this time, but not for ever.
    Broken {
        /// When.
        at: Timestamp,
        /// Why.
        why: String,
    },
    /// One has to join first. A second time it is final.
    NotIn {
        /// Why.
        why: String,
    },
    /// It is not in the log, and will not be.
    Final {
        /// Why.
        why: String,
    },
}

/// Why a line is not taken into the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// [`WAITING_MAX`]
    #[error("{WAITING_MAX} messages wait here already")]
    Lines,
    /// [`BYTES_MAX`]
    #[error("the messages that are not yet safe have {BYTES_MAX} bytes already")]
    Bytes,
}

impl Pending {
    fn new(line: Line, state: Sending, tried: bool) -> Self {
        Self {
            instance: line.instance,
            cmid: line.cmid,
            body: line.body,
            aim: line.aim,
            since: line.since,
            state,
            tried,
            rejoined: false,
            broken: 0,
        }
    }

    /// Whether it was refused.
    pub fn is_failed(&self) -> bool {
        match self.state {
            Sending::Failed { .. } => true,
            Sending::Keeping
            | Sending::Waiting { .. }
            | Sending::Sent { .. }
            | Sending::Taken { .. } => false,
        }
    }

    /// Whether it is still to be taken, and nothing said that it will not be.
    pub fn is_tried(&self) -> bool {
        match self.state {
            Sending::Keeping | Sending::Waiting { .. } | Sending::Sent { .. } => true,
            Sending::Taken { .. } | Sending::Failed { .. } => false,
        }
    }

    fn wait(&mut self) {
        self.state = Sending::Waiting { until: None };
    }

    fn fail(&mut self, why: String) -> Record {
        self.state = Sending::Failed { why: why.clone() };
        Record::Failed {
            cmid: self.cmid,
            why,
            tried: self.tried,
        }
    }
}

impl Outbox {
    /// Every line.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.lines.iter()
    }

    /// The lines of one meeting.
    pub fn of(&self, instance: InstanceId) -> impl DoubleEndedIterator<Item = &Pending> {
        let here = move |line: &&Pending| line.instance == instance;
        self.lines.iter().filter(here)
    }

    /// How many lines of a meeting were refused.
    pub fn failed(&self, instance: InstanceId) -> usize {
        self.of(instance).filter(|line| line.is_failed()).count()
    }

    /// Whether lines of a meeting are in its log and not known to be in the archive.
    pub fn awaits_archive(&self, instance: InstanceId) -> bool {
        self.of(instance)
            .any(|line| matches!(line.state, Sending::Taken { .. }))
    }

    /// What has to be on disk since this was asked last.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// A line was written, and is to be sent when it is on disk.
    pub fn say(&mut self, line: Line) -> Result<(), Full> {
        let waiting = self.of(line.instance).filter(|line| line.is_tried());
        if waiting.count() >= WAITING_MAX {
            return Err(Full::Lines);
        }
        let bytes: usize = self.lines.iter().map(|line| line.body.as_str().len()).sum();
        if bytes + line.body.as_str().len() > BYTES_MAX {
            return Err(Full::Bytes);
        }
        self.records.push(Record::Say(line.clone()));
        self.lines.push(Pending::new(line, Sending::Keeping, false));
        Ok(())
    }

    /// Lines that an earlier program left: they are on disk, and may have been sent.
    pub fn load(&mut self, lines: Vec<Line>) {
        let old = lines.into_iter().map(|mut line| match line.failed.take() {
            Some((why, tried)) => Pending::new(line, Sending::Failed { why }, tried),
            None => Pending::new(line, Sending::Waiting { until: None }, true),
        });
        let known = std::mem::take(&mut self.lines);
        self.lines = old
            .filter(|line| known.iter().all(|other| other.cmid != line.cmid))
            .collect();
        self.lines.extend(known);
    }

    /// These are on disk.
    pub fn kept(&mut self, cmids: &[Cmid]) {
        for line in &mut self.lines {
            if line.state == Sending::Keeping && cmids.contains(&line.cmid) {
                line.wait();
            }
        }
    }

    /// The line of a meeting that is to be sent now, if one is; it counts as sent. `inside`: whether
    /// one is in the meeting; who is not asks only what became of a line that may have been taken.
    pub fn due(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
        generation: Generation,
        inside: bool,
    ) -> Option<Due> {
        let mut here = self
            .lines
            .iter_mut()
            .filter(|line| line.instance == instance && line.is_tried());
        let first = here.find(|line| inside || line.tried)?;
        match &first.state {
            Sending::Waiting { until } if until.as_ref().is_none_or(|(time, _)| *time <= now) => {}
            Sending::Waiting { .. }
            | Sending::Keeping
            | Sending::Sent { .. }
            | Sending::Taken { .. }
            | Sending::Failed { .. } => return None,
        }
        first.state = Sending::Sent { generation };
        first.tried = true;
        Some(Due {
            cmid: first.cmid,
            body: first.body.clone(),
            aim: first.aim,
        })
    }

    /// When the next line that has to wait is to be tried again.
    pub fn due_at(&self) -> impl Iterator<Item = (InstanceId, Timestamp)> {
        self.lines.iter().filter_map(|line| match &line.state {
            Sending::Waiting {
                until: Some((time, _)),
            } => Some((line.instance, *time)),
            Sending::Waiting { until: None }
            | Sending::Keeping
            | Sending::Sent { .. }
            | Sending::Taken { .. }
            | Sending::Failed { .. } => None,
        })
    }

    /// The last line that is to change a message, and is not seen to have done so.
    pub fn change_of(&self, message: &Event) -> Option<&Pending> {
        let is = |line: &&Pending| {
            let changes = line.aim.changes();
            changes.is_some_and(|target| target.is(message))
        };
        self.of(message.instance).rfind(is)
    }

    /// Which number a message has that a line is aimed at. `None`: it is not there any more.
    pub fn seq_of(&self, target: Target, log: Option<&Replica>) -> Option<Seq> {
        // It may be taken, and its event not have come.
        let taken = self.lines.iter().find_map(|line| match line.state {
            Sending::Taken { seq, .. } if Some(line.cmid) == target.cmid => Some(seq),
            Sending::Taken { .. }
            | Sending::Keeping
            | Sending::Waiting { .. }
            | Sending::Sent { .. }
            | Sending::Failed { .. } => None,
        });
        taken.or_else(|| log.map_or(Some(target.seq), |log| target.seq_in(log)))
    }

    /// The server has taken a line that was sent in the generation `sent`. The answer counts only if
    /// that is still the log's: a seq of an older one may have been given away since.
    pub fn taken(&mut self, cmid: Cmid, seq: Seq, sent: Generation, generation: Generation) {
        let Some(line) = self.line_mut(cmid) else {
            return;
        };
        match line.state {
            // It was sent again since, and another answer is to come.
            Sending::Sent { generation } if generation != sent => {}
            Sending::Sent { .. } if sent == generation => {
                line.state = Sending::Taken { seq, generation };
            }
            Sending::Sent { .. } => line.wait(),
            Sending::Keeping
            | Sending::Waiting { .. }
            | Sending::Taken { .. }
            | Sending::Failed { .. } => {}
        }
    }

    /// The server has refused a line that was sent in the generation `sent`. Whether one has to join
    /// for it.
    pub fn refused(&mut self, cmid: Cmid, sent: Generation, refusal: Refusal) -> bool {
        let Some(line) = self.line_mut(cmid).filter(|line| line.is_tried()) else {
            return false;
        };
        if matches!(line.state, Sending::Sent { generation } if generation != sent) {
            // It was sent again since, and another answer is to come.
            return false;
        }
        let why = match refusal {
            Refusal::Later { at, why } => {
                line.state = Sending::Waiting {
                    until: Some((at, why)),
                };
                return false;
            }
            Refusal::Broken { at, why } if line.broken + 1 < BROKEN_TRIES_MAX => {
                line.broken += 1;
                line.state = Sending::Waiting {
                    until: Some((at, why)),
                };
                return false;
            }
            Refusal::NotIn { .. } if !line.rejoined => {
                line.rejoined = true;
                line.wait();
                return true;
            }
            Refusal::Broken { why, .. } => why,
            Refusal::NotIn { why } | Refusal::Final { why } => {
                // Whatever was tried before: a line that had been taken is not refused.
                line.tried = false;
                why
            }
        };
        let record = line.fail(why);
        self.records.push(record);
        false
    }

    /// Nothing more can be sent in this meeting. Lines that may have been taken stay, to be asked for.
    pub fn fail(&mut self, instance: InstanceId, why: &str) {
        let here = self.lines.iter_mut();
        for line in here.filter(|line| line.instance == instance && !line.tried) {
            if line.is_tried() {
                let record = line.fail(why.to_owned());
                self.records.push(record);
            }
        }
    }

    /// What was refused in this meeting is tried again.
    pub fn retry(&mut self, instance: InstanceId) {
        let here = self.lines.iter_mut();
        for line in here.filter(|line| line.instance == instance && line.is_failed()) {
            line.wait();
            line.rejoined = false;
            line.broken = 0;
            self.records.push(Record::Again(line.cmid));
        }
    }

    /// Takes back the last line of this meeting that was refused for good.
    pub fn recall(&mut self, instance: InstanceId) -> Option<Pending> {
        let at = self
            .lines
            .iter()
            .rposition(|line| line.instance == instance && line.is_failed() && !line.tried)?;
        let line = self.lines.remove(at);
        self.records.push(Record::Done(line.cmid));
        Some(line)
    }

    /// A line is safe, or what becomes of it cannot be known here.
    pub fn settle(&mut self, cmid: Cmid) {
        if let Some(at) = self.lines.iter().position(|line| line.cmid == cmid) {
            self.lines.remove(at);
            self.records.push(Record::Done(cmid));
        }
    }

    /// The connection is lost: what was sent may or may not have arrived.
    pub fn lost(&mut self) {
        for line in &mut self.lines {
            match line.state {
                Sending::Sent { .. } | Sending::Waiting { .. } => line.wait(),
                Sending::Keeping | Sending::Taken { .. } | Sending::Failed { .. } => {}
            }
        }
    }

    /// One's own message came as an event.
    pub fn seen(&mut self, cmid: Cmid, seq: Seq, generation: Generation) {
        if let Some(line) = self.line_mut(cmid) {
            line.state = Sending::Taken { seq, generation };
        }
    }

    /// A log was read anew, or a page of it: lines that are in it are taken, lines of another
    /// generation that are not have to be asked for again, and what is in the archive is done.
    pub fn compare(&mut self, log: &Replica) {
        let generation = log.position().generation;
        for event in log.events().rev().take(SEARCHED_EVENTS) {
            if let Some(cmid) = cmid_of(&event.what) {
                self.seen(cmid, event.seq, generation);
            }
        }
        for line in &mut self.lines {
            if line.instance != log.id() {
                continue;
            }
            match line.state {
                Sending::Taken { generation: of, .. } if of != generation => line.wait(),
                Sending::Taken { .. }
                | Sending::Keeping
                | Sending::Waiting { .. }
                | Sending::Sent { .. }
                | Sending::Failed { .. } => {}
            }
        }
        self.archived(log);
    }

    /// The archive has the log up to where the log says.
    pub fn archived(&mut self, log: &Replica) {
        let (generation, durable) = (log.position().generation, log.durable());
        let is_safe = |line: &Pending| {
            line.instance == log.id()
                && matches!(line.state, Sending::Taken { seq, generation: of }
                    if of == generation && seq <= durable)
        };
        let safe: Vec<Cmid> = self
            .lines
            .iter()
            .filter(|line| is_safe(line))
            .map(|line| line.cmid)
            .collect();
        for cmid in safe {
            self.settle(cmid);
        }
    }

    /// The live state begins anew above `base`, which the archive has: what was taken up to there is
    /// done, what was taken above is said again. `void`: the events above it, whoever sent them.
    pub fn fenced(
        &mut self,
        instance: InstanceId,
        base: Seq,
        void: &[Event],
        me: Option<UserId>,
        now: Timestamp,
    ) {
        let mut safe = Vec::new();
        for line in self.lines.iter_mut().filter(|l| l.instance == instance) {
            match line.state {
                Sending::Taken { seq, .. } if seq > base => line.wait(),
                Sending::Taken { .. } => safe.push(line.cmid),
                Sending::Keeping
                | Sending::Waiting { .. }
                | Sending::Sent { .. }
                | Sending::Failed { .. } => {}
            }
        }
        for cmid in safe {
            self.settle(cmid);
        }
        let mut again = Vec::new();
        for event in void.iter().filter(|event| event.what.user() == me) {
            // By another program of the same person, which may be gone.
            let Some(line) = said_again(event, void, now) else {
                continue;
            };
            if me.is_none() || self.lines.iter().any(|known| known.cmid == line.cmid) {
                continue;
            }
            self.records.push(Record::Say(line.clone()));
            again.push(Pending::new(line, Sending::Keeping, true));
        }
        self.lines.splice(0..0, again);
    }

    fn line_mut(&mut self, cmid: Cmid) -> Option<&mut Pending> {
        self.lines.iter_mut().find(|line| line.cmid == cmid)
    }
}

/// The sender's own id of what an event says.
fn cmid_of(what: &What) -> Option<Cmid> {
    match what {
        What::Message { cmid, .. } | What::Edited { cmid, .. } | What::Deleted { cmid, .. } => {
            Some(*cmid)
        }
        What::Opened | What::Join { .. } | What::Leave { .. } | What::Closed { .. } => None,
    }
}

/// The line that makes a void event again.
fn said_again(event: &Event, void: &[Event], now: Timestamp) -> Option<Line> {
    // What is not void keeps its number.
    let target = |seq: Seq| {
        let among = void.iter().find(|event| event.seq == seq);
        among
            .and_then(Target::of)
            .unwrap_or(Target { seq, cmid: None })
    };
    let (body, aim) = match &event.what {
        What::Message { body, reply_to, .. } if !body.is_gone() => {
            let aim = reply_to.map_or(Aim::Say, |to| Aim::Reply(target(to)));
            (body.clone(), aim)
        }
        What::Edited {
            target: of, body, ..
        } if !body.is_gone() => (body.clone(), Aim::Edit(target(*of))),
        What::Deleted { target: of, .. } => (MessageBody::gone(), Aim::Delete(target(*of))),
        What::Message { .. }
        | What::Edited { .. }
        | What::Opened
        | What::Join { .. }
        | What::Leave { .. }
        | What::Closed { .. } => return None,
    };
    Some(Line {
        instance: event.instance,
        cmid: cmid_of(&event.what)?,
        body,
        aim,
        since: now,
        failed: None,
    })
}

#[cfg(test)]
mod tests;
