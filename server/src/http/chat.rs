//! Routes: saying something, and reading what was said.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use plenary_shared::domain::{Code, Reject};
use plenary_shared::ids::{Cmid, Seq, UserId};
use plenary_shared::protocol::{
    Ack, Delete, Edit, Events, EventsOk, Message, MessagesOk, Post, Posted, UserMessages,
};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::document::{InstancePath, PageQuery, YourselfQuery};
use super::extract::{At, IdempotencyKey, JsonBody, Numbered, Of, Paging, SignedIn};
use super::{HttpError, HttpState};
use crate::ctx::Ctx;
use crate::rules;
use crate::service::chat;

/// What is said.
#[derive(Deserialize, ToSchema)]
pub(super) struct Saying {
    /// 1 to 4,096 bytes of UTF-8; line ends and tabs, but no other control characters.
    body: String,
    /// Optional; only one's own is taken.
    #[serde(rename = "userID")]
    user: Option<UserId>,
    /// The number of the message that it answers.
    #[serde(rename = "replyTo")]
    reply_to: Option<Seq>,
    /// The message's own id, for who cannot send the header Idempotency-Key; the same if both are
    /// sent.
    cmid: Option<Cmid>,
    /// `durable`: answered only when the archive has it, after 5 seconds at the latest.
    #[serde(default)]
    ack: Ack,
}

/// What a message is to say.
#[derive(Deserialize, ToSchema)]
pub(super) struct Editing {
    /// 1 to 4,096 bytes of UTF-8; line ends and tabs, but no other control characters.
    body: String,
}

/// That it was said.
#[derive(Serialize, ToSchema)]
pub(super) struct Said {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
    /// The message's number in the instance's log.
    seq: Seq,
    /// When, by the store's clock.
    timestamp: Timestamp,
    /// The message's own id: sent again as Idempotency-Key, it makes no second message.
    cmid: Cmid,
    /// Where `ack` was `durable`: whether the archive has it. If not, it is ordered and visible all
    /// the same, and will be archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    durable: Option<bool>,
}

/// One person's messages.
#[derive(Serialize, ToSchema)]
pub(super) struct UserMessagesOk {
    /// Ascending.
    user_messages: Vec<Message>,
    /// Whether there are more in the direction that was asked for.
    more: bool,
}

/// A page of what was said, ascending: the last messages unless `after` or `before` says otherwise.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/messages",
    tag = "messages",
    security(("bearer" = [])),
    params(InstancePath, PageQuery, YourselfQuery),
    responses(
        (status = 200, description = "Ascending", body = MessagesOk),
        (status = "default", description = "400 not_started, 403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn messages(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    Paging(asked): Paging,
) -> Result<Json<MessagesOk>, HttpError> {
    let messages = chat::messages(&state.ctx, &caller, instance, asked).await?;
    Ok(Json(messages))
}

/// A page of the log, ascending: the last events unless `after` or `before` says otherwise. A
/// message is as it is now.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/events",
    tag = "messages",
    security(("bearer" = [])),
    params(InstancePath, PageQuery, YourselfQuery),
    responses(
        (status = 200, description = "Ascending", body = EventsOk),
        (status = "default", description = "400 not_started, 403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn events(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    Paging(asked): Paging,
) -> Result<Json<EventsOk>, HttpError> {
    let asked = Events {
        instance,
        after: asked.after,
        before: asked.before,
        limit: asked.limit,
    };
    Ok(Json(chat::events(&state.ctx, &caller, asked).await?))
}

/// Says something. With an `Idempotency-Key`, only once however often it is sent. With
/// `"ack":"durable"` it is answered when the archive has it.
#[utoipa::path(
    post,
    path = "/meeting/{meetingID}/order/{orderID}/message",
    tag = "messages",
    security(("bearer" = [])),
    params(
        InstancePath,
        YourselfQuery,
        ("Idempotency-Key" = Option<Uuid>, Header, description = "The message's own id"),
    ),
    request_body = Saying,
    responses(
        (status = 201, description = "Said", body = Said),
        (status = 200, description = "Had been said before, under the same key", body = Said),
        (status = 202, description = "Said, but `ack` was `durable` and the archive is behind: not to be said anew; under the same key it may be asked again", body = Said),
        (status = "default", description = "400 not_started or ended, 404 not_found, 409 not_participant, 413 body_too_long, 422 body_empty or body_control, 503 archive_behind, …", body = Reject),
    )
)]
pub(super) async fn message(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(saying): JsonBody<Saying>,
) -> Result<(StatusCode, Json<Said>), HttpError> {
    rules::yourself(&caller.user, saying.user)?;
    let post = Post {
        instance,
        cmid: chosen_cmid(key, saying.cmid)?.unwrap_or_else(|| new_cmid(&state.ctx)),
        body: MessageBody::parse(saying.body).map_err(Reject::from)?,
        reply_to: saying.reply_to,
        ack: saying.ack,
    };
    let cmid = post.cmid;
    let posted = match chat::post(&state.ctx, &caller, post).await? {
        chat::PostResult::Done(posted) => posted,
        chat::PostResult::Pending(pending) => {
            chat::wait_durable(&state.ctx, &caller, pending).await?
        }
    };
    let (status, message) = match (posted.durable, posted.repeat) {
        (Some(false), _) => (
            StatusCode::ACCEPTED,
            "Your message is posted and visible, but not durable yet: the archive is behind. Do not \
             write it again; sent again under the same cmid it is not doubled.",
        ),
        (Some(true) | None, true) => (StatusCode::OK, "This message had been posted before."),
        (Some(true) | None, false) => (StatusCode::CREATED, "Your message is posted."),
    };
    Ok((status, Json(said(message, cmid, posted))))
}

