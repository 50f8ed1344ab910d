//! The scheduler starts and ends instances on time, and looks only at due ones.
//!
//! Neither a leader nor locks are needed: every step is conditional and idempotent, so servers
//! may race and may die at any point. The sweep resumes unfinished steps.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use plenary_shared::domain::Reason;
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::ctx::Ctx;
use crate::error::{Error, Fault};
use crate::store::{Agenda, EndStep, Stepped};

/// How far ahead deadlines are kept in memory, in milliseconds.
const HORIZON_MS: i64 = 60_000;

/// Time between two reads of the agenda. Rows that another program inserts are found after this
/// time.
const READ_MS: i64 = 10_000;

/// Time until the next read after a failure.
const RETRY_MS: i64 = 1_000;

/// Instances that are started or ended concurrently.
const AT_ONCE_MAX: usize = 16;

/// Ends whose record is completed concurrently. Apart from the first steps, so that a slow durable
/// store does not delay leaves.
const RECORDS_MAX: usize = 16;

/// The first steps of an end; after them everybody has left.
const STEPS_ON_TIME: usize = 2;

/// How often an unfinished step is retried before the next read takes it up.
const TRIES_MAX: usize = 100;

/// Time between two such retries.
const TRY_MS: u64 = 50;

/// Runs until `stop` is cancelled. `changed` announces a changed schedule.
pub async fn run(ctx: Ctx, changed: Arc<Notify>, stop: CancellationToken) {
    let mut agenda = Agenda::default();
    let mut read_at = ctx.now();
    // At most one read at a time, beside everything else: known deadlines are met meanwhile.
    let mut reading: JoinSet<Result<Agenda, Agenda>> = JoinSet::new();
    // Starts and ends in progress: a slow one does not delay other instances.
    let mut running: JoinSet<(InstanceId, Next)> = JoinSet::new();
    let mut in_work: BTreeSet<InstanceId> = BTreeSet::new();
    let rooms = Rooms::new();
    loop {
        let now = ctx.now();
        if now >= read_at && reading.is_empty() {
            reading.spawn(read(ctx.clone(), now));
            read_at = now.plus_ms(READ_MS);
        }
        for due in take_due(&mut agenda, now) {
            let (Due::Start(id, _) | Due::End(id, _)) = due;
            if in_work.insert(id) {
                let (ctx, rooms) = (ctx.clone(), rooms.clone());
                running.spawn(async move { (id, start_or_end(&ctx, &rooms, due).await) });
            }
        }
        // The next read starts after the current one has finished.
        let next_reading = reading.is_empty().then_some(read_at);
        let far = now.plus_ms(READ_MS);
        let wait_ms = next_deadline(&agenda, next_reading.unwrap_or(far)).ms_since(ctx.now());
        let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
        tokio::select! {
            () = stop.cancelled() => break,
            () = changed.notified() => read_at = ctx.now(),
            Some(done) = reading.join_next(), if !reading.is_empty() => match done {
                Ok(Ok(read)) => agenda = read,
                Ok(Err(live)) => {
                    add_ends(&mut agenda, live);
                    read_at = read_at.min(ctx.now().plus_ms(RETRY_MS));
                }
                Err(error) => tracing::error!(%error, "reading the agenda panicked"),
            },
            Some(done) = running.join_next(), if !running.is_empty() => match done {
                Ok((id, next)) => {
                    in_work.remove(&id);
                    match next {
                        Next::AsPlanned => {}
                        Next::Now => read_at = ctx.now(),
                        Next::Soon => read_at = read_at.min(ctx.now().plus_ms(RETRY_MS)),
                    }
                }
                Err(error) => {
                    // A panic in one instance's step; the next read finds the instance again.
                    tracing::error!(%error, "a step of an instance panicked");
                    in_work.clear();
                }
            },
            () = tokio::time::sleep(wait) => {}
        }
    }
    // Unfinished steps are resumed by another server, or at the next start.
    reading.shutdown().await;
    running.shutdown().await;
}

async fn start_or_end(ctx: &Ctx, rooms: &Rooms, due: Due) -> Next {
    match due {
        Due::Start(id, at) => {
            let _permit = rooms.on_time.acquire().await;
            start(ctx, id, at).await
        }
        Due::End(id, at) => {
            end_in(rooms, ctx, id, at).await;
            Next::AsPlanned
        }
    }
}

/// Limits of concurrent work. The semaphores are never closed.
#[derive(Clone)]
struct Rooms {
    on_time: Arc<Semaphore>,
    records: Arc<Semaphore>,
}

impl Rooms {
    fn new() -> Self {
        Self {
            on_time: Arc::new(Semaphore::new(AT_ONCE_MAX)),
            records: Arc::new(Semaphore::new(RECORDS_MAX)),
        }
    }
}

fn next_deadline(agenda: &Agenda, read_at: Timestamp) -> Timestamp {
    let deadlines = agenda.starts.iter().chain(&agenda.ends).map(|(_, at)| *at);
    deadlines.min().map_or(read_at, |at| at.min(read_at))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// The instance and its scheduled start.
    Start(InstanceId, Timestamp),
    /// The instance and its scheduled end, unless that is long past.
    End(InstanceId, Option<Timestamp>),
}

