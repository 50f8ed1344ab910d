//! The life of an instance: its start, the steps of its end, and repairs after other programs have written
//! to the file. The live and the durable state change in one commit.

use async_trait::async_trait;
use plenary_shared::domain::{EventKind, InstanceState, Reason};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::store::sql::{lifecycle, meetings};
use crate::store::window::AGENDA_MAX;
use crate::store::{Agenda, ArchiveStore, Backlog, EndStep, Feed, LifecycleStore, Stepped};

use super::live::{LiveState, emit, event_time, live, stored};
use super::presence::end_stay;
use super::writer::WriteTransaction;
use super::{SqliteStore, restriction, statement};

/// Participants that one verb removes, so that other verbs run in between.
const LEAVING_MAX: usize = 200;

/// Instances that one sweep repairs.
const MENDED_MAX: usize = 1_000;

/// The progress of closing an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    /// All participants have left and the log is closed, by this call or before.
    Closed,
    /// Some participants remain.
    More,
    /// The scheduled end has not come.
    Early,
}

#[async_trait]
impl LifecycleStore for SqliteStore {
    async fn agenda(&self, now: Timestamp, horizon_ms: i64) -> Answer<Agenda> {
        self.link
            .read(move |conn| agenda(conn, now, horizon_ms))
            .await
    }

    async fn live_ends(&self, until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>> {
        self.link.read(move |conn| live_ends(conn, until)).await
    }

    async fn start(&self, instance: InstanceId, now: Timestamp) -> Answer<Option<Timestamp>> {
        let to = self.link.write(move |tx| start(tx, instance, now)).await?;
        if to.is_some() {
            tracing::info!(%instance, "started");
        }
        Ok(to)
    }

    async fn end_step(
        &self,
        instance: InstanceId,
        reason: Reason,
        step: EndStep,
        now: Timestamp,
    ) -> Answer<Stepped> {
        match step {
            EndStep::Marked => {
                self.link
                    .write(move |tx| mark(tx, instance, reason, now))
                    .await
            }
            EndStep::Closed => self.close(instance, reason).await,
            // The SQLite log is the archive.
            EndStep::Archived => Ok(Stepped::Done),
            EndStep::Recorded => self.link.write(move |tx| record(tx, instance)).await,
            EndStep::Destroyed => {
                let stepped = self.link.write(move |tx| destroy(tx, instance)).await?;
                if stepped == Stepped::Done {
                    tracing::info!(%instance, "ended");
                }
                Ok(stepped)
            }
        }
    }

    async fn sweep(&self) -> Answer<()> {
        self.link.write(sweep).await
    }
}

#[async_trait]
impl ArchiveStore for SqliteStore {
    async fn archive_lag(&self) -> Answer<Vec<InstanceId>> {
        Ok(Vec::new())
    }

    async fn backlog(&self) -> Answer<Backlog> {
        Ok(Backlog::default())
    }

