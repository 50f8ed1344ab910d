//! An instance's life: its start, the steps of its end, and what is mended when others wrote into
//! the file. One file holds everything, so what takes two stores elsewhere is one commit here.

use plenary_shared::domain::{InstanceState, Reason, What};
use plenary_shared::ids::InstanceId;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::store::{Feed, Stepped};

use super::live::{LiveState, emit, live, stored};
use super::presence::end_stay;
use super::writer::WriteTransaction;
use super::{SqliteStore, moderation, row};

/// People who are shown out by one verb; others get their turn in between.
const LEAVING_MAX: usize = 200;

/// Instances that one sweep mends.
const MENDED_MAX: usize = 1_000;

/// How far the closing of an instance has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    /// Everybody has left, the log is closed; now or before.
    Closed,
    /// Some are still in.
    More,
    /// Its time is not over.
    Early,
}

/// Starts an instance that is due. When it will be over; `None`: it is not, or was started before.
pub(super) fn start(
    atom: &mut WriteTransaction<'_>,
    id: InstanceId,
    now: Timestamp,
) -> Answer<Option<Timestamp>> {
    let changed = row::change(
        atom.conn,
        "UPDATE meeting_instance
         SET state = 'active', gen = gen + 1
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'scheduled'
           AND fromdatetime <= :now",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":now": now.as_ms(),
        },
    )?;
    if changed == 0 {
        return Ok(None);
    }
    open(atom, id)?;
    atom.tell(Feed::Changed);
    Ok(stored(atom.conn, id)?.map(|stored| stored.to))
}

/// Makes an instance live that is not; its log begins, or goes on in a new generation.
fn open(atom: &mut WriteTransaction<'_>, id: InstanceId) -> Answer<()> {
    row::change(
        atom.conn,
        "INSERT INTO live_instance (meetingID, orderID, state)
         VALUES (:meeting, :order, 'active')",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
    )?;
    moderation::restore(atom, id)?;
    let found = live(atom.conn, id)?
        .ok_or_else(|| Fault::broken("starting", format!("{id} cannot be read")))?;
    if found.seq.get() == 0 {
        let now = atom.now;
        emit(atom, id, found.generation, now, What::Opened)?;
    } else {
        atom.tell(Feed::Fence {
            instance: id,
            generation: found.generation,
            base: found.seq,
        });
    }
    Ok(())
}

/// Marks an active instance as ending; by the clock only when its time is over.
pub(super) fn mark(
    atom: &mut WriteTransaction<'_>,
    id: InstanceId,
    reason: Reason,
    now: Timestamp,
) -> Answer<Stepped> {
    let early = match reason {
        Reason::Scheduled | Reason::Missed => false,
        Reason::Ended => true,
        Reason::Left | Reason::ConnectionLost | Reason::Removed | Reason::Cancelled => {
            return Err(Fault::broken("ending an instance", "no reason for an end").into());
        }
    };
    let changed = row::change(
        atom.conn,
        "UPDATE meeting_instance
         SET state = 'ending', reason = :reason
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'active'
           AND (:early OR todatetime <= :now)",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":reason": reason.as_str(),
            ":early": early,
            ":now": now.as_ms(),
        },
    )?;
    let state = stored(atom.conn, id)?.map(|stored| stored.state);
    let is_ending = matches!(state, Some(InstanceState::Ending | InstanceState::Ended));
    Ok(done_if(changed > 0 || is_ending))
}

impl SqliteStore {
    /// Closes an instance, some people at a time.
    pub(super) async fn close(&self, id: InstanceId, reason: Reason) -> Answer<Stepped> {
        loop {
            let step = move |atom: &mut WriteTransaction<'_>| close(atom, id, reason);
            match self.link.write(step).await? {
                Closing::Closed => return Ok(Stepped::Done),
                Closing::More => {}
                Closing::Early => return Ok(Stepped::NotYet),
            }
        }
    }
}

