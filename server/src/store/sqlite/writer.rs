//! The writing thread: it commits all waiting verbs together, and then answers them.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::time::Timestamp;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::error::{Answer, Fault};
use crate::rate_limits::WriteKind;
use crate::store::Feed;
use crate::store::sql::{Change, audit};

use super::fault::fault;
use super::feeding::Feeding;
use super::rates::Rates;
use super::statement;

/// Queued verbs. When the queue is full, callers wait.
pub(super) const QUEUE_MAX: usize = 4_096;

/// Verbs of one commit; the first waits for the last.
const BATCH_MAX: usize = 256;

/// How long a commit waits for further verbs that are likely: a part of the time of its disk write.
const GATHER: Duration = Duration::from_micros(100);

/// The transaction of one verb: all of its changes are kept, or none.
pub(super) struct WriteTransaction<'a> {
    pub(super) conn: &'a Connection,
    /// The store's time.
    pub(super) now: Timestamp,
    /// How fast users write.
    rates: &'a RefCell<Rates>,
    news: &'a mut Vec<Feed>,
}

impl WriteTransaction<'_> {
    /// Publishes this to the hub once the transaction is committed.
    pub(super) fn tell(&mut self, news: Feed) {
        self.news.push(news);
    }

    /// Checks that a user may write now: `rate_limited`. [`Self::count_write`] counts it.
    pub(super) fn check_rate(&self, id: InstanceId, user: UserId, kind: WriteKind) -> Answer<()> {
        let mut rates = self.rates.borrow_mut();
        rates.check(self.conn, self.now, (id, user, kind))
    }

    /// Counts a write that [`Self::check_rate`] admitted.
    pub(super) fn count_write(&self, id: InstanceId, user: UserId, kind: WriteKind) {
        self.rates.borrow_mut().count(self.now, (id, user, kind));
    }

    /// Checks that the disk has space for messages: `disk_reserve`. Leaves and ends are never refused for that.
    pub(super) fn check_disk(&self) -> Answer<()> {
        self.rates.borrow().check_disk(self.now)
    }

    /// Runs a shared change. Returns the number of changed rows.
    pub(super) fn execute(&self, change: Change) -> Result<usize, Fault> {
        Ok(statement::execute(self.conn, change)?)
    }

    /// Adds an entry to the audit log. `by` is `None` for an action from the command line.
    pub(super) fn audit(
        &self,
        by: Option<UserId>,
        action: &str,
        target: String,
        detail: Option<String>,
    ) -> Result<(), Fault> {
        self.execute(audit::entry(self.now, by, action, target, detail))?;
        Ok(())
    }
}

/// What is rolled back when a verb fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// The changes of this verb.
    Alone,
    /// Nothing, because the verb checks everything before it writes, so it needs no savepoint. Should it fail
    /// afterwards, the whole commit is rolled back.
    Nothing,
}

/// A queued verb.
pub(super) trait Verb: Send {
    /// What is rolled back when it fails.
    fn undo(&self) -> Undo;
    /// Runs it. Returns whether its changes are kept.
    fn run(&mut self, tx: &mut WriteTransaction<'_>) -> bool;
    /// Answers the caller: with the verb's own answer, or with the fault of the commit.
    fn answer(self: Box<Self>, committed: Result<(), Fault>);
}

struct Asked<T, F> {
    undo: Undo,
    verb: Option<F>,
    outcome: Option<Answer<T>>,
    answer: oneshot::Sender<Answer<T>>,
}

impl<T, F> Verb for Asked<T, F>
where
    T: Send,
    F: FnOnce(&mut WriteTransaction<'_>) -> Answer<T> + Send,
{
    fn undo(&self) -> Undo {
        self.undo
    }

    fn run(&mut self, tx: &mut WriteTransaction<'_>) -> bool {
        let Some(verb) = self.verb.take() else {
            return false;
        };
        // A defect fails this verb alone: its changes are rolled back like those of a rejected one.
        let outcome = catch_unwind(AssertUnwindSafe(|| verb(tx)));
        let outcome = outcome.unwrap_or_else(|_| Err(panicked().into()));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, committed: Result<(), Fault>) {
        let answer = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => return,
            (Err(fault), _) => Err(fault.into()),
        };
        // The caller may be gone; the changes are committed all the same.
        let _ = self.answer.send(answer);
    }
}

/// A verb to queue, and the receiver of its answer.
pub(super) fn asked<T: Send + 'static>(
    undo: Undo,
    verb: impl FnOnce(&mut WriteTransaction<'_>) -> Answer<T> + Send + 'static,
) -> (Box<dyn Verb>, oneshot::Receiver<Answer<T>>) {
    let (answer, answered) = oneshot::channel();
    let asked = Asked {
        undo,
        verb: Some(verb),
        outcome: None,
        answer,
    };
    (Box::new(asked), answered)
}

/// The state of the writing thread.
pub(super) struct Writer {
    conn: Connection,
    clock: Clock,
    feeding: Arc<Feeding>,
    rates: RefCell<Rates>,
    pub(super) failing: Arc<AtomicBool>,
}

impl Writer {
    /// Takes the connection that writes.
    pub(super) fn new(conn: Connection, clock: Clock, feeding: Arc<Feeding>, rates: Rates) -> Self {
        Self {
            conn,
            clock,
            feeding,
            rates: RefCell::new(rates),
            failing: Arc::default(),
        }
    }

