//! Search in MySQL, including the instances in which the viewer participates.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::SearchOk;
use plenary_shared::search::{Place, Query};

use crate::error::Answer;
use crate::store::SearchStore;

use super::RedisMysqlStore;

/// Instances of the viewer that one search includes: more than anybody joins.
const INSIDE_MAX: usize = 100;

#[async_trait]
impl SearchStore for RedisMysqlStore {
    async fn search(
        &self,
        viewer: &User,
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk> {
        let inside = match self
            .with_recovery(|| self.redis.active_meetings(viewer))
            .await
        {
            Ok(active) => active.unwrap_or_default(),
            // Then messages of instances to which the viewer is not invited anymore are not found.
            Err(fault) => {
                tracing::debug!(%fault, "searching without the live instances");
                Vec::new()
            }
        };
        let inside: Vec<InstanceId> = inside
            .into_iter()
            .filter(|one| one.joined.is_some())
            .take(INSIDE_MAX)
            .map(|one| one.id)
            .collect();
        self.mysql
            .search(viewer, &inside, query, before, limit)
            .await
    }
}