/// Closes an instance: joins and posts stop at once, everybody leaves, some at a time.
fn close(atom: &mut WriteTransaction<'_>, id: InstanceId, reason: Reason) -> Answer<Closing> {
    let Some(found) = live(atom.conn, id)? else {
        return Ok(Closing::Closed);
    };
    if found.state == LiveState::Closed {
        return Ok(Closing::Closed);
    }
    // Whoever marked it knows why.
    let reason = stored(atom.conn, id)?
        .and_then(|stored| stored.reason)
        .unwrap_or(reason);
    let by_the_clock = matches!(reason, Reason::Scheduled | Reason::Missed);
    // Its end may have begun already, by an admin.
    if found.closing.is_none() && by_the_clock && atom.now < found.to {
        return Ok(Closing::Early);
    }
    // The first call settles reason and time; later ones go on with these.
    let (at, reason) = match found.closing {
        Some(settled) => settled,
        None => (atom.now.min(found.to), reason),
    };
    set_state(atom.conn, id, "ending", at, reason)?;
    let leaving = row::all(
        atom.conn,
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
        |row| row::user_id(row, "userID"),
    )?;
    let is_more = leaving.len() == LEAVING_MAX;
    for user in leaving {
        end_stay(atom.conn, id, user)?;
        emit(atom, id, found.generation, at, What::Leave { user, reason })?;
    }
    if is_more {
        return Ok(Closing::More);
    }
    emit(atom, id, found.generation, at, What::Closed { reason })?;
    set_state(atom.conn, id, "closed", at, reason)?;
    atom.tell(Feed::Changed);
    Ok(Closing::Closed)
}

/// Marks an ending instance as ended whose log is closed.
pub(super) fn record(atom: &mut WriteTransaction<'_>, id: InstanceId) -> Answer<Stepped> {
    let Some(found) = live(atom.conn, id)? else {
        return Ok(done_if(!is_in(atom.conn, id, InstanceState::Ending)?));
    };
    let (LiveState::Closed, Some((at, _))) = (found.state, found.closing) else {
        return Ok(Stepped::NotYet);
    };
    let changed = row::change(
        atom.conn,
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
        changed > 0 || is_in(atom.conn, id, InstanceState::Ended)?,
    ))
}

/// Nothing of an ended instance stays live.
pub(super) fn destroy(atom: &mut WriteTransaction<'_>, id: InstanceId) -> Answer<Stepped> {
    let Some(found) = live(atom.conn, id)? else {
        return Ok(Stepped::Done);
    };
    if found.state != LiveState::Closed || !is_in(atom.conn, id, InstanceState::Ended)? {
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
        row::change(
            atom.conn,
            sql,
            named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        )?;
    }
    atom.tell(Feed::Changed);
    Ok(Stepped::Done)
}

/// Mends what others wrote: what should be live and is not, what is live and has ended.
pub(super) fn sweep(atom: &mut WriteTransaction<'_>) -> Answer<()> {
    let missing = row::all(
        atom.conn,
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
        row::instance_id,
    )?;
    for id in missing {
        tracing::warn!(instance = %id, "not live but should be: opened anew");
        row::change(
            atom.conn,
            "UPDATE meeting_instance
             SET gen = gen + 1
             WHERE meetingID = :meeting
               AND orderID = :order",
            named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        )?;
        open(atom, id)?;
        atom.tell(Feed::Changed);
    }
    let over = row::all(
        atom.conn,
        "live_instance",
        "SELECT l.meetingID, l.orderID
         FROM live_instance l
         JOIN meeting_instance i ON i.meetingID = l.meetingID AND i.orderID = l.orderID
         WHERE i.state = 'ended'
         LIMIT :limit",
        named_params! { ":limit": MENDED_MAX },
        row::instance_id,
    )?;
    for id in over {
        destroy(atom, id)?;
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
    row::change(
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
