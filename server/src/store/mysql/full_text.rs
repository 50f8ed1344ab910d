//! The settings of the database that decide which words the full-text index has.

use super::IndexedWords;
use super::pool::MysqlStore;
use crate::error::Fault;
use crate::store::diagnostic::{Diagnostic, Grade};
use crate::store::sql::{Query, params};

impl MysqlStore {
    /// Returns which words are indexed, as read at the start of the server.
    pub fn indexed_words(&self) -> IndexedWords {
        self.indexed.get().copied().unwrap_or_default()
    }

    /// Reads which words are indexed. The database has to restart to change it.
    pub async fn read_indexed_words(&self) -> Result<(), Fault> {
        if let Some(read) = self.one(indexed_words()).await? {
            // A second reading finds the same.
            let _ = self.indexed.set(read);
        }
        Ok(())
    }

    /// Reports words that users can only find slowly.
    pub(super) async fn examine_indexed_words(&self) -> Diagnostic {
        let about = "MySQL: words of the search index";
        let advice = "set innodb_ft_min_token_size to 3 or less and innodb_ft_max_token_size to 84, restart \
                      the database, and run ALTER TABLE message DROP KEY message_text, ADD FULLTEXT KEY \
                      message_text (body): other words are found slowly, among the newest messages only";
        match self.one(indexed_words()).await {
            Ok(read) => {
                let found = read.unwrap_or_default();
                let wanted = IndexedWords::default();
                Diagnostic::of(
                    found.chars_min <= wanted.chars_min && found.chars_max >= wanted.chars_max,
                    Grade::Warning,
                    about,
                    format!("{} to {} characters", found.chars_min, found.chars_max),
                    advice,
                )
            }
            Err(error) => Diagnostic::not_good(Grade::Warning, about, error.to_string(), advice),
        }
    }
}

fn indexed_words() -> Query<IndexedWords> {
    Query::new(
        "",
        "SELECT CAST(@@innodb_ft_min_token_size AS UNSIGNED) AS min,
                CAST(@@innodb_ft_max_token_size AS UNSIGNED) AS max",
        params! {},
        |row| {
            let chars = |column| usize::try_from(row.count(column)).unwrap_or(usize::MAX);
            Ok(IndexedWords {
                chars_min: chars("min"),
                chars_max: chars("max"),
            })
        },
    )
}
