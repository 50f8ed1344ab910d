//! Full-text search over all messages that a user may read.

use plenary_shared::domain::{Code, Reject};
use plenary_shared::limits::SEARCH_PAGE_MAX;
use plenary_shared::protocol::{Search, SearchOk};
use plenary_shared::search::Query;

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;
use crate::rules;

/// Returns a page of matching messages, newest first.
pub async fn search(ctx: &Ctx, caller: &Caller, asked: Search) -> Answer<SearchOk> {
    ctx.count_search(caller.user.id)?;
    let invalid = |detail: String| Reject::new(Code::Invalid, detail);
    let query = Query::parse(&asked.query).map_err(|error| invalid(error.to_string()))?;
    if !(1..=SEARCH_PAGE_MAX).contains(&asked.limit) {
        let detail = format!("The field limit must be a whole number from 1 to {SEARCH_PAGE_MAX}.");
        return Err(invalid(detail).into());
    }
    let by_email = query.from.as_deref().filter(|from| from.contains('@'));
    if let Some(email) = by_email
        && email != caller.user.email_key()
        && !rules::sees_profiles(ctx.profiles, &caller.user)
    {
        // The hits would tell whose address it is.
        let detail = "Only admins can search by email address. Use from: with a name.".to_owned();
        return Err(invalid(detail).into());
    }
    ctx.store
        .search(&caller.user, &query, asked.before, asked.limit)
        .await
}
