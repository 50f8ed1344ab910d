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
pub const ENTRIES_MAX: usize = 200;

/// Size of all entries in bytes, including acknowledged ones that are not durable yet. When the
/// limit is reached the text stays in the input.
pub const BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// Attempts for an entry on which the server reports an internal error. After that the user has to
/// retry it.
const SERVER_ERRORS_MAX: u32 = 5;

/// Events at the end of a log that are searched for entries: as many as opening a meeting reads.
const SEARCHED_EVENTS_MAX: usize = 200;

/// All entries, in the order of writing.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    lines: Vec<OutboxEntry>,
    records: Vec<Record>,
}

/// A message, edit or deletion that is not durable yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
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
    pub state: Delivery,
    /// Whether it was sent, so that the server may have accepted it.
    pub tried: bool,
    /// Whether it caused an attempt to join.
    has_rejoined: bool,
    /// Attempts that ended with an internal server error.
    server_errors: u32,
}

/// The delivery state of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Being written to disk.
    Writing,
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
    Acknowledged {
        /// Its seq.
        seq: Seq,
        /// Its generation.
        generation: Generation,
    },
    /// Rejected by the server.
    Rejected {
        /// The reason.
        why: String,
    },
}

/// An entry to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextSend {
    /// The client's id of the message.
    pub cmid: Cmid,
    /// The text.
    pub body: MessageBody,
    /// What it does.
    pub target: ComposeTarget,
}

