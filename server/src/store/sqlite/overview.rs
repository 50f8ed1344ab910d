//! What the dashboard reads: which instances there are, and what happened in each.

use super::live::LiveState;
use super::{SqliteStore, row};
use crate::error::{Answer, Fault};
use crate::store::Feed;
use crate::store::overview::{
    Attended, COUNTED_MAX, Coming, Counted, DashboardStore, Denial, Holder, LISTED_MAX, Listed,
    Now, RECENT_MAX, STEP_MS,
};
use async_trait::async_trait;
use plenary_shared::domain::{InstanceState, Reason};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::BoardServer;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, Row, named_params};
use std::collections::{BTreeMap, HashMap};

#[async_trait]
impl DashboardStore for SqliteStore {
    async fn listed(&self, soon: Timestamp, since: Timestamp) -> Answer<Vec<Listed>> {
        self.link
            .read(move |conn| Ok(listed(conn, soon, since)?))
            .await
    }

    async fn recorded(&self, instance: InstanceId, upto: Seq) -> Answer<Counted> {
        let nothing = Seq::default();
        self.link
            .read(move |conn| Ok(counted(conn, instance, nothing, upto)?))
            .await
    }

    async fn now(&self, asked: &[(InstanceId, Seq)]) -> Answer<Vec<Option<Now>>> {
        let asked = asked.to_vec();
        self.link.read(move |conn| Ok(now(conn, &asked)?)).await
    }

    async fn attended(&self, instance: InstanceId, upto: Seq) -> Answer<Attended> {
        self.link
            .read(move |conn| Ok(attended(conn, instance, upto)?))
            .await
    }

    async fn holders(&self, instances: &[InstanceId]) -> Answer<Vec<Vec<Holder>>> {
        let instances = instances.to_vec();
        let holders = move |conn: &Connection| {
            let each = instances.iter().map(|id| holders(conn, *id));
            Ok(each.collect::<Result<_, Fault>>()?)
        };
        self.link.read(holders).await
    }

    async fn tell_denied(&self, denial: &Denial) -> Answer<()> {
        let told = Feed::Denied(Box::new(denial.clone()));
        self.feeding.publish(vec![told]);
        Ok(())
    }

    /// The file has one server.
    async fn tell_server(&self, _: &BoardServer) -> Answer<()> {
        Ok(())
    }
}

fn listed(conn: &Connection, soon: Timestamp, since: Timestamp) -> Result<Vec<Listed>, Fault> {
    let mut found = Vec::new();
    for (sql, bound) in [(ACTIVE, 0), (SOON, soon.as_ms()), (OVER, since.as_ms())] {
        let params = named_params! { ":bound": bound, ":limit": LISTED_MAX };
        found.extend(row::all(conn, "meeting_instance", sql, params, one_listed)?);
    }
    Ok(found)
}

