//! The outbox: everything the user sent until it is durable. It decides what to send next and how
//! replies, events, a lost connection and fences change each entry. What must be on disk comes out
//! as journal records.
//!
//! ```text
//! Writing → Waiting ⇄ Sent → Acknowledged → (durable: removed)
//!              ↑  ↖______/ ↖__fence__/
//!              └ Rejected ←─ rejection
//! ```
//! Each meeting has at most one entry in flight, so that entries are never accepted out of order.
//! The id of an entry never changes, so that none is accepted twice.

use plenary_shared::domain::{Event, What};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::replica::Replica;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;

use crate::journal::{ComposeTarget, JournalEntry, MessageRef, Record};

/// Unacknowledged entries of one meeting. When the limit is reached the text stays in the input.
pub const WAITING_MAX: usize = 200;

/// Size of all entries in bytes, including acknowledged ones that are not durable yet. When the
/// limit is reached the text stays in the input.
pub const BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Attempts for an entry on which the server reports an internal error. After that the user has to
/// retry it.
const BROKEN_TRIES_MAX: u32 = 5;

/// Events at the end of a log that are searched for entries: as many as opening a meeting reads.
const SEARCHED_EVENTS: usize = 200;

/// All entries, in the order of writing.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    lines: Vec<Pending>,
    records: Vec<Record>,
}

/// A message, edit or deletion that is not durable yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The meeting.
    pub instance: InstanceId,
    /// The client's id of the message.
    pub cmid: Cmid,
    /// The text.
    pub body: MessageBody,
    /// What it does.
    pub target: ComposeTarget,
    /// When it was written.
    pub since: Timestamp,
    /// The delivery state.
    pub state: Sending,
    /// Whether it was sent, so that the server may have accepted it.
    pub tried: bool,
    /// Whether it caused an attempt to join.
    rejoined: bool,
    /// Attempts that ended with an internal server error.
    broken: u32,
}

/// The delivery state of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sending {
    /// Being written to disk.
    Keeping,
    /// Waiting for the connection, the previous entry, or a point in time.
    Waiting {
        /// The earliest time to send, and the reason.
        until: Option<(Timestamp, String)>,
    },
    /// Sent on this connection.
    Sent {
        /// The log's generation at that time.
        generation: Generation,
    },
    /// In the log, but perhaps not durable.
    Taken {
        /// Its seq.
        seq: Seq,
        /// Its generation.
        generation: Generation,
    },
    /// Rejected by the server.
    Failed {
        /// The reason.
        why: String,
    },
}

/// An entry to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The client's id of the message.
    pub cmid: Cmid,
    /// The text.
    pub body: MessageBody,
    /// What it does.
    pub target: ComposeTarget,
}

/// What a rejection means for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Temporary: send again at this time.
    Later {
        /// The earliest time to send.
        at: Timestamp,
        /// The reason.
        why: String,
    },
    /// Internal server error: send again at this time, but not forever.
    Broken {
        /// The earliest time to send.
        at: Timestamp,
        /// The reason.
        why: String,
    },
    /// Join first. The second time this is final.
    NotIn {
        /// The reason.
        why: String,
    },
    /// Not in the log, and never will be.
    Final {
        /// The reason.
        why: String,
    },
}

/// Why an entry does not fit into the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// See [`WAITING_MAX`].
    #[error("outbox is full ({WAITING_MAX} messages)")]
    Lines,
    /// See [`BYTES_MAX`].
    #[error("outbox is full ({} MiB)", BYTES_MAX / 1_024 / 1_024)]
    Bytes,
}

impl Pending {
    fn new(line: JournalEntry, state: Sending, tried: bool) -> Self {
        Self {
            instance: line.instance,
            cmid: line.cmid,
            body: line.body,
            target: line.target,
            since: line.since,
            state,
            tried,
            rejoined: false,
            broken: 0,
        }
    }

    /// Returns whether it was rejected.
    pub fn is_failed(&self) -> bool {
        match self.state {
            Sending::Failed { .. } => true,
            Sending::Keeping
            | Sending::Waiting { .. }
            | Sending::Sent { .. }
            | Sending::Taken { .. } => false,
        }
    }

