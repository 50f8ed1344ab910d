//! Routes: posting, editing, deleting and reading messages.

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

use super::HttpState;
use super::error::HttpError;
use super::extract::{IdempotencyKey, JsonBody, SignedIn};
use super::params::{CallerQuery, InstancePath, MessagePath, PageQuery, Path, Query, UserPath};
use crate::ctx::Ctx;
use crate::rules;
use crate::service::chat;

/// A message to post.
#[derive(Deserialize, ToSchema)]
pub(super) struct PostBody {
    /// The text: 1 to 4,096 bytes of UTF-8. Line ends and tabs are allowed, other control characters are
    /// not.
    #[schema(value_type = String, min_length = 1, max_length = 4_096)]
    body: MessageBody,
    /// Optional. Must be the id of the signed-in user.
    #[serde(rename = "userID")]
    user: Option<UserId>,
    /// The seq of the message that this one replies to.
    #[serde(rename = "replyTo")]
    reply_to: Option<Seq>,
    /// The id of the message, for clients that cannot send the header Idempotency-Key. If both are sent,
    /// they must be equal.
    cmid: Option<Cmid>,
    /// `durable` answers only after the message is in the archive, or after 5 seconds.
    #[serde(default)]
    ack: Ack,
}

/// The new text of a message.
#[derive(Deserialize, ToSchema)]
pub(super) struct EditBody {
    /// The text: 1 to 4,096 bytes of UTF-8. Line ends and tabs are allowed, other control characters are
    /// not.
    #[schema(value_type = String, min_length = 1, max_length = 4_096)]
    body: MessageBody,
}

/// The message was posted, edited or deleted.
#[derive(Serialize, ToSchema)]
pub(super) struct MessageOk {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
    /// The seq of the event in the log of the instance.
    seq: Seq,
    /// The time of the event, by the clock of the store.
    timestamp: Timestamp,
    /// The id of the request. Sending it again as Idempotency-Key has no further effect.
    cmid: Cmid,
    /// Only with `"ack":"durable"`: whether the message is in the archive. If not, it is posted and
    /// visible all the same, and will be archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    durable: Option<bool>,
}

/// A page of the messages of one user.
#[derive(Serialize, ToSchema)]
pub(super) struct UserMessagesOk {
    /// The messages, oldest first.
    user_messages: Vec<Message>,
    /// Whether there are more in the requested direction.
    more: bool,
}

impl MessageOk {
    fn new(message: &str, cmid: Cmid, posted: Posted) -> Self {
        Self {
            success: true,
            message: message.to_owned(),
            seq: posted.seq,
            timestamp: posted.timestamp,
            cmid,
            durable: posted.durable,
        }
    }
}

/// List messages
///
/// Returns a page of messages, oldest first. Without `after` and `before` it is the last page.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/messages",
    tag = "messages",
    security(("bearer" = [])),
    params(InstancePath, PageQuery, CallerQuery),
    responses(
        (status = 200, description = "The messages, oldest first", body = MessagesOk),
        (status = "default", description = "400 not_started, 403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn messages(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<MessagesOk>, HttpError> {
    let messages = chat::messages(&state.ctx, &caller, path.id(), query.page()).await?;
    Ok(Json(messages))
}

/// List events
///
/// Returns a page of the event log, oldest first. Without `after` and `before` it is the last page.
/// Messages have their current text.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/events",
    tag = "messages",
    security(("bearer" = [])),
    params(InstancePath, PageQuery, CallerQuery),
    responses(
        (status = 200, description = "The events, oldest first", body = EventsOk),
        (status = "default", description = "400 not_started, 403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn events(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<EventsOk>, HttpError> {
    let page = query.page();
    let request = Events {
        instance: path.id(),
        after: page.after,
        before: page.before,
        limit: page.limit,
    };
    Ok(Json(chat::events(&state.ctx, &caller, request).await?))
}

/// Post a message
///
/// With an `Idempotency-Key` the message is posted once, however often the request is sent. With
/// `"ack":"durable"` the answer comes after the message is in the archive.
#[utoipa::path(
    post,
    path = "/meeting/{meetingID}/order/{orderID}/message",
    tag = "messages",
    security(("bearer" = [])),
    params(
        InstancePath,
        CallerQuery,
        ("Idempotency-Key" = Option<Uuid>, Header, description = "The id of the message"),
    ),
    request_body = PostBody,
    responses(
        (status = 201, description = "Posted", body = MessageOk),
        (status = 200, description = "Posted earlier with the same key", body = MessageOk),
        (status = 202, description = "Posted, but not in the archive yet although `ack` was `durable`. Do not post the text again; repeat the request with the same key to ask again", body = MessageOk),
        (status = "default", description = "400 not_started or ended, 404 not_found, 409 not_participant, 413 body_too_long, 422 body_empty or body_control, 429 rate_limited, 503 archive_behind or disk_reserve, …", body = Reject),
    )
)]
pub(super) async fn message(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(body): JsonBody<PostBody>,
) -> Result<(StatusCode, Json<MessageOk>), HttpError> {
    rules::yourself(&caller.user, body.user)?;
    let cmid = same_cmid(key, body.cmid)?.unwrap_or_else(|| new_cmid(&state.ctx));
    let post = Post {
        instance: path.id(),
        cmid,
        body: body.body,
        reply_to: body.reply_to,
        ack: body.ack,
    };
    let posted = match chat::post(&state.ctx, &caller, post).await? {
        chat::PostResult::Done(posted) => posted,
        chat::PostResult::Pending(pending) => {
            chat::wait_durable(&state.ctx, &caller, pending).await?
        }
    };
    let (status, message) = match (posted.durable, posted.repeat) {
        (Some(false), _) => (
            StatusCode::ACCEPTED,
            "Your message is posted and visible, but not durable yet. Do not write it again. \
             Sending it again with the same cmid does not duplicate it.",
        ),
        (Some(true) | None, true) => (StatusCode::OK, "This message was posted earlier."),
        (Some(true) | None, false) => (StatusCode::CREATED, "Your message is posted."),
    };
    Ok((status, Json(MessageOk::new(message, cmid, posted))))
}

