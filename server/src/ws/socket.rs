//! One connection: a single task that handles requests, and sends answers, events and updates. All
//! its queues are bounded.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use plenary_shared::domain::{Code, Reject, Role};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{
    Changed, ChangedList, Close, Departure, PING_S, Request, SILENCE_S, Verb,
};
use serde_json::value::RawValue;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tokio_tungstenite::tungstenite::{self, Message};

use crate::ctx::Caller;
use crate::dashboard::Watching;
use crate::error::{Answer, Error, Fault};
use crate::hub::{Cursor, Subscriber};
use crate::peer::Refused;
use crate::store::{ConnectionId, Waiting};

use super::pings::Pings;
use super::posts::Posts;
use super::request::BadRequest;
use super::transport::Stream;
use super::updates;
use super::wire::{End, Wire};
use super::{Client, WsState};

/// Time that a client has to say hello, in seconds.
const HELLO_S: u64 = 10;

/// Time between two frames of events, in milliseconds. Events that arrive in between share a frame. The
/// first frame is sent at once.
const COALESCE_MS: u64 = 2;

/// Requests of one frame that are handled before events are sent again.
const REQUESTS_PER_TURN_MAX: usize = 16;

/// Control frames that a client may send in [`PING_S`] seconds: one answers the ping of the server.
const CONTROL_FRAMES_MAX: u32 = 100;

/// Interval between two checks of the session, the user's role and their access, in seconds. Changes are
/// pushed; the check finds what a push missed. It also renews the binding of stays.
const CHECK_S: u64 = 10;

/// One connection.
pub(super) struct Socket {
    pub(super) state: WsState,
    pub(super) connection: ConnectionId,
    pub(super) client: Client,
    /// `None` before hello.
    pub(super) caller: Option<Caller>,
    /// `None` before hello.
    pub(super) subscriber: Option<Arc<Subscriber>>,
    pub(super) cursors: BTreeMap<InstanceId, Cursor>,
    /// The instances that have not started and whose waiting list is followed.
    pub(super) waits: BTreeMap<InstanceId, (Cursor, Waiting)>,
    /// The instances in which the connection may hold a stay.
    pub(super) bound: BTreeSet<InstanceId>,
    /// When the user's typing was last published.
    pub(super) typed: BTreeMap<InstanceId, Instant>,
    pub(super) idle: IdleState,
    /// The dashboard, while the user watches it.
    pub(super) watching: Option<Watching>,
    /// The instances that the user was banned from, until the events that say so are sent.
    pub(super) banned: BTreeSet<InstanceId>,
    /// Why the client closed the connection, if it gave a reason.
    pub(super) departure: Option<Departure>,
}

/// Whether the user is idle, according to the client and as published to the followers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdleState {
    pub(super) reported: bool,
    pub(super) published: bool,
    pub(super) published_at: Option<Instant>,
}

/// The traffic of one connection.
struct Traffic {
    wire: Wire,
    posts: Posts,
    /// The last sign of life of the client.
    last_seen: Instant,
    pings: Pings,
    /// Control frames received since the last ping.
    control_frames: u32,
    /// When to send events; `None` until something wakes the connection.
    due: Option<Instant>,
    last_frame: Instant,
}

/// Runs a connection until it ends, and cleans up after it.
pub(super) async fn run(state: WsState, connection: ConnectionId, client: Client, stream: Stream) {
    let metrics = state.ctx.metrics.clone();
    let hub = state.hub.clone();
    let mut socket = Socket::new(state, connection, client);
    let mut traffic = Traffic {
        wire: Wire::new(stream),
        posts: Posts::default(),
        last_seen: Instant::now(),
        pings: Pings::default(),
        control_frames: 0,
        due: None,
        last_frame: Instant::now(),
    };
    metrics.connections.inc();
    let end = match socket.serve(&mut traffic).await {
        Ok(never) => match never {},
        Err(end) => end,
    };
    metrics.record_close(end.reason());
    if end == End::Closed(Close::TooSlow) {
        hub.record_too_slow();
    }
    if end.is_violation() {
        socket.client.peer.log_refused(Refused::BadConnection);
    }
    traffic.wire.close(end).await;
    socket.clean_up(traffic.last_seen).await;
    metrics.connections.dec();
}

