//! Steering a running instance, as an admin.

use plenary_shared::domain::{Code, Reject, User, Whom};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::limits::INSTANCE_DAYS_MAX;
use plenary_shared::protocol::{Longer, Measure, Moderate, Posted, Target};
use plenary_shared::text;

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error};
use crate::rules;
use crate::store::moderation::{self, Order};

/// Does what an admin wants, once for each cmid. `admins_only`.
pub async fn moderate(ctx: &Ctx, caller: &Caller, asked: Moderate) -> Answer<Posted> {
    rules::admin(&caller.user)?;
    let order = Order {
        cmid: asked.cmid,
        measure: measure(ctx, caller, asked.instance, asked.measure).await?,
        reason: asked
            .reason
            .filter(|reason| !reason.trim().is_empty())
            .map(|reason| text::parse_reason(&reason).map_err(Reject::from))
            .transpose()?,
    };
    ctx.store
        .moderate(asked.instance, &caller.user, &order)
        .await
}

async fn measure(
    ctx: &Ctx,
    caller: &Caller,
    instance: InstanceId,
    asked: Measure,
) -> Answer<moderation::Measure> {
    use moderation::Measure as M;
    let whom = async |target: Target| whom(ctx, caller, instance, target).await;
    Ok(match asked {
        Measure::Extend(longer) => extend(longer)?,
        Measure::End {} => M::End,
        Measure::Lock {} => M::Lock,
        Measure::Unlock {} => M::Unlock,
        Measure::ReadOnly {} => M::ReadOnly,
        Measure::Writable {} => M::Writable,
        Measure::Mute(target) => M::Mute(whom(target).await?),
        Measure::Unmute(target) => M::Unmute(whom(target).await?),
        Measure::Remove { target, ban: false } => M::Remove(whom(target).await?),
        Measure::Remove { target, ban: true } => M::Ban(whom(target).await?),
        Measure::Unban(target) => M::Unban(whom(target).await?),
        Measure::Announce { body } if body.is_gone() => return Err(Code::BodyEmpty.into()),
        Measure::Announce { body } => M::Announce(body),
    })
}

fn extend(longer: Longer) -> Result<moderation::Measure, Reject> {
    const MINUTES_MAX: i64 = INSTANCE_DAYS_MAX * 24 * 60;
    match (longer.minutes, longer.todatetime) {
        (Some(minutes), None) if (1..=MINUTES_MAX).contains(&i64::from(minutes)) => {
            Ok(moderation::Measure::ExtendBy(i64::from(minutes) * 60_000))
        }
        (Some(_), None) => Err(Reject::new(
            Code::Invalid,
            format!("The field minutes must be a whole number from 1 to {MINUTES_MAX}."),
        )),
        (None, Some(to)) => Ok(moderation::Measure::ExtendTo(to)),
        (None, None) | (Some(_), Some(_)) => Err(Reject::new(
            Code::Invalid,
            "Say either minutes or todatetime: by how much longer, or until when.",
        )),
    }
}

/// Who is meant: somebody who is in, which is known while what lasts is away, or anybody else.
async fn whom(ctx: &Ctx, caller: &Caller, at: InstanceId, target: Target) -> Answer<Whom> {
    let key = target.email.as_ref().map(|one| one.trim().to_lowercase());
    if target.user.is_some() == key.is_some() {
        let detail = "Say either userID or email: whom it concerns.";
        return Err(Reject::new(Code::Invalid, detail).into());
    }
    let people = ctx.store.people(at, &caller.user).await?;
    let here = people.into_iter().find(|one| {
        target.user == Some(one.id) || key.as_deref() == Some(one.email.to_lowercase().as_str())
    });
    if let Some(one) = here {
        return Ok(Whom {
            id: one.id,
            name: one.name,
        });
    }
    let found = match (target.user, key) {
        (Some(id), _) => by_id(ctx, id).await?,
        (None, Some(email)) => ctx.store.account(&email).await?.map(|one| one.user),
        (None, None) => None,
    };
    match found {
        Some(user) => Ok(Whom {
            id: user.id,
            name: user.name,
        }),
        None => Err(nobody()),
    }
}

/// The person with this number.
pub(super) async fn by_id(ctx: &Ctx, id: UserId) -> Answer<Option<User>> {
    Ok(ctx.store.user(id).await?.map(|found| found.user))
}

fn nobody() -> Error {
    let detail = "There is nobody of this number or address: look at the list of users.";
    Reject::new(Code::NotFound, detail).into()
}
