//! What the archive knows of instances, for the dashboard.

use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::time::Timestamp;

use super::pool::MysqlStore;
use crate::error::Answer;
use crate::store::dashboard::{Attended, Counted, Listed, RECENT_MAX};
use crate::store::sql::dashboard;

impl MysqlStore {
    /// Active and ending instances, those that start until `soon`, and those that ended after `since`.
    pub async fn overview(&self, soon: Timestamp, since: Timestamp) -> Answer<Vec<Listed>> {
        let mut listed = Vec::new();
        for query in dashboard::listed(soon, since) {
            listed.extend(self.all(query).await?);
        }
        Ok(listed)
    }

    /// What happened in an instance up to a seq.
    pub async fn recorded(&self, id: InstanceId, upto: Seq) -> Answer<Counted> {
        let start = Seq::default();
        let joined = self.all(dashboard::first_joins(id, start, upto)).await?;
        let totals = self.one(dashboard::totals(id, start, upto)).await?;
        let recent = dashboard::recent(id, start, upto, RECENT_MAX);
        let recent = self.all(recent).await?;
        Ok(dashboard::counted(
            joined,
            totals.unwrap_or_default(),
            &recent,
        ))
    }

    /// Who joined and left an instance, and how many messages each user posted, up to a seq.
    pub async fn attended(&self, id: InstanceId, upto: Seq) -> Answer<Attended> {
        Ok(Attended {
            comings: self.all(dashboard::attendance(id, upto)).await?,
            said: self.all(dashboard::message_counts(id, upto)).await?,
        })
    }
}