macro_rules! listed {
    ($which:literal) => {
        concat!(
            "SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.ended_at, i.state,
                    i.reason, i.archived_seq, m.title, m.description, m.isPublic,
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

const OVER: &str = listed!(
    "i.state = 'ended' AND i.todatetime >= :bound
               AND COALESCE(i.ended_at, i.todatetime) >= :bound"
);

fn one_listed(row: &Row<'_>) -> Result<Listed, row::Unusable> {
    let meeting = row::meeting(row)?;
    let invited = row::get::<i64>(row, "invited").unwrap_or(0);
    Ok(Listed {
        id: row::instance_id(row)?,
        title: meeting.title,
        is_public: meeting.is_public,
        from: row::time(row, "fromdatetime")?,
        // What is over may have been ended sooner than it was planned.
        to: row::time(row, "ended_at").or_else(|_| row::time(row, "todatetime"))?,
        state: row::state(row)?,
        cancelled: row::reason(row) == Some(Reason::Cancelled),
        invited: u32::try_from(invited).unwrap_or(u32::MAX),
        archived: row::seq(row, "archived_seq")?,
    })
}

/// Two statements for all that is live, and more only for what has gone on.
fn now(conn: &Connection, asked: &[(InstanceId, Seq)]) -> Result<Vec<Option<Now>>, Fault> {
    let mut lost = reconnecting(conn)?;
    let live = row::all(
        conn,
        "live_instance",
        "SELECT l.meetingID, l.orderID, l.state, l.locked, l.read_only, i.gen, i.archived_seq,
                i.todatetime, (
                  SELECT COUNT(*) FROM stay s
                  WHERE s.meetingID = l.meetingID AND s.orderID = l.orderID
                ) AS here
         FROM live_instance l
         JOIN meeting_instance i ON i.meetingID = l.meetingID AND i.orderID = l.orderID",
        [],
        |row| {
            let word = row::text(row, "state");
            let state = word.and_then(|word| LiveState::read(&word));
            let here = row::get::<i64>(row, "here").unwrap_or(0);
            let seq = row::seq(row, "archived_seq")?;
            let found = Now {
                generation: row::generation(row, "gen")?,
                seq,
                durable: seq,
                state: match state.ok_or(row::Unusable("state"))? {
                    LiveState::Active => InstanceState::Active,
                    LiveState::Ending => InstanceState::Ending,
                    LiveState::Closed => InstanceState::Ended,
                },
                to: row::time(row, "todatetime")?,
                locked: row::flag(row, "locked"),
                read_only: row::flag(row, "read_only"),
                here: u32::try_from(here).unwrap_or(u32::MAX),
                reconnecting: 0,
                news: None,
            };
            Ok((row::instance_id(row)?, found))
        },
    )?;
    let mut live: HashMap<InstanceId, Now> = live.into_iter().collect();
    let mut found = Vec::with_capacity(asked.len());
    for (id, after) in asked {
        let Some(mut now) = live.remove(id) else {
            found.push(None);
            continue;
        };
        let upto = now.seq.get().min(after.get() + COUNTED_MAX as u64);
        let upto = Seq::new(upto).unwrap_or(now.seq);
        let news = if upto > *after {
            counted(conn, *id, *after, upto)?
        } else {
            Counted::default()
        };
        now.news = Some((upto.max(*after), news));
        now.reconnecting = lost.remove(id).unwrap_or(0);
        found.push(Some(now));
    }
    Ok(found)
}

/// How many stays of each instance are held by lost connections alone.
fn reconnecting(conn: &Connection) -> Result<HashMap<InstanceId, u32>, Fault> {
    let found = row::all(
        conn,
        "holder",
        "SELECT h.meetingID, h.orderID, COUNT(DISTINCT h.userID) AS lost
         FROM holder h
         JOIN stay s ON s.meetingID = h.meetingID
           AND s.orderID = h.orderID
           AND s.userID = h.userID
           AND s.seq = h.seq
         WHERE h.lost IS NOT NULL
           AND NOT s.lasting
           AND NOT EXISTS (
             SELECT 1 FROM holder o
             WHERE o.meetingID = h.meetingID
               AND o.orderID = h.orderID
               AND o.userID = h.userID
               AND o.seq = h.seq
               AND o.lost IS NULL)
         GROUP BY h.meetingID, h.orderID",
        [],
        |row| {
            let lost = row::get::<i64>(row, "lost").unwrap_or(0);
            Ok((
                row::instance_id(row)?,
                u32::try_from(lost).unwrap_or(u32::MAX),
            ))
        },
    )?;
    Ok(found.into_iter().collect())
}

/// Who came and went up to a seq, and how much they said.
fn attended(conn: &Connection, id: InstanceId, upto: Seq) -> Result<Attended, Fault> {
    let span = named_params! {
        ":meeting": id.meeting.get(),
        ":order": id.order.get(),
        ":upto": upto.get(),
    };
    let comings = row::all(
        conn,
        "event_log",
        "SELECT e.userID, e.eventType, e.timestamp, e.reason, u.name
         FROM event_log e
         LEFT JOIN user u ON u.userID = e.userID
         WHERE e.meetingID = :meeting
           AND e.orderID = :order
           AND e.seq <= :upto
           AND e.eventType IN ('join', 'leave')
         ORDER BY e.seq",
        span,
        coming,
    )?;
    let said = row::all(
        conn,
        "message",
        "SELECT userID, COUNT(*) AS said
         FROM message
         WHERE meetingID = :meeting AND orderID = :order AND seq <= :upto
         GROUP BY userID",
        span,
        |row| {
            let said = row::get::<i64>(row, "said").unwrap_or(0);
            let said = u64::try_from(said).unwrap_or(0);
            Ok((row::user_id(row, "userID")?, said))
        },
    )?;
    Ok(Attended { comings, said })
}

fn coming(row: &Row<'_>) -> Result<Coming, row::Unusable> {
    let user = row::user_id(row, "userID")?;
    let went = row::text(row, "eventType").is_some_and(|kind| kind == "leave");
    let left = if went {
        Some(row::reason(row).ok_or(row::Unusable("reason"))?)
    } else {
        None
    };
    Ok(Coming {
        user,
        name: row::user_name(row, user),
        at: row::time(row, "timestamp")?,
        left,
    })
}

/// Which connections hold the stays of an instance.
fn holders(conn: &Connection, id: InstanceId) -> Result<Vec<Holder>, Fault> {
    Ok(row::all(
        conn,
        "holder",
        "SELECT h.userID, h.connection, h.lost
         FROM holder h
         JOIN stay s ON s.meetingID = h.meetingID
           AND s.orderID = h.orderID
           AND s.userID = h.userID
           AND s.seq = h.seq
         WHERE h.meetingID = :meeting AND h.orderID = :order",
        named_params! { ":meeting": id.meeting.get(), ":order": id.order.get() },
        |row| {
            Ok(Holder {
                user: row::user_id(row, "userID")?,
                connection: row::text(row, "connection").unwrap_or_default(),
                lost: row::maybe_time(row, "lost").is_some(),
            })
        },
    )?)
}

/// What happened above `after` up to `upto`.
fn counted(conn: &Connection, id: InstanceId, after: Seq, upto: Seq) -> Result<Counted, Fault> {
    let span = named_params! {
        ":meeting": id.meeting.get(),
        ":order": id.order.get(),
        ":after": after.get(),
        ":upto": upto.get(),
    };
    let joined = row::all(
        conn,
        "event_log",
        "SELECT userID, MIN(timestamp) AS joined
         FROM event_log
         WHERE meetingID = :meeting
           AND orderID = :order
           AND seq > :after
           AND seq <= :upto
           AND eventType = 'join'
         GROUP BY userID",
        span,
        |row| Ok((row::user_id(row, "userID")?, row::time(row, "joined")?)),
    )?;
    let counts = row::one(
        conn,
        "message",
        "SELECT (
           SELECT COUNT(*) FROM message
           WHERE meetingID = :meeting AND orderID = :order AND seq > :after AND seq <= :upto
         ) AS messages, (
           SELECT COUNT(*) FROM event_log
           WHERE meetingID = :meeting
             AND orderID = :order
             AND seq > :after
             AND seq <= :upto
             AND eventType = 'leave'
             AND reason IN ('scheduled', 'ended')
         ) AS stayed",
        span,
        |row| {
            let count = |column| row::get::<i64>(row, column).unwrap_or(0);
            Ok((
                u64::try_from(count("messages")).unwrap_or(0),
                u32::try_from(count("stayed")).unwrap_or(0),
            ))
        },
    )?;
    let (messages, stayed) = counts.unwrap_or_default();
    let recent = if messages == 0 {
        Vec::new()
    } else {
        recent(conn, id, after, upto)?
    };
    let mut steps = BTreeMap::new();
    for at in &recent {
        *steps.entry(at.as_ms().div_euclid(STEP_MS)).or_default() += 1;
    }
    Ok(Counted {
        joined,
        stayed,
        messages,
        steps: steps.into_iter().collect(),
        last_message: recent.first().copied(),
    })
}

/// When the latest messages were said, the last first.
fn recent(
    conn: &Connection,
    id: InstanceId,
    after: Seq,
    upto: Seq,
) -> Result<Vec<Timestamp>, Fault> {
    Ok(row::all(
        conn,
        "message",
        "SELECT timestamp
         FROM message
         WHERE meetingID = :meeting
           AND orderID = :order
           AND seq > :after
           AND seq <= :upto
         ORDER BY seq DESC
         LIMIT :limit",
        named_params! {
            ":meeting": id.meeting.get(),
            ":order": id.order.get(),
            ":after": after.get(),
            ":upto": upto.get(),
            ":limit": RECENT_MAX.max(COUNTED_MAX),
        },
        |row| row::time(row, "timestamp"),
    )?)
}
