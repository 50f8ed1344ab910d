//! Routes: an admin moderates a running instance.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::{ModerationAction, Reject};
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};
use plenary_shared::protocol::{Extension, Moderate, RequestedAction, Target};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::HttpState;
use super::chat::new_cmid;
use super::error::HttpError;
use super::extract::{IdempotencyKey, JsonBody, OptionalJson, SignedIn};
use super::params::{InstancePath, Path};
use crate::ctx::Caller;
use crate::service::moderation;

/// The reason of an action.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct ReasonBody {
    /// One line that all participants see.
    #[schema(max_length = 255)]
    reason: Option<String>,
}

/// A later end: either `minutes` or `todatetime`.
#[derive(Deserialize, ToSchema)]
pub(super) struct ExtendBody {
    /// Minutes after the current end.
    #[schema(minimum = 1, maximum = 44_640)]
    minutes: Option<u32>,
    /// The new end.
    todatetime: Option<Timestamp>,
    /// One line that all participants see.
    #[schema(max_length = 255)]
    reason: Option<String>,
}

/// Turns read-only on or off.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct ReadOnlyBody {
    /// `false` turns read-only off.
    on: Option<bool>,
    /// One line that all participants see.
    #[schema(max_length = 255)]
    reason: Option<String>,
}

/// The affected user: either `userID` or `email`.
#[derive(Deserialize, ToSchema)]
pub(super) struct TargetBody {
    /// The id of the user.
    #[serde(rename = "userID")]
    user: Option<UserId>,
    /// The email address of the user.
    email: Option<String>,
    /// For `remove`: also prevents the user from joining again.
    #[serde(default)]
    ban: bool,
    /// One line that all participants see.
    #[schema(max_length = 255)]
    reason: Option<String>,
}

/// An announcement.
#[derive(Deserialize, ToSchema)]
pub(super) struct AnnounceBody {
    /// The text: 1 to 4,096 bytes of UTF-8. Line ends and tabs are allowed, other control characters are
    /// not.
    #[schema(value_type = String, min_length = 1, max_length = 4_096)]
    body: MessageBody,
}

/// The action was done.
#[derive(Serialize, ToSchema)]
pub(super) struct ModerationOk {
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
}

type Answered = Result<Json<ModerationOk>, HttpError>;

/// A request without its action.
struct Context {
    state: HttpState,
    caller: Caller,
    instance: InstanceId,
    key: Option<Cmid>,
}

impl Context {
    async fn run(self, action: RequestedAction, reason: Option<String>, message: &str) -> Answered {
        let ctx = &self.state.ctx;
        let cmid = self.key.unwrap_or_else(|| new_cmid(ctx));
        let request = Moderate {
            instance: self.instance,
            cmid,
            action,
            reason,
        };
        let posted = moderation::moderate(ctx, &self.caller, request).await?;
        Ok(Json(ModerationOk {
            success: true,
            message: message.to_owned(),
            seq: posted.seq,
            timestamp: posted.timestamp,
            cmid,
        }))
    }
}

impl TargetBody {
    fn split(self) -> (Target, Option<String>) {
        let Self {
            user,
            email,
            reason,
            ban: _,
        } = self;
        (Target { user, email }, reason)
    }
}

/// Defines a route by its name, path, body and body extractor, answer, and action.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ident by $reader:ident, $message:literal:
       |$read:ident| $action:expr;)+) => {
        $(
            $(#[$doc])*
            #[utoipa::path(
                post,
                path = $path,
                tag = "moderation",
                security(("bearer" = [])),
                params(
                    InstancePath,
                    ("Idempotency-Key" = Option<Uuid>, Header, description = "The id of the request, which is done once however often it is sent"),
                ),
                request_body = $body,
                responses(
                    (status = 200, description = "Done", body = ModerationOk),
                    (status = "default", description = "400 not_started or ended, 403 admins_only, 404 not_found, 409 already_so or not_participant, 422 invalid, …", body = Reject),
                )
            )]
            pub(super) async fn $name(
                State(state): State<HttpState>,
                SignedIn(caller): SignedIn,
                Path(path): Path<InstancePath>,
                IdempotencyKey(key): IdempotencyKey,
                $reader($read): $reader<$body>,
            ) -> Answered {
                let context = Context { state, caller, instance: path.id(), key };
                let (action, reason) = $action;
                context.run(action, reason, $message).await
            }
        )+
    };
}

actions! {
    /// End a meeting
    ///
    /// Ends the instance now. All participants leave.
    end "/meeting/{meetingID}/order/{orderID}/end" ReasonBody by OptionalJson,
        "The meeting has ended.": |body| (ModerationAction::End, body.reason);
    /// Extend a meeting
    ///
    /// Moves the end to a later time. Fails after the end.
    extend "/meeting/{meetingID}/order/{orderID}/extend" ExtendBody by JsonBody,
        "The meeting is extended.": |body| {
            let extension = Extension { minutes: body.minutes, todatetime: body.todatetime };
            (ModerationAction::Extend(extension), body.reason)
        };
    /// Lock a meeting
    ///
    /// Prevents further users from joining. Participants stay.
    lock "/meeting/{meetingID}/order/{orderID}/lock" ReasonBody by OptionalJson,
        "The meeting is locked.": |body| (ModerationAction::Lock, body.reason);
    /// Unlock a meeting
    ///
    /// Allows users to join again.
    unlock "/meeting/{meetingID}/order/{orderID}/unlock" ReasonBody by OptionalJson,
        "The meeting is unlocked.": |body| (ModerationAction::Unlock, body.reason);
    /// Make a meeting read-only
    ///
    /// Prevents all participants, admins included, from posting. `"on":false` allows it again.
    read_only "/meeting/{meetingID}/order/{orderID}/read-only" ReadOnlyBody by OptionalJson,
        "Read-only is changed.": |body| {
            let action = match body.on {
                Some(false) => ModerationAction::Writable,
                Some(true) | None => ModerationAction::ReadOnly,
            };
            (action, body.reason)
        };
    /// Mute a user
    ///
    /// Prevents a user from posting until they are unmuted.
    mute "/meeting/{meetingID}/order/{orderID}/mute" TargetBody by JsonBody,
        "The user is muted.": |body| {
            let (target, reason) = body.split();
            (ModerationAction::Mute(target), reason)
        };
    /// Unmute a user
    ///
    /// Allows a user to post again.
    unmute "/meeting/{meetingID}/order/{orderID}/unmute" TargetBody by JsonBody,
        "The user is unmuted.": |body| {
            let (target, reason) = body.split();
            (ModerationAction::Unmute(target), reason)
        };
    /// Remove a user
    ///
    /// Removes a participant at once. With `"ban":true` they cannot join again.
    remove "/meeting/{meetingID}/order/{orderID}/remove" TargetBody by JsonBody,
        "The user is removed.": |body| {
            let ban = body.ban;
            let (target, reason) = body.split();
            let action = if ban { ModerationAction::Ban(target) } else { ModerationAction::Remove(target) };
            (action, reason)
        };
    /// Unban a user
    ///
    /// Allows a banned user to join again.
    unban "/meeting/{meetingID}/order/{orderID}/unban" TargetBody by JsonBody,
        "The user is unbanned.": |body| {
            let (target, reason) = body.split();
            (ModerationAction::Unban(target), reason)
        };
    /// Announce something
    ///
    /// Posts an announcement to all participants.
    announce "/meeting/{meetingID}/order/{orderID}/announce" AnnounceBody by JsonBody,
        "The announcement is posted.": |body| {
            (ModerationAction::Announce { body: body.body }, None)
        };
}