    /// Runs until all senders are dropped.
    pub(super) fn run(self, mut verbs: mpsc::Receiver<Box<dyn Verb>>) {
        let mut likely: usize = 1;
        while let Some(first) = verbs.blocking_recv() {
            let mut first = Some(first);
            let next = |ran: usize| {
                let next = first.take().or_else(|| verbs.try_recv().ok());
                next.or_else(|| gather(&mut verbs, likely.saturating_sub(ran)))
            };
            let changed_before = self.conn.total_changes();
            let committing = AssertUnwindSafe(|| self.commit(next));
            let Ok((ran, outcome)) = catch_unwind(committing) else {
                tracing::error!("a commit panicked, its callers get no answer");
                continue;
            };
            // Answered callers are likely to send the next verb soon.
            likely = ran;
            match outcome {
                // An empty commit does not prove that the file can be written.
                Ok(()) if self.conn.total_changes() == changed_before => {}
                Ok(()) => {
                    if self.failing.swap(false, Ordering::Relaxed) {
                        tracing::info!("writes to the data file succeed again");
                    }
                }
                Err(error) => {
                    if !self.failing.swap(true, Ordering::Relaxed) {
                        tracing::error!(%error, "writing the data file failed");
                    }
                }
            }
        }
    }

    /// Runs the queued verbs in one transaction and answers them. Returns how many.
    fn commit(
        &self,
        next: impl FnMut(usize) -> Option<Box<dyn Verb>>,
    ) -> (usize, rusqlite::Result<()>) {
        let mut ran = Vec::new();
        let mut news = Vec::new();
        let outcome = self.run_all(next, &mut ran, &mut news);
        if outcome.is_ok() {
            self.feeding.publish(news);
        } else {
            self.roll_back();
        }
        let count = ran.len();
        for verb in ran {
            verb.answer(outcome.as_ref().copied().map_err(fault));
        }
        (count, outcome)
    }

    fn run_all(
        &self,
        mut next: impl FnMut(usize) -> Option<Box<dyn Verb>>,
        ran: &mut Vec<Box<dyn Verb>>,
        news: &mut Vec<Feed>,
    ) -> rusqlite::Result<()> {
        // A rollback that failed, or a panic, may have left a transaction open.
        self.roll_back();
        let mut outcome = self.say("BEGIN IMMEDIATE");
        while ran.len() < BATCH_MAX
            && let Some(mut verb) = next(ran.len())
        {
            if outcome.is_ok() {
                outcome = self.run_one(verb.as_mut(), news);
            }
            ran.push(verb);
        }
        outcome?;
        self.say("COMMIT")
    }

    fn run_one(&self, verb: &mut dyn Verb, news: &mut Vec<Feed>) -> rusqlite::Result<()> {
        let told_before = news.len();
        let changed_before = self.conn.total_changes();
        let undo = verb.undo();
        if undo == Undo::Alone {
            self.say("SAVEPOINT verb")?;
        }
        let keep = verb.run(&mut WriteTransaction {
            conn: &self.conn,
            now: (self.clock)(),
            rates: &self.rates,
            news,
        });
        if self.conn.is_autocommit() {
            // Out of space or memory, SQLite has rolled back the whole transaction.
            return Err(lost());
        }
        if !keep {
            news.truncate(told_before);
        }
        match undo {
            Undo::Nothing if keep || self.conn.total_changes() == changed_before => Ok(()),
            Undo::Nothing => Err(lost()),
            Undo::Alone => {
                if !keep {
                    self.say("ROLLBACK TO verb")?;
                }
                self.say("RELEASE verb")
            }
        }
    }