impl Traffic {
    /// Counts a received control frame. Ends the connection if there are too many.
    fn count_control_frame(&mut self) -> Result<(), End> {
        self.control_frames += 1;
        if self.control_frames > CONTROL_FRAMES_MAX {
            return Err(Close::TooMuch.into());
        }
        Ok(())
    }
}

impl Socket {
    fn new(state: WsState, connection: ConnectionId, client: Client) -> Self {
        Self {
            state,
            connection,
            client,
            caller: None,
            subscriber: None,
            cursors: BTreeMap::new(),
            waits: BTreeMap::new(),
            bound: BTreeSet::new(),
            typed: BTreeMap::new(),
            idle: IdleState::default(),
            watching: None,
            banned: BTreeSet::new(),
            departure: None,
        }
    }

    /// Returns the user of this connection, or `not_signed_in` before hello.
    pub(super) fn caller(&self) -> Result<Caller, Error> {
        self.caller.clone().ok_or_else(|| Code::NotSignedIn.into())
    }

    /// Returns the hub's side of this connection, which exists after hello.
    pub(super) fn subscriber(&self) -> Result<Arc<Subscriber>, Fault> {
        self.subscriber
            .clone()
            .ok_or_else(|| Fault::broken("following", "before hello"))
    }

    /// Registers the connection for its user. Returns `too_many_requests` if the user has too many.
    pub(super) fn sign_in(&mut self, caller: Caller) -> Result<(), Reject> {
        let number = self.connection.number;
        let (user, session) = (caller.user.id, caller.session);
        let subscriber = self.state.hub.register(number, user, session);
        self.subscriber = Some(subscriber?);
        self.caller = Some(caller);
        self.client.place.sign_in();
        Ok(())
    }

    /// Serves until the connection ends.
    async fn serve(&mut self, traffic: &mut Traffic) -> Result<Infallible, End> {
        let hello_by = Instant::now() + Duration::from_secs(HELLO_S);
        let mut ping = every(PING_S);
        let mut check = every(CHECK_S);
        let stop = self.state.stop.clone();
        let place = self.client.place.clone();
        loop {
            self.start_requests(traffic).await?;
            let next = traffic.wire.next.as_ref();
            let may_read = next.is_none();
            let may_start = next.is_some_and(|next| !traffic.posts.must_wait(next));
            let silent_at = traffic.last_seen + Duration::from_secs(SILENCE_S);
            let subscriber = self.subscriber.clone();
            tokio::select! {
                () = stop.cancelled() => return Err(Close::GoingAway.into()),
                () = place.evicted(), if self.caller.is_none() => {
                    return Err(Close::GoingAway.into());
                }
                // The frame has more requests. Everything else gets its turn first.
                () = tokio::task::yield_now(), if may_start => {}
                answered = traffic.posts.next(), if !traffic.posts.is_empty() => {
                    if let Some((id, answer)) = answered {
                        let answer = self.log_fault(answer);
                        traffic.wire.answer(id, answer).await?;
                    }
                }
                message = traffic.wire.stream.next(), if may_read => {
                    self.receive(traffic, message).await?;
                }
                () = woken(subscriber.as_deref()) => self.send_updates(traffic).await?,
                () = sleep_until(traffic.due.unwrap_or(hello_by)), if traffic.due.is_some() => {
                    traffic.last_frame = Instant::now();
                    let more = self.send_events(&mut traffic.wire).await?;
                    traffic.due = more.then_some(traffic.last_frame);
                }
                _ = check.tick(), if self.caller.is_some() => {
                    self.check().await?;
                }
                _ = ping.tick() => {
                    traffic.control_frames = 0;
                    let payload = traffic.pings.next(Instant::now());
                    traffic.wire.send(Message::Ping(payload)).await?;
                }
                () = sleep_until(hello_by), if self.caller.is_none() => {
                    return Err(Close::ProtocolError.into());
                }
                () = sleep_until(silent_at) => return Err(Close::Silent.into()),
            }
        }
    }

