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

mod entry;

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::replica::Replica;
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;

use crate::journal::{ComposeTarget, JournalEntry, MessageRef, Record};

pub use entry::{Delivery, LIMITED, NextSend, OutboxEntry, OutboxFull, Rejection};

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
    entries: Vec<OutboxEntry>,
    records: Vec<Record>,
}

impl Outbox {
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &OutboxEntry> {
        self.entries.iter()
    }

    /// Returns the entries of one meeting.
    pub fn entries_of(
        &self,
        instance: InstanceId,
    ) -> impl DoubleEndedIterator<Item = &OutboxEntry> {
        let here = move |entry: &&OutboxEntry| entry.instance == instance;
        self.entries.iter().filter(here)
    }

    /// Returns the number of rejected entries of a meeting.
    pub fn rejected_count(&self, instance: InstanceId) -> usize {
        self.entries_of(instance)
            .filter(|entry| entry.is_rejected())
            .count()
    }

    /// Returns whether a meeting has acknowledged entries that are not known to be durable.
    pub fn has_acknowledged(&self, instance: InstanceId) -> bool {
        self.entries_of(instance)
            .any(|entry| matches!(entry.state, Delivery::Acknowledged { .. }))
    }

    /// Takes the journal records written since the last call.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Adds an entry. It is sent once it is on disk.
    pub fn enqueue(&mut self, entry: JournalEntry) -> Result<(), OutboxFull> {
        let waiting = self
            .entries_of(entry.instance)
            .filter(|entry| entry.is_unacknowledged());
        if waiting.count() >= ENTRIES_MAX {
            return Err(OutboxFull::Entries);
        }
        let bytes: usize = self
            .entries
            .iter()
            .map(|entry| entry.body.as_str().len())
            .sum();
        if bytes + entry.body.as_str().len() > BYTES_MAX {
            return Err(OutboxFull::Bytes);
        }
        self.records.push(Record::Post(entry.clone()));
        self.entries
            .push(OutboxEntry::new(entry, Delivery::Writing, false));
        Ok(())
    }

    /// Loads the entries left by an earlier process. They are on disk and may have been sent.
    pub fn load(&mut self, entries: Vec<JournalEntry>) {
        let old = entries
            .into_iter()
            .map(|mut entry| match entry.failed.take() {
                Some((why, tried)) => OutboxEntry::new(entry, Delivery::Rejected { why }, tried),
                None => OutboxEntry::new(entry, Delivery::Waiting { until: None }, true),
            });
        let known = std::mem::take(&mut self.entries);
        self.entries = old
            .filter(|entry| known.iter().all(|other| other.cmid != entry.cmid))
            .collect();
        self.entries.extend(known);
    }

