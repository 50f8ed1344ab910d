//! Routes: an admin steers a running instance.

use axum::Json;
use axum::extract::State;
use plenary_shared::domain::{ModerationAction, Reject};
use plenary_shared::ids::{Cmid, InstanceId, Seq, UserId};
use plenary_shared::protocol::{Extension, Moderate, RequestedAction, Target};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::chat::new_cmid;
use super::document::InstancePath;
use super::extract::{At, IdempotencyKey, JsonBody, MaybeJson, SignedIn};
use super::{HttpError, HttpState};
use crate::ctx::Caller;
use crate::service::moderation;

/// Why.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct Why {
    /// One line, told to everybody.
    reason: Option<String>,
}

/// By how much longer, and why: `minutes` or `todatetime`.
#[derive(Deserialize, ToSchema)]
pub(super) struct Extending {
    /// So many minutes later than its end is now.
    minutes: Option<u32>,
    /// The new end.
    todatetime: Option<Timestamp>,
    /// One line, told to everybody.
    reason: Option<String>,
}

/// Whether nobody may write, and why.
#[derive(Default, Deserialize, ToSchema)]
pub(super) struct ReadingOnly {
    /// `false`: people may write again.
    on: Option<bool>,
    /// One line, told to everybody.
    reason: Option<String>,
}

/// Whom it concerns, by `userID` or `email`, and why.
#[derive(Deserialize, ToSchema)]
pub(super) struct Concerning {
    /// Their number.
    #[serde(rename = "userID")]
    user: Option<UserId>,
    /// Their address.
    email: Option<String>,
    /// For `remove`: they may not come back.
    #[serde(default)]
    ban: bool,
    /// One line, told to everybody.
    reason: Option<String>,
}

/// What everybody is told.
#[derive(Deserialize, ToSchema)]
pub(super) struct Announcing {
    /// 1 to 4,096 bytes of UTF-8; line ends and tabs, but no other control characters.
    body: String,
}

/// That it was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Steered {
    /// Always true.
    success: bool,
    /// What was done.
    message: String,
    /// The event's number in the instance's log.
    seq: Seq,
    /// When, by the store's clock.
    timestamp: Timestamp,
    /// Its own id: sent again as Idempotency-Key, it is not done again.
    cmid: Cmid,
}

type Answered = Result<Json<Steered>, HttpError>;

/// Who asks for what, and where.
struct Asked {
    state: HttpState,
    caller: Caller,
    instance: InstanceId,
    key: Option<Cmid>,
}

impl Asked {
    async fn done(
        self,
        action: RequestedAction,
        reason: Option<String>,
        message: &str,
    ) -> Answered {
        let ctx = &self.state.ctx;
        let cmid = self.key.unwrap_or_else(|| new_cmid(ctx));
        let asked = Moderate {
            instance: self.instance,
            cmid,
            action,
            reason,
        };
        let posted = moderation::moderate(ctx, &self.caller, asked).await?;
        Ok(Json(Steered {
            success: true,
            message: message.to_owned(),
            seq: posted.seq,
            timestamp: posted.timestamp,
            cmid,
        }))
    }
}

impl Concerning {
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

/// A route: what it is called, which body it reads and how, and what it does.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident $path:literal $body:ident by $reader:ident, $message:literal:
       |$read:ident| $done:expr;)+) => {
        $(
            $(#[$doc])*
            #[utoipa::path(
                post,
                path = $path,
                tag = "moderation",
                security(("bearer" = [])),
                params(
                    InstancePath,
                    ("Idempotency-Key" = Option<Uuid>, Header, description = "Its own id: done once however often it is sent"),
                ),
                request_body = $body,
                responses(
                    (status = 200, description = "Done", body = Steered),
                    (status = "default", description = "400 not_started or ended, 403 admins_only, 404 not_found, 409 already_so or not_participant, 422 invalid, …", body = Reject),
                )
            )]
            pub(super) async fn $name(
                State(state): State<HttpState>,
                SignedIn(caller): SignedIn,
                At(instance): At,
                IdempotencyKey(key): IdempotencyKey,
                $reader($read): $reader<$body>,
            ) -> Answered {
                let asked = Asked { state, caller, instance, key };
                let (action, reason) = $done;
                asked.done(action, reason, $message).await
            }
        )+
    };
}

actions! {
    /// Ends an instance now: everybody leaves.
    end "/meeting/{meetingID}/order/{orderID}/end" Why by MaybeJson,
        "The meeting ends now.": |why| (ModerationAction::End, why.reason);
    /// Moves the end to later. Refused once the end has come.
    extend "/meeting/{meetingID}/order/{orderID}/extend" Extending by JsonBody,
        "The meeting lasts longer.": |by| {
            let extension = Extension { minutes: by.minutes, todatetime: by.todatetime };
            (ModerationAction::Extend(extension), by.reason)
        };
    /// Lets nobody join any more; who is in stays in.
    lock "/meeting/{meetingID}/order/{orderID}/lock" Why by MaybeJson,
        "Nobody joins any more.": |why| (ModerationAction::Lock, why.reason);
    /// Lets people join again.
    unlock "/meeting/{meetingID}/order/{orderID}/unlock" Why by MaybeJson,
        "People may join again.": |why| (ModerationAction::Unlock, why.reason);
    /// Lets nobody write, admins neither, or with `"on":false` lets them again.
    read_only "/meeting/{meetingID}/order/{orderID}/read-only" ReadingOnly by MaybeJson,
        "Who may write has changed.": |asked_for| {
            let action = match asked_for.on {
                Some(false) => ModerationAction::Writable,
                Some(true) | None => ModerationAction::ReadOnly,
            };
            (action, asked_for.reason)
        };
    /// Lets somebody write no more, until they are unmuted.
    mute "/meeting/{meetingID}/order/{orderID}/mute" Concerning by JsonBody,
        "They cannot write any more.": |of| {
            let (target, reason) = of.split();
            (ModerationAction::Mute(target), reason)
        };
    /// Lets somebody write again.
    unmute "/meeting/{meetingID}/order/{orderID}/unmute" Concerning by JsonBody,
        "They may write again.": |of| {
            let (target, reason) = of.split();
            (ModerationAction::Unmute(target), reason)
        };
    /// Takes somebody out at once; with `"ban":true` they may not come back.
    remove "/meeting/{meetingID}/order/{orderID}/remove" Concerning by JsonBody,
        "They are out.": |of| {
            let ban = of.ban;
            let (target, reason) = of.split();
            let action = if ban { ModerationAction::Ban(target) } else { ModerationAction::Remove(target) };
            (action, reason)
        };
    /// Lets somebody come back.
    unban "/meeting/{meetingID}/order/{orderID}/unban" Concerning by JsonBody,
        "They may come back.": |of| {
            let (target, reason) = of.split();
            (ModerationAction::Unban(target), reason)
        };
    /// Tells everybody something, as an event of the log.
    announce "/meeting/{meetingID}/order/{orderID}/announce" Announcing by JsonBody,
        "Everybody is told.": |said| {
            let body = MessageBody::parse(said.body).map_err(Reject::from)?;
            (ModerationAction::Announce { body }, None)
        };
}
