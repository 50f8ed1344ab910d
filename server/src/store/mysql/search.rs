//! Search over the archived messages.

use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::SearchOk;
use plenary_shared::search::{Place, Query, WORD_CHARS_MAX};

use super::pool::MysqlStore;
use crate::error::Answer;
use crate::store::search_page::{SearchPage, Spellings, indexed_words};
use crate::store::sql::search::{self, Candidates};
use crate::store::sql::{self, Dialect, params};

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
            words: self.indexed_words(query).await?,
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

    /// The words of a query that the full-text index holds, by the settings of the database server. None
    /// if the index lacks words that a search must find.
    async fn indexed_words(&self, query: &Query) -> Answer<Vec<Spellings>> {
        if query.terms.is_empty() {
            return Ok(Vec::new());
        }
        let settings = self.one(index_settings()).await?;
        Ok(match settings {
            Some(index) if index.chars_max >= WORD_CHARS_MAX => {
                indexed_words(query, index.chars_min)
            }
            Some(_) | None => Vec::new(),
        })
    }
}

/// The length of the words in the full-text index, in characters.
struct IndexSettings {
    chars_min: usize,
    chars_max: usize,
}

fn index_settings() -> sql::Query<IndexSettings> {
    sql::Query::new(
        "",
        "SELECT CAST(@@innodb_ft_min_token_size AS UNSIGNED) AS chars_min,
                CAST(@@innodb_ft_max_token_size AS UNSIGNED) AS chars_max",
        params! {},
        |row| {
            let size = |column| usize::try_from(row.count(column)).unwrap_or(0);
            Ok(IndexSettings {
                chars_min: size("chars_min"),
                chars_max: size("chars_max"),
            })
        },
    )
}
