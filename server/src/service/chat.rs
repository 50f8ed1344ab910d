//! Messages and events of a meeting: posting, editing, deleting and reading them.

use std::time::Duration;

use plenary_shared::domain::Code;
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::limits::DURABLE_WAIT_MS_MAX;
use plenary_shared::protocol::{
    Ack, Delete, Done, Edit, Events, EventsOk, MarkRead, MessagesOk, Post, Posted, Unread,
    UserMessages,
};
use plenary_shared::text::MessageBody;
use tokio::time::{Instant, timeout};

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error};
use crate::metrics::Stage;
use crate::rules::{self, PageAsked};
use crate::store::{Head, Page};

/// Time that a list waits for the unread counts, in milliseconds. Without the durable store it is shown
/// without them.
const UNREAD_MS_MAX: u64 = 1_000;

/// Interval between two checks whether a post is durable, in milliseconds: a fraction of the archiver's
/// batching time.
const DURABLE_CHECK_MS: u64 = 20;

/// The result of a post.
#[derive(Debug)]
pub enum PostResult {
    Done(Posted),
    /// The post has a seq, and [`wait_durable`] completes it.
    Pending(PendingPost),
}

/// A post that has a seq but is not known to be durable.
#[derive(Debug)]
pub struct PendingPost {
    post: Post,
    posted: Posted,
    /// The generation before the post; `None` if the instance was not live.
    generation: Option<Generation>,
}

/// Posts a message, once for each cmid.
pub async fn post(ctx: &Ctx, caller: &Caller, post: Post) -> Answer<PostResult> {
    match post.ack {
        Ack::Ordered => store_post(ctx, caller, post).await.map(PostResult::Done),
        Ack::Durable => {
            // Read before the post: a later check compares the generation of the message with it.
            let generation = head(ctx, post.instance).await?.map(|head| head.generation);
            let posted = store_post(ctx, caller, post.clone()).await?;
            Ok(PostResult::Pending(PendingPost {
                post,
                posted,
                generation,
            }))
        }
    }
}

async fn store_post(ctx: &Ctx, caller: &Caller, post: Post) -> Answer<Posted> {
    reject_empty(&post.body)?;
    let (instance, user) = (post.instance, &caller.user);
    let began = Instant::now();
    let posting = ctx
        .store
        .post_message(instance, user, post.cmid, &post.body, post.reply_to);
    let answer = posting.await;
    ctx.metrics.observe_stage(Stage::Store, began.elapsed());
    ctx.metrics.record_post(match &answer {
        Ok(posted) if posted.repeat => "repeated",
        Ok(_) => "accepted",
        Err(Error::Reject(reject)) if reject.code == Code::RateLimited => "rate_limited",
        Err(Error::Reject(_)) => "rejected",
        Err(Error::Fault(_)) => "failed",
    });
    rules::conceal(user, instance, answer)
}

/// Edits the caller's own message, once for each cmid.
pub async fn edit(ctx: &Ctx, caller: &Caller, edit: Edit) -> Answer<Posted> {
    reject_empty(&edit.body)?;
    let Edit {
        instance,
        target,
        cmid,
        body,
    } = edit;
    let edited = ctx
        .store
        .change_message(instance, &caller.user, cmid, target, Some(&body))
        .await;
    rules::conceal(&caller.user, instance, edited)
}

/// Deletes the caller's own message, once for each cmid.
pub async fn delete(ctx: &Ctx, caller: &Caller, delete: Delete) -> Answer<Posted> {
    let Delete {
        instance,
        target,
        cmid,
    } = delete;
    let deleted = ctx
        .store
        .change_message(instance, &caller.user, cmid, target, None)
        .await;
    rules::conceal(&caller.user, instance, deleted)
}

/// Rejects the empty body, which marks deleted messages.
fn reject_empty(body: &MessageBody) -> Answer<()> {
    if body.is_deleted() {
        return Err(Code::BodyEmpty.into());
    }
    Ok(())
}

/// Publishes that the caller is typing.
pub async fn typing(ctx: &Ctx, caller: &Caller, instance: InstanceId) -> Answer<Done> {
    ctx.count_signal(caller.user.id)?;
    let typing = ctx.store.typing(instance, &caller.user).await;
    rules::conceal(&caller.user, instance, typing)?;
    Ok(Done {})
}

