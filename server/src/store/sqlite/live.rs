//! Live instances, who may read them, and the only place that emits events.

use plenary_shared::domain::{Event, EventKind, Reason, Reject, Role, User};
use plenary_shared::ids::{Generation, InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Error, Fault};
use crate::store::sql::Unusable;
use crate::store::sql::history::{Columns, change_message};
use crate::store::sql::lifecycle::{self, Stored};
use crate::store::{Feed, refusal};

use super::restriction::{self, Restriction};
use super::statement;
use super::writer::WriteTransaction;

/// The state of a live instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LiveState {
    Active,
    Ending,
    /// Its log is complete.
    Closed,
}

impl LiveState {
    pub(super) fn read(word: &str) -> Option<Self> {
        match word {
            "active" => Some(Self::Active),
            "ending" => Some(Self::Ending),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

/// A live instance: from its start until its end is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    pub(super) generation: Generation,
    pub(super) seq: Seq,
    pub(super) state: LiveState,
    pub(super) to: Timestamp,
    pub(super) is_public: bool,
    pub(super) locked: bool,
    pub(super) read_only: bool,
    /// The time and reason of the end, once it is closing.
    pub(super) closing: Option<(Timestamp, Reason)>,
}

impl Live {
    /// Whether users may join and post now.
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        self.state == LiveState::Active && now < self.to
    }
}

pub(super) fn live(conn: &Connection, id: InstanceId) -> Result<Option<Live>, Fault> {
    Ok(statement::select_one(
        conn,
        "live_instance",
        "SELECT l.state, l.closing, l.reason, l.locked, l.read_only, i.gen, i.archived_seq, i.todatetime, m.isPublic
         FROM live_instance l
         JOIN meeting_instance i ON i.meetingID = l.meetingID AND i.orderID = l.orderID
         JOIN meeting m ON m.meetingID = l.meetingID
         WHERE l.meetingID = :meeting
           AND l.orderID = :order",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        |row| {
            Ok(Live {
                generation: row.generation("gen")?,
                seq: row.seq("archived_seq")?,
                state: row.text("state")
                    .and_then(|word| LiveState::read(&word))
                    .ok_or(Unusable("state"))?,
                to: row.time("todatetime")?,
                is_public: row.flag("isPublic"),
                locked: row.flag("locked"),
                read_only: row.flag("read_only"),
                closing: row.maybe_time("closing").zip(row.maybe_reason()),
            })
        },
    )?)
}

/// What a post needs to know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seat {
    pub(super) generation: Generation,
    /// The last seq of the log.
    pub(super) last: Seq,
}

/// The state in which a user may post: the instance is open, they participate, and no restriction applies.
pub(super) fn seat(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
    now: Timestamp,
) -> Result<Option<Seat>, Fault> {
    Ok(statement::select_one(
        conn,
        "stay",
        "SELECT i.gen, i.archived_seq
         FROM stay s
         JOIN live_instance l ON l.meetingID = s.meetingID AND l.orderID = s.orderID
         JOIN meeting_instance i ON i.meetingID = s.meetingID AND i.orderID = s.orderID
         WHERE s.meetingID = :meeting
           AND s.orderID = :order
           AND s.userID = :user
           AND l.state = 'active'
           AND NOT l.read_only
           AND i.todatetime > :now
           AND NOT EXISTS (
             SELECT 1 FROM restraint r
             WHERE r.meetingID = s.meetingID
               AND r.orderID = s.orderID
               AND r.userID = s.userID
               AND r.kind = 'muted')",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":user": user.get(),
            ":now": now.as_ms(),
        },
        |row| {
            Ok(Seat {
                generation: row.generation("gen")?,
                last: row.seq("archived_seq")?,
            })
        },
    )?)
}

/// The instance and its meeting.
pub(super) fn stored(conn: &Connection, id: InstanceId) -> Result<Option<Stored>, Fault> {
    Ok(statement::one(conn, lifecycle::stored(id))?)
}

/// Whether a user is in the meeting's audience.
pub(super) fn is_invited(conn: &Connection, id: InstanceId, user: &User) -> Result<bool, Fault> {
    Ok(statement::exists(
        conn,
        "SELECT 1
         FROM audience
         WHERE meetingID = :meeting
           AND emailKey IN (:email, :key)",
        named_params! {
            ":meeting": id.meeting.get(),
            ":email": user.email.trim(),
            ":key": user.email_key().trim(),
        },
    )?)
}

/// When a participant joined, and the seq of the join.
pub(super) fn stay_of(
    conn: &Connection,
    id: InstanceId,
    user: UserId,
) -> Result<Option<(Timestamp, Seq)>, Fault> {
    Ok(statement::select_one(
        conn,
        "stay",
        "SELECT joined, seq
         FROM stay
         WHERE meetingID = :meeting
           AND orderID = :order
           AND userID = :user",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":user": user.get(),
        },
        |row| Ok((row.time("joined")?, row.seq("seq")?)),
    )?)
}

/// Whether a user may read a live instance: it is public, or they are in its audience, a participant or an
/// admin; but not if they are banned.
pub(super) fn may_read_live(
    conn: &Connection,
    id: InstanceId,
    is_public: bool,
    viewer: &User,
) -> Result<bool, Fault> {
    if viewer.role == Role::Admin {
        return Ok(true);
    }
    if restriction::is_restrained(conn, id, viewer.id, Restriction::Banned)? {
        return Ok(false);
    }
    may_see_live(conn, id, is_public, viewer)
}

