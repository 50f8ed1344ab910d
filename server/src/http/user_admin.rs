//! Routes: user administration, and why a user may or may not join.

use axum::extract::State;
use axum::{Extension, Json};
use plenary_shared::domain::{Code, Gender, Reject, Role, User};
use plenary_shared::protocol::{PasswordBody, SessionsOk, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HttpState;
use super::error::HttpError;
use super::extract::{Admin, JsonBody, ManagedUser, OwnOrManagedUser, SignedIn};
use super::params::{EmailQuery, InstancePath, Path, Query, SessionPath, UserPath, UsersQuery};
use crate::peer::Peer;
use crate::service::account::{self, UserInput};
use crate::service::user_admin;
use crate::store::PersonListed;

/// A page of users.
#[derive(Serialize, ToSchema)]
pub(super) struct UsersOk {
    /// The users, ordered by id.
    users: Vec<PersonListed>,
    /// Whether there are more.
    more: bool,
}

/// A new user.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewUserBody {
    /// The display name.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// The email address, used to sign in.
    #[schema(max_length = 254)]
    email: String,
    /// The age in years.
    #[schema(maximum = 150)]
    age: Option<u32>,
    /// The gender.
    gender: Option<Gender>,
    /// The role; `member` by default.
    role: Option<Role>,
    /// The password. Without it, one is generated and returned once.
    #[schema(min_length = 8, max_length = 1_024)]
    password: Option<String>,
}

