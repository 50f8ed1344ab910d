//! What is said in meetings: saying it, and reading it page by page.

use plenary_shared::domain::Code;
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{
    Delete, Edit, Events, EventsOk, MessagesOk, Post, Posted, UserMessages,
};
use plenary_shared::text::MessageBody;

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;
use crate::rules::{self, PageAsked};

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
