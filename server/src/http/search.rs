//! Route: full-text search.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::Reject;
use plenary_shared::protocol::SearchOk;

use super::HttpState;
use super::error::HttpError;
use super::extract::SignedIn;
use super::params::{Query, SearchQuery};
use crate::service::search;

/// Search messages
///
/// Searches all messages that you may read. The newest match comes first.
#[utoipa::path(
    get,
    path = "/search",
    tag = "messages",
    security(("bearer" = [])),
    params(SearchQuery),
    responses(
        (status = 200, description = "The matching messages, newest first", body = SearchOk),
        (status = "default", description = "422 invalid, …", body = Reject),
    )
)]
pub(super) async fn search(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchOk>, HttpError> {
    let found = search::search(&state.ctx, &caller, query.search()).await?;
    Ok(Json(found))
}
