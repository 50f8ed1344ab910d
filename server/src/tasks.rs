//! Background tasks: started by name, restarted after a panic, joined in order at shutdown.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// Pause before a task that panicked is restarted, in milliseconds. It doubles with every panic.
const RESTART_MS: u64 = 100;

/// Panics in a row after which a task counts as failed. With the doubling pause, the last restart
/// comes 1.5 s after the first panic.
const PANICS_MAX: u32 = 5;

/// A task that ran this long without a panic starts counting from zero again.
const STABLE_S: u64 = 60;

/// A request to stop the server, from a signal or from a task that failed.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    requested: CancellationToken,
    failure: Arc<OnceLock<TaskFailed>>,
}

/// A background task ended although the server needs it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the background task '{name}' {how}; the server stopped because it cannot work without it")]
pub struct TaskFailed {
    name: &'static str,
    how: &'static str,
}

impl Shutdown {
    /// Requests the shutdown.
    pub fn request(&self) {
        self.requested.cancel();
    }

    /// Returns the token that is cancelled when the shutdown is requested.
    pub fn token(&self) -> CancellationToken {
        self.requested.clone()
    }

    /// Returns the failure that caused the shutdown, if a task did.
    pub fn result(&self) -> Result<(), TaskFailed> {
        self.failure.get().cloned().map_or(Ok(()), Err)
    }

    fn fail(&self, name: &'static str, how: &'static str) {
        tracing::error!(task = name, "task {how}, stopping the server");
        // The first failure is the one that is reported.
        let _ = self.failure.set(TaskFailed { name, how });
        self.request();
    }
}

/// Whether each background task is running, for health checks and metrics. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TaskStates(Arc<Mutex<BTreeMap<&'static str, TaskState>>>);

/// The state of one background task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskState {
    /// Whether it is running. Not between a panic and the restart, and not after it has failed.
    pub is_running: bool,
    /// How often it has panicked since the start of the server.
    pub panics: u64,
}

impl TaskStates {
    /// Returns all tasks by name.
    pub fn all(&self) -> Vec<(&'static str, TaskState)> {
        let states = self.lock();
        states.iter().map(|(name, state)| (*name, *state)).collect()
    }

