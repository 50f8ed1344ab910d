//! How far people have read, and what is left: messages of others, counted by their instance.

use std::collections::HashMap;

use mysql_async::{Params, Value, params};
use plenary_shared::ids::{InstanceId, Seq, UserId};

use super::link::MysqlStore;
use super::row;
use crate::error::Answer;
use crate::store::ReadPosition;

/// Rows or instances of one statement: few statements to prepare.
const SIZES: &[usize] = &[100, 25, 5, 1];

/// Messages with a name in them that are looked at in one instance: whoever is meant more often than
/// that has lost count.
const MENTIONS_READ_MAX: usize = 10_000;

/// Which messages of an instance are to be counted: above `after`, up to `upto`.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// Where.
    pub instance: InstanceId,
    /// The last seq that was read.
    pub after: Seq,
    /// The last seq that is asked for.
    pub upto: Seq,
}

impl MysqlStore {
    /// Writes these positions, each only forwards.
    pub async fn keep_positions(&self, positions: &[ReadPosition]) -> Answer<()> {
        let mut rest = positions;
        while let Some(&size) = SIZES.iter().find(|size| **size <= rest.len()) {
            let (now, later) = rest.split_at(size);
            let sql = format!(
                "INSERT INTO read_position (userID, meetingID, orderID, seq)
                 VALUES {}
                 ON DUPLICATE KEY UPDATE seq = GREATEST(seq, VALUES(seq))",
                vec!["(?, ?, ?, ?)"; size].join(", ")
            );
            let values = now.iter().flat_map(|one| {
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

    /// How far somebody has read these instances.
    pub async fn positions(
        &self,
        user: UserId,
        instances: &[InstanceId],
    ) -> Answer<HashMap<InstanceId, Seq>> {
        let mut found = HashMap::new();
        let mut rest = instances;
        while let Some(&size) = SIZES.iter().find(|size| **size <= rest.len()) {
            let (now, later) = rest.split_at(size);
            let sql = format!(
                "SELECT meetingID, orderID, seq
                 FROM read_position
                 WHERE userID = ?
                   AND (meetingID, orderID) IN ({})",
                vec!["(?, ?)"; size].join(", ")
            );
            let mut values = vec![Value::from(user.get())];
            for one in now {
                values.push(one.meeting.get().into());
                values.push(one.order.get().into());
            }
            let rows = self.rows(&sql, Params::Positional(values)).await?;
            found.extend(row::usable(&rows, "read_position", |row| {
                Ok((row::instance_id(row)?, row::seq(row, "seq")?))
            }));
            rest = later;
        }
        Ok(found)
    }

    /// How many messages of others are in these stretches.
    pub async fn said_by_others(
        &self,
        user: UserId,
        stretches: &[Stretch],
    ) -> Answer<HashMap<InstanceId, u64>> {
        let mut found = HashMap::new();
        let mut rest = stretches;
        while let Some(&size) = SIZES.iter().find(|size| **size <= rest.len()) {
            let (now, later) = rest.split_at(size);
            let sql = vec![COUNT; size].join(" UNION ALL ");
            let values = now.iter().flat_map(|one| {
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
            let rows = self.rows(&sql, Params::Positional(values)).await?;
            found.extend(row::usable(&rows, "message", |row| {
                let count = row::get::<u64>(row, "count").ok_or(row::Unusable("count"))?;
                Ok((row::instance_id(row)?, count))
            }));
            rest = later;
        }
        Ok(found)
    }

    /// What others said in a stretch with an `@` in it.
    pub async fn addressed(&self, user: UserId, stretch: Stretch) -> Answer<Vec<String>> {
        let rows = self
            .rows(
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
                row::with(
                    stretch.instance,
                    params! {
                        "after" => stretch.after.get(),
                        "upto" => stretch.upto.get(),
                        "user" => user.get(),
                        "limit" => MENTIONS_READ_MAX,
                    },
                ),
            )
            .await?;
        Ok(rows
            .iter()
            .filter_map(|row| row::text(row, "body"))
            .collect())
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
