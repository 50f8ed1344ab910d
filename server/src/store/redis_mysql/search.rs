//! Search asks MySQL; Redis says which instances the viewer is in.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::SearchOk;
use plenary_shared::search::{Place, Query};

use crate::error::Answer;
use crate::store::SearchStore;

use super::RedisMysqlStore;

/// Instances of one search that somebody is in: more than anybody follows.
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
        let inside = match self.tried(|| self.redis.active_meetings(viewer)).await {
            Ok(active) => active.unwrap_or_default(),
            // Then what they are in without being invited any more is not found.
            Err(fault) => {
                tracing::debug!(%fault, "searching without what is live");
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