    /// Marks entries as written to disk.
    pub fn written(&mut self, cmids: &[Cmid]) {
        for entry in &mut self.entries {
            if entry.state == Delivery::Writing && cmids.contains(&entry.cmid) {
                entry.wait();
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
            .entries
            .iter_mut()
            .filter(|entry| entry.instance == instance && entry.is_unacknowledged());
        let first = here.find(|entry| inside || entry.tried)?;
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
        self.entries.iter().filter_map(|entry| match &entry.state {
            Delivery::Waiting {
                until: Some((time, _)),
            } => Some((entry.instance, *time)),
            Delivery::Waiting { until: None }
            | Delivery::Writing
            | Delivery::Sent { .. }
            | Delivery::Acknowledged { .. }
            | Delivery::Rejected { .. } => None,
        })
    }

    /// Returns the last pending edit or deletion of a message.
    pub fn pending_change(&self, message: &Event) -> Option<&OutboxEntry> {
        let is = |entry: &&OutboxEntry| {
            let changes = entry.target.changed_message();
            changes.is_some_and(|target| target.is(message))
        };
        self.entries_of(message.instance).rfind(is)
    }

    /// Returns the current seq of a target, or `None` if the message was lost.
    pub fn seq_of(&self, target: MessageRef, log: Option<&Replica>) -> Option<Seq> {
        // It may be acknowledged before its event arrives.
        let acknowledged = self.entries.iter().find_map(|entry| match entry.state {
            Delivery::Acknowledged { seq, .. } if Some(entry.cmid) == target.cmid => Some(seq),
            Delivery::Acknowledged { .. }
            | Delivery::Writing
            | Delivery::Waiting { .. }
            | Delivery::Sent { .. }
            | Delivery::Rejected { .. } => None,
        });
        acknowledged.or_else(|| log.map_or(Some(target.seq), |log| target.seq_in(log)))
    }

    /// Marks an entry sent in the generation `sent` as acknowledged. If the log has another
    /// generation now, the reply is ignored: the seq may have been reassigned.
    pub fn acknowledged(&mut self, cmid: Cmid, seq: Seq, sent: Generation, generation: Generation) {
        let Some(entry) = self.entry_mut(cmid) else {
            return;
        };
        match entry.state {
            // Sent again since; the reply to that is still to come.
            Delivery::Sent { generation } if generation != sent => {}
            Delivery::Sent { .. } if sent == generation => {
                entry.state = Delivery::Acknowledged { seq, generation };
            }
            Delivery::Sent { .. } => entry.wait(),
            Delivery::Writing
            | Delivery::Waiting { .. }
            | Delivery::Acknowledged { .. }
            | Delivery::Rejected { .. } => {}
        }
    }

    /// Applies a rejection to an entry sent in the generation `sent`. Returns whether to join
    /// first.
    pub fn rejected(&mut self, cmid: Cmid, sent: Generation, rejection: Rejection) -> bool {
        let Some(entry) = self
            .entry_mut(cmid)
            .filter(|entry| entry.is_unacknowledged())
        else {
            return false;
        };
        if matches!(entry.state, Delivery::Sent { generation } if generation != sent) {
            // Sent again since; the reply to that is still to come.
            return false;
        }
        let why = match rejection {
            Rejection::Later { at, why } => {
                entry.state = Delivery::Waiting {
                    until: Some((at, why)),
                };
                return false;
            }
            Rejection::ServerError { at, why } if entry.server_errors + 1 < SERVER_ERRORS_MAX => {
                entry.server_errors += 1;
                entry.state = Delivery::Waiting {
                    until: Some((at, Some(why))),
                };
                return false;
            }
            Rejection::NotParticipant { .. } if !entry.has_rejoined => {
                entry.has_rejoined = true;
                entry.wait();
                return true;
            }
            Rejection::ServerError { why, .. } => why,
            Rejection::NotParticipant { why } | Rejection::Final { why } => {
                // An accepted entry is acknowledged, never rejected, so earlier attempts did not
                // arrive.
                entry.tried = false;
                why
            }
        };
        let record = entry.reject(why);
        self.records.push(record);
        false
    }

    /// Rejects everything unsent in a meeting. Entries that may have been accepted stay, to learn
    /// the outcome.
    pub fn reject_unsent(&mut self, instance: InstanceId, why: &str) {
        let here = self.entries.iter_mut();
        for entry in here.filter(|entry| entry.instance == instance && !entry.tried) {
            if entry.is_unacknowledged() {
                let record = entry.reject(why.to_owned());
                self.records.push(record);
            }
        }
    }

    /// Queues the rejected entries of a meeting again.
    pub fn retry(&mut self, instance: InstanceId) {
        let here = self.entries.iter_mut();
        for entry in here.filter(|entry| entry.instance == instance && entry.is_rejected()) {
            entry.wait();
            entry.has_rejoined = false;
            entry.server_errors = 0;
            self.records.push(Record::Retry(entry.cmid));
        }
    }

    /// Removes and returns the last entry of a meeting that was permanently rejected.
    pub fn recall(&mut self, instance: InstanceId) -> Option<OutboxEntry> {
        let at = self
            .entries
            .iter()
            .rposition(|entry| entry.instance == instance && entry.is_rejected() && !entry.tried)?;
        let entry = self.entries.remove(at);
        self.records.push(Record::Done(entry.cmid));
        Some(entry)
    }

    /// Removes an entry that is durable or whose outcome cannot be known.
    pub fn remove(&mut self, cmid: Cmid) {
        if let Some(at) = self.entries.iter().position(|entry| entry.cmid == cmid) {
            self.entries.remove(at);
            self.records.push(Record::Done(cmid));
        }
    }

    /// Queues sent entries again, since the connection was lost.
    pub fn connection_lost(&mut self) {
        for entry in &mut self.entries {
            match entry.state {
                Delivery::Sent { .. } | Delivery::Waiting { .. } => entry.wait(),
                Delivery::Writing | Delivery::Acknowledged { .. } | Delivery::Rejected { .. } => {}
            }
        }
    }

    /// Marks an entry as acknowledged by its event.
    pub fn event_received(&mut self, cmid: Cmid, seq: Seq, generation: Generation) {
        if let Some(entry) = self.entry_mut(cmid) {
            entry.state = Delivery::Acknowledged { seq, generation };
        }
    }

    /// Updates the entries after a log, or a page of it, was read: entries in it are acknowledged,
    /// those of another generation are queued again, and durable ones are removed.
    pub fn reconcile(&mut self, log: &Replica) {
        let generation = log.position().generation;
        for event in log.events().rev().take(SEARCHED_EVENTS_MAX) {
            if let Some(cmid) = cmid_of(&event.kind) {
                self.event_received(cmid, event.seq, generation);
            }
        }
        for entry in &mut self.entries {
            if entry.instance != log.id() {
                continue;
            }
            match entry.state {
                Delivery::Acknowledged { generation: of, .. } if of != generation => entry.wait(),
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
        let is_safe = |entry: &OutboxEntry| {
            entry.instance == log.id()
                && matches!(entry.state, Delivery::Acknowledged { seq, generation: of }
                    if of == generation && seq <= durable)
        };
        let safe: Vec<Cmid> = self
            .entries
            .iter()
            .filter(|entry| is_safe(entry))
            .map(|entry| entry.cmid)
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
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.instance == instance)
        {
            match entry.state {
                Delivery::Acknowledged { seq, .. } if seq > base => entry.wait(),
                Delivery::Acknowledged { .. } => safe.push(entry.cmid),
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
        for event in void.iter().filter(|event| event.kind.user() == me) {
            // Sent by another client of this user, which may not be running.
            let Some(entry) = repeat_void(event, void, now) else {
                continue;
            };
            if me.is_none() || self.entries.iter().any(|known| known.cmid == entry.cmid) {
                continue;
            }
            self.records.push(Record::Post(entry.clone()));
            again.push(OutboxEntry::new(entry, Delivery::Writing, true));
        }
        self.entries.splice(0..0, again);
    }

    fn entry_mut(&mut self, cmid: Cmid) -> Option<&mut OutboxEntry> {
        self.entries.iter_mut().find(|entry| entry.cmid == cmid)
    }
}

/// Returns the client's id in an event.
fn cmid_of(what: &EventKind) -> Option<Cmid> {
    match what {
        EventKind::Message { cmid, .. }
        | EventKind::Edited { cmid, .. }
        | EventKind::Deleted { cmid, .. } => Some(*cmid),
        EventKind::Opened
        | EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Moderated(_)
        | EventKind::Closed { .. } => None,
    }
}

fn repeat_void(event: &Event, void: &[Event], now: Timestamp) -> Option<JournalEntry> {
    // Messages that are not void keep their seq.
    let target = |seq: Seq| {
        let among = void.iter().find(|event| event.seq == seq);
        among
            .and_then(MessageRef::of)
            .unwrap_or(MessageRef { seq, cmid: None })
    };
    let (body, target) = match &event.kind {
        EventKind::Message { body, reply_to, .. } if !body.is_deleted() => {
            let target = reply_to.map_or(ComposeTarget::New, |to| ComposeTarget::Reply(target(to)));
            (body.clone(), target)
        }
        EventKind::Edited {
            target: of, body, ..
        } if !body.is_deleted() => (body.clone(), ComposeTarget::Edit(target(*of))),
        EventKind::Deleted { target: of, .. } => {
            (MessageBody::deleted(), ComposeTarget::Delete(target(*of)))
        }
        EventKind::Message { .. }
        | EventKind::Edited { .. }
        | EventKind::Opened
        | EventKind::Join { .. }
        | EventKind::Leave { .. }
        | EventKind::Moderated(_)
        | EventKind::Closed { .. } => return None,
    };
    Some(JournalEntry {
        instance: event.instance,
        cmid: cmid_of(&event.kind)?,
        body,
        target,
        since: now,
        failed: None,
    })
}

#[cfg(test)]
mod tests;