/// What a rejection means for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Temporary: send again at this time.
    Later {
        /// The earliest time to send.
        at: Timestamp,
        /// The reason.
        why: String,
    },
    /// Internal server error: send again at this time, but not forever.
    ServerError {
        /// The earliest time to send.
        at: Timestamp,
        /// The reason.
        why: String,
    },
    /// Join first. The second time this is final.
    NotParticipant {
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
pub enum OutboxFull {
    /// See [`ENTRIES_MAX`].
    #[error("outbox is full ({ENTRIES_MAX} messages)")]
    Entries,
    /// See [`BYTES_MAX`].
    #[error("outbox is full ({} MiB)", BYTES_MAX / 1_024 / 1_024)]
    Bytes,
}

impl OutboxEntry {
    fn new(line: JournalEntry, state: Delivery, tried: bool) -> Self {
        Self {
            instance: line.instance,
            cmid: line.cmid,
            body: line.body,
            target: line.target,
            since: line.since,
            state,
            tried,
            has_rejoined: false,
            server_errors: 0,
        }
    }

    /// Returns whether it was rejected.
    pub fn is_rejected(&self) -> bool {
        match self.state {
            Delivery::Rejected { .. } => true,
            Delivery::Writing
            | Delivery::Waiting { .. }
            | Delivery::Sent { .. }
            | Delivery::Acknowledged { .. } => false,
        }
    }

    /// Returns whether it is still to be acknowledged.
    pub fn is_unacknowledged(&self) -> bool {
        match self.state {
            Delivery::Writing | Delivery::Waiting { .. } | Delivery::Sent { .. } => true,
            Delivery::Acknowledged { .. } | Delivery::Rejected { .. } => false,
        }
    }

    fn wait(&mut self) {
        self.state = Delivery::Waiting { until: None };
    }

    fn reject(&mut self, why: String) -> Record {
        self.state = Delivery::Rejected { why: why.clone() };
        Record::Failed {
            cmid: self.cmid,
            why,
            tried: self.tried,
        }
    }
}

impl Outbox {
    /// Returns all entries.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &OutboxEntry> {
        self.lines.iter()
    }

    /// Returns the entries of one meeting.
    pub fn entries_of(
        &self,
        instance: InstanceId,
    ) -> impl DoubleEndedIterator<Item = &OutboxEntry> {
        let here = move |line: &&OutboxEntry| line.instance == instance;
        self.lines.iter().filter(here)
    }

    /// Returns the number of rejected entries of a meeting.
    pub fn rejected_count(&self, instance: InstanceId) -> usize {
        self.entries_of(instance)
            .filter(|line| line.is_rejected())
            .count()
    }

    /// Returns whether a meeting has acknowledged entries that are not known to be durable.
    pub fn has_acknowledged(&self, instance: InstanceId) -> bool {
        self.entries_of(instance)
            .any(|line| matches!(line.state, Delivery::Acknowledged { .. }))
    }

    /// Takes the journal records written since the last call.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Adds an entry. It is sent once it is on disk.
    pub fn enqueue(&mut self, line: JournalEntry) -> Result<(), OutboxFull> {
        let waiting = self
            .entries_of(line.instance)
            .filter(|line| line.is_unacknowledged());
        if waiting.count() >= ENTRIES_MAX {
            return Err(OutboxFull::Entries);
        }
        let bytes: usize = self.lines.iter().map(|line| line.body.as_str().len()).sum();
        if bytes + line.body.as_str().len() > BYTES_MAX {
            return Err(OutboxFull::Bytes);
        }
        self.records.push(Record::Post(line.clone()));
        self.lines
            .push(OutboxEntry::new(line, Delivery::Writing, false));
        Ok(())
    }

    /// Loads the entries left by an earlier process. They are on disk and may have been sent.
    pub fn load(&mut self, lines: Vec<JournalEntry>) {
        let old = lines.into_iter().map(|mut line| match line.failed.take() {
            Some((why, tried)) => OutboxEntry::new(line, Delivery::Rejected { why }, tried),
            None => OutboxEntry::new(line, Delivery::Waiting { until: None }, true),
        });
        let known = std::mem::take(&mut self.lines);
        self.lines = old
            .filter(|line| known.iter().all(|other| other.cmid != line.cmid))
            .collect();
        self.lines.extend(known);
    }

    /// Marks entries as written to disk.
    pub fn written(&mut self, cmids: &[Cmid]) {
        for line in &mut self.lines {
            if line.state == Delivery::Writing && cmids.contains(&line.cmid) {
                line.wait();
            }
        }
    }

    /// Returns the entry of a meeting to send now, and marks it as sent. With `inside` false, the
    /// user is not a participant: only entries that may have been accepted are sent again, to learn
    /// the outcome.
    pub fn next_send(
        &mut self,
        instance: InstanceId,
        now: Timestamp,
        generation: Generation,
        inside: bool,
    ) -> Option<NextSend> {
        let mut here = self
            .lines
            .iter_mut()
            .filter(|line| line.instance == instance && line.is_unacknowledged());
        let first = here.find(|line| inside || line.tried)?;
        match &first.state {
            Delivery::Waiting { until } if until.as_ref().is_none_or(|(time, _)| *time <= now) => {}
            Delivery::Waiting { .. }
            | Delivery::Writing
            | Delivery::Sent { .. }
            | Delivery::Acknowledged { .. }
            | Delivery::Rejected { .. } => return None,
        }
        first.state = Delivery::Sent { generation };
        first.tried = true;
        Some(NextSend {
            cmid: first.cmid,
            body: first.body.clone(),
            target: first.target,
        })
    }

    /// Returns when the delayed entries are to be sent again.
    pub fn retry_times(&self) -> impl Iterator<Item = (InstanceId, Timestamp)> {
        self.lines.iter().filter_map(|line| match &line.state {
            Delivery::Waiting {
                until: Some((time, _)),
            } => Some((line.instance, *time)),
            Delivery::Waiting { until: None }
            | Delivery::Writing
            | Delivery::Sent { .. }
            | Delivery::Acknowledged { .. }
            | Delivery::Rejected { .. } => None,
        })
    }

    /// Returns the last pending edit or deletion of a message.
    pub fn pending_change(&self, message: &Event) -> Option<&OutboxEntry> {
        let is = |line: &&OutboxEntry| {
            let changes = line.target.changed_message();
            changes.is_some_and(|target| target.is(message))
        };
        self.entries_of(message.instance).rfind(is)
    }

    /// Returns the current seq of a target, or `None` if the message was lost.
    pub fn seq_of(&self, target: MessageRef, log: Option<&Replica>) -> Option<Seq> {
        // It may be acknowledged before its event arrives.
        let taken = self.lines.iter().find_map(|line| match line.state {
            Delivery::Acknowledged { seq, .. } if Some(line.cmid) == target.cmid => Some(seq),
            Delivery::Acknowledged { .. }
            | Delivery::Writing
            | Delivery::Waiting { .. }
            | Delivery::Sent { .. }
            | Delivery::Rejected { .. } => None,
        });
        taken.or_else(|| log.map_or(Some(target.seq), |log| target.seq_in(log)))
    }

    /// Marks an entry sent in the generation `sent` as acknowledged. If the log has another
    /// generation now, the reply is ignored: the seq may have been reassigned.
    pub fn acknowledged(&mut self, cmid: Cmid, seq: Seq, sent: Generation, generation: Generation) {
        let Some(line) = self.line_mut(cmid) else {
            return;
        };
        match line.state {
            // Sent again since; the reply to that is still to come.
            Delivery::Sent { generation } if generation != sent => {}
            Delivery::Sent { .. } if sent == generation => {
                line.state = Delivery::Acknowledged { seq, generation };
            }
            Delivery::Sent { .. } => line.wait(),
            Delivery::Writing
            | Delivery::Waiting { .. }
            | Delivery::Acknowledged { .. }
            | Delivery::Rejected { .. } => {}
        }
    }

    /// Applies a rejection to an entry sent in the generation `sent`. Returns whether to join
    /// first.
    pub fn rejected(&mut self, cmid: Cmid, sent: Generation, refusal: Rejection) -> bool {
        let Some(line) = self.line_mut(cmid).filter(|line| line.is_unacknowledged()) else {
            return false;
        };
        if matches!(line.state, Delivery::Sent { generation } if generation != sent) {
            // Sent again since; the reply to that is still to come.
            return false;
        }
        let why = match refusal {
            Rejection::Later { at, why } => {
                line.state = Delivery::Waiting {
                    until: Some((at, why)),
                };
                return false;
            }
            Rejection::ServerError { at, why } if line.server_errors + 1 < SERVER_ERRORS_MAX => {
                line.server_errors += 1;
                line.state = Delivery::Waiting {
                    until: Some((at, why)),
                };
                return false;
            }
            Rejection::NotParticipant { .. } if !line.has_rejoined => {
                line.has_rejoined = true;
                line.wait();
                return true;
            }
            Rejection::ServerError { why, .. } => why,
            Rejection::NotParticipant { why } | Rejection::Final { why } => {
                // An accepted entry is acknowledged, never rejected, so earlier attempts did not
                // arrive.
                line.tried = false;
                why
            }
        };
        let record = line.reject(why);
        self.records.push(record);
        false
    }

    /// Rejects everything unsent in a meeting. Entries that may have been accepted stay, to learn
    /// the outcome.
    pub fn reject_unsent(&mut self, instance: InstanceId, why: &str) {
        let here = self.lines.iter_mut();
        for line in here.filter(|line| line.instance == instance && !line.tried) {
            if line.is_unacknowledged() {
                let record = line.reject(why.to_owned());
                self.records.push(record);
            }
        }
    }

    /// Queues the rejected entries of a meeting again.
    pub fn retry(&mut self, instance: InstanceId) {
        let here = self.lines.iter_mut();
        for line in here.filter(|line| line.instance == instance && line.is_rejected()) {
            line.wait();
            line.has_rejoined = false;
            line.server_errors = 0;
            self.records.push(Record::Retry(line.cmid));
        }
    }

    /// Removes and returns the last entry of a meeting that was permanently rejected.
    pub fn recall(&mut self, instance: InstanceId) -> Option<OutboxEntry> {
        let at = self
            .lines
            .iter()
            .rposition(|line| line.instance == instance && line.is_rejected() && !line.tried)?;
        let line = self.lines.remove(at);
        self.records.push(Record::Done(line.cmid));
        Some(line)
    }

    /// Removes an entry that is durable or whose outcome cannot be known.
    pub fn remove(&mut self, cmid: Cmid) {
        if let Some(at) = self.lines.iter().position(|line| line.cmid == cmid) {
            self.lines.remove(at);
            self.records.push(Record::Done(cmid));
        }
    }

    /// Queues sent entries again, since the connection was lost.
    pub fn connection_lost(&mut self) {
        for line in &mut self.lines {
            match line.state {
                Delivery::Sent { .. } | Delivery::Waiting { .. } => line.wait(),
                Delivery::Writing | Delivery::Acknowledged { .. } | Delivery::Rejected { .. } => {}
            }
        }
    }

    /// Marks an entry as acknowledged by its event.
    pub fn event_received(&mut self, cmid: Cmid, seq: Seq, generation: Generation) {
        if let Some(line) = self.line_mut(cmid) {
            line.state = Delivery::Acknowledged { seq, generation };
        }
    }

    /// Updates the entries after a log, or a page of it, was read: entries in it are acknowledged,
    /// those of another generation are queued again, and durable ones are removed.
    pub fn reconcile(&mut self, log: &Replica) {
        let generation = log.position().generation;
        for event in log.events().rev().take(SEARCHED_EVENTS_MAX) {
            if let Some(cmid) = cmid_of(&event.what) {
                self.event_received(cmid, event.seq, generation);
            }
        }
        for line in &mut self.lines {
            if line.instance != log.id() {
                continue;
            }
            match line.state {
                Delivery::Acknowledged { generation: of, .. } if of != generation => line.wait(),
                Delivery::Acknowledged { .. }
                | Delivery::Writing
                | Delivery::Waiting { .. }
                | Delivery::Sent { .. }
                | Delivery::Rejected { .. } => {}
            }
        }
        self.remove_durable(log);
    }

    /// Removes the entries that are durable according to the log.
    pub fn remove_durable(&mut self, log: &Replica) {
        let (generation, durable) = (log.position().generation, log.durable());
        let is_safe = |line: &OutboxEntry| {
            line.instance == log.id()
                && matches!(line.state, Delivery::Acknowledged { seq, generation: of }
                    if of == generation && seq <= durable)
        };
        let safe: Vec<Cmid> = self
            .lines
            .iter()
            .filter(|line| is_safe(line))
            .map(|line| line.cmid)
            .collect();
        for cmid in safe {
            self.remove(cmid);
        }
    }

    /// Applies a fence: events above `base` are void. Entries up to `base` are durable, those above
    /// it are queued again, as are the user's messages among the `void` events.
    pub fn apply_fence(
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
                Delivery::Acknowledged { seq, .. } if seq > base => line.wait(),
                Delivery::Acknowledged { .. } => safe.push(line.cmid),
                Delivery::Writing
                | Delivery::Waiting { .. }
                | Delivery::Sent { .. }
                | Delivery::Rejected { .. } => {}
            }
        }
        for cmid in safe {
            self.remove(cmid);
        }
        let mut again = Vec::new();
        for event in void.iter().filter(|event| event.what.user() == me) {
            // Sent by another client of this user, which may not be running.
            let Some(line) = repeat_void(event, void, now) else {
                continue;
            };
            if me.is_none() || self.lines.iter().any(|known| known.cmid == line.cmid) {
                continue;
            }
            self.records.push(Record::Post(line.clone()));
            again.push(OutboxEntry::new(line, Delivery::Writing, true));
        }
        self.lines.splice(0..0, again);
    }

    fn line_mut(&mut self, cmid: Cmid) -> Option<&mut OutboxEntry> {
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
fn repeat_void(event: &Event, void: &[Event], now: Timestamp) -> Option<JournalEntry> {
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