/// Whether a user may know that an instance is live.
pub(super) fn may_see_live(
    conn: &Connection,
    id: InstanceId,
    is_public: bool,
    viewer: &User,
) -> Result<bool, Fault> {
    Ok(viewer.role == Role::Admin
        || is_public
        || is_invited(conn, id, viewer)?
        || stay_of(conn, id, viewer.id)?.is_some())
}

/// Whether a user may read an instance that is not live.
pub(super) fn may_read_stored(
    conn: &Connection,
    id: InstanceId,
    stored: &Stored,
    viewer: &User,
) -> Result<bool, Fault> {
    Ok(viewer.role == Role::Admin || stored.meeting.is_public || is_invited(conn, id, viewer)?)
}

/// The rejection of a request to an instance that is not open.
pub(super) fn why_not_open(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    now: Timestamp,
) -> Error {
    match reject(conn, id, viewer, now) {
        Ok(reject) => reject.into(),
        Err(fault) => fault.into(),
    }
}

fn reject(
    conn: &Connection,
    id: InstanceId,
    viewer: &User,
    now: Timestamp,
) -> Result<Reject, Fault> {
    let Some(found) = stored(conn, id)? else {
        return Ok(refusal::unknown(id));
    };
    if !may_read_stored(conn, id, &found, viewer)? {
        return Ok(plenary_shared::domain::Code::NotAllowed.into());
    }
    if found.reason == Some(Reason::Cancelled) {
        return Ok(refusal::cancelled(id));
    }
    Ok(refusal::of_time(
        id,
        found.state,
        (found.from, found.to),
        found.ended_at,
        now,
    ))
}

/// Returns the time of the next event of an instance: now, but not before an earlier event, even if the
/// clock was set back.
pub(super) fn event_time(
    conn: &Connection,
    id: InstanceId,
    now: Timestamp,
) -> Result<Timestamp, Fault> {
    let latest = statement::one(conn, lifecycle::latest_event(id))?.flatten();
    Ok(latest.map_or(now, |latest| latest.max(now)))
}

/// Appends an event to the log and publishes it. Returns its seq.
pub(super) fn emit(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    generation: Generation,
    at: Timestamp,
    what: EventKind,
) -> Answer<Seq> {
    let last = statement::select_one(
        tx.conn,
        "meeting_instance",
        "SELECT archived_seq
         FROM meeting_instance
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        |row| row.seq("archived_seq"),
    )?
    .ok_or_else(|| Fault::broken("numbering an event", format!("{id} has no number")))?;
    append(tx, id, generation, last, at, what)?
        .ok_or_else(|| Fault::broken("writing an event", format!("{id} has it already")).into())
}

/// Appends an event after the `last` one and publishes it: the only place that emits events. Returns its
/// seq; `None`, and nothing is written, if it is a message with a cmid that its author has used before.
///
/// The row that may be refused is written first, so that afterwards only the disk can fail.
pub(super) fn append(
    tx: &mut WriteTransaction<'_>,
    id: InstanceId,
    generation: Generation,
    last: Seq,
    at: Timestamp,
    what: EventKind,
) -> Answer<Option<Seq>> {
    let seq = last.next();
    if write_down(tx.conn, id, seq, at, &what)? == 0 {
        return Ok(None);
    }
    statement::change(
        tx.conn,
        "UPDATE meeting_instance
         SET archived_seq = :seq
         WHERE meetingID = :meeting
           AND orderID = :order",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":seq": seq.get(),
        },
    )?;
    tx.tell(Feed::Event(Box::new(Event {
        instance: id,
        generation,
        seq,
        kind: what,
        timestamp: at,
    })));
    Ok(Some(seq))
}

/// Returns the number of rows: 0 for a duplicate.
fn write_down(
    conn: &Connection,
    id: InstanceId,
    seq: Seq,
    at: Timestamp,
    what: &EventKind,
) -> Result<usize, Fault> {
    if let EventKind::Message {
        user,
        cmid,
        body,
        reply_to,
        ..
    } = what
    {
        // The cmid may be that of a change, which makes this a duplicate.
        return Ok(statement::change(
            conn,
            "INSERT INTO message (meetingID, orderID, seq, userID, cmid, body, timestamp, replyTo)
             SELECT :meeting, :order, :seq, :user, :cmid, :body, :at, :reply
             WHERE NOT EXISTS (
               SELECT 1 FROM event_log
               WHERE meetingID = :meeting
                 AND orderID = :order
                 AND cmid = :cmid
                 AND userID = :user)
             ON CONFLICT (meetingID, orderID, cmid, userID) DO NOTHING",
            named_params! {
                ":meeting": id.meeting.get(),
                ":order": id.order.get(),
                ":seq": seq.get(),
                ":user": user.get(),
                ":cmid": cmid.to_string(),
                ":body": body.as_str(),
                ":at": at.as_ms(),
                ":reply": reply_to.map(Seq::get),
            },
        )?);
    }
    if let Some(change) = change_message(id, what, at) {
        statement::execute(conn, change)?;
    }
    let columns = Columns::of(what);
    Ok(statement::change(
        conn,
        "INSERT INTO event_log (meetingID, orderID, seq, userID, eventType, timestamp, reason,
                                target, cmid, action, subject, was, note)
         VALUES (:meeting, :order, :seq, :user, :kind, :at, :reason, :target, :cmid, :action,
                 :subject, :was, :note)",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":seq": seq.get(),
            ":user": what.user().map(UserId::get),
            ":kind": what.as_str(),
            ":at": at.as_ms(),
            ":reason": columns.reason,
            ":target": columns.target.map(Seq::get),
            ":cmid": columns.cmid.map(|cmid| cmid.to_string()),
            ":action": columns.action(),
            ":subject": columns.kept.subject,
            ":was": columns.kept.was,
            ":note": columns.kept.note,
        },
    )?)
}
