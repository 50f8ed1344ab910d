//! Who is invited to an instance and has not been in, as far as the archive knows.

use mysql_async::{Row, params};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::protocol::{Absent, Invited};

use super::link::MysqlStore;
use super::row;
use crate::error::Answer;

impl MysqlStore {
    /// So many of them at most, by name; `None`: it is public, or there is none.
    pub async fn absent(&self, id: InstanceId, limit: usize) -> Answer<Option<Absent>> {
        let meeting = self
            .row(
                "SELECT 1
                 FROM meeting_instance i
                 JOIN meeting m ON m.meetingID = i.meetingID
                 WHERE i.meetingID = :meeting
                   AND i.orderID = :order
                   AND NOT m.isPublic",
                row::of(id),
            )
            .await?;
        if meeting.is_none() {
            return Ok(None);
        }
        let rows = self
            .rows(
                "SELECT a.email, u.userID, u.name, COUNT(*) OVER () AS absent
                 FROM audience a
                 LEFT JOIN user u ON u.emailKey = a.emailKey
                 WHERE a.meetingID = :meeting
                   AND (u.userID IS NULL OR u.userID NOT IN (
                     SELECT e.userID
                     FROM event_log e
                     WHERE e.meetingID = :meeting
                       AND e.orderID = :order
                       AND e.eventType = 'join'
                       AND e.userID IS NOT NULL))
                 ORDER BY COALESCE(u.name, a.email), a.email
                 LIMIT :limit",
                row::with(id, params! { "limit" => limit }),
            )
            .await?;
        let count = rows.first().and_then(|row| row::get(row, "absent"));
        Ok(Some(Absent {
            count: count.unwrap_or(0),
            people: row::usable(&rows, "audience", invited),
        }))
    }
}

fn invited(row: &Row) -> Result<Invited, row::Unusable> {
    let id = row::get::<u64>(row, "userID").and_then(|id| UserId::new(id).ok());
    let name = match id {
        Some(id) => row::user_name(row, id),
        None => row::email(row)?,
    };
    Ok(Invited { id, name })
}
