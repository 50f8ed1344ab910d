//! The life of an instance: its row, its start and end, and what moderation left in force.

use plenary_shared::domain::{InstanceState, Meeting, ModerationAction, Reason, Restrictions};
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::time::Timestamp;

use super::{Change, Query, Unusable, params};
use crate::error::Fault;

/// An instance and its meeting.
#[derive(Clone, Debug)]
pub struct Stored {
    pub instance: InstanceId,
    pub meeting: Meeting,
    /// How often the meeting was changed.
    pub revision: u64,
    pub from: Timestamp,
    pub to: Timestamp,
    pub state: InstanceState,
    /// The generation of the live state; 0 before the start.
    pub generation: Generation,
    /// The last archived seq.
    pub archived: Seq,
    /// Why it is ending or has ended.
    pub reason: Option<Reason>,
    pub ended_at: Option<Timestamp>,
}

/// The time of the latest event of an instance, apart from leaves of lost connections, which have the
/// time of the loss; `None` before the first event.
pub fn latest_event(id: InstanceId) -> Query<Option<Timestamp>> {
    Query::new(
        "event_log, message",
        "SELECT MAX(at) AS at
         FROM (
           SELECT * FROM (
             SELECT timestamp AS at
             FROM message
             WHERE meetingID = :meeting
               AND orderID = :order
             ORDER BY seq DESC
             LIMIT 1
           ) last_message
           UNION ALL
           SELECT * FROM (
             SELECT timestamp AS at
             FROM event_log
             WHERE meetingID = :meeting
               AND orderID = :order
               AND (reason IS NULL OR reason <> 'connection_lost')
             ORDER BY seq DESC
             LIMIT 1
           ) last_event
         ) latest",
        params! { "meeting": id.meeting, "order": id.order },
        |row| Ok(row.maybe_time("at")),
    )
}

/// An instance and its meeting.
pub fn stored(id: InstanceId) -> Query<Stored> {
    Query::new(
        "meeting_instance",
        "SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state, i.gen,
                i.archived_seq, i.reason, i.ended_at, m.title, m.description, m.isPublic,
                m.revision
         FROM meeting_instance i
         JOIN meeting m ON m.meetingID = i.meetingID
         WHERE i.meetingID = :meeting
           AND i.orderID = :order",
        params! { "meeting": id.meeting, "order": id.order },
        |row| {
            Ok(Stored {
                instance: row.instance_id()?,
                meeting: row.meeting()?,
                revision: row.count("revision"),
                from: row.time("fromdatetime")?,
                to: row.time("todatetime")?,
                state: row.state()?,
                generation: row.generation("gen")?,
                archived: row.seq("archived_seq")?,
                reason: row.maybe_reason(),
                ended_at: row.maybe_time("ended_at"),
            })
        },
    )
}

/// Starts a scheduled instance that is due.
pub fn start(id: InstanceId, now: Timestamp) -> Change {
    Change::new(
        "UPDATE meeting_instance
         SET state = 'active', gen = gen + 1
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'scheduled'
           AND fromdatetime <= :now",
        params! { "meeting": id.meeting, "order": id.order, "now": now },
    )
}

/// Marks an active instance as ending: for a reason of the clock only once its time is over.
pub fn begin_end(id: InstanceId, reason: Reason, now: Timestamp) -> Result<Change, Fault> {
    let early = match reason {
        Reason::Scheduled | Reason::Missed => false,
        Reason::Ended => true,
        Reason::Left
        | Reason::ConnectionLost
        | Reason::Suspended
        | Reason::Removed
        | Reason::Cancelled => {
            return Err(Fault::broken(
                "ending an instance",
                format!("{reason} is not a reason for an end"),
            ));
        }
    };
    Ok(Change::new(
        "UPDATE meeting_instance
         SET state = 'ending', reason = :reason
         WHERE meetingID = :meeting
           AND orderID = :order
           AND state = 'active'
           AND (:early OR todatetime <= :now)",
        params! {
            "meeting": id.meeting,
            "order": id.order,
            "reason": reason.as_str(),
            "early": early,
            "now": now,
        },
    ))
}

/// A moderation action of the log and its time.
pub fn action(row: &dyn super::Row) -> Result<(ModerationAction, Timestamp), Unusable> {
    let (action, _) = row
        .kept()
        .read(|_| String::new())
        .ok_or(Unusable("action"))?;
    Ok((action, row.time("timestamp")?))
}

/// What is in force after these actions.
pub fn in_force(actions: &[(ModerationAction, Timestamp)]) -> Restrictions {
    let mut restrictions = Restrictions::default();
    for (action, at) in actions {
        restrictions.apply(action, *at);
    }
    restrictions
}
