//! What is said in meetings: saying it, and reading it page by page.

use std::time::Duration;

use plenary_shared::domain::Code;
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::limits::DURABLE_WAIT_MS_MAX;
use plenary_shared::protocol::{
    Ack, Delete, Done, Edit, Events, EventsOk, MessagesOk, Post, Posted, ReadUpTo, Unread,
    UserMessages,
};
use plenary_shared::text::MessageBody;
use tokio::time::{Instant, timeout};

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error};
use crate::metrics::Stage;
use crate::rules::{self, PageAsked};
use crate::store::{Head, Page};

/// How long a list waits for what is not read: while what lasts is away it is shown without.
const UNREAD_MS_MAX: u64 = 1_000;

/// Between two looks whether the archive has what was posted: a fraction of what it takes to
/// gather.
const LOOK_MS: u64 = 20;

/// Says something, once for each cmid.
pub async fn post(ctx: &Ctx, caller: &Caller, post: Post) -> Answer<Posted> {
    something(&post.body)?;
    let (instance, user) = (post.instance, &caller.user);
    let began = Instant::now();
    let answer = match post.reply_to {
        None => ctx.store.post(instance, user, post.cmid, &post.body).await,
        Some(to) => {
            ctx.store
                .reply(instance, user, post.cmid, &post.body, to)
                .await
        }
    };
    ctx.metrics.observe_stage(Stage::Store, began.elapsed());
    ctx.metrics.record_post(match &answer {
        Ok(posted) if posted.repeat => "repeated",
        Ok(_) => "accepted",
        Err(Error::Reject(_)) => "rejected",
        Err(Error::Fault(_)) => "failed",
    });
    answer
}

/// Changes a message of one's own, once for each cmid.
pub async fn edit(ctx: &Ctx, caller: &Caller, edit: Edit) -> Answer<Posted> {
    something(&edit.body)?;
    ctx.store
        .edit(
            edit.instance,
            &caller.user,
            edit.cmid,
            edit.target,
            &edit.body,
        )
        .await
}

/// Deletes a message of one's own, once for each cmid.
pub async fn delete(ctx: &Ctx, caller: &Caller, delete: Delete) -> Answer<Posted> {
    ctx.store
        .delete(delete.instance, &caller.user, delete.cmid, delete.target)
        .await
}

/// Nobody says the body of a message that was deleted.
fn something(body: &MessageBody) -> Answer<()> {
    if body.is_gone() {
        return Err(Code::BodyEmpty.into());
    }
    Ok(())
}

/// Somebody is writing something.
pub async fn typing(ctx: &Ctx, caller: &Caller, instance: InstanceId) -> Answer<Done> {
    ctx.store.typing(instance, &caller.user).await?;
    Ok(Done {})
}

/// Somebody has read up to this seq. Where they have read to: the log's last seq at most.
pub async fn read(ctx: &Ctx, caller: &Caller, asked: ReadUpTo) -> Answer<Seq> {
    // Also asks whether they may read it.
    let last = ctx
        .store
        .events(asked.instance, &caller.user, Page::Before(None), 1)
        .await?;
    let last = last.events.last().map(|event| event.seq);
    let seq = asked.seq.min(last.unwrap_or_default());
    ctx.reading.note(caller.user.id, asked.instance, seq);
    Ok(seq)
}