    async fn archive(&self, _instances: &[InstanceId]) -> Answer<Vec<InstanceId>> {
        Ok(Vec::new())
    }
}

/// Starts an instance that is due. Returns its end; `None`: it is not due, or was started before.
fn start(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    now: Timestamp,
) -> Answer<Option<Timestamp>> {
    if tx.execute(lifecycle::start(id, now))? == 0 {
        return Ok(None);
    }
    open(tx, id)?;
    tx.tell(Feed::Changed);
    Ok(stored(tx.conn, id)?.map(|stored| stored.to))
}

/// Creates the live state of an instance. Its log begins, or continues in a new generation.
fn open(tx: &mut WriteTransaction<'_>, id: InstanceId) -> Answer<()> {
    statement::change(
        tx.conn,
        "INSERT INTO live_instance (meetingID, orderID, state)
         VALUES (:meeting, :order, 'active')",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
    )?;
    if let Some(at) = restriction::restore(tx, id)? {
        set_state(tx.conn, id, "ending", at, Reason::Ended)?;
    }
    let found = live(tx.conn, id)?
        .ok_or_else(|| Fault::broken("starting", format!("{id} cannot be read")))?;
    if found.seq.get() == 0 {
        // An instance that was missed opens at its end, where it closes.
        let at = tx.now.min(found.to);
        emit(tx, id, found.generation, at, EventKind::Opened)?;
    } else {
        tx.tell(Feed::Fence {
            instance: id,
            generation: found.generation,
            base: found.seq,
        });
    }
    Ok(())
}

/// Marks an active instance as ending: for a reason of the clock only once its time is over.
fn mark(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    reason: Reason,
    now: Timestamp,
) -> Answer<Stepped> {
    let marked = tx.execute(lifecycle::begin_end(id, reason, now)?)?;
    let state = stored(tx.conn, id)?.map(|stored| stored.state);
    let is_ending = matches!(state, Some(InstanceState::Ending | InstanceState::Ended));
    Ok(done_if(marked > 0 || is_ending))
}

impl SqliteStore {
    /// Closes an instance, some participants at a time.
    pub(super) async fn close(&self, id: InstanceId, reason: Reason) -> Answer<Stepped> {
        loop {
            let step = move |tx: &mut WriteTransaction<'_>| close(tx, id, reason);
            match self.link.write(step).await? {
                Closing::Closed => return Ok(Stepped::Done),
                Closing::More => {}
                Closing::Early => return Ok(Stepped::NotYet),
            }
        }
    }
}

/// Closes an instance: joins and posts are rejected immediately, participants leave some at a time.
fn close(tx: &mut WriteTransaction<'_>, id: InstanceId, reason: Reason) -> Answer<Closing> {
    let Some(found) = live(tx.conn, id)? else {
        return Ok(Closing::Closed);
    };
    if found.state == LiveState::Closed {
        return Ok(Closing::Closed);
    }
    // The mark has the reason.
    let reason = stored(tx.conn, id)?
        .and_then(|stored| stored.reason)
        .unwrap_or(reason);
    let by_the_clock = matches!(reason, Reason::Scheduled | Reason::Missed);
    // An admin may have begun its end already.
    if found.closing.is_none() && by_the_clock && tx.now < found.to {
        return Ok(Closing::Early);
    }
    // The first call determines reason and time; later calls reuse them.
    let (at, reason) = match found.closing {
        Some(settled) => settled,
        None => (event_time(tx.conn, id, tx.now)?.min(found.to), reason),
    };
    set_state(tx.conn, id, "ending", at, reason)?;
    let leaving = statement::select_all(
        tx.conn,
        "stay",
        "SELECT userID
         FROM stay
         WHERE meetingID = :meeting
           AND orderID = :order
         ORDER BY seq
         LIMIT :limit",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":limit": LEAVING_MAX,
        },
        |row| row.user_id("userID"),
    )?;
    let is_more = leaving.len() == LEAVING_MAX;
    for user in leaving {
        end_stay(tx.conn, id, user)?;
        emit(
            tx,
            id,
            found.generation,
            at,
            EventKind::Leave { user, reason },
        )?;
    }
    if is_more {
        return Ok(Closing::More);
    }
    emit(tx, id, found.generation, at, EventKind::Closed { reason })?;
    set_state(tx.conn, id, "closed", at, reason)?;
    tx.tell(Feed::Changed);
    Ok(Closing::Closed)
}

/// Marks an ending instance as ended once its log is closed.
fn record(tx: &mut WriteTransaction<'_>, id: InstanceId) -> Answer<Stepped> {
    let Some(found) = live(tx.conn, id)? else {
        return Ok(done_if(!is_in(tx.conn, id, InstanceState::Ending)?));
    };
    let (LiveState::Closed, Some((at, _))) = (found.state, found.closing) else {
        return Ok(Stepped::NotYet);
    };
    let changed = statement::change(
        tx.conn,
        "UPDATE meeting_instance
         SET state = 'ended', ended_at = :at
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'ending'",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":at": at.as_ms(),
        },
    )?;
    Ok(done_if(
        changed > 0 || is_in(tx.conn, id, InstanceState::Ended)?,
    ))
}

