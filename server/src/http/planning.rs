//! Routes: admins plan meetings, their audiences and their instances.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::Reject;

use plenary_shared::protocol::{Plan, PlanOk};
use plenary_shared::time::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::HttpState;
use super::error::HttpError;
use super::extract::{Admin, JsonBody, ListBody, OptionalJson};
use super::params::{ImportQuery, InstancePath, MeetingPath, MeetingsQuery, Path, Query};
use crate::ctx::Caller;
use crate::service::schedule::{self, Import};

/// A new meeting.
#[derive(Deserialize, ToSchema)]
pub(super) struct NewMeetingBody {
    /// The title, one line.
    #[schema(min_length = 1, max_length = 255)]
    title: String,
    /// The description, any text.
    #[schema(max_length = 4_096)]
    #[serde(default)]
    description: String,
    /// Whether all signed-in users may join.
    #[serde(default, rename = "isPublic")]
    is_public: bool,
    /// The email addresses that may join a private meeting. Their users need not exist yet.
    #[serde(default)]
    audience: Vec<String>,
}

/// Changes of a meeting. Missing fields stay as they are.
#[derive(Deserialize, ToSchema)]
pub(super) struct EditMeetingBody {
    /// The new title, one line.
    #[schema(min_length = 1, max_length = 255)]
    title: Option<String>,
    /// The new description, any text.
    #[schema(max_length = 4_096)]
    description: Option<String>,
    /// Whether all signed-in users may join.
    #[serde(rename = "isPublic")]
    is_public: Option<bool>,
}

/// Changes of an audience.
#[derive(Deserialize, ToSchema)]
pub(super) struct AudienceBody {
    /// Email addresses to add.
    #[serde(default)]
    add: Vec<String>,
    /// Email addresses to remove.
    #[serde(default)]
    remove: Vec<String>,
}

/// The time of an instance.
#[derive(Deserialize, ToSchema)]
pub(super) struct TimesBody {
    /// The start.
    fromdatetime: Timestamp,
    /// The end.
    todatetime: Timestamp,
}

/// The reason of a cancellation.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct CancelBody {
    /// One line, for the audit log.
    #[schema(max_length = 255)]
    reason: Option<String>,
}

type Answered = Result<Json<PlanOk>, HttpError>;

async fn run(state: &HttpState, caller: &Caller, plan: Plan) -> Answered {
    Ok(Json(schedule::plan(&state.ctx, caller, plan).await?))
}

/// List planned meetings
///
/// Returns a page of all meetings, ordered by id, with their audiences and instances.
#[utoipa::path(
    get,
    path = "/plan/meetings",
    tag = "planning",
    security(("bearer" = [])),
    params(MeetingsQuery),
    responses(
        (status = 200, description = "At most 100 meetings", body = PlanOk),
        (status = "default", description = "403 admins_only, …", body = Reject),
    )
)]
pub(super) async fn meetings(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Query(MeetingsQuery { after }): Query<MeetingsQuery>,
) -> Answered {
    run(&state, &caller, Plan::Meetings { after }).await
}

