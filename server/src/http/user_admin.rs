//! Routes: people, as admins keep them, and why somebody may join or may not.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::{Gender, Reject, Role, User};
use plenary_shared::ids::UserId;
use plenary_shared::protocol::Verdict;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::document::InstancePath;
use super::extract::{Admin, At, Email, JsonBody, Keeping, SignedIn, Which};
use super::{HttpError, HttpState};
use crate::service::account::{self, UserInput};
use crate::service::user_admin;
use crate::store::{PersonListed, SessionListed};

/// A page of everybody.
#[derive(Serialize, ToSchema)]
pub(super) struct Users {
    /// By number.
    users: Vec<PersonListed>,
    /// Whether there are more behind the last.
    more: bool,
}

/// Somebody new.
#[derive(Deserialize, ToSchema)]
pub(super) struct Adding {
    /// What they are called.
    name: String,
    /// Their address, with which they sign in.
    email: String,
    /// In years.
    age: Option<u32>,
    /// As they say.
    gender: Option<Gender>,
    /// What they may do; `member` where nothing is said.
    role: Option<Role>,
    /// Their password; without one it is made, and told this once.
    password: Option<String>,
}

/// Somebody who was added.
#[derive(Serialize, ToSchema)]
pub(super) struct Added {
    /// Who.
    #[serde(flatten)]
    user: User,
    /// The password, if it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// What somebody may do.
#[derive(Deserialize, ToSchema)]
pub(super) struct Becoming {
    /// `member` or `admin`.
    role: Role,
}

/// A new password.
#[derive(Deserialize, ToSchema)]
pub(super) struct Resetting {
    /// The password; without one it is made, and told this once.
    password: Option<String>,
}

/// That it was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Kept {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
    /// The password, if it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Somebody's sessions.
#[derive(Serialize, ToSchema)]
pub(super) struct Sessions {
    /// The newest first.
    sessions: Vec<SessionListed>,
}

/// The password that was given, or one that is made and has to be told.
fn chosen(state: &HttpState, given: Option<String>) -> (String, Option<String>) {
    if let Some(password) = given {
        return (password, None);
    }
    let made = account::generate_password(&state.ctx);
    (made.clone(), Some(made))
}

fn kept(message: impl Into<String>) -> Json<Kept> {
    Json(Kept {
        success: true,
        message: message.into(),
        password: None,
    })
}

/// Which rule allows somebody to join an instance, or forbids it, and what would change that.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/explain",
    tag = "people",
    security(("bearer" = [])),
    params(InstancePath, ("email" = String, Query, description = "Whose address")),
    responses(
        (status = 200, description = "The rule", body = Verdict),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn explain(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    Email(email): Email,
) -> Result<Json<Verdict>, HttpError> {
    let verdict = user_admin::explain(&state.ctx, &caller, instance, &email).await?;
    Ok(Json(verdict))
}

/// A page of everybody, by number, above `after`.
#[utoipa::path(
    get,
    path = "/users",
    tag = "people",
    security(("bearer" = [])),
    params(
        ("after" = Option<UserId>, Query, description = "Only those above this number"),
        ("email" = Option<String>, Query, description = "Only the one with this address"),
    ),
    responses(
        (status = 200, description = "By number", body = Users),
        (status = "default", description = "403 admins_only, …", body = Reject),
    )
)]
pub(super) async fn users(
    State(state): State<HttpState>,
    _admin: Admin,
    which: Which,
) -> Result<Json<Users>, HttpError> {
    if let Some(email) = which.email {
        let users = user_admin::with_email(&state.ctx, &email).await?;
        return Ok(Json(Users { users, more: false }));
    }
    let users = account::list(&state.ctx, which.after).await?;
    let more = users.len() == account::LIST_PAGE;
    Ok(Json(Users { users, more }))
}

