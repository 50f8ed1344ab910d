//! The posts of one connection: side by side on their way to the store, answered in their order; those
//! that wait to be durable hold up nothing.

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use plenary_shared::protocol::{Ack, Post, Posted, Request, Verb};
use serde_json::value::RawValue;

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error, Fault};
use crate::service;
use crate::service::chat::Said;

use super::request::Bad;

/// Posts that are on their way to the store at once; more wait in the socket.
const IN_FLIGHT_MAX: usize = 32;

/// Posts that are ordered and wait for the archive at once; one that would wait as well waits in the
/// socket.
const AWAITED_MAX: usize = 256;

/// A request's number and its answer.
type Answered = (u64, Answer<Box<RawValue>>);

/// An answer on its way.
type Answering = BoxFuture<'static, Answered>;

/// What came of a post: its answer, or what its answer waits for.
enum Came {
    Answered(Answered),
    Awaited(Answering),
}

/// The posts of one connection.
#[derive(Default)]
pub(super) struct Posts {
    /// On their way to the store, in their order.
    ordering: FuturesOrdered<BoxFuture<'static, Came>>,
    /// Ordered, and answered when they are durable.
    awaited: FuturesUnordered<Answering>,
}

impl Posts {
    /// Whether there is nothing to be answered.
    pub(super) fn is_empty(&self) -> bool {
        self.ordering.is_empty() && self.awaited.is_empty()
    }

    /// Whether this request waits: a post until there is room, every other until all posts before it
    /// are ordered.
    pub(super) fn must_wait(&self, next: &Result<Request, Bad>) -> bool {
        let Ok(Request {
            verb: Verb::Post(post),
            ..
        }) = next
        else {
            return !self.ordering.is_empty();
        };
        let has_room = self.ordering.len() < IN_FLIGHT_MAX;
        let may_await = self.awaited.len() + self.ordering.len() < AWAITED_MAX;
        !has_room || (post.ack == Ack::Durable && !may_await)
    }

    /// Begins one.
    pub(super) fn begin(&mut self, ctx: Ctx, caller: Caller, id: u64, post: Post) {
        self.ordering
            .push_back(ordered(ctx, caller, id, post).boxed());
    }

    /// Refuses one, in its order.
    pub(super) fn refuse(&mut self, id: u64, error: Error) {
        self.ordering
            .push_back(async move { Came::Answered((id, Err(error))) }.boxed());
    }

    /// The next answer; `None`: a post is ordered and waits for the archive from here on, so that
    /// the next request may be begun.
    pub(super) async fn next(&mut self) -> Option<Answered> {
        tokio::select! {
            Some(came) = self.ordering.next() => match came {
                Came::Answered(answered) => Some(answered),
                Came::Awaited(awaited) => {
                    self.awaited.push(awaited);
                    None
                }
            },
            Some(answered) = self.awaited.next() => Some(answered),
            else => None,
        }
    }
}

async fn ordered(ctx: Ctx, caller: Caller, id: u64, post: Post) -> Came {
    match service::chat::say(&ctx, &caller, post).await {
        Ok(Said::Answered(posted)) => Came::Answered((id, raw(&posted))),
        Ok(Said::Awaited(awaited)) => Came::Awaited(
            async move {
                let posted = service::chat::durable(&ctx, &caller, awaited).await;
                (id, posted.and_then(|posted| raw(&posted)))
            }
            .boxed(),
        ),
        Err(error) => Came::Answered((id, Err(error))),
    }
}

fn raw(posted: &Posted) -> Answer<Box<RawValue>> {
    serde_json::value::to_raw_value(posted)
        .map_err(|error| Fault::broken("writing an answer", error).into())
}