    fn say(&self, sql: &str) -> rusqlite::Result<()> {
        self.conn.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    fn roll_back(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.say("ROLLBACK")
        {
            tracing::error!(%error, "rolling back a transaction failed");
        }
    }
}

/// The next verb, if further ones are likely and one arrives in time.
fn gather(verbs: &mut mpsc::Receiver<Box<dyn Verb>>, likely: usize) -> Option<Box<dyn Verb>> {
    if likely == 0 {
        return None;
    }
    let begin = Instant::now();
    while begin.elapsed() < GATHER {
        // Yields instead of sleeping: waking up takes as long as the wait.
        std::thread::yield_now();
        if let Ok(verb) = verbs.try_recv() {
            return Some(verb);
        }
    }
    None
}

/// The fault of a verb or a reading that panicked. The panic is logged where it occurs.
pub(super) fn panicked() -> Fault {
    Fault::broken("asking SQLite", "the statement panicked")
}

/// The error of verbs whose transaction was rolled back because of another verb.
fn lost() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK);
    rusqlite::Error::SqliteFailure(code, None)
}

#[cfg(test)]
mod tests {
    use plenary_shared::domain::Code;
    use rusqlite::ErrorCode;

    use super::super::disk::Disk;
    use super::*;
    use crate::error::Error;
    use crate::rate_limits::SharedLimits;

