//! Routes: an admin plans meetings, who may join them, and when they take place.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::Reject;
use plenary_shared::ids::MeetingId;
use plenary_shared::protocol::{Plan, PlanOk};
use plenary_shared::time::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::document::InstancePath;
use super::extract::{Admin, At, Behind, JsonBody, Listed, MaybeJson, Planned, TextBody};
use super::{HttpError, HttpState};
use crate::ctx::Caller;
use crate::service::schedule::{self, Import};

/// A meeting to be added.
#[derive(Deserialize, ToSchema)]
pub(super) struct MeetingAdding {
    /// One line.
    title: String,
    /// Any text, or none.
    #[serde(default)]
    description: String,
    /// Whether anyone who is signed in may join.
    #[serde(default, rename = "isPublic")]
    is_public: bool,
    /// The addresses of those who may join a private one; nobody need have them yet.
    #[serde(default)]
    audience: Vec<String>,
}

/// What of a meeting is changed; what is missing stays.
#[derive(Deserialize, ToSchema)]
pub(super) struct Editing {
    /// One line.
    title: Option<String>,
    /// Any text, or none.
    description: Option<String>,
    /// Whether anyone who is signed in may join.
    #[serde(rename = "isPublic")]
    is_public: Option<bool>,
}

/// Who may join from now on, and who no more: addresses.
#[derive(Deserialize, ToSchema)]
pub(super) struct Inviting {
    /// May join.
    #[serde(default)]
    add: Vec<String>,
    /// May join no more.
    #[serde(default)]
    remove: Vec<String>,
}

/// When an instance takes place.
#[derive(Deserialize, ToSchema)]
pub(super) struct Times {
    /// When it begins.
    fromdatetime: Timestamp,
    /// When it is over.
    todatetime: Timestamp,
}

/// Why.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct Cancelling {
    /// One line, for the audit.
    reason: Option<String>,
}

type Answered = Result<Json<PlanOk>, HttpError>;

async fn planned(state: &HttpState, caller: &Caller, asked: Plan) -> Answered {
    Ok(Json(schedule::plan(&state.ctx, caller, asked).await?))
}

/// A page of all meetings, by number: who may join them, and when they take place.
#[utoipa::path(
    get,
    path = "/plan/meetings",
    tag = "planning",
    security(("bearer" = [])),
    params(("after" = Option<MeetingId>, Query, description = "Only those above this number")),
    responses(
        (status = 200, description = "Up to 100 meetings", body = PlanOk),
        (status = "default", description = "403 admins_only, …", body = Reject),
    )
)]
pub(super) async fn meetings(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Behind(after): Behind,
) -> Answered {
    planned(&state, &caller, Plan::Meetings { after }).await
}