    /// Returns the names of the tasks that are not running.
    pub fn down(&self) -> Vec<&'static str> {
        let states = self.lock();
        let down = states.iter().filter(|(_, state)| !state.is_running);
        down.map(|(name, _)| *name).collect()
    }

    fn started(&self, name: &'static str) {
        self.lock().entry(name).or_default().is_running = true;
    }

    fn ended(&self, name: &'static str) {
        self.lock().entry(name).or_default().is_running = false;
    }

    fn panicked(&self, name: &'static str) {
        let mut states = self.lock();
        let state = states.entry(name).or_default();
        state.is_running = false;
        state.panics += 1;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, TaskState>> {
        // Every statement leaves the map consistent, so a poisoned lock is still usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A group of tasks with a common stop token.
#[derive(Debug)]
pub struct Tasks {
    stop: CancellationToken,
    shutdown: Shutdown,
    states: TaskStates,
    running: Vec<(&'static str, JoinHandle<()>)>,
}

impl Tasks {
    /// Returns an empty group whose tasks run until `stop` is cancelled. A task that fails requests
    /// `shutdown`. `states` has the state of each task.
    pub fn new(stop: CancellationToken, shutdown: Shutdown, states: TaskStates) -> Self {
        Self {
            stop,
            shutdown,
            states,
            running: Vec::new(),
        }
    }

    /// Returns the token that is cancelled when the group is stopped.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Starts a task. `run` returns when the stop token it is given is cancelled. After a panic it is
    /// called again with the same `state`; if it returns early or keeps panicking, the server stops.
    pub fn start<S: Send + 'static>(
        &mut self,
        name: &'static str,
        state: S,
        run: impl for<'a> Fn(&'a mut S, CancellationToken) -> BoxFuture<'a, ()> + Send + 'static,
    ) {
        let (stop, shutdown) = (self.stop.clone(), self.shutdown.clone());
        let supervised = supervise(name, state, run, stop, shutdown, self.states.clone());
        self.running.push((name, tokio::spawn(supervised)));
    }

    /// Starts a task that cannot be restarted: a panic stops the server.
    pub fn start_once(
        &mut self,
        name: &'static str,
        run: impl Future<Output = ()> + Send + 'static,
    ) {
        self.start(name, Some(run.boxed()), |run, _stop| match run.take() {
            Some(run) => run,
            None => std::future::ready(()).boxed(),
        });
    }

    /// Cancels the stop token and waits for the tasks in the order of their start, until `deadline`.
    pub async fn stop(self, deadline: Instant) {
        self.stop.cancel();
        for (name, task) in self.running {
            match timeout_at(deadline, task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(task = name, %error, "task broke"),
                Err(_) => tracing::warn!(task = name, "task did not stop in time"),
            }
        }
    }
}

async fn supervise<S>(
    name: &'static str,
    mut state: S,
    run: impl for<'a> Fn(&'a mut S, CancellationToken) -> BoxFuture<'a, ()>,
    stop: CancellationToken,
    shutdown: Shutdown,
    states: TaskStates,
) {
    let mut panics = 0;
    loop {
        let started = Instant::now();
        states.started(name);
        let (borrowed, token) = (&mut state, stop.clone());
        // A panic before the future exists is caught too.
        let ended = match catch_unwind(AssertUnwindSafe(|| run(borrowed, token))) {
            Ok(running) => AssertUnwindSafe(running).catch_unwind().await,
            Err(panic) => Err(panic),
        };
        if stop.is_cancelled() {
            return;
        }
        if ended.is_ok() {
            states.ended(name);
            return shutdown.fail(name, "ended early");
        }
        if started.elapsed() >= Duration::from_secs(STABLE_S) {
            panics = 0;
        }
        panics += 1;
        states.panicked(name);
        if panics >= PANICS_MAX {
            return shutdown.fail(name, "panicked repeatedly");
        }
        tracing::error!(task = name, panics, "task panicked, restarting");
        let pause = Duration::from_millis(RESTART_MS << (panics - 1));
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> (Tasks, Shutdown) {
        let shutdown = Shutdown::default();
        let states = TaskStates::default();
        let tasks = Tasks::new(CancellationToken::new(), shutdown.clone(), states);
        (tasks, shutdown)
    }

    #[tokio::test]
    async fn task_is_restarted_with_its_state_after_a_panic() {
        let (mut tasks, shutdown) = group();
        let (started, mut starts) = tokio::sync::mpsc::channel(8);
        tasks.start("fragile", 0, move |runs, stop| {
            let started = started.clone();
            async move {
                *runs += 1;
                started.send(*runs).await.expect("the test receives");
                assert!(*runs >= 3, "panics twice");
                stop.cancelled().await;
            }
            .boxed()
        });
        for expected in 1..=3 {
            assert_eq!(starts.recv().await, Some(expected));
        }
        let state = TaskState {
            is_running: true,
            panics: 2,
        };
        assert_eq!(tasks.states.all(), [("fragile", state)]);
        assert!(tasks.states.down().is_empty());
        tasks.stop(Instant::now() + Duration::from_secs(5)).await;
        assert!(shutdown.result().is_ok());
    }

    #[tokio::test]
    async fn task_that_keeps_panicking_stops_the_server() {
        let (mut tasks, shutdown) = group();
        tasks.start("broken", (), |(), _| async { panic!("always") }.boxed());
        shutdown.token().cancelled().await;
        let error = shutdown.result().expect_err("a failure").to_string();
        assert!(error.contains("'broken' panicked repeatedly"), "{error}");
        assert_eq!(tasks.states.down(), ["broken"]);
        tasks.stop(Instant::now() + Duration::from_secs(5)).await;
    }

    #[tokio::test]
    async fn task_that_panics_before_its_first_await_is_caught() {
        let (mut tasks, shutdown) = group();
        tasks.start("early", (), |(), _| panic!("before the future exists"));
        shutdown.token().cancelled().await;
        assert_eq!(tasks.states.down(), ["early"]);
    }

    #[tokio::test]
    async fn task_that_ends_early_stops_the_server() {
        let (mut tasks, shutdown) = group();
        tasks.start("short", (), |(), _| async {}.boxed());
        shutdown.token().cancelled().await;
        let error = shutdown.result().expect_err("a failure").to_string();
        assert!(error.contains("'short' ended early"), "{error}");
        assert_eq!(tasks.states.down(), ["short"]);
    }

    #[tokio::test]
    async fn stop_does_not_wait_longer_than_allowed() {
        let (mut tasks, _shutdown) = group();
        tasks.start("stuck", (), |(), _| std::future::pending().boxed());
        let began = Instant::now();
        tasks.stop(began + Duration::from_millis(50)).await;
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
