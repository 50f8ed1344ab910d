//! What is said in meetings: saying it, and reading it page by page.

use std::time::Duration;

use plenary_shared::domain::Code;
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::protocol::{
    Delete, Done, Edit, Events, EventsOk, MessagesOk, Post, Posted, ReadUpTo, Unread, UserMessages,
};
use plenary_shared::text::MessageBody;
use tokio::time::timeout;

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;
use crate::rules::{self, PageAsked};
use crate::store::Page;

/// How long a list waits for what is not read: while what lasts is away it is shown without.
const UNREAD_MS_MAX: u64 = 1_000;

/// Says something, once for each cmid.
pub async fn post(ctx: &Ctx, caller: &Caller, post: Post) -> Answer<Posted> {
    something(&post.body)?;
    let (instance, user) = (post.instance, &caller.user);
    match post.reply_to {
        None => ctx.store.post(instance, user, post.cmid, &post.body).await,
        Some(to) => {
            ctx.store
                .reply(instance, user, post.cmid, &post.body, to)
                .await
        }
    }
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
