//! Read positions, and the messages of others above them.

use std::collections::HashMap;

use mysql_async::{Params, Value};
use plenary_shared::ids::{InstanceId, Seq, UserId};

use super::pool::MysqlStore;
use super::statement::decoded;
use crate::error::Answer;
use crate::store::ReadPosition;
use crate::store::sql::{Query, params};

/// The numbers of rows or instances in one statement: there are only these few statements to prepare.
const SIZES: &[usize] = &[100, 25, 5, 1];

/// Messages of one instance that are searched for mentions; mentions above that are not counted.
const MENTIONS_READ_MAX: usize = 10_000;

/// A range of messages to count: above `after`, up to `upto`.
#[derive(Clone, Copy, Debug)]
pub struct MessageRange {
    pub instance: InstanceId,
    /// The last seq that was read.
    pub after: Seq,
    /// The last seq to count.
    pub upto: Seq,
}

impl MysqlStore {
    /// Stores read positions. A stored position never decreases.
    pub async fn save_positions(&self, positions: &[ReadPosition]) -> Answer<()> {
        let mut rest = positions;
        while let Some(&size) = SIZES.iter().find(|size| **size <= rest.len()) {
            let (some, later) = rest.split_at(size);
            let sql = format!(
                "INSERT INTO read_position (userID, meetingID, orderID, seq)
                 VALUES {}
                 ON DUPLICATE KEY UPDATE seq = GREATEST(seq, VALUES(seq))",
                vec!["(?, ?, ?, ?)"; size].join(", ")
            );
            let values = some.iter().flat_map(|one| {
                [
                    Value::from(one.user.get()),
                    Value::from(one.instance.meeting.get()),
                    Value::from(one.instance.order.get()),
                    Value::from(one.seq.get()),
                ]
            });
            self.change(&sql, Params::Positional(values.collect()))
                .await?;
            rest = later;
        }
        Ok(())
    }

    /// The read positions of a user in these instances.
    pub async fn positions(
        &self,
        user: UserId,
        instances: &[InstanceId],
    ) -> Answer<HashMap<InstanceId, Seq>> {
        let mut found = HashMap::new();
        let mut rest = instances;
        while let Some(&size) = SIZES.iter().find(|size| **size <= rest.len()) {
            let (some, later) = rest.split_at(size);
            let sql = format!(
                "SELECT meetingID, orderID, seq
                 FROM read_position
                 WHERE userID = ?
                   AND (meetingID, orderID) IN ({})",
                vec!["(?, ?)"; size].join(", ")
            );
            let mut values = vec![Value::from(user.get())];
            for one in some {
                values.push(one.meeting.get().into());
                values.push(one.order.get().into());
            }
            let rows = self.select(&sql, Params::Positional(values)).await?;
            let positions = decoded(&rows, "read_position", |row| {
                Ok((row.instance_id()?, row.seq("seq")?))
            });
            found.extend(positions.into_iter().flatten());
            rest = later;
        }
        Ok(found)
    }

    /// How many messages of others are in these ranges.
    pub async fn said_by_others(
        &self,
        user: UserId,
        ranges: &[MessageRange],
    ) -> Answer<HashMap<InstanceId, u64>> {
        let mut found = HashMap::new();
        let mut rest = ranges;
        while let Some(&size) = SIZES.iter().find(|size| **size <= rest.len()) {
            let (some, later) = rest.split_at(size);
            let sql = vec![COUNT; size].join(" UNION ALL ");
            let values = some.iter().flat_map(|one| {
                let (meeting, order) = (one.instance.meeting.get(), one.instance.order.get());
                [
                    meeting,
                    order,
                    meeting,
                    order,
                    one.after.get(),
                    one.upto.get(),
                    user.get(),
                ]
            });
            let values = values.map(Value::from).collect();
            let rows = self.select(&sql, Params::Positional(values)).await?;
            let counts = decoded(&rows, "message", |row| {
                Ok((row.instance_id()?, row.count("count")))
            });
            found.extend(counts.into_iter().flatten());
            rest = later;
        }
        Ok(found)
    }

    /// The bodies of messages of others in a range that have an `@`.
    pub async fn addressed(&self, user: UserId, range: MessageRange) -> Answer<Vec<String>> {
        let query = Query::new(
            "message",
            "SELECT body
             FROM message
             WHERE meetingID = :meeting
               AND orderID = :order
               AND seq > :after
               AND seq <= :upto
               AND userID <> :user
               AND deleted_at IS NULL
               AND body LIKE '%@%'
             ORDER BY seq
             LIMIT :limit",
            params! {
                "meeting": range.instance.meeting,
                "order": range.instance.order,
                "after": range.after,
                "upto": range.upto,
                "user": user,
                "limit": MENTIONS_READ_MAX,
            },
            |row| row.word("body"),
        );
        Ok(self.all(query).await?)
    }
}

const COUNT: &str = "
 SELECT ? AS meetingID, ? AS orderID, COUNT(*) AS count
 FROM message FORCE INDEX (PRIMARY)
 WHERE meetingID = ?
   AND orderID = ?
   AND seq > ?
   AND seq <= ?
   AND userID <> ?
   AND deleted_at IS NULL";
