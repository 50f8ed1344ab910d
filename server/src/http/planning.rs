//! Routes: an admin plans meetings, who may join them, and when they take place.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::Reject;
use plenary_shared::ids::MeetingId;
use plenary_shared::protocol::{AddMeeting, ChangeAudience, EditMeeting, Plan, PlanOk, Times};
use serde::Deserialize;
use utoipa::ToSchema;

use super::document::InstancePath;
use super::extract::{At, Behind, JsonBody, Listed, MaybeJson, Planned, SignedIn, TextBody};
use super::{HttpError, HttpState};
use crate::ctx::Caller;
use crate::service::schedule;

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
    SignedIn(caller): SignedIn,
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
    request_body = AddMeeting,
    responses(
        (status = 200, description = "As it is now", body = PlanOk),
        (status = "default", description = "403 admins_only, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn add(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    JsonBody(new): JsonBody<AddMeeting>,
) -> Answered {
    planned(&state, &caller, Plan::Add(new)).await
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
    SignedIn(caller): SignedIn,
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
    request_body = EditMeeting,
    responses(
        (status = 200, description = "As it is now", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn edit(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Planned(meeting): Planned,
    JsonBody(edit): JsonBody<EditMeeting>,
) -> Answered {
    planned(&state, &caller, Plan::Edit { meeting, edit }).await
}

/// Invites people, and others no more. Who is removed while they are in stays in until they leave.
#[utoipa::path(
    patch,
    path = "/plan/meeting/{meetingID}/audience",
    tag = "planning",
    security(("bearer" = [])),
    params(("meetingID" = MeetingId, Path, description = "Of which")),
    request_body = ChangeAudience,
    responses(
        (status = 200, description = "As it is now, with a report", body = PlanOk),
        (status = "default", description = "403 admins_only, 404 not_found, 422 invalid, …", body = Reject),
    )
)]
pub(super) async fn audience(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Planned(meeting): Planned,
    JsonBody(change): JsonBody<ChangeAudience>,
) -> Answered {
    planned(&state, &caller, Plan::Audience { meeting, change }).await
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
    SignedIn(caller): SignedIn,
    Planned(meeting): Planned,
    Listed { replace, strict }: Listed,
    TextBody(text): TextBody,
) -> Answered {
    let asked = Plan::Import {
        meeting,
        text,
        replace,
        strict,
    };
    planned(&state, &caller, asked).await
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
    SignedIn(caller): SignedIn,
    Planned(meeting): Planned,
    JsonBody(times): JsonBody<Times>,
) -> Answered {
    planned(&state, &caller, Plan::Schedule { meeting, times }).await
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
    SignedIn(caller): SignedIn,
    At(instance): At,
    JsonBody(times): JsonBody<Times>,
) -> Answered {
    planned(&state, &caller, Plan::Move { instance, times }).await
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
    SignedIn(caller): SignedIn,
    At(instance): At,
    MaybeJson(why): MaybeJson<Cancelling>,
) -> Answered {
    let reason = why.reason;
    planned(&state, &caller, Plan::Cancel { instance, reason }).await
}
