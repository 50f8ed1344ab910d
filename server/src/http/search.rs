//! Route: finding what was said.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::Reject;
use plenary_shared::protocol::{Search, SearchOk};

use super::document::SearchQuery;
use super::extract::{SignedIn, Sought};
use super::{HttpError, HttpState};
use crate::service::search;

/// Messages that are found by their words, over everything that one may read, newest first.
#[utoipa::path(
    get,
    path = "/search",
    tag = "messages",
    security(("bearer" = [])),
    params(SearchQuery),
    responses(
        (status = 200, description = "Newest first", body = SearchOk),
        (status = "default", description = "422 invalid, …", body = Reject),
    )
)]
pub(super) async fn search(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Sought(asked): Sought,
) -> Result<Json<SearchOk>, HttpError> {
    let asked: Search = asked;
    Ok(Json(search::search(&state.ctx, &caller, asked).await?))
}
