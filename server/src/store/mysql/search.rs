//! Search over the archived messages.

use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::SearchOk;
use plenary_shared::search::{Place, Query, WORD_CHARS_MAX};

use super::pool::MysqlStore;
use crate::error::Answer;
use crate::store::search_page::{SearchPage, Spellings, indexed_words};
use crate::store::sql::Dialect;
use crate::store::sql::search::{self, Candidates};

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
        let authors = match query.from.as_deref() {
            None => None,
            Some("me") => Some(vec![viewer.id]),
            Some(from) => {
                let found = self.rows(search::authors(Dialect::Mysql, from)).await?;
                Some(search::meant(query, found))
            }
        };
        if authors.as_ref().is_some_and(Vec::is_empty) {
            return Ok(SearchPage::none());
        }
        let candidates = Candidates {
            dialect: Dialect::Mysql,
            viewer,
            joined: inside,
            query,
            words: self.spellings(query),
            authors,
        };
        let mut page = SearchPage::new(query, before, limit);
        while let Some((below, count)) = page.next_batch() {
            let rows = self.rows(candidates.read(below, count)).await?;
            let count = rows.len();
            page.examine(rows.into_iter().flatten().collect(), count);
        }
        Ok(page.into_page())
    }

    /// The spellings of the words of a query, where the full-text index holds them. None if the index lacks
    /// words that a search must find.
    fn spellings(&self, query: &Query) -> Vec<Spellings> {
        let index = self.indexed_words();
        if index.chars_max < WORD_CHARS_MAX {
            return Vec::new();
        }
        indexed_words(query, index.chars_min)
    }
}
