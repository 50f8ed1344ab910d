//! What the live state of an instance is rebuilt from: its archived log.

use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::limits;

use super::pool::Transaction;
use super::{Floor, Opening, Sent, Stay};
use crate::error::Fault;
use crate::store::sql::{Query, Unusable, lifecycle, params};

/// Archived messages whose cmids a rebuilt live state knows: more than clients have unacknowledged.
const SENT_MAX: usize = 10_000;

/// Reads what the archive knows of an instance.
pub(super) async fn read_archive(
    work: &mut Transaction,
    opening: &mut Opening,
) -> Result<(), Fault> {
    let id = opening.instance;
    opening.latest = work.one(lifecycle::latest_event(id)).await?.flatten();
    opening.stays = work.all(stays(id)).await?;
    opening.sent = work.all(sent(id)).await?;
    opening.sent.reverse();
    if opening.sent.len() >= SENT_MAX
        && let Some(oldest) = opening.sent.first()
    {
        opening.floors = work.all(floors(id, oldest.seq)).await?;
    }
    let joined = Query::new(
        "event_log",
        "SELECT e.userID, u.name, u.age, u.gender, u.email, u.role
         FROM (
           SELECT DISTINCT userID
           FROM event_log FORCE INDEX (event_seq)
           WHERE meetingID = :meeting
             AND orderID = :order
             AND eventType = 'join'
         ) e
         LEFT JOIN user u ON u.userID = e.userID",
        params! { "meeting": id.meeting, "order": id.order },
        |row| row.user(),
    );
    opening.people = work.all(joined).await?;
    // Also for active instances: the log may have closed while MySQL was unavailable.
    let closed_at = Query::new(
        "event_log",
        "SELECT timestamp
         FROM event_log
         WHERE meetingID = :meeting
           AND orderID = :order
           AND eventType = 'closed'
         LIMIT 1",
        params! { "meeting": id.meeting, "order": id.order },
        |row| row.time("timestamp"),
    );
    opening.closed_at = work.one(closed_at).await?;
    let actions = Query::new(
        "event_log",
        "SELECT action, subject, was, note, timestamp
         FROM event_log FORCE INDEX (event_seq)
         WHERE meetingID = :meeting
           AND orderID = :order
           AND eventType = 'moderated'
           AND action NOT IN ('announce', 'extend', 'remove')
         ORDER BY seq",
        params! { "meeting": id.meeting, "order": id.order },
        lifecycle::action,
    );
    opening.restrictions = lifecycle::in_force(&work.all(actions).await?);
    Ok(())
}

/// Participants: users whose last join or leave is a join.
fn stays(id: InstanceId) -> Query<Stay> {
    Query::new(
        "event_log",
        "SELECT e.seq, e.timestamp, e.userID, u.name, u.age, u.gender, u.email, u.role
         FROM (
           SELECT MAX(seq) AS seq
           FROM event_log FORCE INDEX (event_seq)
           WHERE meetingID = :meeting
             AND orderID = :order
             AND eventType IN ('join', 'leave')
           GROUP BY userID
         ) latest
         JOIN event_log e
           ON e.meetingID = :meeting
          AND e.orderID = :order
          AND e.seq = latest.seq
         LEFT JOIN user u ON u.userID = e.userID
         WHERE e.eventType = 'join'
         ORDER BY e.seq
         LIMIT :limit",
        params! { "meeting": id.meeting, "order": id.order, "limit": limits::PARTICIPANTS_MAX },
        |row| {
            Ok(Stay {
                user: row.user()?,
                joined: row.time("timestamp")?,
                seq: row.seq("seq")?,
            })
        },
    )
}

/// The latest messages and changes with a cmid, the last first.
fn sent(id: InstanceId) -> Query<Sent> {
    Query::new(
        "message, event_log",
        // The latest rows are at the end of the named indexes; MySQL would scan the cmid index.
        "(SELECT userID, cmid, seq, timestamp
          FROM message FORCE INDEX (PRIMARY)
          WHERE meetingID = :meeting
            AND orderID = :order
            AND cmid IS NOT NULL
          ORDER BY seq DESC
          LIMIT :limit)
         UNION ALL
         (SELECT userID, cmid, seq, timestamp
          FROM event_log FORCE INDEX (event_seq)
          WHERE meetingID = :meeting
            AND orderID = :order
            AND cmid IS NOT NULL
          ORDER BY seq DESC
          LIMIT :limit)
         ORDER BY seq DESC
         LIMIT :limit",
        params! { "meeting": id.meeting, "order": id.order, "limit": SENT_MAX },
        |row| {
            Ok(Sent {
                user: row.user_id("userID")?,
                cmid: row.maybe_cmid().ok_or(Unusable("cmid"))?,
                seq: row.seq("seq")?,
                timestamp: row.time("timestamp")?,
            })
        },
    )
}

/// The last message of each user below a seq. A UUID of version 7 starts with its time, so the greatest
/// one is the latest.
fn floors(id: InstanceId, below: Seq) -> Query<Floor> {
    Query::new(
        "message, event_log",
        "SELECT userID, MAX(seq) AS seq,
                MAX(CASE WHEN SUBSTRING(cmid, 15, 1) = '7' THEN cmid END) AS cmid
         FROM (
           SELECT userID, seq, cmid
           FROM message
           WHERE meetingID = :meeting
             AND orderID = :order
             AND seq < :below
           UNION ALL
           SELECT userID, seq, cmid
           FROM event_log
           WHERE meetingID = :meeting
             AND orderID = :order
             AND seq < :below
             AND cmid IS NOT NULL
         ) said
         GROUP BY userID",
        params! { "meeting": id.meeting, "order": id.order, "below": below },
        |row| {
            Ok(Floor {
                user: row.user_id("userID")?,
                seq: row.seq("seq")?,
                latest: row.maybe_cmid(),
            })
        },
    )
}
