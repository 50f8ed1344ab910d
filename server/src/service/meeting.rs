//! Meetings as people use them: which there are, going in, going out, who is there.

use std::time::Duration;

use plenary_shared::domain::{Code, Instance, InstanceState};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::ABSENT_MAX;
use plenary_shared::protocol::{Absent, JoinTimesOk, MeetingsOk, Open, OpenOk, PeopleOk, Posted};

use tokio::time::timeout;

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error};
use crate::rules;
use crate::service::chat;
use crate::store::ConnectionId;
use crate::store::overview::Denial;

/// How long an answer waits for who has not been in: while what lasts is away it goes without.
const ABSENT_MS_MAX: u64 = 1_000;

/// Becomes a participant; with a connection, for as long as that lives.
pub async fn join(
    ctx: &Ctx,
    caller: &Caller,
    instance: InstanceId,
    connection: Option<&ConnectionId>,
) -> Answer<Posted> {
    let joined = ctx.store.join(instance, &caller.user, connection).await;
    if let Err(Error::Reject(reject)) = &joined
        && reject.code != Code::AlreadyParticipant
    {
        tell_denied(ctx, caller, instance, reject.code).await;
    }
    joined
}

/// Tells admins who look into the instance, at every server. It may be lost, and is kept nowhere.
async fn tell_denied(ctx: &Ctx, caller: &Caller, instance: InstanceId, code: Code) {
    let at = ctx.now();
    if !ctx.denials.admit(at) {
        return;
    }
    let denial = Denial {
        instance,
        user: caller.user.id,
        name: caller.user.name.clone(),
        code,
        at,
    };
    if let Err(error) = ctx.store.tell_denied(&denial).await {
        tracing::debug!(%error, "nobody is told that somebody was refused");
    }
}

/// Is a participant no longer.
pub async fn leave(ctx: &Ctx, caller: &Caller, instance: InstanceId) -> Answer<Posted> {
    ctx.store.leave(instance, &caller.user).await
}

/// The participants, in the order of joining.
pub async fn people(ctx: &Ctx, caller: &Caller, instance: InstanceId) -> Answer<PeopleOk> {
    let participants = ctx.store.people(instance, &caller.user).await?;
    Ok(PeopleOk {
        participants,
        absent: None,
    })
}

/// Who is invited and has not been in; nothing where that is not known now: nobody waits for it.
pub async fn absent(ctx: &Ctx, instance: InstanceId) -> Option<Absent> {
    let looking = ctx.store.absent(instance, ABSENT_MAX);
    match timeout(Duration::from_millis(ABSENT_MS_MAX), looking).await {
        Ok(Ok(absent)) => absent,
        Ok(Err(error)) => {
            tracing::debug!(%error, "who has not been in is not known");
            None
        }
        Err(_) => None,
    }
}

/// The person at a connection has not used it for so long, in milliseconds, or uses it again.
pub async fn idle(
    ctx: &Ctx,
    instance: InstanceId,
    connection: &ConnectionId,
    idle_ms: Option<i64>,
) -> Answer<()> {
    ctx.store.idle(instance, connection, idle_ms).await
}

/// Active, coming and lately ended instances that the person may see.
pub async fn visible(ctx: &Ctx, caller: &Caller) -> Answer<MeetingsOk> {
    let now = ctx.now();
    let meetings = ctx.store.visible(&caller.user, now).await?;
    let begun: Vec<InstanceId> = meetings
        .iter()
        .filter(|one| one.state != InstanceState::Scheduled)
        .map(|one| one.id)
        .collect();
    let unread = chat::unread(ctx, caller, &begun).await;
    Ok(MeetingsOk {
        meetings,
        unread,
        now,
    })
}

/// The active instances that the person may see.
pub async fn active_meetings(ctx: &Ctx, caller: &Caller) -> Answer<Vec<Instance>> {
    ctx.store.active_meetings(&caller.user).await
}

/// For every active instance that the person may see: when its participants joined.
pub async fn join_times(ctx: &Ctx, caller: &Caller) -> Answer<JoinTimesOk> {
    let meetings = ctx.store.join_times(&caller.user).await?;
    Ok(JoinTimesOk { meetings })
}

/// Reads an instance; a participant's connection counts as theirs from here on.
pub async fn open(
    ctx: &Ctx,
    caller: &Caller,
    open: Open,
    connection: Option<&ConnectionId>,
) -> Answer<OpenOk> {
    let limit = rules::limit(open.limit)?;
    ctx.store
        .open(open.instance, &caller.user, connection, limit)
        .await
}
