//! Routes: which meetings there are, going in, going out, who is there.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::{Instance, Reject};
use plenary_shared::ids::Seq;
use plenary_shared::protocol::{JoinTimesOk, MeetingsOk, Open, PeopleOk, Posted};
use plenary_shared::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::document::{InstancePath, YourselfQuery};
use super::extract::{At, Named, SignedIn};
use super::{HttpError, HttpState};
use crate::rules;
use crate::service::meeting;

/// The active meetings.
#[derive(Serialize, ToSchema)]
pub(super) struct ActiveMeetings {
    /// By start.
    active_meetings: Vec<Instance>,
}

/// That one is in now, or out.
#[derive(Serialize, ToSchema)]
pub(super) struct Moved {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
    /// The number of the join or leave in the instance's log.
    seq: Seq,
    /// When, by the store's clock.
    timestamp: Timestamp,
}

impl Moved {
    fn new(message: String, posted: Posted) -> Json<Self> {
        Json(Self {
            success: true,
            message,
            seq: posted.seq,
            timestamp: posted.timestamp,
        })
    }
}

/// What one may see: active, coming and lately ended meetings.
#[utoipa::path(
    get,
    path = "/meetings",
    tag = "meetings",
    security(("bearer" = [])),
    params(YourselfQuery),
    responses(
        (status = 200, description = "By start", body = MeetingsOk),
        (status = "default", description = "401 not_signed_in, …", body = Reject),
    )
)]
pub(super) async fn meetings(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
) -> Result<Json<MeetingsOk>, HttpError> {
    Ok(Json(meeting::visible(&state.ctx, &caller).await?))
}

/// The active meetings that one may see.
#[utoipa::path(
    get,
    path = "/active-meetings",
    tag = "meetings",
    security(("bearer" = [])),
    params(YourselfQuery),
    responses(
        (status = 200, description = "By start", body = ActiveMeetings),
        (status = "default", description = "401 not_signed_in, …", body = Reject),
    )
)]
pub(super) async fn active_meetings(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
) -> Result<Json<ActiveMeetings>, HttpError> {
    let active_meetings = meeting::active_meetings(&state.ctx, &caller).await?;
    Ok(Json(ActiveMeetings { active_meetings }))
}

/// For every active meeting that one may see: when its participants joined.
#[utoipa::path(
    get,
    path = "/active-meetings-participants-join-logs",
    tag = "meetings",
    security(("bearer" = [])),
    params(YourselfQuery),
    responses(
        (status = 200, description = "In the order of joining", body = JoinTimesOk),
        (status = "default", description = "401 not_signed_in, …", body = Reject),
    )
)]
pub(super) async fn join_times(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
) -> Result<Json<JoinTimesOk>, HttpError> {
    Ok(Json(meeting::join_times(&state.ctx, &caller).await?))
}

/// Becomes a participant, until one leaves or the meeting ends.
#[utoipa::path(
    method(get, post),
    path = "/meeting/{meetingID}/order/{orderID}/join",
    tag = "meetings",
    security(("bearer" = [])),
    params(InstancePath, YourselfQuery),
    responses(
        (status = 200, description = "In", body = Moved),
        (status = "default", description = "400 not_started or ended, 403 not_allowed, 404 not_found, 409 already_participant or full, …", body = Reject),
    )
)]
pub(super) async fn join(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    Named(named): Named,
) -> Result<Json<Moved>, HttpError> {
    rules::yourself(&caller.user, named)?;
    let posted = meeting::join(&state.ctx, &caller, instance, None).await?;
    Ok(Moved::new(format!("You have joined {instance}."), posted))
}

/// Is a participant no longer.
#[utoipa::path(
    method(get, post),
    path = "/meeting/{meetingID}/order/{orderID}/leave",
    tag = "meetings",
    security(("bearer" = [])),
    params(InstancePath, YourselfQuery),
    responses(
        (status = 200, description = "Out", body = Moved),
        (status = "default", description = "400 not_started or ended, 404 not_found, 409 not_participant, …", body = Reject),
    )
)]
pub(super) async fn leave(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    Named(named): Named,
) -> Result<Json<Moved>, HttpError> {
    rules::yourself(&caller.user, named)?;
    let posted = meeting::leave(&state.ctx, &caller, instance).await?;
    Ok(Moved::new(format!("You have left {instance}."), posted))
}

/// One instance: what it is, and where it is in its life.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}",
    tag = "meetings",
    security(("bearer" = [])),
    params(InstancePath, YourselfQuery),
    responses(
        (status = 200, description = "The instance", body = Instance),
        (status = "default", description = "403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn instance(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
) -> Result<Json<Instance>, HttpError> {
    let open = Open { instance, limit: 1 };
    let opened = meeting::open(&state.ctx, &caller, open, None).await?;
    Ok(Json(opened.instance))
}

/// Who is there now.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/participants",
    tag = "meetings",
    security(("bearer" = [])),
    params(InstancePath, YourselfQuery),
    responses(
        (status = 200, description = "In the order of joining", body = PeopleOk),
        (status = "default", description = "400 not_started or ended, 403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn participants(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
) -> Result<Json<PeopleOk>, HttpError> {
    Ok(Json(
        meeting::participants(&state.ctx, &caller, instance).await?,
    ))
}
