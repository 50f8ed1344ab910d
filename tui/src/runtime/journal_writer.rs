//! Writes the journal of unsent messages in the background, one write after the other.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use plenary_shared::ids::Cmid;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::journal::{Journal, Owner, Record};
use crate::msg::AppEvent;

/// The journal and its queue of operations.
pub(super) struct JournalWriter {
    directory: PathBuf,
    new_id: fn() -> Uuid,
    /// `None` while an operation runs.
    journal: Option<Journal>,
    running: Option<JoinHandle<(Option<Journal>, Vec<AppEvent>)>>,
    /// Bounded by the outbox, with a few records for each entry.
    queue: VecDeque<Operation>,
}

enum Operation {
    Open(Owner),
    Write(Vec<Record>),
}

impl JournalWriter {
    pub(super) fn new(state_dir: &Path, new_id: fn() -> Uuid) -> Self {
        Self {
            directory: state_dir.join("outbox"),
            new_id,
            journal: None,
            running: None,
            queue: VecDeque::new(),
        }
    }

    pub(super) fn open(&mut self, owner: Owner) {
        self.queue.push_back(Operation::Open(owner));
        self.start_next();
    }

    pub(super) fn write(&mut self, records: Vec<Record>) {
        self.queue.push_back(Operation::Write(records));
        self.start_next();
    }

    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    /// Waits for the running operation and returns its events. Cancel safe.
    pub(super) async fn done(&mut self) -> Vec<AppEvent> {
        let Some(running) = &mut self.running else {
            return Vec::new();
        };
        // A panic, which the panic hook has reported, loses the journal.
        let (journal, events) = running.await.unwrap_or_default();
        self.journal = journal;
        self.running = None;
        self.start_next();
        events
    }

    /// Executes the queued operations.
    pub(super) async fn finish(mut self) {
        while self.is_busy() {
            self.done().await;
        }
    }

    fn start_next(&mut self) {
        if self.running.is_some() {
            return;
        }
        let Some(operation) = self.queue.pop_front() else {
            return;
        };
        let journal = self.journal.take();
        self.running = Some(match operation {
            Operation::Open(owner) => {
                let (directory, name) = (self.directory.clone(), (self.new_id)().to_string());
                tokio::task::spawn_blocking(move || {
                    // The next journal of its owner takes over what the old one contains.
                    drop(journal);
                    open(&directory, owner, &name)
                })
            }
            Operation::Write(mut records) => {
                // Batches queued writes into one sync of the disk.
                while let Some(Operation::Write(more)) = self.queue.front_mut() {
                    records.append(more);
                    self.queue.pop_front();
                }
                tokio::task::spawn_blocking(move || write(journal, &records))
            }
        });
    }
}

fn open(directory: &Path, owner: Owner, name: &str) -> (Option<Journal>, Vec<AppEvent>) {
    match Journal::open(directory, &owner, name) {
        Ok((journal, entries)) => (Some(journal), vec![AppEvent::Journal(owner, entries)]),
        Err(error) => (None, vec![failed(&error)]),
    }
}

fn write(mut journal: Option<Journal>, records: &[Record]) -> (Option<Journal>, Vec<AppEvent>) {
    let written = journal.as_mut().map_or(Ok(()), |j| j.write(records));
    let posted = records.iter().filter_map(|record| match record {
        Record::Post(entry) => Some(entry.cmid),
        Record::Failed { .. } | Record::Retry(_) | Record::Done(_) => None,
    });
    let posted: Vec<Cmid> = posted.collect();
    // Messages are sent even if the disk fails. The user sees the error.
    let mut events: Vec<AppEvent> = written.err().iter().map(failed).collect();
    if !posted.is_empty() {
        events.push(AppEvent::Recorded(posted));
    }
    (journal, events)
}

fn failed(error: &io::Error) -> AppEvent {
    AppEvent::Failed(format!(
        "Cannot save unsent messages, they are lost if plenary exits: {error}"
    ))
}
