//! Search over all messages.

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::protocol::SearchOk;
use plenary_shared::search::{Place, Query};
use rusqlite::Connection;

use crate::error::Answer;
use crate::store::SearchStore;
use crate::store::search_page::{SearchPage, indexed_words};
use crate::store::sql::Dialect;
use crate::store::sql::search::{self, Candidates};

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
            .read(move |conn| search_page(conn, &viewer, &query, before, limit))
            .await
    }
}

fn search_page(
    conn: &Connection,
    viewer: &User,
    query: &Query,
    before: Option<Place>,
    limit: usize,
) -> Answer<SearchOk> {
    let authors = match query.from.as_deref() {
        None => None,
        Some("me") => Some(vec![viewer.id]),
        Some(from) => {
            let found = statement::rows(conn, search::authors(Dialect::Sqlite, from))?;
            Some(search::meant(query, found))
        }
    };
    if authors.as_ref().is_some_and(Vec::is_empty) {
        return Ok(SearchPage::none());
    }
    let candidates = Candidates {
        dialect: Dialect::Sqlite,
        viewer,
        joined: &[],
        query,
        words: indexed_words(query, 0),
        authors,
    };
    let mut page = SearchPage::new(query, before, limit);
    while let Some((below, count)) = page.next_batch() {
        let rows = statement::rows(conn, candidates.read(below, count))?;
        let count = rows.len();
        page.examine(rows.into_iter().flatten().collect(), count);
    }
    Ok(page.into_page())
}