/// What somebody has not read yet of instances that they may read; nothing where that is not known
/// now: nobody waits for it.
pub async fn unread(ctx: &Ctx, caller: &Caller, instances: &[InstanceId]) -> Vec<Unread> {
    let user = &caller.user;
    let known: Vec<(InstanceId, Seq)> = instances
        .iter()
        .map(|id| (*id, ctx.reading.position(user.id, *id)))
        .collect();
    let counting = ctx.store.unread(user, &known);
    match timeout(Duration::from_millis(UNREAD_MS_MAX), counting).await {
        Ok(Ok(unread)) => unread,
        Ok(Err(error)) => {
            tracing::debug!(%error, "what is not read is not known");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// What was posted and is to be answered when it is durable.
#[derive(Debug)]
pub struct Awaited {
    post: Post,
    posted: Posted,
    /// The generation before it was posted; `None`: it was not live.
    generation: Option<Generation>,
}

/// What became of a post.
#[derive(Debug)]
pub enum Said {
    /// This is the answer.
    Answered(Posted),
    /// The answer is what [`durable`] says.
    Awaited(Awaited),
}

/// Says something as [`post`] does; what is to be durable has only been ordered then.
pub async fn say(ctx: &Ctx, caller: &Caller, said: Post) -> Answer<Said> {
    match said.ack {
        Ack::Ordered => post(ctx, caller, said).await.map(Said::Answered),
        Ack::Durable => {
            // Before it: whichever generation the message is in, a later look tells whether it is
            // this one.
            let generation = head(ctx, said.instance).await?.map(|head| head.generation);
            let posted = post(ctx, caller, said.clone()).await?;
            Ok(Said::Awaited(Awaited {
                post: said,
                posted,
                generation,
            }))
        }
    }
}

/// Waits until the archive has what was posted, at most [`DURABLE_WAIT_MS_MAX`]; then the answer
/// says that it has not.
pub async fn durable(ctx: &Ctx, caller: &Caller, mut awaited: Awaited) -> Answer<Posted> {
    let deadline = Instant::now() + Duration::from_millis(DURABLE_WAIT_MS_MAX);
    let looking = async {
        loop {
            match look(ctx, caller, &mut awaited).await {
                Ok(true) => return Ok(()),
                // What was ordered is ordered, whatever cannot be asked just now.
                Ok(false) | Err(Error::Fault(_)) => {}
                Err(Error::Reject(reject)) => return Err(reject),
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
    };
    let durable = match tokio::time::timeout_at(deadline, looking).await {
        Ok(outcome) => outcome.map(|()| true)?,
        Err(_late) => false,
    };
    Ok(Posted {
        durable: Some(durable),
        ..awaited.posted
    })
}

/// Whether the archive has it.
async fn look(ctx: &Ctx, caller: &Caller, awaited: &mut Awaited) -> Answer<bool> {
    let head = head(ctx, awaited.post.instance).await?;
    if let Some(head) = &head
        && Some(head.generation) == awaited.generation
    {
        return Ok(awaited.posted.seq <= head.durable);
    }
    if head.is_none() && awaited.generation.is_none() {
        // It was answered by what lasts.
        return Ok(awaited.posted.repeat);
    }
    // The live state began anew, or is over: it may have forgotten the message. The same cmid makes
    // no second one, and says where it is.
    awaited.generation = head.map(|head| head.generation);
    let repeat = awaited.posted.repeat;
    awaited.posted = post(ctx, caller, awaited.post.clone()).await?;
    let is_archived = awaited.generation.is_none() && awaited.posted.repeat;
    awaited.posted.repeat = repeat;
    Ok(is_archived)
}

async fn head(ctx: &Ctx, instance: InstanceId) -> Answer<Option<Head>> {
    let heads = ctx.store.heads(&[instance]).await?;
    Ok(heads.into_iter().next().flatten())
}

/// A page of the log.
pub async fn events(ctx: &Ctx, caller: &Caller, events: Events) -> Answer<EventsOk> {
    let (page, limit) = rules::page(PageAsked {
        after: events.after,
        before: events.before,
        limit: events.limit,
    })?;
    ctx.store
        .events(events.instance, &caller.user, page, limit)
        .await
}

/// A page of the messages.
pub async fn messages(
    ctx: &Ctx,
    caller: &Caller,
    instance: InstanceId,
    asked: PageAsked,
) -> Answer<MessagesOk> {
    let (page, limit) = rules::page(asked)?;
    ctx.store
        .messages(instance, &caller.user, page, limit)
        .await
}

/// A page of one person's messages.
pub async fn user_messages(ctx: &Ctx, caller: &Caller, asked: UserMessages) -> Answer<MessagesOk> {
    let (page, limit) = rules::page(PageAsked {
        after: asked.after,
        before: asked.before,
        limit: asked.limit,
    })?;
    ctx.store
        .user_messages(asked.instance, &caller.user, asked.user, page, limit)
        .await
}
