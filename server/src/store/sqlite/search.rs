//! Search over all messages.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::protocol::SearchOk;
use plenary_shared::search::{Place, Query};
use rusqlite::Connection;

use crate::error::Answer;
use crate::store::SearchStore;
use crate::store::search_page::SearchPage;
use crate::store::sql::{self, Dialect};

use super::{SqliteStore, statement};

#[async_trait]
impl SearchStore for SqliteStore {
    async fn search(
        &self,
        viewer: &User,
        query: &Query,
        before: Option<Place>,
        limit: usize,
    ) -> Answer<SearchOk> {
        let (viewer, query) = (viewer.clone(), query.clone());
        self.link
            .read(move |conn| search(conn, &viewer, &query, before, limit))
            .await
    }
}

fn search(
    conn: &Connection,
    viewer: &User,
    query: &Query,
    before: Option<Place>,
    limit: usize,
) -> Answer<SearchOk> {
    let mut page = SearchPage::new(query, before, limit);
    while let Some((below, count)) = page.next_batch() {
        let query = sql::search::candidates(Dialect::Sqlite, viewer, &[], query, below, count);
        let rows = statement::rows(conn, query)?;
        let count = rows.len();
        page.examine(rows.into_iter().flatten().collect(), count);
    }
    Ok(page.into_page())
}