/// Edit a message
///
/// Replaces the text of your own message. With an `Idempotency-Key` this happens once, however often
/// the request is sent.
#[utoipa::path(
    put,
    path = "/meeting/{meetingID}/order/{orderID}/message/{seq}",
    tag = "messages",
    security(("bearer" = [])),
    params(
        InstancePath,
        MessagePath,
        ("Idempotency-Key" = Option<Uuid>, Header, description = "The id of the edit"),
    ),
    request_body = EditBody,
    responses(
        (status = 200, description = "Edited, now or earlier with the same key", body = MessageOk),
        (status = "default", description = "400 not_started or ended, 403 not_yours, 404 no_such_message, 409 not_participant or message_deleted, 413 body_too_long, 422 body_empty or body_control, 429 rate_limited, 503 archive_behind or disk_reserve, …", body = Reject),
    )
)]
pub(super) async fn edit(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    Path(MessagePath { seq: target }): Path<MessagePath>,
    IdempotencyKey(key): IdempotencyKey,
    JsonBody(EditBody { body }): JsonBody<EditBody>,
) -> Result<Json<MessageOk>, HttpError> {
    let cmid = key.unwrap_or_else(|| new_cmid(&state.ctx));
    let edit = Edit {
        instance: path.id(),
        target,
        cmid,
        body,
    };
    let posted = chat::edit(&state.ctx, &caller, edit).await?;
    Ok(Json(MessageOk::new(
        "Your message is edited.",
        cmid,
        posted,
    )))
}

/// Delete a message
///
/// Deletes your own message. With an `Idempotency-Key` this happens once, however often the request is
/// sent.
#[utoipa::path(
    delete,
    path = "/meeting/{meetingID}/order/{orderID}/message/{seq}",
    tag = "messages",
    security(("bearer" = [])),
    params(
        InstancePath,
        MessagePath,
        ("Idempotency-Key" = Option<Uuid>, Header, description = "The id of the deletion"),
    ),
    responses(
        (status = 200, description = "Deleted, now or earlier with the same key", body = MessageOk),
        (status = "default", description = "400 not_started or ended, 403 not_yours, 404 no_such_message, 409 not_participant or message_deleted, 429 rate_limited, 503 archive_behind or disk_reserve, …", body = Reject),
    )
)]
pub(super) async fn delete(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    Path(MessagePath { seq: target }): Path<MessagePath>,
    IdempotencyKey(key): IdempotencyKey,
) -> Result<Json<MessageOk>, HttpError> {
    let cmid = key.unwrap_or_else(|| new_cmid(&state.ctx));
    let delete = Delete {
        instance: path.id(),
        target,
        cmid,
    };
    let posted = chat::delete(&state.ctx, &caller, delete).await?;
    Ok(Json(MessageOk::new(
        "Your message is deleted.",
        cmid,
        posted,
    )))
}

/// List the messages of a user
///
/// Returns a page of one user's messages in an instance, oldest first.
#[utoipa::path(
    get,
    path = "/meeting/{meetingID}/order/{orderID}/user/{userID}/messages",
    tag = "messages",
    security(("bearer" = [])),
    params(InstancePath, UserPath, PageQuery),
    responses(
        (status = 200, description = "The messages, oldest first", body = UserMessagesOk),
        (status = "default", description = "400 not_started, 403 not_allowed, 404 not_found, …", body = Reject),
    )
)]
pub(super) async fn user_messages(
    State(state): State<HttpState>,
    SignedIn(caller): SignedIn,
    Path(path): Path<InstancePath>,
    Path(UserPath { user }): Path<UserPath>,
    Query(query): Query<PageQuery>,
) -> Result<Json<UserMessagesOk>, HttpError> {
    let page = query.page();
    let request = UserMessages {
        instance: path.id(),
        user,
        after: page.after,
        before: page.before,
        limit: page.limit,
    };
    let found = chat::user_messages(&state.ctx, &caller, request).await?;
    Ok(Json(UserMessagesOk {
        user_messages: found.messages,
        more: found.more,
    }))
}

/// Returns the id that the client chose, in the header or in the body.
fn same_cmid(header: Option<Cmid>, body: Option<Cmid>) -> Result<Option<Cmid>, Reject> {
    match (header, body) {
        (Some(header), Some(body)) if header != body => Err(Reject::new(
            Code::Invalid,
            "The field cmid and the header Idempotency-Key differ. Send only one of them.",
        )),
        (header, body) => Ok(header.or(body)),
    }
}

/// Returns an id for a request without one: a UUID version 7.
pub(super) fn new_cmid(ctx: &Ctx) -> Cmid {
    let mut bytes = [0; 10];
    (ctx.randomness)(&mut bytes);
    let now_ms = u64::try_from(ctx.now().as_ms()).unwrap_or_default();
    Cmid(uuid::Builder::from_unix_timestamp_millis(now_ms, &bytes).into_uuid())
}