/// Add a meeting
#[utoipa::path(
    post,
    path = "/plan/meetings",
    tag = "planning",
    security(("bearer" = [])),
    request_body = NewMeetingBody,
    responses(
        (status = 200, description = "The meeting", body = PlanOk),
        (status = "default", description = "403 admins_only, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn add(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    JsonBody(body): JsonBody<NewMeetingBody>,
) -> Answered {
    let plan = Plan::Add {
        title: body.title,
        description: body.description,
        is_public: body.is_public,
        audience: body.audience,
    };
    run(&state, &caller, plan).await
}

/// Get a planned meeting
///
/// Returns a meeting with its whole audience, and its overlaps: instances at the same time with some of
/// the same users.
#[utoipa::path(
    get,
    path = "/plan/meeting/{meetingID}",
    tag = "planning",
    security(("bearer" = [])),
    params(MeetingPath),
    responses(
        (status = 200, description = "The meeting", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn meeting(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Path(MeetingPath { meeting }): Path<MeetingPath>,
) -> Answered {
    run(&state, &caller, Plan::Meeting { meeting }).await
}

/// Edit a meeting
///
/// Changes the given fields. Active instances change at once.
#[utoipa::path(
    patch,
    path = "/plan/meeting/{meetingID}",
    tag = "planning",
    security(("bearer" = [])),
    params(MeetingPath),
    request_body = EditMeetingBody,
    responses(
        (status = 200, description = "The meeting", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn edit(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Path(MeetingPath { meeting }): Path<MeetingPath>,
    JsonBody(body): JsonBody<EditMeetingBody>,
) -> Answered {
    let plan = Plan::Edit {
        meeting,
        title: body.title,
        description: body.description,
        is_public: body.is_public,
    };
    run(&state, &caller, plan).await
}

/// Change an audience
///
/// Adds and removes email addresses. Participants who are removed stay until they leave.
#[utoipa::path(
    patch,
    path = "/plan/meeting/{meetingID}/audience",
    tag = "planning",
    security(("bearer" = [])),
    params(MeetingPath),
    request_body = AudienceBody,
    responses(
        (status = 200, description = "The meeting after the change, with a report", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn audience(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Path(MeetingPath { meeting }): Path<MeetingPath>,
    JsonBody(body): JsonBody<AudienceBody>,
) -> Answered {
    let plan = Plan::Audience {
        meeting,
        add: body.add,
        remove: body.remove,
    };
    run(&state, &caller, plan).await
}

/// Import an audience
///
/// Adds a list of email addresses: CSV (the column `email`, or the first column with an @) or one address
/// per line. Invalid lines are reported with their numbers.
#[utoipa::path(
    post,
    path = "/plan/meeting/{meetingID}/audience/import",
    tag = "planning",
    security(("bearer" = [])),
    params(
        MeetingPath,
        ImportQuery,
    ),
    request_body(content = String, content_type = "text/csv", description = "At most 1 MiB of UTF-8"),
    responses(
        (status = 200, description = "The meeting after the change, with a report", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 413 too_large, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn import(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Path(MeetingPath { meeting }): Path<MeetingPath>,
    Query(ImportQuery { replace, strict }): Query<ImportQuery>,
    ListBody(text): ListBody,
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

/// Schedule an instance
#[utoipa::path(
    post,
    path = "/plan/meeting/{meetingID}/instances",
    tag = "planning",
    security(("bearer" = [])),
    params(MeetingPath),
    request_body = TimesBody,
    responses(
        (status = 200, description = "The meeting after the change, with its overlaps", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn instance(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Path(MeetingPath { meeting }): Path<MeetingPath>,
    JsonBody(body): JsonBody<TimesBody>,
) -> Answered {
    let plan = Plan::Schedule {
        meeting,
        fromdatetime: body.fromdatetime,
        todatetime: body.todatetime,
    };
    run(&state, &caller, plan).await
}

/// Reschedule an instance
///
/// Changes the time of an instance that has not started.
#[utoipa::path(
    put,
    path = "/plan/meeting/{meetingID}/order/{orderID}",
    tag = "planning",
    security(("bearer" = [])),
    params(InstancePath),
    request_body = TimesBody,
    responses(
        (status = 200, description = "The meeting after the change, with its overlaps", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 409 not_scheduled, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn shift(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Path(path): Path<InstancePath>,
    JsonBody(body): JsonBody<TimesBody>,
) -> Answered {
    let plan = Plan::Move {
        instance: path.id(),
        fromdatetime: body.fromdatetime,
        todatetime: body.todatetime,
    };
    run(&state, &caller, plan).await
}

/// Cancel an instance
///
/// Cancels an instance that has not started. Its record gets the reason `cancelled`.
#[utoipa::path(
    delete,
    path = "/plan/meeting/{meetingID}/order/{orderID}",
    tag = "planning",
    security(("bearer" = [])),
    params(InstancePath),
    request_body = CancelBody,
    responses(
        (status = 200, description = "The meeting", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 409 not_scheduled, …", body = Reject),
    )
)]
pub(super) async fn cancel(
    State(state): State<HttpState>,
    Admin(caller): Admin,
    Path(path): Path<InstancePath>,
    OptionalJson(body): OptionalJson<CancelBody>,
) -> Answered {
    let plan = Plan::Cancel {
        instance: path.id(),
        reason: body.reason,
    };
    run(&state, &caller, plan).await
}
