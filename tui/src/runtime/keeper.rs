//! Puts what is on its way on disk, one write after the other, beside the loop.

use std::collections::VecDeque;
use std::path::PathBuf;

use plenary_shared::ids::Cmid;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::journal::{Journal, Owner, Record};
use crate::msg::AppEvent;

/// The journal, and what waits to be written into it.
pub(super) struct Keeper {
    directory: PathBuf,
    /// Where names of files come from.
    new_id: fn() -> Uuid,
    /// While nothing is being written.
    journal: Option<Journal>,
    writing: Option<JoinHandle<(Option<Journal>, Vec<AppEvent>)>>,
    /// At most what the outbox holds, some records a line: what is not on disk is not sent.
    waiting: VecDeque<Job>,
}

enum Job {
    Open(Owner),
    Write(Vec<Record>),
}

impl Keeper {
    /// In this program's state directory.
    pub(super) fn new(state_dir: &std::path::Path, new_id: fn() -> Uuid) -> Self {
        Self {
            directory: state_dir.join("outbox"),
            new_id,
            journal: None,
            writing: None,
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn open(&mut self, owner: Owner) {
        self.waiting.push_back(Job::Open(owner));
        self.begin();
    }

    pub(super) fn write(&mut self, records: Vec<Record>) {
        self.waiting.push_back(Job::Write(records));
        self.begin();
    }

    pub(super) fn is_busy(&self) -> bool {
        self.writing.is_some()
    }

    /// Waits until what is being written is; what came of it. Dropping it loses nothing.
    pub(super) async fn done(&mut self) -> Vec<AppEvent> {
        let Some(writing) = &mut self.writing else {
            return Vec::new();
        };
        // A panic in it has been reported by the panic hook; the journal is gone then.
        let (journal, event) = writing.await.unwrap_or_default();
        self.journal = journal;
        self.writing = None;
        self.begin();
        event
    }

    /// Writes what waits, to the end.
    pub(super) async fn end(mut self) {
        while self.is_busy() {
            self.done().await;
        }
    }

    fn begin(&mut self) {
        if self.writing.is_some() {
            return;
        }
        let Some(first) = self.waiting.pop_front() else {
            return;
        };
        let journal = self.journal.take();
        self.writing = Some(match first {
            Job::Open(owner) => {
                let (directory, name) = (self.directory.clone(), (self.new_id)().to_string());
                tokio::task::spawn_blocking(move || {
                    // What is left in the old one is found by whoever opens it again.
                    drop(journal);
                    open(&directory, owner, &name)
                })
            }
            Job::Write(mut records) => {
                // Together, what came meanwhile: one wait for the disk for all of it.
                while let Some(Job::Write(more)) = self.waiting.front_mut() {
                    records.append(more);
                    self.waiting.pop_front();
                }
                tokio::task::spawn_blocking(move || write(journal, &records))
            }
        });
    }
}

fn open(directory: &std::path::Path, owner: Owner, name: &str) -> (Option<Journal>, Vec<AppEvent>) {
    match Journal::open(directory, &owner, name) {
        Ok((journal, lines)) => (Some(journal), vec![AppEvent::Journal(owner, lines)]),
        Err(error) => (None, vec![not_kept(&error)]),
    }
}

fn write(mut journal: Option<Journal>, records: &[Record]) -> (Option<Journal>, Vec<AppEvent>) {
    let written = journal.as_mut().map_or(Ok(()), |j| j.write(records));
    let said: Vec<Cmid> = records
        .iter()
        .filter_map(|record| match record {
            Record::Post(line) => Some(line.cmid),
            Record::Failed { .. } | Record::Retry(_) | Record::Done(_) => None,
        })
        .collect();
    // A disk that takes nothing does not keep people from talking: they are told, and it is sent.
    let mut event: Vec<AppEvent> = written.err().iter().map(not_kept).collect();
    if !said.is_empty() {
        event.push(AppEvent::Recorded(said));
    }
    (journal, event)
}

fn not_kept(error: &std::io::Error) -> AppEvent {
    AppEvent::Failed(format!(
        "what you send is not kept on disk until it is safe: {error}"
    ))
}