/// Changes a message of one's own. With an `Idempotency-Key`, only once however often it is sent.
#[utoipa::path(
    put,
    path = "/meeting/{meetingID}/order/{orderID}/message/{seq}",
    tag = "messages",
    security(("bearer" = [])),
    params(
        InstancePath,
        ("seq" = Seq, Path, description = "Which message"),
        ("Idempotency-Key" = Option<Uuid>, Header, description = "The change's own id"),
    ),
    request_body = Editing,
    responses(
        (status = 200, description = "Changed, now or before under the same key", body = Said),
        (status = "default", description = "400 not_started or ended, 403 not_yours, 404 no_such_message, 409 not_participant or message_deleted, 413 body_too_long, 422 body_empty or body_control, 503 archive_behind, …", body = Reject),
    )
)]
pub(super) async fn edit(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    Numbered(target): Numbered,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(editing): JsonBody<Editing>,
) -> Result<Json<Said>, HttpError> {
    let cmid = key.unwrap_or_else(|| new_cmid(&state.ctx));
    let edit = Edit {
        instance,
        target,
        cmid,
        body: MessageBody::parse(editing.body).map_err(Reject::from)?,
    };
    let posted = chat::edit(&state.ctx, &caller, edit).await?;
    Ok(Json(said("Your message is changed.", cmid, posted)))
}

/// Deletes a message of one's own. With an `Idempotency-Key`, only once however often it is sent.
#[utoipa::path(
    delete,
    path = "/meeting/{meetingID}/order/{orderID}/message/{seq}",
    tag = "messages",
    security(("bearer" = [])),
    params(
        InstancePath,
        ("seq" = Seq, Path, description = "Which message"),
        ("Idempotency-Key" = Option<Uuid>, Header, description = "The deletion's own id"),
    ),
    responses(
        (status = 200, description = "Deleted, now or before under the same key", body = Said),
        (status = "default", description = "400 not_started or ended, 403 not_yours, 404 no_such_message, 409 not_participant or message_deleted, 503 archive_behind, …", body = Reject),
    )
)]
pub(super) async fn delete(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    Numbered(target): Numbered,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Json<Said>, HttpError> {
    let cmid = key.unwrap_or_else(|| new_cmid(&state.ctx));
    let delete = Delete {
        instance,
        target,
        cmid,
    };
    let posted = chat::delete(&state.ctx, &caller, delete).await?;
    Ok(Json(said("Your message is deleted.", cmid, posted)))
}

/// A page of what one person said, ascending.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/user/{userID}/messages",
    tag = "messages",
    security(("bearer" = [])),
    params(
        InstancePath,
        ("userID" = UserId, Path, description = "Whose messages"),
        PageQuery,
    ),
    responses(
        (status = 200, description = "Ascending", body = UserMessagesOk),
        (status = "default", description = "400 not_started, 403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn user_messages(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    At(instance): At,
    Of(user): Of,
    Paging(asked): Paging,
) -> Result<Json<UserMessagesOk>, HttpError> {
    let asked = UserMessages {
        instance,
        user,
        after: asked.after,
        before: asked.before,
        limit: asked.limit,
    };
    let messages = chat::user_messages(&state.ctx, &caller, asked).await?;
    Ok(Json(UserMessagesOk {
        user_messages: messages.messages,
        more: messages.more,
    }))
}

fn said(message: &str, cmid: Cmid, posted: Posted) -> Said {
    Said {
        success: true,
        message: message.to_owned(),
        seq: posted.seq,
        timestamp: posted.timestamp,
        cmid,
        durable: posted.durable,
    }
}

/// The id that the client chose, in the header or in the body.
fn chosen_cmid(header: Option<Cmid>, body: Option<Cmid>) -> Result<Option<Cmid>, Reject> {
    match (header, body) {
        (Some(header), Some(body)) if header != body => Err(Reject::new(
            Code::Invalid,
            "The field cmid differs from the header Idempotency-Key: send one of them.",
        )),
        (header, body) => Ok(header.or(body)),
    }
}

/// The id of a message whose client chose none: a UUID of version 7.
pub(super) fn new_cmid(ctx: &Ctx) -> Cmid {
    let mut bytes = [0; 10];
    (ctx.randomness)(&mut bytes);
    let now_ms = u64::try_from(ctx.now().as_ms()).unwrap_or_default();
    Cmid(uuid::Builder::from_unix_timestamp_millis(now_ms, &bytes).into_uuid())
}