    /// Returns whether it is still to be acknowledged.
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
    /// Returns all entries.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.lines.iter()
    }

    /// Returns the entries of one meeting.
    pub fn of(&self, instance: InstanceId) -> impl DoubleEndedIterator<Item = &Pending> {
        let here = move |line: &&Pending| line.instance == instance;
        self.lines.iter().filter(here)
    }

    /// Returns the number of rejected entries of a meeting.
    pub fn failed(&self, instance: InstanceId) -> usize {
        self.of(instance).filter(|line| line.is_failed()).count()
    }

    /// Returns whether a meeting has acknowledged entries that are not known to be durable.
    pub fn awaits_archive(&self, instance: InstanceId) -> bool {
        self.of(instance)
            .any(|line| matches!(line.state, Sending::Taken { .. }))
    }

    /// Takes the journal records written since the last call.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Adds an entry. It is sent once it is on disk.
    pub fn say(&mut self, line: JournalEntry) -> Result<(), Full> {
        let waiting = self.of(line.instance).filter(|line| line.is_tried());
        if waiting.count() >= WAITING_MAX {
            return Err(Full::Lines);
        }
        let bytes: usize = self.lines.iter().map(|line| line.body.as_str().len()).sum();
        if bytes + line.body.as_str().len() > BYTES_MAX {
            return Err(Full::Bytes);
        }
        self.records.push(Record::Post(line.clone()));
        self.lines.push(Pending::new(line, Sending::Keeping, false));
        Ok(())
    }

    /// Loads the entries left by an earlier process. They are on disk and may have been sent.
    pub fn load(&mut self, lines: Vec<JournalEntry>) {
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

    /// Marks entries as written to disk.
    pub fn kept(&mut self, cmids: &[Cmid]) {
        for line in &mut self.lines {
            if line.state == Sending::Keeping && cmids.contains(&line.cmid) {
                line.wait();
            }
        }
    }

    /// Returns the entry of a meeting to send now, and marks it as sent. With `inside` false, the
    /// user is not a participant: only entries that may have been accepted are sent again, to learn
    /// the outcome.
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
            target: first.target,
        })
    }

    /// Returns when the delayed entries are to be sent again.
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

    /// Returns the last pending edit or deletion of a message.
    pub fn change_of(&self, message: &Event) -> Option<&Pending> {
        let is = |line: &&Pending| {
            let changes = line.target.changed_message();
            changes.is_some_and(|target| target.is(message))
        };
        self.of(message.instance).rfind(is)
    }

    /// Returns the current seq of a target, or `None` if the message was lost.
    pub fn seq_of(&self, target: MessageRef, log: Option<&Replica>) -> Option<Seq> {
        // It may be acknowledged before its event arrives.
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

    /// Marks an entry sent in the generation `sent` as acknowledged. If the log has another
    /// generation now, the reply is ignored: the seq may have been reassigned.
    pub fn taken(&mut self, cmid: Cmid, seq: Seq, sent: Generation, generation: Generation) {
        let Some(line) = self.line_mut(cmid) else {
            return;
        };
        match line.state {
            // Sent again since; the reply to that is still to come.
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

    /// Applies a rejection to an entry sent in the generation `sent`. Returns whether to join
    /// first.
    pub fn refused(&mut self, cmid: Cmid, sent: Generation, refusal: Refusal) -> bool {
        let Some(line) = self.line_mut(cmid).filter(|line| line.is_tried()) else {
            return false;
        };
        if matches!(line.state, Sending::Sent { generation } if generation != sent) {
            // Sent again since; the reply to that is still to come.
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
                // An accepted entry is acknowledged, never rejected, so earlier attempts did not
                // arrive.
                line.tried = false;
                why
            }
        };
        let record = line.fail(why);
        self.records.push(record);
        false
    }

    /// Rejects everything unsent in a meeting. Entries that may have been accepted stay, to learn
    /// the outcome.
    pub fn fail(&mut self, instance: InstanceId, why: &str) {
        let here = self.lines.iter_mut();
        for line in here.filter(|line| line.instance == instance && !line.tried) {
            if line.is_tried() {
                let record = line.fail(why.to_owned());
                self.records.push(record);
            }
        }
    }

    /// Queues the rejected entries of a meeting again.
    pub fn retry(&mut self, instance: InstanceId) {
        let here = self.lines.iter_mut();
        for line in here.filter(|line| line.instance == instance && line.is_failed()) {
            line.wait();
            line.rejoined = false;
            line.broken = 0;
            self.records.push(Record::Retry(line.cmid));
        }
    }

    /// Removes and returns the last entry of a meeting that was permanently rejected.
    pub fn recall(&mut self, instance: InstanceId) -> Option<Pending> {
        let at = self
            .lines
            .iter()
            .rposition(|line| line.instance == instance && line.is_failed() && !line.tried)?;
        let line = self.lines.remove(at);
        self.records.push(Record::Done(line.cmid));
        Some(line)
    }

    /// Removes an entry that is durable or whose outcome cannot be known.
    pub fn settle(&mut self, cmid: Cmid) {
        if let Some(at) = self.lines.iter().position(|line| line.cmid == cmid) {
            self.lines.remove(at);
            self.records.push(Record::Done(cmid));
        }
    }

    /// Queues sent entries again, since the connection was lost.
    pub fn lost(&mut self) {
        for line in &mut self.lines {
            match line.state {
                Sending::Sent { .. } | Sending::Waiting { .. } => line.wait(),
                Sending::Keeping | Sending::Taken { .. } | Sending::Failed { .. } => {}
            }
        }
    }

    /// Marks an entry as acknowledged by its event.
    pub fn seen(&mut self, cmid: Cmid, seq: Seq, generation: Generation) {
        if let Some(line) = self.line_mut(cmid) {
            line.state = Sending::Taken { seq, generation };
        }
    }

    /// Updates the entries after a log, or a page of it, was read: entries in it are acknowledged,
    /// those of another generation are queued again, and durable ones are removed.
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

    /// Removes the entries that are durable according to the log.
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

    /// Applies a fence: events above `base` are void. Entries up to `base` are durable, those above
    /// it are queued again, as are the user's messages among the `void` events.
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
            // Sent by another client of this user, which may not be running.
            let Some(line) = said_again(event, void, now) else {
                continue;
            };
            if me.is_none() || self.lines.iter().any(|known| known.cmid == line.cmid) {
                continue;
            }
            self.records.push(Record::Post(line.clone()));
            again.push(Pending::new(line, Sending::Keeping, true));
        }
        self.lines.splice(0..0, again);
    }

    fn line_mut(&mut self, cmid: Cmid) -> Option<&mut Pending> {
        self.lines.iter_mut().find(|line| line.cmid == cmid)
    }
}

