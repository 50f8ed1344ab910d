//! Full-text search over all messages that a user may read.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::limits::SEARCH_PAGE_MAX;
use plenary_shared::protocol::{Search, SearchOk};
use plenary_shared::search::Query;

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;

/// Returns a page of matching messages, newest first.
pub async fn search(ctx: &Ctx, caller: &Caller, asked: Search) -> Answer<SearchOk> {
    let invalid = |detail: String| Reject::new(Code::Invalid, detail);
    let query = Query::parse(&asked.query).map_err(|error| invalid(error.to_string()))?;
    if !(1..=SEARCH_PAGE_MAX).contains(&asked.limit) {
        let detail = format!("The field limit must be a whole number from 1 to {SEARCH_PAGE_MAX}.");
        return Err(invalid(detail).into());
    }
    ctx.store
        .search(&caller.user, &query, asked.before, asked.limit)
        .await
}
