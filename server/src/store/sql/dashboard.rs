//! What the archive knows of instances, for the dashboard.

use std::collections::BTreeMap;

use plenary_shared::domain::Reason;
use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::time::Timestamp;

use super::{Query, params};
use crate::store::dashboard::{Coming, Counted, LISTED_MAX, Listed, STEP_MS};

macro_rules! listed {
    ($which:literal) => {
        concat!(
            "SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.ended_at, i.state,
                    i.reason, i.archived_seq, m.title, m.isPublic,
                    (SELECT COUNT(*) FROM audience a WHERE a.meetingID = i.meetingID) AS invited
             FROM meeting_instance i
             JOIN meeting m ON m.meetingID = i.meetingID
             WHERE ",
            $which,
            "
             ORDER BY i.todatetime DESC
             LIMIT :limit"
        )
    };
}

const ACTIVE: &str = listed!("i.state IN ('active', 'ending') AND i.todatetime >= :bound");
const SOON: &str = listed!("i.state = 'scheduled' AND i.fromdatetime <= :bound");
const ENDED: &str = listed!(
    "i.state = 'ended'
               AND i.todatetime >= :bound
               AND COALESCE(i.ended_at, i.todatetime) >= :bound"
);

/// Active and ending instances; those that start until `soon`; those that ended after `since`. Three
/// queries, because each state is one range of an index.
pub fn listed(soon: Timestamp, since: Timestamp) -> [Query<Listed>; 3] {
    let always = Timestamp::from_ms(0);
    [(ACTIVE, always), (SOON, soon), (ENDED, since)].map(|(sql, bound)| {
        Query::new(
            "meeting_instance",
            sql,
            params! { "bound": bound, "limit": LISTED_MAX },
            |row| {
                let id = row.instance_id()?;
                Ok(Listed {
                    id,
                    title: row.title(id.meeting),
                    is_public: row.flag("isPublic"),
                    from: row.time("fromdatetime")?,
                    // An instance may have ended before its scheduled end.
                    to: row.time("ended_at").or_else(|_| row.time("todatetime"))?,
                    state: row.state()?,
                    cancelled: row.maybe_reason() == Some(Reason::Cancelled),
                    invited: row.small_count("invited"),
                    archived: row.seq("archived_seq")?,
                })
            },
        )
    })
}

/// When each user first joined an instance, above `after` up to `upto`.
pub fn first_joins(id: InstanceId, after: Seq, upto: Seq) -> Query<(UserId, Timestamp)> {
    Query::new(
        "event_log",
        "SELECT userID, MIN(timestamp) AS joined
         FROM event_log
         WHERE meetingID = :meeting
           AND orderID = :order
           AND seq > :after
           AND seq <= :upto
           AND eventType = 'join'
         GROUP BY userID",
        params! { "meeting": id.meeting, "order": id.order, "after": after, "upto": upto },
        |row| Ok((row.user_id("userID")?, row.time("joined")?)),
    )
}

/// How many messages there are, and how many participants stayed until the end, above `after` up to
/// `upto`.
pub fn totals(id: InstanceId, after: Seq, upto: Seq) -> Query<(u64, u32)> {
    Query::new(
        "message, event_log",
        "SELECT (
           SELECT COUNT(*) FROM message
           WHERE meetingID = :meeting
             AND orderID = :order
             AND seq > :after
             AND seq <= :upto
         ) AS messages, (
           SELECT COUNT(*) FROM event_log
           WHERE meetingID = :meeting
             AND orderID = :order
             AND seq > :after
             AND seq <= :upto
             AND eventType = 'leave'
             AND reason IN ('scheduled', 'ended')
         ) AS stayed",
        params! { "meeting": id.meeting, "order": id.order, "after": after, "upto": upto },
        |row| Ok((row.count("messages"), row.small_count("stayed"))),
    )
}

/// The times of the latest messages above `after` up to `upto`, the last first.
pub fn recent(id: InstanceId, after: Seq, upto: Seq, limit: usize) -> Query<Timestamp> {
    Query::new(
        "message",
        "SELECT timestamp
         FROM message
         WHERE meetingID = :meeting
           AND orderID = :order
           AND seq > :after
           AND seq <= :upto
         ORDER BY seq DESC
         LIMIT :limit",
        params! {
            "meeting": id.meeting,
            "order": id.order,
            "after": after,
            "upto": upto,
            "limit": limit,
        },
        |row| row.time("timestamp"),
    )
}

/// The rows of [`first_joins`], [`totals`] and [`recent`] in one.
pub fn counted(
    joined: Vec<(UserId, Timestamp)>,
    (messages, stayed): (u64, u32),
    recent: &[Timestamp],
) -> Counted {
    let mut steps = BTreeMap::new();
    for at in recent {
        *steps.entry(at.as_ms().div_euclid(STEP_MS)).or_default() += 1;
    }
    Counted {
        joined,
        stayed,
        messages,
        steps: steps.into_iter().collect(),
        last_message: recent.first().copied(),
    }
}

/// Who joined and left an instance up to a seq, in the order of the log.
pub fn attendance(id: InstanceId, upto: Seq) -> Query<Coming> {
    Query::new(
        "event_log",
        "SELECT e.userID, e.eventType, e.timestamp, e.reason, u.name
         FROM event_log e
         LEFT JOIN user u ON u.userID = e.userID
         WHERE e.meetingID = :meeting
           AND e.orderID = :order
           AND e.seq <= :upto
           AND e.eventType IN ('join', 'leave')
         ORDER BY e.seq",
        params! { "meeting": id.meeting, "order": id.order, "upto": upto },
        |row| {
            let user = row.user_id("userID")?;
            let has_left = row.text("eventType").is_some_and(|kind| kind == "leave");
            Ok(Coming {
                user,
                name: row.user_name(user),
                at: row.time("timestamp")?,
                left: has_left.then(|| row.reason()).transpose()?,
            })
        },
    )
}

/// How many messages each user posted up to a seq.
pub fn message_counts(id: InstanceId, upto: Seq) -> Query<(UserId, u64)> {
    Query::new(
        "message",
        "SELECT userID, COUNT(*) AS messages
         FROM message
         WHERE meetingID = :meeting
           AND orderID = :order
           AND seq <= :upto
         GROUP BY userID",
        params! { "meeting": id.meeting, "order": id.order, "upto": upto },
        |row| Ok((row.user_id("userID")?, row.count("messages"))),
    )
}
