//! What the record says of instances, for the dashboard.

use std::collections::BTreeMap;

use mysql_async::{Row, params};
use plenary_shared::domain::Reason;
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::time::Timestamp;

use super::link::MysqlStore;
use super::row;
use crate::error::Answer;
use crate::store::overview::{Attended, Coming, Counted, LISTED_MAX, Listed, RECENT_MAX, STEP_MS};

impl MysqlStore {
    /// Every instance that goes on, those that begin until `soon`, and those that were over after
    /// `since`.
    pub async fn overview(&self, soon: Timestamp, since: Timestamp) -> Answer<Vec<Listed>> {
        let mut found = Vec::new();
        for (state, from, to) in [
            ("active", None, None),
            ("ending", None, None),
            ("scheduled", Some(soon), None),
            ("ended", None, Some(since)),
        ] {
            let rows = self
                .rows(
                    "SELECT i.meetingID, i.orderID, i.fromdatetime, i.todatetime, i.state,
                            i.ended_at, i.reason, i.archived_seq, m.title, m.isPublic, (
                              SELECT COUNT(*) FROM audience a WHERE a.meetingID = i.meetingID
                            ) AS invited
                     FROM meeting_instance i
                     JOIN meeting m ON m.meetingID = i.meetingID
                     WHERE i.state = :state
                       AND (:from IS NULL OR i.fromdatetime <= :from)
                       AND (:to IS NULL OR i.todatetime >= :to)
                       AND (:to IS NULL OR COALESCE(i.ended_at, i.todatetime) >= :to)
                     ORDER BY i.todatetime DESC
                     LIMIT :limit",
                    params! {
                        "state" => state,
                        "from" => from.map(row::at),
                        "to" => to.map(row::at),
                        "limit" => LISTED_MAX,
                    },
                )
                .await?;
            found.extend(row::usable(&rows, "meeting_instance", listed));
        }
        Ok(found)
    }

    /// What happened in an instance up to a seq.
    pub async fn recorded(&self, id: InstanceId, upto: Seq) -> Answer<Counted> {
        let upto = params! { "upto" => upto.get() };
        let joins = self
            .rows(
                "SELECT userID, MIN(timestamp) AS joined
                 FROM event_log
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND seq <= :upto
                   AND eventType = 'join'
                 GROUP BY userID",
                row::with(id, upto.clone()),
            )
            .await?;
        let counts = self
            .row(
                "SELECT (
                   SELECT COUNT(*) FROM message
                   WHERE meetingID = :meeting AND orderID = :order AND seq <= :upto
                 ) AS messages, (
                   SELECT COUNT(*) FROM event_log
                   WHERE meetingID = :meeting
                     AND orderID = :order
                     AND seq <= :upto
                     AND eventType = 'leave'
                     AND reason IN ('scheduled', 'ended')
                 ) AS stayed",
                row::with(id, upto.clone()),
            )
            .await?;
        let recent = self
            .rows(
                "SELECT timestamp
                 FROM message
                 WHERE meetingID = :meeting
                   AND orderID = :order
                   AND seq <= :upto
                 ORDER BY seq DESC
                 LIMIT :limit",
                match upto {
                    mysql_async::Params::Named(mut all) => {
                        all.insert(b"limit".to_vec(), RECENT_MAX.into());
                        row::with(id, mysql_async::Params::Named(all))
                    }
                    other => other,
                },
            )
            .await?;
        let recent = row::usable(&recent, "message", |row| row::time(row, "timestamp"));
        let mut steps = BTreeMap::new();
        for at in &recent {
            *steps.entry(at.as_ms().div_euclid(STEP_MS)).or_default() += 1;
        }
        let count = |column| {
            let row = counts.as_ref();
            row.and_then(|row| row::get::<u64>(row, column))
                .unwrap_or(0)
        };
        Ok(Counted {
            joined: row::usable(&joins, "event_log", |row| {
                Ok((row::user_id(row, "userID")?, row::time(row, "joined")?))
            }),
            stayed: u32::try_from(count("stayed")).unwrap_or(u32::MAX),
            messages: count("messages"),
            steps: steps.into_iter().collect(),
            last_message: recent.first().copied(),
        })
    }
}

impl MysqlStore {
    /// Who came to an instance and went, and how much they said, up to a seq.
    pub async fn attended(&self, id: InstanceId, upto: Seq) -> Answer<Attended> {
        let upto = params! { "upto" => upto.get() };
        let comings = self
            .rows(
                "SELECT e.userID, e.eventType, e.timestamp, e.reason, u.name
                 FROM event_log e
                 LEFT JOIN `user` u ON u.userID = e.userID
                 WHERE e.meetingID = :meeting
                   AND e.orderID = :order
                   AND e.seq <= :upto
                   AND e.eventType IN ('join', 'leave')
                 ORDER BY e.seq",
                row::with(id, upto.clone()),
            )
            .await?;
        let said = self
            .rows(
                "SELECT userID, COUNT(*) AS said
                 FROM message
                 WHERE meetingID = :meeting AND orderID = :order AND seq <= :upto
                 GROUP BY userID",
                row::with(id, upto),
            )
            .await?;
        Ok(Attended {
            comings: row::usable(&comings, "event_log", coming),
            said: row::usable(&said, "message", |row| {
                let said = row::get::<u64>(row, "said").unwrap_or(0);
                Ok((row::user_id(row, "userID")?, said))
            }),
        })
    }
}

fn coming(row: &Row) -> Result<Coming, row::Unusable> {
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

fn listed(row: &Row) -> Result<Listed, row::Unusable> {
    let meeting = row::meeting(row)?;
    let invited = row::get::<u64>(row, "invited").unwrap_or(0);
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
