//! What a database remembers of a move between stores.

use super::tables::Mark;
use super::{Query, params};

/// The mark of a move.
pub fn mark() -> Query<Mark> {
    Query::new(
        "moving",
        "SELECT token, place, begun_at, completed_at
         FROM moving
         WHERE id = 1",
        params! {},
        |row| {
            Ok(Mark {
                token: row.word("token")?,
                place: row.word("place")?,
                begun_at: row.time("begun_at")?,
                completed_at: row.maybe_time("completed_at"),
            })
        },
    )
}
