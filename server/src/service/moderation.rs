//! Moderation of a running instance by admins.

use plenary_shared::domain::{Code, ModerationAction, Reject, Subject};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::INSTANCE_DAYS_MAX;
use plenary_shared::protocol::{Extension, Moderate, Posted, Target};
use plenary_shared::text;
use plenary_shared::text::email_key;

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error};
use crate::rules;
use crate::store::moderation::{ModerationRequest, NewEnd};

/// Carries out a moderation request, once for each cmid. `admins_only`.
pub async fn moderate(ctx: &Ctx, caller: &Caller, asked: Moderate) -> Answer<Posted> {
    rules::admin(&caller.user)?;
    if matches!(&asked.action, ModerationAction::Announce { body } if body.is_deleted()) {
        return Err(Code::BodyEmpty.into());
    }
    let subject = match asked.action.target() {
        Some(target) => Some(find(ctx, caller, asked.instance, target).await?),
        None => None,
    };
    let request = ModerationRequest {
        cmid: asked.cmid,
        action: asked.action.try_map(
            |_| subject.ok_or_else(not_found),
            |end| new_end(end).map_err(Error::from),
        )?,
        reason: asked
            .reason
            .filter(|reason| !reason.trim().is_empty())
            .map(|reason| text::parse_reason(&reason).map_err(Reject::from))
            .transpose()?,
    };
    ctx.store
        .moderate(asked.instance, &caller.user, &request)
        .await
}

fn new_end(extension: Extension) -> Result<NewEnd, Reject> {
    const MINUTES_MAX: i64 = INSTANCE_DAYS_MAX * 24 * 60;
    match (extension.minutes, extension.todatetime) {
        (Some(minutes), None) if (1..=MINUTES_MAX).contains(&i64::from(minutes)) => {
            Ok(NewEnd::By(i64::from(minutes) * 60_000))
        }
        (Some(_), None) => Err(Reject::new(
            Code::Invalid,
            format!("Field minutes must be a whole number from 1 to {MINUTES_MAX}."),
        )),
        (None, Some(to)) => Ok(NewEnd::At(to)),
        (None, None) | (Some(_), Some(_)) => Err(Reject::new(
            Code::Invalid,
            "Set either minutes or todatetime: the time to add, or the new end.",
        )),
    }
}

/// Finds the target of a request. Participants are found even while the durable store is unavailable.
async fn find(ctx: &Ctx, caller: &Caller, at: InstanceId, target: &Target) -> Answer<Subject> {
    let key = target.email.as_deref().map(email_key);
    if target.user.is_some() == key.is_some() {
        let detail = "Set either userID or email of the user.";
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let participants = ctx.store.people(at, &caller.user).await?;
    let participant = participants.into_iter().find(|one| {
        target.user == Some(one.id) || (key.is_some() && key == one.email.as_deref().map(email_key))
    });
    if let Some(one) = participant {
        return Ok(Subject {
            id: one.id,
            name: one.name,
        });
    }
    let found = match (target.user, key) {
        (Some(id), _) => ctx.store.user(id).await?.map(|found| found.user),
        (None, Some(email)) => ctx.store.account(&email).await?.map(|one| one.user),
        (None, None) => None,
    };
    match found {
        Some(user) => Ok(Subject {
            id: user.id,
            name: user.name,
        }),
        None => Err(not_found()),
    }
}

fn not_found() -> Error {
    let detail = "No user has this ID or email. See the list of users.";
    Reject::new(Code::NotFound, detail).into()
}