/// Removes the live state of an ended instance.
fn destroy(tx: &mut WriteTransaction<'_>, id: InstanceId) -> Answer<Stepped> {
    let Some(found) = live(tx.conn, id)? else {
        return Ok(Stepped::Done);
    };
    if found.state != LiveState::Closed || !is_in(tx.conn, id, InstanceState::Ended)? {
        return Ok(Stepped::NotYet);
    }
    for sql in [
        "DELETE FROM live_instance
         WHERE meetingID = :meeting
           AND orderID = :order",
        "DELETE FROM stay
         WHERE meetingID = :meeting
           AND orderID = :order",
        "DELETE FROM holder
         WHERE meetingID = :meeting
           AND orderID = :order",
        "DELETE FROM restraint
         WHERE meetingID = :meeting
           AND orderID = :order",
    ] {
        statement::change(
            tx.conn,
            sql,
            named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        )?;
    }
    tx.tell(Feed::Changed);
    Ok(Stepped::Done)
}

/// Repairs what other programs wrote: creates missing live states, and removes those of ended instances.
fn sweep(tx: &mut WriteTransaction<'_>) -> Answer<()> {
    let missing = statement::select_all(
        tx.conn,
        "meeting_instance",
        "SELECT i.meetingID, i.orderID
         FROM meeting_instance i
         WHERE i.state IN ('active', 'ending')
           AND NOT EXISTS (
             SELECT 1 FROM live_instance l
             WHERE l.meetingID = i.meetingID
               AND l.orderID = i.orderID)
         LIMIT :limit",
        named_params! { ":limit": MENDED_MAX },
        |row| row.instance_id(),
    )?;
    for id in missing {
        tracing::warn!(instance = %id, "live state is missing, reopened");
        statement::change(
            tx.conn,
            "UPDATE meeting_instance
             SET gen = gen + 1
             WHERE meetingID = :meeting
               AND orderID = :order",
            named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        )?;
        open(tx, id)?;
        tx.tell(Feed::Changed);
    }
    let over = statement::select_all(
        tx.conn,
        "live_instance",
        "SELECT l.meetingID, l.orderID
         FROM live_instance l
         JOIN meeting_instance i ON i.meetingID = l.meetingID AND i.orderID = l.orderID
         WHERE i.state = 'ended'
         LIMIT :limit",
        named_params! { ":limit": MENDED_MAX },
        |row| row.instance_id(),
    )?;
    for id in over {
        destroy(tx, id)?;
    }
    Ok(())
}

pub(super) fn set_state(
    conn: &Connection,
    id: InstanceId,
    state: &'static str,
    closing: Timestamp,
    reason: Reason,
) -> Result<(), Fault> {
    statement::change(
        conn,
        "UPDATE live_instance
         SET state = :state, closing = :closing, reason = :reason
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":state": state,
            ":closing": closing.as_ms(),
            ":reason": reason.as_str(),
        },
    )?;
    Ok(())
}

fn is_in(conn: &Connection, id: InstanceId, state: InstanceState) -> Result<bool, Fault> {
    Ok(stored(conn, id)?.is_some_and(|stored| stored.state == state))
}

fn done_if(done: bool) -> Stepped {
    if done { Stepped::Done } else { Stepped::NotYet }
}

/// The starts and ends until `now + horizon_ms`, each in the order of its time.
fn agenda(conn: &Connection, now: Timestamp, horizon_ms: i64) -> Answer<Agenda> {
    let until = now.plus_ms(horizon_ms);
    Ok(Agenda {
        starts: statement::all(conn, meetings::starts(until))?,
        ends: statement::all(conn, meetings::ends(until))?,
        ending: statement::all(conn, meetings::ending())?,
    })
}

/// Live instances that end until then and are not closed.
fn live_ends(conn: &Connection, until: Timestamp) -> Answer<Vec<(InstanceId, Timestamp)>> {
    Ok(statement::select_all(
        conn,
        "live_instance",
        "SELECT i.meetingID, i.orderID, i.todatetime AS at
         FROM live_instance l
         JOIN meeting_instance i ON i.meetingID = l.meetingID AND i.orderID = l.orderID
         WHERE l.state <> 'closed'
           AND i.todatetime <= :until
         ORDER BY i.todatetime
         LIMIT :limit",
        named_params! { ":until": until.as_ms(), ":limit": AGENDA_MAX },
        meetings::timed,
    )?)
}
