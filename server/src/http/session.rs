//! Routes: signing in, signing out, who one is.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::{Reject, User};
use plenary_shared::protocol::{Login, LoginOk};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::{JsonBody, SignedIn};
use super::{HttpError, HttpState};
use crate::service::account;

/// That it was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Success {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
}

/// Signs in: gives a token for an address and its password.
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
    JsonBody(login): JsonBody<Login>,
) -> Result<Json<LoginOk>, HttpError> {
    Ok(Json(account::login(&state.ctx, login).await?))
}

/// Signs out: the token that asks is good for nothing afterwards.
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
        message: "You are signed out.".to_owned(),
    }))
}

/// Who one is.
#[utoipa::path(
    get,
    path = "/me",
    tag = "session",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The person whose token it is", body = User),
        (status = "default", description = "401 not_signed_in, …", body = Reject),
    )
)]
pub(super) async fn me(SignedIn(caller): SignedIn) -> Json<User> {
    Json(caller.user)
}
