//! People as admins keep them: who may do what, who is shut out, which sessions there are; and why
//! somebody may join a meeting or not.

use plenary_shared::domain::{Code, Reject, Role, User};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::limits::EMAIL_BYTES_MAX;
use plenary_shared::protocol::Verdict;

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;
use crate::rules::joining::{self, Case};
use crate::store::{PersonListed, SessionListed};

use super::{account, moderation};

/// Why this person may join an instance, or may not.
pub async fn explain(
    ctx: &Ctx,
    caller: &Caller,
    instance: InstanceId,
    email: &str,
) -> Answer<Verdict> {
    crate::rules::admin(&caller.user)?;
    let address = email.trim().to_lowercase();
    let found = if address.len() > EMAIL_BYTES_MAX {
        None
    } else {
        ctx.store.account(&address).await?
    };
    let opened = ctx.store.open(instance, &caller.user, None, 1).await?;
    let meeting = ctx.store.meeting(instance.meeting).await?;
    let invited = meeting.is_some_and(|meeting| meeting.audience.contains(&address));
    let restrictions = ctx.store.restrictions(instance).await?;
    let person = found.as_ref().map(|account| &account.user);
    Ok(joining::joining(Case {
        person,
        disabled: found.as_ref().is_some_and(|account| account.disabled),
        instance: &opened.instance,
        invited,
        inside: person.is_some_and(|user| opened.people.iter().any(|one| one.id == user.id)),
        restrictions: &restrictions,
        now: ctx.now(),
    }))
}

/// Gives somebody a role; it counts from their next request on.
pub async fn set_role(ctx: &Ctx, by: Option<UserId>, user: &User, role: Role) -> Answer<()> {
    another(by, user)?;
    ctx.store.set_role(user.id, role, by).await
}

/// Shuts somebody out: their sessions and connections end at once, and they cannot sign in.
pub async fn disable(ctx: &Ctx, by: Option<UserId>, user: &User) -> Answer<()> {
    another(by, user)?;
    ctx.store.set_disabled(user.id, Some(ctx.now()), by).await
}

/// Lets them sign in again.
pub async fn enable(ctx: &Ctx, by: Option<UserId>, user: &User) -> Answer<()> {
    ctx.store.set_disabled(user.id, None, by).await
}

/// The sessions of somebody that are good, the newest first.
pub async fn sessions(ctx: &Ctx, user: &User) -> Answer<Vec<SessionListed>> {
    ctx.store.sessions(user.id, ctx.now()).await
}

/// Ends every session of somebody, and every connection by it; how many there were.
pub async fn revoke(ctx: &Ctx, by: Option<UserId>, user: &User) -> Answer<usize> {
    ctx.store.close_sessions(user.id, by).await
}

/// Whoever has this address, as a list shows them.
pub async fn with_email(ctx: &Ctx, email: &str) -> Answer<Vec<PersonListed>> {
    let Some(account) = ctx.store.account(&email.trim().to_lowercase()).await? else {
        return Ok(vec![]);
    };
    let found = ctx.store.user(account.user.id).await?;
    Ok(found.into_iter().collect())
}

/// The person with this number; `not_found`.
pub async fn by_id(ctx: &Ctx, id: UserId) -> Answer<User> {
    match moderation::by_id(ctx, id).await? {
        Some(user) => Ok(user),
        None => Err(Reject::new(
            Code::NotFound,
            "There is nobody of this number: look at the list of users.",
        )
        .into()),
    }
}

/// Gives somebody a new password; what was opened with the old one ends.
pub async fn set_password(
    ctx: &Ctx,
    by: Option<UserId>,
    user: &User,
    password: &str,
) -> Answer<()> {
    account::set_password(ctx, by, user, password).await?;
    ctx.store.close_sessions(user.id, by).await?;
    Ok(())
}

/// An admin does not do this to themselves, so that one is always left.
fn another(by: Option<UserId>, user: &User) -> Result<(), Reject> {
    if by == Some(user.id) {
        let detail = "You cannot shut yourself out or change your own role: ask another admin.";
        return Err(Reject::new(Code::Invalid, detail));
    }
    Ok(())
}