/// Returns the client's id in an event.
fn cmid_of(what: &What) -> Option<Cmid> {
    match what {
        What::Message { cmid, .. } | What::Edited { cmid, .. } | What::Deleted { cmid, .. } => {
            Some(*cmid)
        }
        What::Opened
        | What::Join { .. }
        | What::Leave { .. }
        | What::Moderated(_)
        | What::Closed { .. } => None,
    }
}

/// Returns the entry that repeats a void event.
fn said_again(event: &Event, void: &[Event], now: Timestamp) -> Option<JournalEntry> {
    // Messages that are not void keep their seq.
    let target = |seq: Seq| {
        let among = void.iter().find(|event| event.seq == seq);
        among
            .and_then(MessageRef::of)
            .unwrap_or(MessageRef { seq, cmid: None })
    };
    let (body, target) = match &event.what {
        What::Message { body, reply_to, .. } if !body.is_gone() => {
            let target = reply_to.map_or(ComposeTarget::New, |to| ComposeTarget::Reply(target(to)));
            (body.clone(), target)
        }
        What::Edited {
            target: of, body, ..
        } if !body.is_gone() => (body.clone(), ComposeTarget::Edit(target(*of))),
        What::Deleted { target: of, .. } => {
            (MessageBody::gone(), ComposeTarget::Delete(target(*of)))
        }
        What::Message { .. }
        | What::Edited { .. }
        | What::Opened
        | What::Join { .. }
        | What::Leave { .. }
        | What::Moderated(_)
        | What::Closed { .. } => return None,
    };
    Some(JournalEntry {
        instance: event.instance,
        cmid: cmid_of(&event.what)?,
        body,
        target,
        since: now,
        failed: None,
    })
}

#[cfg(test)]
mod tests;