    fn writer() -> (tempfile::TempDir, Writer) {
        let directory = tempfile::tempdir().expect("a directory");
        let conn = Connection::open(directory.path().join("file")).expect("a file");
        conn.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE said (text TEXT NOT NULL) STRICT",
        )
        .expect("a table");
        let clock: Clock = Arc::new(|| Timestamp::from_ms(1));
        let disk = Arc::new(Disk::of(directory.path()));
        let rates = Rates::new(SharedLimits::default(), disk);
        let writer = Writer::new(conn, clock, Arc::default(), rates);
        (directory, writer)
    }

    fn say(text: String) -> (Box<dyn Verb>, oneshot::Receiver<Answer<i64>>) {
        asked(Undo::Alone, move |tx: &mut WriteTransaction<'_>| {
            tx.conn
                .execute("INSERT INTO said (text) VALUES (?)", [text])?;
            tx.tell(Feed::Changed);
            Ok(tx.conn.last_insert_rowid())
        })
    }

    fn commit(writer: &Writer, verbs: Vec<Box<dyn Verb>>) -> rusqlite::Result<()> {
        let count = verbs.len();
        let mut verbs = verbs.into_iter();
        let (ran, outcome) = writer.commit(|_| verbs.next());
        assert_eq!(ran, count);
        outcome
    }

    fn said(writer: &Writer) -> i64 {
        let count = "SELECT COUNT(*) FROM said";
        let count = writer.conn.query_row(count, [], |row| row.get(0));
        count.expect("a count")
    }

    #[test]
    fn rejected_verb_is_rolled_back_alone() {
        let (_directory, writer) = writer();
        let mut fed = writer.feeding.begin().expect("the first feed");
        let (first, mut first_answer) = say("first".to_owned());
        let (refused, mut refused_answer) =
            asked(Undo::Alone, |tx: &mut WriteTransaction<'_>| -> Answer<()> {
                tx.conn
                    .execute("INSERT INTO said (text) VALUES ('no')", [])?;
                tx.tell(Feed::Changed);
                Err(Code::NotAllowed.into())
            });
        let (last, mut last_answer) = say("last".to_owned());
        commit(&writer, vec![first, refused, last]).expect("a commit");
        assert!(first_answer.try_recv().expect("answered").is_ok());
        assert!(last_answer.try_recv().expect("answered").is_ok());
        let refused = refused_answer.try_recv().expect("answered");
        assert!(matches!(refused, Err(Error::Reject(reject)) if reject.code == Code::NotAllowed));
        assert_eq!(said(&writer), 2);
        assert!(fed.try_recv().is_ok() && fed.try_recv().is_ok());
        assert!(fed.try_recv().is_err(), "what was undone is not told");
    }

    #[test]
    fn verb_that_panics_fails_alone() {
        let (_directory, writer) = writer();
        let (first, mut first_answer) = say("first".to_owned());
        let (broken, mut broken_answer) =
            asked(Undo::Alone, |tx: &mut WriteTransaction<'_>| -> Answer<()> {
                tx.conn
                    .execute("INSERT INTO said (text) VALUES ('no')", [])?;
                panic!("a defect");
            });
        let (last, mut last_answer) = say("last".to_owned());
        commit(&writer, vec![first, broken, last]).expect("a commit");
        assert!(first_answer.try_recv().expect("answered").is_ok());
        assert!(last_answer.try_recv().expect("answered").is_ok());
        let broken = broken_answer.try_recv().expect("answered");
        assert!(matches!(broken, Err(Error::Fault(Fault::Broken { .. }))));
        assert_eq!(said(&writer), 2);
    }

    #[test]
    fn transaction_that_was_left_open_is_rolled_back() {
        let (_directory, writer) = writer();
        writer
            .conn
            .execute_batch("BEGIN; INSERT INTO said (text) VALUES ('lost')")
            .expect("a transaction");
        let (next, mut answer) = say("next".to_owned());
        commit(&writer, vec![next]).expect("a commit");
        assert!(answer.try_recv().expect("answered").is_ok());
        assert_eq!(said(&writer), 1);
    }

    #[test]
    fn verb_that_fails_after_writing_rolls_back_the_commit() {
        let (_directory, writer) = writer();
        let mut fed = writer.feeding.begin().expect("the first feed");
        let (first, mut first_answer) = say("first".to_owned());
        let (refused, mut refused_answer) = asked(
            Undo::Nothing,
            |_: &mut WriteTransaction<'_>| -> Answer<()> { Err(Code::NotAllowed.into()) },
        );
        commit(&writer, vec![first, refused]).expect("a commit");
        assert!(first_answer.try_recv().expect("answered").is_ok());
        let refused = refused_answer.try_recv().expect("answered");
        assert!(matches!(refused, Err(Error::Reject(_))));
        assert!(fed.try_recv().is_ok());
        let (second, mut second_answer) = say("second".to_owned());
        let (failing, mut failing_answer) = asked(
            Undo::Nothing,
            |tx: &mut WriteTransaction<'_>| -> Answer<()> {
                tx.conn
                    .execute("INSERT INTO said (text) VALUES ('no')", [])?;
                Err(Code::NotAllowed.into())
            },
        );
        commit(&writer, vec![second, failing]).expect_err("all of it is taken back");
        for answer in [
            second_answer.try_recv().expect("answered").map(|_| ()),
            failing_answer.try_recv().expect("answered"),
        ] {
            assert!(matches!(answer, Err(Error::Fault(_))));
        }
        assert_eq!(said(&writer), 1);
        assert!(fed.try_recv().is_err(), "what was undone is not told");
    }

    #[test]
    fn full_disk_fails_writes_until_there_is_space() {
        let (_directory, writer) = writer();
        let mut fed = writer.feeding.begin().expect("the first feed");
        let pages: i64 = writer
            .conn
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .expect("a count");
        let limit = |pages: i64| {
            let pragma = format!("PRAGMA max_page_count = {pages}");
            writer.conn.execute_batch(&pragma).expect("a limit");
        };
        limit(pages + 2);
        let large = "x".repeat(100_000);
        let (small, mut small_answer) = say("small".to_owned());
        let (full, mut full_answer) = say(large.clone());
        // Whether the small change is kept or everything is rolled back, each caller gets an
        // answer.
        let outcome = commit(&writer, vec![small, full]);
        let kept = small_answer.try_recv().expect("answered").is_ok();
        assert_eq!(said(&writer), i64::from(kept));
        assert_eq!(fed.try_recv().is_ok(), kept);
        if let Err(error) = outcome {
            assert!(!kept, "{error}");
        }
        let Err(Error::Fault(fault)) = full_answer.try_recv().expect("answered") else {
            panic!("it does not fit");
        };
        let told = fault.reject("id");
        assert_eq!(told.code, Code::Unavailable, "{fault}");
        assert!(writer.conn.is_autocommit());
        limit(pages + 1_000);
        let (again, mut answer) = say(large);
        commit(&writer, vec![again]).expect("a commit");
        assert!(answer.try_recv().expect("answered").is_ok());
    }

    #[test]
    fn full_disk_is_reported() {
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        assert_eq!(full.code, ErrorCode::DiskFull);
        let told = fault(&rusqlite::Error::SqliteFailure(full, None)).reject("7");
        assert_eq!(told.code, Code::Unavailable);
        assert!(told.detail.contains("disk is full"), "{told}");
        assert_eq!(told.retry_after_s, Some(1));
    }
}