    async fn receive(
        &mut self,
        traffic: &mut Traffic,
        message: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), End> {
        let message = match message {
            None => return Err(End::Gone),
            Some(message) => message.map_err(|error| End::from(&error))?,
        };
        traffic.last_seen = Instant::now();
        if self.caller.is_some() {
            traffic.wire.allow_message();
        }
        match message {
            Message::Text(text) => traffic.wire.receive(text),
            Message::Binary(_) => {
                let detail = "Frames must be text, not binary.";
                let reject = Reject::new(Code::Malformed, detail);
                traffic.wire.answer(0, Err(reject)).await?;
            }
            Message::Ping(_) => {
                traffic.count_control_frame()?;
                traffic.wire.flush().await?;
            }
            Message::Pong(payload) => {
                traffic.count_control_frame()?;
                let took = traffic.pings.answered(&payload, traffic.last_seen);
                if let (Some(took), Some(subscriber)) = (took, &self.subscriber) {
                    subscriber.record_round_trip(took);
                }
            }
            Message::Close(frame) => {
                self.departure = frame.and_then(|frame| Departure::of(frame.code.into()));
                return Err(End::Left);
            }
            // Raw frames are only sent.
            Message::Frame(_) => {}
        }
        Ok(())
    }

    /// Starts the requests of the received frame. Posts run in parallel; every other verb waits for the
    /// posts before it, and runs alone.
    async fn start_requests(&mut self, traffic: &mut Traffic) -> Result<(), End> {
        let Traffic { wire, posts, .. } = traffic;
        for _ in 0..REQUESTS_PER_TURN_MAX {
            if wire.next.as_ref().is_none_or(|next| posts.must_wait(next)) {
                return Ok(());
            }
            let is_known = self.check_if_changed().await?;
            match wire.next_request() {
                Some(Ok(Request { id, .. })) if !is_known => {
                    posts.reject(id, Code::Unavailable.into());
                }
                Some(Ok(Request {
                    id,
                    verb: Verb::Post(post),
                })) => match self.caller() {
                    Ok(caller) => posts.start(self.state.ctx.clone(), caller, id, post),
                    Err(error) => posts.reject(id, error),
                },
                Some(Ok(Request { id, verb })) => {
                    let is_hello = matches!(verb, Verb::Hello(_));
                    let answer = self.dispatch(verb).await;
                    let refused = answer.as_ref().err().map(close_after_hello);
                    wire.answer(id, self.log_fault(answer)).await?;
                    if let Some(close) = refused.filter(|_| is_hello) {
                        // A client that is half resumed has to start again.
                        return Err(close.into());
                    }
                    traffic.due.get_or_insert_with(Instant::now);
                }
                Some(Err(BadRequest { id, reject })) => wire.answer(id, Err(reject)).await?,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Sends the pending updates, and schedules the next frame of events.
    async fn send_updates(&mut self, traffic: &mut Traffic) -> Result<(), End> {
        let Some(subscriber) = &self.subscriber else {
            return Ok(());
        };
        let subscriber = subscriber.clone();
        self.check_if_changed().await?;
        let wire = &mut traffic.wire;
        if subscriber.take_list_changed() {
            let changed = ChangedList::Meetings;
            let instance = None;
            wire.line(&Changed { instance, changed }).await?;
        }
        let mut pending = subscriber.take_updates();
        self.banned.append(&mut pending.banned);
        let lines = updates::lines(pending);
        if !lines.is_empty() {
            wire.lines(lines).await?;
        }
        let watching = self.watching.as_mut();
        for line in watching.map(Watching::pull).unwrap_or_default() {
            wire.lines((*line).to_owned()).await?;
        }
        let earliest = traffic.last_frame + Duration::from_millis(COALESCE_MS);
        traffic
            .due
            .get_or_insert_with(|| earliest.max(Instant::now()));
        Ok(())
    }

    /// Checks the session and the permissions if they may have changed. Returns whether they are known;
    /// if not, the next call checks again.
    async fn check_if_changed(&mut self) -> Result<bool, End> {
        let Some(subscriber) = self.subscriber.clone() else {
            return Ok(true);
        };
        if subscriber.is_signed_out() {
            return Err(Close::NotSignedIn.into());
        }
        if !subscriber.take_access_changed() {
            return Ok(true);
        }
        let is_known = self.check().await?;
        if !is_known {
            subscriber.keep_access_changed();
        }
        Ok(is_known)
    }

    /// Checks whether the session is still valid, reads the user's role again, and renews the binding
    /// of their stays. Closes the connection if the user has lost access. Returns false if the store is
    /// unavailable.
    async fn check(&mut self) -> Result<bool, End> {
        let ctx = self.state.ctx.clone();
        let Some(caller) = self.caller.as_mut() else {
            return Ok(true);
        };
        match ctx.store.session(caller.session, ctx.now()).await {
            Ok(Some(session)) => {
                caller.user = session.user;
                if caller.user.role != Role::Admin {
                    self.watching = None;
                }
            }
            Ok(None) => return Err(Close::NotSignedIn.into()),
            Err(error) => {
                tracing::debug!(%error, "session check failed, retrying at the next check");
                return Ok(false);
            }
        }
        let caller = caller.clone();
        if !self.renew_bindings(&caller).await? {
            return Ok(false);
        }
        if let Err(error) = self.publish_idle().await {
            tracing::debug!(%error, "publishing the idle state failed, retrying at the next check");
        }
        if let Err(error) = self.renew_waits(&caller).await {
            tracing::debug!(%error, "renewing the waiting list failed, retrying at the next check");
        }
        Ok(true)
    }

    /// Binds the user's stays to this connection again. Returns false if the store is unavailable.
    async fn renew_bindings(&mut self, caller: &Caller) -> Result<bool, End> {
        let store = self.state.ctx.store.clone();
        let instances: BTreeSet<InstanceId> =
            self.cursors.keys().chain(&self.bound).copied().collect();
        for instance in instances {
            match store.bind(instance, &caller.user, &self.connection).await {
                Ok(()) => {
                    self.bound.insert(instance);
                }
                // The client resumes, and learns what it may still follow.
                Err(Error::Reject(_)) if self.cursors.contains_key(&instance) => {
                    return Err(Close::GoingAway.into());
                }
                Err(Error::Reject(_)) => {
                    self.bound.remove(&instance);
                }
                Err(Error::Fault(error)) => {
                    tracing::debug!(%instance, %error, "renewing a stay failed, retrying at the next check");
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Turns a fault into an answer, and logs it once, with an id.
    fn log_fault(&self, answer: Answer<Box<RawValue>>) -> Result<Box<RawValue>, Reject> {
        answer.map_err(|error| match error {
            Error::Reject(reject) => reject,
            Error::Fault(fault) => {
                if matches!(fault, Fault::Broken { .. }) {
                    self.state.ctx.metrics.record_internal_error();
                }
                let mut bytes = [0; 16];
                (self.state.ctx.randomness)(&mut bytes);
                let id = uuid::Uuid::from_bytes(bytes).to_string();
                tracing::error!(%id, connection = %self.connection, error = %fault, "request failed");
                fault.reject(&id)
            }
        })
    }
}

/// Returns how the connection is closed after `hello` was refused. Only a token that is not valid signs the
/// client out.
fn close_after_hello(error: &Error) -> Close {
    match error {
        Error::Reject(reject) if reject.code == Code::NotSignedIn => Close::NotSignedIn,
        Error::Reject(reject) if reject.code == Code::TooManyRequests => Close::TooMuch,
        Error::Reject(_) | Error::Fault(_) => Close::GoingAway,
    }
}

/// Returns an interval whose first tick is one period away.
fn every(seconds: u64) -> Interval {
    let mut interval = interval(Duration::from_secs(seconds));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval.reset();
    interval
}

async fn woken(subscriber: Option<&Subscriber>) {
    match subscriber {
        Some(subscriber) => subscriber.woken().await,
        None => std::future::pending().await,
    }
}
