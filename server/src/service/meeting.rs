//! Meetings as participants use them: listing, opening, joining and leaving.

use std::time::Duration;

use plenary_shared::domain::{Code, Instance, InstanceState};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::ABSENT_MAX;
use plenary_shared::protocol::{
    Absent, JoinTimesOk, MeetingsOk, Open, OpenOk, ParticipantsOk, Posted, WaitOk,
};

use tokio::time::timeout;

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error};
use crate::rules;
use crate::service::chat;
use crate::store::dashboard::Denial;
use crate::store::{ConnectionId, Waiting};

/// Time that an answer waits for the absent invitees, in milliseconds. Without the durable store it is
/// sent without them.
const ABSENT_MS_MAX: u64 = 1_000;

/// Joins an instance. With a connection, the stay ends when that is lost.
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
        publish_denial(ctx, caller, instance, reject.code).await;
    }
    rules::conceal(&caller.user, instance, joined)
}

/// Publishes a rejected join to the admins who watch the instance. It may be lost, and is not stored.
async fn publish_denial(ctx: &Ctx, caller: &Caller, instance: InstanceId, code: Code) {
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
    if let Err(error) = ctx.store.publish_denied(&denial).await {
        tracing::debug!(%instance, %error, "publishing a rejected join failed");
    }
}

pub async fn leave(ctx: &Ctx, caller: &Caller, instance: InstanceId) -> Answer<Posted> {
    let left = ctx.store.leave(instance, &caller.user).await;
    rules::conceal(&caller.user, instance, left)
}

/// Returns the participants, ordered by join time.
pub async fn participants(
    ctx: &Ctx,
    caller: &Caller,
    instance: InstanceId,
) -> Answer<ParticipantsOk> {
    let found = ctx.store.people(instance, &caller.user).await;
    let mut participants = rules::conceal(&caller.user, instance, found)?;
    rules::hide_profiles(ctx.profiles, &caller.user, &mut participants);
    Ok(ParticipantsOk {
        participants,
        absent: None,
    })
}

/// Returns the invited users who have not joined. `None` if the durable store does not answer in time.
/// Invited addresses without an account are only counted for those who may not see addresses.
pub async fn absent(ctx: &Ctx, caller: &Caller, instance: InstanceId) -> Option<Absent> {
    let reading = ctx.store.absent(instance, ABSENT_MAX);
    match timeout(Duration::from_millis(ABSENT_MS_MAX), reading).await {
        Ok(Ok(mut absent)) => {
            if let Some(absent) = &mut absent
                && !rules::sees_profiles(ctx.profiles, &caller.user)
            {
                absent.users.retain(|one| one.id.is_some());
            }
            absent
        }
        Ok(Err(error)) => {
            tracing::debug!(%instance, %error, "reading the absent invitees failed");
            None
        }
        Err(_) => None,
    }
}

/// Publishes that the user of a connection has been idle for `idle_ms`, or with `None` is active again.
pub async fn idle(
    ctx: &Ctx,
    instance: InstanceId,
    connection: &ConnectionId,
    idle_ms: Option<i64>,
) -> Answer<()> {
    ctx.store.idle(instance, connection, idle_ms).await
}

/// Returns the active, upcoming and recently ended instances that the caller may see.
pub async fn visible(ctx: &Ctx, caller: &Caller) -> Answer<MeetingsOk> {
    let now = ctx.now();
    let meetings = ctx.store.visible(&caller.user, now).await?;
    let started: Vec<InstanceId> = meetings
        .iter()
        .filter(|one| one.state != InstanceState::Scheduled)
        .map(|one| one.id)
        .collect();
    let unread = chat::unread(ctx, caller, &started).await;
    Ok(MeetingsOk {
        meetings,
        unread,
        now,
    })
}

/// Returns the active instances that the caller may see.
pub async fn active_meetings(ctx: &Ctx, caller: &Caller) -> Answer<Vec<Instance>> {
    ctx.store.active_meetings(&caller.user).await
}

/// Returns the join times of the participants in every active instance that the caller may see.
pub async fn join_times(ctx: &Ctx, caller: &Caller) -> Answer<JoinTimesOk> {
    let meetings = ctx.store.join_times(&caller.user).await?;
    Ok(JoinTimesOk { meetings })
}

/// Reads an instance. If the caller is a participant, binds their stay to the connection.
pub async fn open(
    ctx: &Ctx,
    caller: &Caller,
    open: Open,
    connection: Option<&ConnectionId>,
) -> Answer<OpenOk> {
    let limit = rules::limit(open.limit)?;
    let opened = ctx
        .store
        .open(open.instance, &caller.user, connection, limit)
        .await;
    let mut opened = rules::conceal(&caller.user, open.instance, opened)?;
    rules::hide_profiles(ctx.profiles, &caller.user, &mut opened.roster);
    Ok(opened)
}

/// Waits for an instance to start, or reads who waits.
pub async fn wait(
    ctx: &Ctx,
    caller: &Caller,
    instance: InstanceId,
    waiting: Waiting,
) -> Answer<WaitOk> {
    let found = ctx.store.wait(instance, &caller.user, waiting).await;
    rules::conceal(&caller.user, instance, found)
}
