//! Routes: signing in, signing out, and the signed-in user.

use axum::extract::State;
use axum::{Extension, Json};
use plenary_shared::domain::{Reject, User};
use plenary_shared::protocol::{Login, LoginOk};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{JsonBody, SignedIn};
use super::{HttpError, HttpState};
use crate::peer::Peer;
use crate::service::account;

/// The request was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Success {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
}

/// Sign in
///
/// Returns a token for an email address and its password.
#[utoipa::path(
    post,
    path = "/login",
    tag = "session",
    request_body = Login,
    responses(
        (status = 200, description = "Signed in", body = LoginOk),
        (status = "default", description = "401 wrong_password, 429 too_many_requests, …", body = Reject),
    )
)]
pub(super) async fn login(
    State(state): State<HttpState>,
    Extension(peer): Extension<Peer>,
    JsonBody(login): JsonBody<Login>,
) -> Result<Json<LoginOk>, HttpError> {
    Ok(Json(account::login(&state.ctx, login, peer).await?))
}

/// Sign out
///
/// Invalidates the token of this request.
#[utoipa::path(
    post,
    path = "/logout",
    tag = "session",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Signed out", body = Success),
        (status = "default", description = "401 not_signed_in, …", body = Reject),
    )
)]
pub(super) async fn logout(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
) -> Result<Json<Success>, HttpError> {
    account::logout(&state.ctx, &caller).await?;
    Ok(Json(Success {
        success: true,
        message: "You have signed out.".to_owned(),
    }))
}

/// Get the signed-in user
#[utoipa::path(
    get,
    path = "/me",
    tag = "session",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The owner of the token", body = User),
        (status = "default", description = "401 not_signed_in, …", body = Reject),
    )
)]
pub(super) async fn me(SignedIn(caller): SignedIn) -> Json<User> {
    Json(caller.user)
}
