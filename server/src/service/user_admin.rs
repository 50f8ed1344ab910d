//! User administration: roles, disabled users and sessions, and why a user may or may not join.

use plenary_shared::domain::{Code, Reject, Role, User};
use plenary_shared::ids::{InstanceId, UserId};
use plenary_shared::limits::EMAIL_BYTES_MAX;
use plenary_shared::protocol::{SessionId, SessionListed, Verdict};
use plenary_shared::text::email_key;

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;
use crate::rules::joining::{self, Case};
use crate::store::{PersonListed, TokenHash};

/// Explains why a user may or may not join an instance.
pub async fn explain(
    ctx: &Ctx,
    caller: &Caller,
    instance: InstanceId,
    email: &str,
) -> Answer<Verdict> {
    crate::rules::admin(&caller.user)?;
    let address = email_key(email);
    let found = if address.len() > EMAIL_BYTES_MAX {
        None
    } else {
        ctx.store.account(&address).await?
    };
    let opened = ctx.store.open(instance, &caller.user, None, 1).await?;
    let meeting = ctx.store.meeting(instance.meeting).await?;
    let invited = meeting.is_some_and(|meeting| meeting.audience.contains(&address));
    let restrictions = ctx.store.restrictions(instance).await?;
    let user = found.as_ref().map(|account| &account.user);
    Ok(joining::joining(Case {
        user,
        disabled: found.as_ref().is_some_and(|account| account.disabled),
        instance: &opened.instance,
        invited,
        is_participant: user.is_some_and(|user| opened.roster.iter().any(|one| one.id == user.id)),
        restrictions: &restrictions,
        now: ctx.now(),
    }))
}

/// Sets the role of a user, which applies from their next request. Returns whether it is another one.
pub async fn set_role(ctx: &Ctx, by: Option<UserId>, user: &User, role: Role) -> Answer<bool> {
    reject_self(by, user)?;
    ctx.store.set_role(user.id, role, by).await
}

/// Disables a user: ends their sessions and connections, and prevents further logins. Returns false if
/// they were disabled already.
pub async fn disable(ctx: &Ctx, by: Option<UserId>, user: &User) -> Answer<bool> {
    reject_self(by, user)?;
    ctx.store.set_disabled(user.id, Some(ctx.now()), by).await
}

/// Enables a disabled user. Returns false, and changes nothing, if they were enabled already.
pub async fn enable(ctx: &Ctx, by: Option<UserId>, user: &User) -> Answer<bool> {
    ctx.store.set_disabled(user.id, None, by).await
}

/// Returns the valid sessions of a user, newest first. `current`: the session that asks.
pub async fn sessions(
    ctx: &Ctx,
    user: UserId,
    current: Option<TokenHash>,
) -> Answer<Vec<SessionListed>> {
    let sessions = ctx.store.sessions(user, ctx.now()).await?;
    let listed = sessions.into_iter().map(|session| SessionListed {
        id: session.token.id(),
        label: session.label,
        created_at: session.created_at,
        expires_at: session.expires_at,
        current: Some(session.token) == current,
    });
    Ok(listed.collect())
}

/// Ends one session of a user and its connections, or returns `not_found`.
pub async fn end_session(ctx: &Ctx, user: UserId, id: SessionId) -> Answer<()> {
    let sessions = ctx.store.sessions(user, ctx.now()).await?;
    let found = sessions.into_iter().find(|one| one.token.id() == id);
    let Some(session) = found else {
        let detail = "No session has this ID. See the list of sessions.";
        return Err(Reject::new(Code::NotFound, detail).into());
    };
    ctx.store.close_session(session.token).await?;
    Ok(())
}

/// Ends all sessions of a user but `keeps`, and their connections. Returns the number of sessions.
pub async fn revoke(
    ctx: &Ctx,
    by: Option<UserId>,
    user: UserId,
    keeps: Option<TokenHash>,
) -> Answer<usize> {
    ctx.store.close_sessions(user, keeps, by).await
}

/// Returns the list entry of the user with this email address, or an empty list.
pub async fn with_email(ctx: &Ctx, email: &str) -> Answer<Vec<PersonListed>> {
    let Some(account) = ctx.store.account(email.trim()).await? else {
        return Ok(vec![]);
    };
    let found = ctx.store.user(account.user.id).await?;
    Ok(found.into_iter().collect())
}

/// Returns the user with this id, or `not_found`.
pub async fn by_id(ctx: &Ctx, id: UserId) -> Answer<User> {
    match ctx.store.user(id).await? {
        Some(found) => Ok(found.user),
        None => Err(Reject::new(
            Code::NotFound,
            "No user has this ID. See the list of users.",
        )
        .into()),
    }
}

/// Rejects an admin who would disable themselves or change their own role, so that one admin remains.
fn reject_self(by: Option<UserId>, user: &User) -> Result<(), Reject> {
    if by == Some(user.id) {
        let detail = "You cannot disable yourself or change your own role. Ask another admin.";
        return Err(Reject::new(Code::Invalid, detail));
    }
    Ok(())
}
