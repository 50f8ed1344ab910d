//! The posts of one connection: sent to the store in parallel, answered in order. Posts that wait to
//! be durable block nothing.

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use futures_util::{FutureExt, StreamExt};
use plenary_shared::protocol::{Ack, Post, Posted, Request, Verb};
use serde_json::value::RawValue;

use crate::ctx::{Caller, Ctx};
use crate::error::{Answer, Error, Fault};
use crate::service;
use crate::service::chat::PostResult;

use super::request::BadRequest;

/// Posts that are sent to the store at the same time. Further posts wait in the socket.
const IN_FLIGHT_MAX: usize = 32;

/// Posts that have a seq and wait for the archive. Further durable posts wait in the socket.
const PENDING_DURABLE_MAX: usize = 256;

/// The id of a request and its answer.
type Answered = (u64, Answer<Box<RawValue>>);

type AnswerFuture = BoxFuture<'static, Answered>;

/// The state of a post after the store has answered.
enum Sent {
    Answered(Answered),
    /// The post has a seq; the answer waits for the archive.
    Pending(AnswerFuture),
}

/// The posts of one connection.
#[derive(Default)]
pub(super) struct Posts {
    /// In order, on their way to the store.
    in_flight: FuturesOrdered<BoxFuture<'static, Sent>>,
    /// Waiting for the archive, in no order.
    pending: FuturesUnordered<AnswerFuture>,
}

impl Posts {
    /// Returns whether all posts are answered.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty() && self.pending.is_empty()
    }

    /// Returns whether the request has to wait: a post until there is room, every other verb until all
    /// earlier posts have a seq.
    pub(super) fn must_wait(&self, next: &Result<Request, BadRequest>) -> bool {
        let Ok(Request {
            verb: Verb::Post(post),
            ..
        }) = next
        else {
            return !self.in_flight.is_empty();
        };
        let has_room = self.in_flight.len() < IN_FLIGHT_MAX;
        let may_pend = self.pending.len() + self.in_flight.len() < PENDING_DURABLE_MAX;
        !has_room || (post.ack == Ack::Durable && !may_pend)
    }

    /// Sends a post to the store.
    pub(super) fn start(&mut self, ctx: Ctx, caller: Caller, id: u64, post: Post) {
        self.in_flight
            .push_back(send(ctx, caller, id, post).boxed());
    }

    /// Rejects a post, in its order.
    pub(super) fn reject(&mut self, id: u64, error: Error) {
        self.in_flight
            .push_back(async move { Sent::Answered((id, Err(error))) }.boxed());
    }

    /// Waits for the next answer. Returns `None` if a post has started to wait for the archive, so
    /// that the next request may start.
    pub(super) async fn next(&mut self) -> Option<Answered> {
        tokio::select! {
            Some(sent) = self.in_flight.next() => match sent {
                Sent::Answered(answered) => Some(answered),
                Sent::Pending(pending) => {
                    self.pending.push(pending);
                    None
                }
            },
            Some(answered) = self.pending.next() => Some(answered),
            else => None,
        }
    }
}

async fn send(ctx: Ctx, caller: Caller, id: u64, post: Post) -> Sent {
    match service::chat::post(&ctx, &caller, post).await {
        Ok(PostResult::Done(posted)) => Sent::Answered((id, raw(&posted))),
        Ok(PostResult::Pending(pending)) => Sent::Pending(
            async move {
                let posted = service::chat::wait_durable(&ctx, &caller, pending).await;
                (id, posted.and_then(|posted| raw(&posted)))
            }
            .boxed(),
        ),
        Err(error) => Sent::Answered((id, Err(error))),
    }
}

fn raw(posted: &Posted) -> Answer<Box<RawValue>> {
    serde_json::value::to_raw_value(posted)
        .map_err(|error| Fault::broken("serialising an answer", error).into())
}
