//! Every store call of every server waits here until it may continue: one at a time, in an order
//! drawn from the seed. So a seed always produces the same run.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use plenary_server::error::Fault;
use plenary_server::store::instrument::{Backend, Call, Locks, Observer};
use tokio::sync::{Notify, oneshot};

tokio::task_local! {
    /// The job of the running task, for the trace.
    pub static JOB: String;
}

/// Scheduler turns without news after which no task can continue on its own: more than the longest
/// chain of tasks that wake each other without a store call in between.
const QUIET_TURNS: usize = 5;

/// A store call that takes longer hangs.
const CALL_S_MAX: u64 = 30;

/// Characters of a call shown in the trace.
const TRACE_CHARS_MAX: usize = 90;

/// The decision for a waiting task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Continue.
    Go,
    /// Make the call, and continue with its answer at once.
    Through,
    /// Before the call: it is not made. After it: the answer is lost.
    Fail,
    /// The process is dead.
    Die,
}

/// Where a task waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// Before a store call.
    Before,
    /// After it.
    After,
    /// For a time of the simulated clock.
    Until(i64),
}

/// A waiting task.
#[derive(Debug)]
struct Waiting {
    number: u64,
    process: usize,
    job: String,
    at: At,
    backend: Option<Backend>,
    locks: Locks,
    what: String,
    verdict: oneshot::Sender<Verdict>,
}

/// A task that can continue.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The number by which it is selected.
    pub number: u64,
    /// Its process.
    pub process: usize,
    /// Its job.
    pub job: String,
    /// Where it waits.
    pub at: At,
    /// The back end of its call.
    pub backend: Option<Backend>,
    /// Its call.
    pub what: String,
}

#[derive(Debug, Default)]
struct State {
    now_ms: i64,
    dead: Vec<bool>,
    waiting: Vec<Waiting>,
    next_number: u64,
    in_flight: bool,
    /// Whether calls in progress continue with their answers at once.
    through: bool,
    transactions: usize,
    /// While it is open, calls pass without waiting.
    open: bool,
    activity: u64,
}

impl State {
    /// Whether an open transaction would block others.
    fn is_locked(&self) -> bool {
        let begins = |one: &Waiting| one.at == At::After && one.locks == Locks::Takes;
        self.transactions > 0 || self.waiting.iter().any(begins)
    }
}

/// The gate of all processes.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
    moved: Notify,
}

impl Gate {
    /// Adds a process and returns its number.
    pub fn process(self: &Arc<Self>) -> Process {
        let mut state = self.state();
        state.dead.push(false);
        Process {
            gate: self.clone(),
            number: state.dead.len() - 1,
        }
    }

    /// Sets the simulated time.
    pub fn set_now(&self, now_ms: i64) {
        self.state().now_ms = now_ms;
    }

    /// Opens the gate for all calls, or closes it.
    pub fn set_open(&self, open: bool) {
        self.state().open = open;
    }

    /// Records progress that is not a call.
    pub fn record_progress(&self) {
        self.state().activity += 1;
        self.moved.notify_one();
    }

    /// Waits until no task continues on its own.
    pub async fn settle(&self) {
        let mut seen = self.state().activity;
        let mut quiet = 0;
        while quiet < QUIET_TURNS {
            if self.state().in_flight {
                let moved =
                    tokio::time::timeout(Duration::from_secs(CALL_S_MAX), self.moved.notified());
                assert!(
                    moved.await.is_ok(),
                    "a round trip hangs: {:#?}",
                    self.state()
                );
                quiet = 0;
                continue;
            }
            tokio::task::yield_now().await;
            let activity = self.state().activity;
            quiet = if activity == seen { quiet + 1 } else { 0 };
            seen = activity;
        }
    }

    /// All tasks that can continue, in an order that is the same in every run.
    pub fn ready(&self) -> Vec<Ready> {
        let state = self.state();
        let mut ready: Vec<Ready> = state
            .waiting
            .iter()
            .filter(|one| match one.at {
                At::Before => match one.locks {
                    Locks::Free | Locks::Holds => true,
                    Locks::Waits | Locks::Takes => !state.is_locked(),
                },
                At::After => true,
                At::Until(ms) => ms <= state.now_ms,
            })
            .map(|one| Ready {
                number: one.number,
                process: one.process,
                job: one.job.clone(),
                at: one.at.clone(),
                backend: one.backend,
                what: one.what.clone(),
            })
            .collect();
        ready.sort_by(|a, b| {
            let key = |one: &Ready| (one.process, one.job.clone(), one.what.clone(), one.number);
            key(a).cmp(&key(b))
        });
        ready
    }

