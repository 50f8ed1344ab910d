//! What the dashboard reads: which instances there are, and what happened in each.

use std::collections::HashMap;

use async_trait::async_trait;
use plenary_shared::domain::InstanceState;
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::ServerStatus;
use plenary_shared::time::Timestamp;
use rusqlite::{Connection, named_params};

use crate::error::{Answer, Fault};
use crate::store::Feed;
use crate::store::dashboard::{
    Attended, COUNTED_MAX, Counted, DashboardStore, Denial, Holder, Listed, Now, RECENT_MAX,
};
use crate::store::sql::{Unusable, dashboard};

use super::live::LiveState;
use super::{SqliteStore, statement};

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

    async fn publish_denied(&self, denial: &Denial) -> Answer<()> {
        let told = Feed::Denied(Box::new(denial.clone()));
        self.feeding.publish(vec![told]);
        Ok(())
    }

    /// The store has one server.
    async fn publish_server(&self, _: &ServerStatus) -> Answer<()> {
        Ok(())
    }
}

fn listed(conn: &Connection, soon: Timestamp, since: Timestamp) -> Result<Vec<Listed>, Fault> {
    let mut listed = Vec::new();
    for query in dashboard::listed(soon, since) {
        listed.extend(statement::all(conn, query)?);
    }
    Ok(listed)
}

/// Runs two statements for all live instances, and more only for instances with new events.
fn now(conn: &Connection, asked: &[(InstanceId, Seq)]) -> Result<Vec<Option<Now>>, Fault> {
    let mut lost = reconnecting(conn)?;
    let live = statement::select_all(
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
            let word = row.text("state");
            let state = word.and_then(|word| LiveState::read(&word));
            let seq = row.seq("archived_seq")?;
            let found = Now {
                generation: row.generation("gen")?,
                seq,
                durable: seq,
                state: match state.ok_or(Unusable("state"))? {
                    LiveState::Active => InstanceState::Active,
                    LiveState::Ending => InstanceState::Ending,
                    LiveState::Closed => InstanceState::Ended,
                },
                to: row.time("todatetime")?,
                locked: row.flag("locked"),
                read_only: row.flag("read_only"),
                here: row.small_count("here"),
                reconnecting: 0,
                news: None,
            };
            Ok((row.instance_id()?, found))
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

/// The number of stays of each instance that only lost connections hold.
fn reconnecting(conn: &Connection) -> Result<HashMap<InstanceId, u32>, Fault> {
    let found = statement::select_all(
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
        |row| Ok((row.instance_id()?, row.small_count("lost"))),
    )?;
    Ok(found.into_iter().collect())
}

/// Who joined and left, and how many messages each user posted, up to a seq.
fn attended(conn: &Connection, id: InstanceId, upto: Seq) -> Result<Attended, Fault> {
    Ok(Attended {
        comings: statement::all(conn, dashboard::attendance(id, upto))?,
        said: statement::all(conn, dashboard::message_counts(id, upto))?,
    })
}

/// The connections that hold the stays of an instance.
fn holders(conn: &Connection, id: InstanceId) -> Result<Vec<Holder>, Fault> {
    Ok(statement::select_all(
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
                user: row.user_id("userID")?,
                connection: row.text("connection").unwrap_or_default(),
                lost: row.maybe_time("lost").is_some(),
            })
        },
    )?)
}

/// What happened above `after` up to `upto`.
fn counted(conn: &Connection, id: InstanceId, after: Seq, upto: Seq) -> Result<Counted, Fault> {
    let joined = statement::all(conn, dashboard::first_joins(id, after, upto))?;
    let totals = statement::one(conn, dashboard::totals(id, after, upto))?;
    let (messages, stayed) = totals.unwrap_or_default();
    let recent = if messages == 0 {
        Vec::new()
    } else {
        let limit = RECENT_MAX.max(COUNTED_MAX);
        statement::all(conn, dashboard::recent(id, after, upto, limit))?
    };
    Ok(dashboard::counted(joined, (messages, stayed), &recent))
}
