//! Search over the archived messages.

use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::SearchOk;
use plenary_shared::search::{Place, Query};

use super::pool::MysqlStore;
use crate::error::Answer;
use crate::store::search_page::SearchPage;
use crate::store::sql::{Dialect, search};

impl MysqlStore {
    /// A page of search results, the newest first, among the messages that a user may read; those of the
    /// instances that they are `inside` too, invited or not.
    pub async fn search(
        &self,
        viewer: &User,
        inside: &[InstanceId],
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk> {
        let mut page = SearchPage::new(query, before, limit);
        while let Some((below, count)) = page.next_batch() {
            let query = search::candidates(Dialect::Mysql, viewer, inside, query, below, count);
            let rows = self.rows(query).await?;
            let count = rows.len();
            page.examine(rows.into_iter().flatten().collect(), count);
        }
        Ok(page.into_page())
    }
}