    /// Decides for one of the ready tasks.
    pub fn decide(&self, number: u64, verdict: Verdict) {
        let mut state = self.state();
        let at = state.waiting.iter().position(|one| one.number == number);
        let one = state.waiting.remove(at.expect("it was ready a moment ago"));
        if one.at == At::Before && verdict != Verdict::Fail {
            state.in_flight = true;
            state.through = verdict == Verdict::Through;
        }
        state.activity += 1;
        drop(state);
        // The waiting task may have been dropped.
        if one.verdict.send(verdict).is_err() {
            self.state().in_flight = false;
        }
    }

    /// Kills a process: everything that waits in it ends where it is.
    pub fn kill(&self, process: usize) {
        let mut state = self.state();
        state.dead[process] = true;
        state.activity += 1;
        let (dead, alive) = std::mem::take(&mut state.waiting)
            .into_iter()
            .partition(|one| one.process == process);
        state.waiting = alive;
        drop(state);
        let dead: Vec<Waiting> = dead;
        for one in dead {
            // The waiting task may have been dropped.
            let _ = one.verdict.send(Verdict::Die);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One process at the gate.
#[derive(Clone, Debug)]
pub struct Process {
    gate: Arc<Gate>,
    /// Its number.
    pub number: usize,
}

impl Process {
    async fn wait_at(&self, at: At, call: Option<Call<'_>>) -> Verdict {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.gate.state();
            if at == At::After {
                state.in_flight = false;
                state.activity += 1;
                if std::mem::take(&mut state.through) {
                    self.gate.moved.notify_one();
                    return Verdict::Go;
                }
            }
            if state.open {
                return Verdict::Go;
            }
            let number = state.next_number;
            state.next_number += 1;
            state.activity += 1;
            let job = JOB.try_with(Clone::clone);
            let waiting = Waiting {
                number,
                process: self.number,
                job: job.unwrap_or_else(|_| "background".to_owned()),
                at,
                backend: call.map(|call| call.backend),
                locks: call.map_or(Locks::Free, |call| call.locks),
                what: call.map_or_else(|| "waits".to_owned(), |call| short(&call.text.to_string())),
                verdict: sender,
            };
            if !state.dead[self.number] {
                state.waiting.push(waiting);
            }
        }
        self.gate.moved.notify_one();
        let verdict = receiver.await.unwrap_or(Verdict::Die);
        if verdict == Verdict::Die {
            // Ends this task without a message, as the death of its process would.
            std::panic::resume_unwind(Box::new("killed"));
        }
        verdict
    }
}

#[async_trait]
impl Observer for Process {
    async fn before(&self, call: Call<'_>) -> Result<(), Fault> {
        match self.wait_at(At::Before, Some(call)).await {
            Verdict::Go | Verdict::Through => Ok(()),
            Verdict::Fail | Verdict::Die => Err(unavailable(call.backend, "refused")),
        }
    }

    async fn after(&self, call: Call<'_>, _elapsed: Duration) -> Result<(), Fault> {
        match self.wait_at(At::After, Some(call)).await {
            Verdict::Go | Verdict::Through => Ok(()),
            Verdict::Fail | Verdict::Die => Err(unavailable(call.backend, "the answer is lost")),
        }
    }

    fn transaction(&self) -> Box<dyn Any + Send> {
        self.gate.state().transactions += 1;
        Box::new(Open(self.gate.clone()))
    }

    /// The gate decides how long a call takes.
    fn allows_timeouts(&self) -> bool {
        false
    }

    async fn sleep(&self, ms: u64) {
        let until = self.gate.state().now_ms + i64::try_from(ms).unwrap_or(i64::MAX);
        self.wait_at(At::Until(until), None).await;
    }
}

/// An open transaction.
struct Open(Arc<Gate>);

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.transactions -= 1;
        state.activity += 1;
    }
}

fn unavailable(backend: Backend, why: &'static str) -> Fault {
    match backend {
        Backend::Redis => Fault::unavailable("Redis", why),
        Backend::MySql => Fault::unavailable("MySQL", why),
        Backend::Sqlite => Fault::unavailable("the file", why),
    }
}

/// The call without what differs in every run: the process id of Redis.
fn short(what: &str) -> String {
    const BOOT: &str = "SET plenary:boot";
    if what.starts_with(BOOT) {
        return BOOT.to_owned();
    }
    what.chars().take(TRACE_CHARS_MAX).collect()
}