/// Adds a meeting.
#[utoipa::path(
    post,
    path = "/plan/meetings",
    tag = "planning",
    security(("bearer" = [])),
    request_body = MeetingAdding,
    responses(
        (status = 200, description = "As it is now", body = PlanOk),
        (status = "default", description = "403 admins_only, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn add(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    JsonBody(new): JsonBody<MeetingAdding>,
) -> Answered {
    let MeetingAdding {
        title,
        description,
        is_public,
        audience,
    } = new;
    let asked = Plan::Add {
        title,
        description,
        is_public,
        audience,
    };
    planned(&state, &caller, asked).await
}

/// One meeting with its whole audience, and what takes place at the same time for the same people.
#[utoipa::path(
    get,
    path = "/plan/meeting/{meetingID}",
    tag = "planning",
    security(("bearer" = [])),
    params(("meetingID" = MeetingId, Path, description = "Which")),
    responses(
        (status = 200, description = "As it is now", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn meeting(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Planned(meeting): Planned,
) -> Answered {
    planned(&state, &caller, Plan::Meeting { meeting }).await
}

/// Changes a meeting; what is missing stays as it is, and what is live follows at once.
#[utoipa::path(
    patch,
    path = "/plan/meeting/{meetingID}",
    tag = "planning",
    security(("bearer" = [])),
    params(("meetingID" = MeetingId, Path, description = "Which")),
    request_body = Editing,
    responses(
        (status = 200, description = "As it is now", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn edit(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Planned(meeting): Planned,
    JsonBody(edit): JsonBody<Editing>,
) -> Answered {
    let Editing {
        title,
        description,
        is_public,
    } = edit;
    let asked = Plan::Edit {
        meeting,
        title,
        description,
        is_public,
    };
    planned(&state, &caller, asked).await
}

/// Invites people, and others no more. Who is removed while they are in stays in until they leave.
#[utoipa::path(
    patch,
    path = "/plan/meeting/{meetingID}/audience",
    tag = "planning",
    security(("bearer" = [])),
    params(("meetingID" = MeetingId, Path, description = "Of which")),
    request_body = Inviting,
    responses(
        (status = 200, description = "As it is now, with a report", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn audience(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Planned(meeting): Planned,
    JsonBody(change): JsonBody<Inviting>,
) -> Answered {
    let Inviting { add, remove } = change;
    let asked = Plan::Audience {
        meeting,
        add,
        remove,
    };
    planned(&state, &caller, asked).await
}

/// Invites everybody on a list: CSV (addresses in the column `email`, or in the first that holds an @)
/// or an address a line. Good lines are taken, wrong ones reported by their numbers.
#[utoipa::path(
    post,
    path = "/plan/meeting/{meetingID}/audience/import",
    tag = "planning",
    security(("bearer" = [])),
    params(
        ("meetingID" = MeetingId, Path, description = "Of which"),
        ("replace" = Option<bool>, Query, description = "Whoever is not on the list is invited no more"),
        ("strict" = Option<bool>, Query, description = "One wrong line, and nothing is changed"),
    ),
    request_body(content = String, content_type = "text/csv", description = "At most 1 MiB of UTF-8"),
    responses(
        (status = 200, description = "As it is now, with a report", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 413 too_large, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn import(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Planned(meeting): Planned,
    Listed { replace, strict }: Listed,
    TextBody(text): TextBody,
) -> Answered {
    let import = Import {
        text: &text,
        replace,
        strict,
    };
    let by = Some(caller.user.id);
    let now = schedule::import_audience(&state.ctx, by, meeting, import).await?;
    Ok(Json(now))
}

/// Adds an instance of a meeting.
#[utoipa::path(
    post,
    path = "/plan/meeting/{meetingID}/instances",
    tag = "planning",
    security(("bearer" = [])),
    params(("meetingID" = MeetingId, Path, description = "Of which")),
    request_body = Times,
    responses(
        (status = 200, description = "As it is now, with what overlaps", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn instance(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Planned(meeting): Planned,
    JsonBody(times): JsonBody<Times>,
) -> Answered {
    let Times {
        fromdatetime,
        todatetime,
    } = times;
    let asked = Plan::Schedule {
        meeting,
        fromdatetime,
        todatetime,
    };
    planned(&state, &caller, asked).await
}

/// Gives another time to an instance that has not begun.
#[utoipa::path(
    put,
    path = "/plan/meeting/{meetingID}/order/{orderID}",
    tag = "planning",
    security(("bearer" = [])),
    params(InstancePath),
    request_body = Times,
    responses(
        (status = 200, description = "As it is now, with what overlaps", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 409 not_scheduled, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn shift(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    At(instance): At,
    JsonBody(times): JsonBody<Times>,
) -> Answered {
    let Times {
        fromdatetime,
        todatetime,
    } = times;
    let asked = Plan::Move {
        instance,
        fromdatetime,
        todatetime,
    };
    planned(&state, &caller, asked).await
}

/// Calls off an instance that has not begun; its record says `cancelled`.
#[utoipa::path(
    delete,
    path = "/plan/meeting/{meetingID}/order/{orderID}",
    tag = "planning",
    security(("bearer" = [])),
    params(InstancePath),
    request_body = Option<Cancelling>,
    responses(
        (status = 200, description = "As it is now", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 409 not_scheduled, …", body = Reject),
    )
)]
pub(super) async fn cancel(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    At(instance): At,
    MaybeJson(why): MaybeJson<Cancelling>,
) -> Answered {
    let reason = why.reason;
    planned(&state, &caller, Plan::Cancel { instance, reason }).await
}