/// Takes the due instances out of the agenda.
fn take_due(agenda: &mut Agenda, now: Timestamp) -> Vec<Due> {
    let mut due = Vec::new();
    agenda.starts.retain(|(id, at)| {
        let later = *at > now;
        if !later {
            due.push(Due::Start(*id, *at));
        }
        later
    });
    agenda.ends.retain(|(id, at)| {
        let later = *at > now;
        if !later {
            due.push(Due::End(*id, Some(*at)));
        }
        later
    });
    due.extend(agenda.ending.drain(..).map(|id| Due::End(id, None)));
    due
}

/// When the agenda is read next.
enum Next {
    /// At the regular time.
    AsPlanned,
    /// At once.
    Now,
    /// After a pause, so that a failure is not retried in a tight loop.
    Soon,
}

async fn start(ctx: &Ctx, id: InstanceId, at: Timestamp) -> Next {
    match ctx.store.start(id, ctx.now()).await {
        // Its end has passed before any server started it: the record says that it was missed.
        Ok(Some(to)) if to <= ctx.now() => {
            end(ctx, id, Reason::Missed).await;
            Next::AsPlanned
        }
        // Its end may be near.
        Ok(Some(_)) => {
            ctx.metrics.record_start(ctx.now().ms_since(at));
            Next::Now
        }
        // Another server has probably started it.
        Ok(None) => Next::Soon,
        Err(error) => {
            tracing::error!(instance = %id, %error, "start failed, retrying");
            Next::Soon
        }
    }
}

/// Reads the agenda. While the durable store is unavailable, returns the ends that the live store
/// knows.
async fn read(ctx: Ctx, now: Timestamp) -> Result<Agenda, Agenda> {
    let error = match ctx.store.agenda(now, HORIZON_MS).await {
        Ok(read) => return Ok(read),
        Err(error) => error,
    };
    tracing::warn!(%error, "reading the agenda failed, continuing with known deadlines");
    let mut live = Agenda::default();
    match ctx.store.live_ends(now.plus_ms(HORIZON_MS)).await {
        Ok(ends) => live.ends = ends,
        Err(error) => tracing::debug!(%error, "reading the live ends failed"),
    }
    Err(live)
}

fn add_ends(agenda: &mut Agenda, live: Agenda) {
    for (id, at) in live.ends {
        if agenda.ends.iter().all(|(known, _)| *known != id) {
            agenda.ends.push((id, at));
        }
    }
}

/// Takes an instance through the steps of its end as far as possible now. Urgent steps do not wait
/// for the records of others.
async fn end_in(rooms: &Rooms, ctx: &Ctx, id: InstanceId, at: Option<Timestamp>) {
    let (on_time, rest) = EndStep::ALL.split_at(STEPS_ON_TIME);
    let one_of_many = rooms.on_time.acquire().await;
    let is_closed = take_steps(ctx, id, Reason::Scheduled, on_time).await;
    drop(one_of_many);
    if is_closed {
        if let Some(at) = at {
            ctx.metrics.record_end(ctx.now().ms_since(at));
        }
        let _one_of_many = rooms.records.acquire().await;
        take_steps(ctx, id, Reason::Scheduled, rest).await;
    }
}

/// Takes an instance through the steps of its end as far as possible now.
pub async fn end(ctx: &Ctx, id: InstanceId, reason: Reason) {
    take_steps(ctx, id, reason, EndStep::ALL).await;
}

/// Returns whether all of them are done.
async fn take_steps(ctx: &Ctx, id: InstanceId, reason: Reason, steps: &[EndStep]) -> bool {
    for step in steps {
        if !take_step(ctx, id, reason, *step).await {
            return false;
        }
    }
    true
}

/// Returns whether the next step may follow.
async fn take_step(ctx: &Ctx, id: InstanceId, reason: Reason, step: EndStep) -> bool {
    for _ in 0..TRIES_MAX {
        match ctx.store.end_step(id, reason, step, ctx.now()).await {
            Ok(Stepped::Done) => return true,
            // Another server has ended it, or its end was moved.
            Ok(Stepped::NotYet) if step == EndStep::Marked => return false,
            Ok(Stepped::NotYet) => tokio::time::sleep(Duration::from_millis(TRY_MS)).await,
            // MySQL is unavailable: participants still leave on time. The rest follows later.
            Err(Error::Fault(Fault::Unavailable { .. })) if step == EndStep::Marked => return true,
            Err(error) => {
                tracing::warn!(instance = %id, ?step, %error, "end step not done, retrying");
                return false;
            }
        }
    }
    tracing::warn!(instance = %id, ?step, "end step not done, retrying");
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_due_is_taken() {
        let id = |text: &str| text.parse::<InstanceId>().expect("an instance");
        let at = Timestamp::from_ms;
        let mut agenda = Agenda {
            starts: vec![(id("1/1"), at(10)), (id("1/2"), at(30))],
            ends: vec![(id("2/1"), at(20)), (id("2/2"), at(21))],
            ending: vec![id("3/1")],
        };
        let due = take_due(&mut agenda, at(20));
        assert_eq!(
            due,
            [
                Due::Start(id("1/1"), at(10)),
                Due::End(id("2/1"), Some(at(20))),
                Due::End(id("3/1"), None)
            ]
        );
        assert_eq!(agenda.starts, [(id("1/2"), at(30))]);
        assert_eq!(agenda.ends, [(id("2/2"), at(21))]);
        assert!(take_due(&mut agenda, at(20)).is_empty());
    }
}