/// The user was added.
#[derive(Serialize, ToSchema)]
pub(super) struct AddUserOk {
    /// The user.
    #[serde(flatten)]
    user: User,
    /// The password, if it was generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// A new role.
#[derive(Deserialize, ToSchema)]
pub(super) struct RoleBody {
    /// `member` or `admin`.
    role: Role,
}

/// The user was changed.
#[derive(Serialize, ToSchema)]
pub(super) struct UserOk {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
    /// Whether nothing changed, because it was done already. Left out if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    already: bool,
    /// The password, if it was generated.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Returns the given password, or a generated one, which the answer has to contain.
fn choose_password(state: &HttpState, given: Option<String>) -> (String, Option<String>) {
    if let Some(password) = given {
        return (password, None);
    }
    let generated = account::generate_password(&state.ctx);
    (generated.clone(), Some(generated))
}

fn done(message: impl Into<String>) -> Json<UserOk> {
    Json(UserOk {
        success: true,
        message: message.into(),
        already: false,
        password: None,
    })
}

/// The answer to a request that had no effect if `changed` is false.
fn done_or_already(changed: bool, message: String) -> Json<UserOk> {
    Json(UserOk {
        success: true,
        message,
        already: !changed,
        password: None,
    })
}

/// Explain access
///
/// Returns the rule that allows or prevents a user to join an instance, and what would change it.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/explain",
    tag = "users",
    security(("bearer" = [])),
    params(InstancePath, EmailQuery),
    responses(
        (status = 200, description = "The rule", body = Verdict),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn explain(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    Query(EmailQuery { email }): Query<EmailQuery>,
) -> Result<Json<Verdict>, HttpError> {
    let verdict = user_admin::explain(&state.ctx, &caller, path.id(), &email).await?;
    Ok(Json(verdict))
}

/// List users
///
/// Returns a page of users, ordered by id.
#[utoipa::path(
    get,
    path = "/users",
    tag = "users",
    security(("bearer" = [])),
    params(UsersQuery),
    responses(
        (status = 200, description = "The users, ordered by id", body = UsersOk),
        (status = "default", description = "403 admins_only, …", body = Reject),
    )
)]
pub(super) async fn users(
    State(state): State<HttpState>,
    _admin: Admin,
    Query(query): Query<UsersQuery>,
) -> Result<Json<UsersOk>, HttpError> {
    if let Some(email) = query.email {
        let users = user_admin::with_email(&state.ctx, &email).await?;
        return Ok(Json(UsersOk { users, more: false }));
    }
    let users = account::list(&state.ctx, query.after).await?;
    let more = users.len() == account::LIST_PAGE;
    Ok(Json(UsersOk { users, more }))
}

/// Add a user
#[utoipa::path(
    post,
    path = "/users",
    tag = "users",
    security(("bearer" = [])),
    request_body = NewUserBody,
    responses(
        (status = 200, description = "AddUserOk", body = AddUserOk),
        (status = "default", description = "403 admins_only, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn add(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    JsonBody(new): JsonBody<NewUserBody>,
) -> Result<Json<AddUserOk>, HttpError> {
    let (password, generated) = choose_password(&state, new.password);
    let input = UserInput {
        name: new.name,
        email: new.email,
        age: new.age,
        gender: new.gender,
        role: new.role.unwrap_or(Role::Member),
        by: Some(caller.user.id),
    };
    let user = account::add_user(&state.ctx, input, &password).await?;
    Ok(Json(AddUserOk {
        user,
        password: generated,
    }))
}

/// Set a role
///
/// Applies from the next request of the user on, also on open connections.
#[utoipa::path(
    put,
    path = "/user/{userID}/role",
    tag = "users",
    security(("bearer" = [])),
    params(UserPath),
    request_body = RoleBody,
    responses(
        (status = 200, description = "Set", body = UserOk),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn role(
    State(state): State<HttpState>,
    ManagedUser { by, user }: ManagedUser,
    JsonBody(new): JsonBody<RoleBody>,
) -> Result<Json<UserOk>, HttpError> {
    let changed = user_admin::set_role(&state.ctx, by, &user, new.role).await?;
    let already = if changed { "now" } else { "already" };
    let message = format!("{} {already} has the role {}.", user.email, new.role);
    Ok(done_or_already(changed, message))
}

/// Set a password
///
/// Users change their own password with the old one, which ends their other sessions. Admins set the
/// password of another user, which ends all sessions of that user.
#[utoipa::path(
    put,
    path = "/user/{userID}/password",
    tag = "users",
    security(("bearer" = [])),
    params(UserPath),
    request_body = PasswordBody,
    responses(
        (status = 200, description = "Set", body = UserOk),
        (status = "default", description = "401 wrong_password, 403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn password(
    State(state): State<HttpState>,
    Extension(peer): Extension<Peer>,
    target: OwnOrManagedUser,
    JsonBody(new): JsonBody<PasswordBody>,
) -> Result<Json<UserOk>, HttpError> {
    let OwnOrManagedUser { caller, user } = &target;
    let message = format!("{} has a new password.", user.email);
    if target.is_own() {
        let (Some(old), Some(password)) = (new.old_password, new.password) else {
            let detail = "To change your own password, send old_password and password.";
            return Err(Reject::new(Code::Invalid, detail).into());
        };
        account::change_password(&state.ctx, caller, peer, old, &password).await?;
        return Ok(done(message));
    }
    let (password, generated) = choose_password(&state, new.password);
    account::set_password(&state.ctx, Some(caller.user.id), user, &password).await?;
    Ok(Json(UserOk {
        success: true,
        message,
        already: false,
        password: generated,
    }))
}

/// Disable a user
///
/// Ends all sessions and connections of the user at once, and prevents further logins.
#[utoipa::path(
    post,
    path = "/user/{userID}/disable",
    tag = "users",
    security(("bearer" = [])),
    params(UserPath),
    responses(
        (status = 200, description = "Disabled", body = UserOk),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn disable(
    State(state): State<HttpState>,
    ManagedUser { by, user }: ManagedUser,
) -> Result<Json<UserOk>, HttpError> {
    let changed = user_admin::disable(&state.ctx, by, &user).await?;
    let already = if changed { "" } else { "already " };
    let message = format!("{} is {already}disabled.", user.email);
    Ok(done_or_already(changed, message))
}

/// Enable a user
///
/// Allows a disabled user to sign in again. Has no effect on an enabled one.
#[utoipa::path(
    post,
    path = "/user/{userID}/enable",
    tag = "users",
    security(("bearer" = [])),
    params(UserPath),
    responses(
        (status = 200, description = "Enabled", body = UserOk),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn enable(
    State(state): State<HttpState>,
    ManagedUser { by, user }: ManagedUser,
) -> Result<Json<UserOk>, HttpError> {
    let changed = user_admin::enable(&state.ctx, by, &user).await?;
    let already = if changed { "" } else { "already " };
    let message = format!("{} is {already}enabled.", user.email);
    Ok(done_or_already(changed, message))
}

/// List sessions
///
/// Returns the valid sessions of a user. Users see their own, admins those of everybody.
#[utoipa::path(
    get,
    path = "/user/{userID}/sessions",
    tag = "users",
    security(("bearer" = [])),
    params(UserPath),
    responses(
        (status = 200, description = "The sessions, newest first", body = SessionsOk),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn sessions(
    State(state): State<HttpState>,
    OwnOrManagedUser { caller, user }: OwnOrManagedUser,
) -> Result<Json<SessionsOk>, HttpError> {
    let sessions = user_admin::sessions(&state.ctx, user.id, Some(caller.session)).await?;
    Ok(Json(SessionsOk { sessions }))
}

/// End a session
///
/// Ends one session of a user and its connections. Users end their own sessions, admins those of
/// everybody.
#[utoipa::path(
    delete,
    path = "/user/{userID}/sessions/{sessionID}",
    tag = "users",
    security(("bearer" = [])),
    params(UserPath, SessionPath),
    responses(
        (status = 200, description = "Ended", body = UserOk),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn end_session(
    State(state): State<HttpState>,
    OwnOrManagedUser { caller: _, user }: OwnOrManagedUser,
    Path(SessionPath { session }): Path<SessionPath>,
) -> Result<Json<UserOk>, HttpError> {
    user_admin::end_session(&state.ctx, user.id, session).await?;
    Ok(done(format!("Ended a session of {}.", user.email)))
}

/// End all sessions
///
/// Ends all sessions of a user and their connections. Users end all their sessions except that of this
/// request.
#[utoipa::path(
    delete,
    path = "/user/{userID}/sessions",
    tag = "users",
    security(("bearer" = [])),
    params(UserPath),
    responses(
        (status = 200, description = "Ended", body = UserOk),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn revoke(
    State(state): State<HttpState>,
    target: OwnOrManagedUser,
) -> Result<Json<UserOk>, HttpError> {
    let OwnOrManagedUser { caller, user } = &target;
    let (by, keeps) = (
        Some(caller.user.id),
        target.is_own().then_some(caller.session),
    );
    let ended = user_admin::revoke(&state.ctx, by, user.id, keeps).await?;
    let other = if target.is_own() { "other " } else { "" };
    let message = format!("Ended {ended} {other}sessions of {}.", user.email);
    Ok(done(message))
}