/// Records the caller's read position. Returns it, limited to the last seq of the log.
pub async fn read(ctx: &Ctx, caller: &Caller, asked: MarkRead) -> Answer<Seq> {
    // Checks the access as well.
    let last = ctx
        .store
        .events(asked.instance, &caller.user, Page::Before(None), 1)
        .await;
    let last = rules::conceal(&caller.user, asked.instance, last)?;
    let last = last.events.last().map(|event| event.seq);
    let seq = asked.seq.min(last.unwrap_or_default());
    ctx.read_positions.note(caller.user.id, asked.instance, seq);
    Ok(seq)
}

/// Returns the caller's unread counts in instances that they may read. Empty if the durable store does
/// not answer in time.
pub async fn unread(ctx: &Ctx, caller: &Caller, instances: &[InstanceId]) -> Vec<Unread> {
    let user = &caller.user;
    let known: Vec<(InstanceId, Seq)> = instances
        .iter()
        .map(|id| (*id, ctx.read_positions.position(user.id, *id)))
        .collect();
    let counting = ctx.store.unread(user, &known);
    match timeout(Duration::from_millis(UNREAD_MS_MAX), counting).await {
        Ok(Ok(unread)) => unread,
        Ok(Err(error)) => {
            tracing::debug!(%error, "reading the unread counts failed, answering without them");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// Waits until the archive has the post, at most [`DURABLE_WAIT_MS_MAX`]. The answer says whether it
/// has.
pub async fn wait_durable(ctx: &Ctx, caller: &Caller, mut pending: PendingPost) -> Answer<Posted> {
    let deadline = Instant::now() + Duration::from_millis(DURABLE_WAIT_MS_MAX);
    let checking = async {
        loop {
            match is_durable(ctx, caller, &mut pending).await {
                Ok(true) => return Ok(()),
                // A fault does not take back the post.
                Ok(false) | Err(Error::Fault(_)) => {}
                Err(Error::Reject(reject)) => return Err(reject),
            }
            tokio::time::sleep(Duration::from_millis(DURABLE_CHECK_MS)).await;
        }
    };
    let durable = match tokio::time::timeout_at(deadline, checking).await {
        Ok(outcome) => outcome.map(|()| true)?,
        Err(_late) => false,
    };
    Ok(Posted {
        durable: Some(durable),
        ..pending.posted
    })
}

async fn is_durable(ctx: &Ctx, caller: &Caller, pending: &mut PendingPost) -> Answer<bool> {
    let head = head(ctx, pending.post.instance).await?;
    if let Some(head) = &head
        && Some(head.generation) == pending.generation
    {
        return Ok(pending.posted.seq <= head.durable);
    }
    if head.is_none() && pending.generation.is_none() {
        // The durable store answered the post.
        return Ok(pending.posted.repeat);
    }
    // A new generation started, or the instance has ended, so the message may be lost. Posting it again
    // with the same cmid finds it or restores it.
    pending.generation = head.map(|head| head.generation);
    let repeat = pending.posted.repeat;
    pending.posted = store_post(ctx, caller, pending.post.clone()).await?;
    let is_archived = pending.generation.is_none() && pending.posted.repeat;
    pending.posted.repeat = repeat;
    Ok(is_archived)
}

async fn head(ctx: &Ctx, instance: InstanceId) -> Answer<Option<Head>> {
    let heads = ctx.store.heads(&[instance]).await?;
    Ok(heads.into_iter().next().flatten())
}

/// Returns a page of the event log.
pub async fn events(ctx: &Ctx, caller: &Caller, events: Events) -> Answer<EventsOk> {
    let (page, limit) = rules::page(PageAsked {
        after: events.after,
        before: events.before,
        limit: events.limit,
    })?;
    let found = ctx
        .store
        .events(events.instance, &caller.user, page, limit)
        .await;
    rules::conceal(&caller.user, events.instance, found)
}

/// Returns a page of the messages.
pub async fn messages(
    ctx: &Ctx,
    caller: &Caller,
    instance: InstanceId,
    asked: PageAsked,
) -> Answer<MessagesOk> {
    let (page, limit) = rules::page(asked)?;
    let found = ctx
        .store
        .messages(instance, &caller.user, page, limit)
        .await;
    rules::conceal(&caller.user, instance, found)
}

/// Returns a page of the messages of one user.
pub async fn user_messages(ctx: &Ctx, caller: &Caller, asked: UserMessages) -> Answer<MessagesOk> {
    let (page, limit) = rules::page(PageAsked {
        after: asked.after,
        before: asked.before,
        limit: asked.limit,
    })?;
    let found = ctx
        .store
        .user_messages(asked.instance, &caller.user, asked.user, page, limit)
        .await;
    rules::conceal(&caller.user, asked.instance, found)
}
