//! Full-text search over archived messages.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::protocol::SearchOk;
use plenary_shared::search::{Place, Query};

use crate::error::Answer;

/// Searches messages.
#[async_trait]
pub trait SearchStore: Send + Sync {
    /// Returns a page of the messages that match among those that this user may read, newest first, below
    /// `before`. Messages that are not archived yet are not found.
    async fn search(
        &self,
        viewer: &User,
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk>;
}
