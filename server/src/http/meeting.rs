//! Routes: listing, joining and leaving meetings, and their participants.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::{Instance, Reject};
use plenary_shared::ids::{Seq, UserId};
use plenary_shared::protocol::{JoinTimesOk, MeetingsOk, Open, ParticipantsOk, Posted};
use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HttpState;
use super::error::HttpError;
use super::extract::{OptionalJson, SignedIn};
use super::params::{CallerQuery, InstancePath, Path};
use crate::rules;
use crate::service::meeting;

/// The active meetings.
#[derive(Serialize, ToSchema)]
pub(super) struct ActiveMeetings {
    /// The instances, ordered by start.
    active_meetings: Vec<Instance>,
}

/// Optional confirmation of the caller.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct CallerBody {
    /// Must be the id of the signed-in user.
    #[serde(rename = "userID")]
    user: Option<UserId>,
}

/// The user has joined or left.
#[derive(Serialize, ToSchema)]
pub(super) struct MembershipOk {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
    /// The seq of the join or leave in the log of the instance.
    seq: Seq,
    /// The time of the join or leave, by the clock of the store.
    timestamp: Timestamp,
}

impl MembershipOk {
    fn new(message: String, posted: Posted) -> Json<Self> {
        Json(Self {
            success: true,
            message,
            seq: posted.seq,
            timestamp: posted.timestamp,
        })
    }
}

/// List meetings
///
/// Returns the active, upcoming and recently ended instances that you may see.
#[utoipa::path(
    get,
    path = "/meetings",
    tag = "meetings",
    security(("bearer" = [])),
    params(CallerQuery),
    responses(
        (status = 200, description = "The instances, ordered by start", body = MeetingsOk),
        (status = "default", description = "401 not_signed_in, …", body = Reject),
    )
)]
pub(super) async fn meetings(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
) -> Result<Json<MeetingsOk>, HttpError> {
    Ok(Json(meeting::visible(&state.ctx, &caller).await?))
}

/// List active meetings
///
/// Returns the active instances that you may see.
#[utoipa::path(
    get,
    path = "/active-meetings",
    tag = "meetings",
    security(("bearer" = [])),
    params(CallerQuery),
    responses(
        (status = 200, description = "The instances, ordered by start", body = ActiveMeetings),
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

/// List join times
///
/// Returns the join times of the participants in every active instance that you may see.
#[utoipa::path(
    get,
    path = "/active-meetings-participants-join-logs",
    tag = "meetings",
    security(("bearer" = [])),
    params(CallerQuery),
    responses(
        (status = 200, description = "The participants, ordered by join time", body = JoinTimesOk),
        (status = "default", description = "401 not_signed_in, …", body = Reject),
    )
)]
pub(super) async fn join_times(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
) -> Result<Json<JoinTimesOk>, HttpError> {
    Ok(Json(meeting::join_times(&state.ctx, &caller).await?))
}

/// Join a meeting
///
/// Makes you a participant until you leave or the meeting ends.
#[utoipa::path(
    method(get, post),
    path = "/meeting/{meetingID}/order/{orderID}/join",
    tag = "meetings",
    security(("bearer" = [])),
    params(InstancePath, CallerQuery),
    request_body = CallerBody,
    responses(
        (status = 200, description = "Joined", body = MembershipOk),
        (status = "default", description = "400 not_started or ended, 403 not_allowed, 404 not_found, 409 already_participant or full, …", body = Reject),
    )
)]
pub(super) async fn join(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    OptionalJson(body): OptionalJson<CallerBody>,
) -> Result<Json<MembershipOk>, HttpError> {
    rules::yourself(&caller.user, body.user)?;
    let instance = path.id();
    let posted = meeting::join(&state.ctx, &caller, instance, None).await?;
    Ok(MembershipOk::new(
        format!("You have joined {instance}."),
        posted,
    ))
}

/// Leave a meeting
#[utoipa::path(
    method(get, post),
    path = "/meeting/{meetingID}/order/{orderID}/leave",
    tag = "meetings",
    security(("bearer" = [])),
    params(InstancePath, CallerQuery),
    request_body = CallerBody,
    responses(
        (status = 200, description = "Left", body = MembershipOk),
        (status = "default", description = "400 not_started or ended, 404 not_found, 409 not_participant, …", body = Reject),
    )
)]
pub(super) async fn leave(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    OptionalJson(body): OptionalJson<CallerBody>,
) -> Result<Json<MembershipOk>, HttpError> {
    rules::yourself(&caller.user, body.user)?;
    let instance = path.id();
    let posted = meeting::leave(&state.ctx, &caller, instance).await?;
    Ok(MembershipOk::new(
        format!("You have left {instance}."),
        posted,
    ))
}

/// Get an instance
///
/// Returns one instance with its times and its state.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}",
    tag = "meetings",
    security(("bearer" = [])),
    params(InstancePath, CallerQuery),
    responses(
        (status = 200, description = "The instance", body = Instance),
        (status = "default", description = "403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn instance(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
) -> Result<Json<Instance>, HttpError> {
    let open = Open {
        instance: path.id(),
        limit: 1,
    };
    let opened = meeting::open(&state.ctx, &caller, open, None).await?;
    Ok(Json(opened.instance))
}

/// List participants
///
/// Returns the current participants.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/participants",
    tag = "meetings",
    security(("bearer" = [])),
    params(InstancePath, CallerQuery),
    responses(
        (status = 200, description = "The participants, ordered by join time", body = ParticipantsOk),
        (status = "default", description = "400 not_started or ended, 403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn participants(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
) -> Result<Json<ParticipantsOk>, HttpError> {
    Ok(Json(
        meeting::participants(&state.ctx, &caller, path.id()).await?,
    ))
}