/// Adds a person.
#[utoipa::path(
    post,
    path = "/users",
    tag = "people",
    security(("bearer" = [])),
    request_body = Adding,
    responses(
        (status = 200, description = "Added", body = Added),
        (status = "default", description = "403 admins_only, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn add(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    JsonBody(new): JsonBody<Adding>,
) -> Result<Json<Added>, HttpError> {
    let (password, made) = chosen(&state, new.password);
    let person = UserInput {
        name: new.name,
        email: new.email,
        age: new.age,
        gender: new.gender,
        role: new.role.unwrap_or(Role::Member),
        by: Some(caller.user.id),
    };
    let user = account::add_user(&state.ctx, person, &password).await?;
    Ok(Json(Added {
        user,
        password: made,
    }))
}

/// Gives somebody a role; it counts at once, on open connections within 10 s.
#[utoipa::path(
    put,
    path = "/user/{userID}/role",
    tag = "people",
    security(("bearer" = [])),
    params(("userID" = UserId, Path, description = "Whose")),
    request_body = Becoming,
    responses(
        (status = 200, description = "Given", body = Kept),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn role(
    State(state): State<HttpState>,
    Keeping { by, person }: Keeping,
    JsonBody(new): JsonBody<Becoming>,
) -> Result<Json<Kept>, HttpError> {
    user_admin::set_role(&state.ctx, by, &person, new.role).await?;
    Ok(kept(format!("{} is {} now.", person.email, new.role)))
}

/// Gives somebody a new password; their sessions end.
#[utoipa::path(
    put,
    path = "/user/{userID}/password",
    tag = "people",
    security(("bearer" = [])),
    params(("userID" = UserId, Path, description = "Whose")),
    request_body = Resetting,
    responses(
        (status = 200, description = "Set", body = Kept),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn password(
    State(state): State<HttpState>,
    Keeping { by, person }: Keeping,
    JsonBody(new): JsonBody<Resetting>,
) -> Result<Json<Kept>, HttpError> {
    let (password, made) = chosen(&state, new.password);
    user_admin::set_password(&state.ctx, by, &person, &password).await?;
    Ok(Json(Kept {
        success: true,
        message: format!("{} has a new password.", person.email),
        password: made,
    }))
}

/// Shuts somebody out: their sessions and connections end at once on every server.
#[utoipa::path(
    post,
    path = "/user/{userID}/disable",
    tag = "people",
    security(("bearer" = [])),
    params(("userID" = UserId, Path, description = "Whom")),
    responses(
        (status = 200, description = "Shut out", body = Kept),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn disable(
    State(state): State<HttpState>,
    Keeping { by, person }: Keeping,
) -> Result<Json<Kept>, HttpError> {
    user_admin::disable(&state.ctx, by, &person).await?;
    Ok(kept(format!("{} is disabled.", person.email)))
}

/// Lets somebody sign in again.
#[utoipa::path(
    post,
    path = "/user/{userID}/enable",
    tag = "people",
    security(("bearer" = [])),
    params(("userID" = UserId, Path, description = "Whom")),
    responses(
        (status = 200, description = "Enabled", body = Kept),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn enable(
    State(state): State<HttpState>,
    Keeping { by, person }: Keeping,
) -> Result<Json<Kept>, HttpError> {
    user_admin::enable(&state.ctx, by, &person).await?;
    Ok(kept(format!("{} is enabled.", person.email)))
}

/// The sessions of somebody that are good.
#[utoipa::path(
    get,
    path = "/user/{userID}/sessions",
    tag = "people",
    security(("bearer" = [])),
    params(("userID" = UserId, Path, description = "Whose")),
    responses(
        (status = 200, description = "The newest first", body = Sessions),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn sessions(
    State(state): State<HttpState>,
    Keeping { by: _, person }: Keeping,
) -> Result<Json<Sessions>, HttpError> {
    let sessions = user_admin::sessions(&state.ctx, &person).await?;
    Ok(Json(Sessions { sessions }))
}

/// Ends every session of somebody, and every connection by it.
#[utoipa::path(
    delete,
    path = "/user/{userID}/sessions",
    tag = "people",
    security(("bearer" = [])),
    params(("userID" = UserId, Path, description = "Whose")),
    responses(
        (status = 200, description = "Ended", body = Kept),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn revoke(
    State(state): State<HttpState>,
    Keeping { by, person }: Keeping,
) -> Result<Json<Kept>, HttpError> {
    let ended = user_admin::revoke(&state.ctx, by, &person).await?;
    Ok(kept(format!("{ended} sessions of {} ended.", person.email)))
}
