//! What is said in meetings: saying it, and reading it page by page.

use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{Events, EventsOk, MessagesOk, Post, Posted, UserMessages};

use crate::ctx::{Caller, Ctx};
use crate::error::Answer;
use crate::rules::{self, PageAsked};

/// Says something, once for each cmid.
pub async fn post(ctx: &Ctx, caller: &Caller, post: Post) -> Answer<Posted> {
    ctx.store
        .post(post.instance, &caller.user, post.cmid, &post.body)
        .await
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
