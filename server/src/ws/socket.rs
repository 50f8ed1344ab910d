//! One connection: requests in, answers and events out, one task, nothing unbounded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;
use plenary_shared::domain::{Code, Reject, Role};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{
    Changed, ChangedList, Close, PING_S, ReadElsewhere, Request, SILENCE_S, Typing, Verb, WaitTold,
};
use serde_json::value::RawValue;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::board::Watching;
use crate::ctx::Caller;
use crate::error::{Answer, Error, Fault};
use crate::hub::{Cursor, Listener, Notes, Pull};
use crate::metrics::Stage;
use crate::store::{ConnectionId, Store, Waiting};

use super::WsState;
use super::posting::Posts;
use super::request::Bad;
use super::wire::Wire;

/// How long a connection may take to say hello.
const HELLO_S: u64 = 10;

/// Bytes of events in one frame: few enough for a small window, many enough to save system calls.
const EVENTS_FRAME_BYTES_MAX: usize = 16 * 1024;

/// Between two frames of events: what comes meanwhile goes together. The first goes at once.
const COALESCE_MS: u64 = 2;

/// Requests of one frame that are taken up before anything else is looked at again.
const OBEYED_AT_ONCE_MAX: usize = 16;

/// Frames of events that are sent before requests are looked at again.
const FRAMES_AT_ONCE_MAX: usize = 8;

/// Events read from the log at once for a reader who is behind.
const BEHIND_EVENTS_MAX: usize = 200;

/// Between two looks whether the session is good still, who the person is now, and what they may
/// follow; also holds their stays again. So long after a change, an open connection knows of it.
const CHECK_S: u64 = 10;

/// Between two tries to say that a connection is lost, while the store is away.
const DETACH_RETRY_MS: u64 = 1_000;

/// One connection.
pub(super) struct Socket {
    pub(super) state: WsState,
    pub(super) connection: ConnectionId,
    pub(super) caller: Option<Caller>,
    listener: Option<Arc<Listener>>,
    /// What it follows.
    pub(super) cursors: BTreeMap<InstanceId, Cursor>,
    /// What has not begun and it hears of, and how.
    pub(super) waits: BTreeMap<InstanceId, (Cursor, Waiting)>,
    /// Where it may hold a stay.
    pub(super) bound: BTreeSet<InstanceId>,
    /// When it was last told where that somebody writes.
    pub(super) typed: BTreeMap<InstanceId, Instant>,
    /// Whether its person does not use it, as the client says.
    pub(super) idle: Told,
    /// The dashboard, while its person watches.
    pub(super) watching: Option<Watching>,
    /// What its person is banned from, and has still to be told.
    banned: BTreeSet<InstanceId>,
}

/// What a client says of its person, and what of that others were told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) wanted: bool,
    pub(super) passed_on: bool,
    pub(super) at: Option<Instant>,
}

/// Runs a connection to its end, and what follows from its end.
pub(super) async fn run(state: WsState, connection: ConnectionId, stream: WebSocket) {
    let mut socket = Socket {
        state,
        connection,
        caller: None,
        listener: None,
        cursors: BTreeMap::new(),
        waits: BTreeMap::new(),
        bound: BTreeSet::new(),
        typed: BTreeMap::new(),
        idle: Told::default(),
        watching: None,
        banned: BTreeSet::new(),
    };
    let mut heard = Instant::now();
    let mut wire = Wire::new(stream);
    let metrics = socket.state.ctx.metrics.clone();
    metrics.connections.inc();
    let close = socket.serve(&mut wire, &mut heard).await;
    metrics.record_close(why(close, wire.is_slow));
    if let Some(close) = close {
        if close == Close::TooSlow {
            socket.state.hub.note_too_slow();
        }
        wire.close(close).await;
    }
    socket.end(heard).await;
    metrics.connections.dec();
}

impl Socket {
    /// Serves until the connection is to be closed, or is gone (`None`).
    /// `heard`: when it last gave a sign of life.
    async fn serve(&mut self, wire: &mut Wire, heard: &mut Instant) -> Option<Close> {
        let hello_by = Instant::now() + Duration::from_secs(HELLO_S);
        let mut ping = interval(Duration::from_secs(PING_S));
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        let mut check = interval(Duration::from_secs(CHECK_S));
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        check.reset();
        // When the last ping was sent that has not come back.
        let mut pinged: Option<Instant> = None;
        let mut posts = Posts::default();
        // When to look for events; nothing is due before something woke us.
        let mut due: Option<Instant> = None;
        let mut last_frame = Instant::now();
        let stop = self.state.stop.clone();
        loop {
            if let Err(close) = self.take_requests(wire, &mut posts, &mut due).await {
                return close;
            }
            let may_read = wire.next.is_none();
            let has_requests = wire
                .next
                .as_ref()
                .is_some_and(|next| !posts.must_wait(next));
            let silent_at = *heard + Duration::from_secs(SILENCE_S);
            let listener = self.listener.clone();
            tokio::select! {
                () = stop.cancelled() => return Some(Close::GoingAway),
                // More of the same frame, after whatever else there is to do.
                () = tokio::task::yield_now(), if has_requests => {}
                answered = posts.next(), if !posts.is_empty() => {
                    if let Some((id, answer)) = answered {
                        wire.answer(id, self.told(answer)).await?;
                    }
                }
                message = wire.stream.next(), if may_read => {
                    if !matches!(message, Some(Err(_))) {
                        *heard = Instant::now();
                    }
                    match message? {
                        Ok(Message::Text(text)) => wire.take(text),
                        Ok(Message::Binary(_)) => {
                            let reject = Reject::new(Code::Malformed, "Frames are text, not binary.");
                            wire.answer(0, Err(reject)).await?;
                        }
                        Ok(Message::Pong(_)) => {
                            if let (Some(at), Some(listener)) = (pinged.take(), &self.listener) {
                                listener.note_round_trip(at.elapsed());
                            }
                        }
                        Ok(Message::Ping(_)) => {}
                        Ok(Message::Close(_)) => return None,
                        // Too long, no UTF-8, no WebSocket: the connection cannot go on.
                        Err(_) => return Some(Close::ProtocolError),
                    }
                }
                () = woken(listener.as_deref()) => {
                    let listener = listener?;
                    if listener.is_signed_out() {
                        return Some(Close::NotSignedIn);
                    }
                    if listener.take_changed() {
                        let changed = ChangedList::Meetings;
                        wire.line(&Changed { instance: None, changed }).await?;
                    }
                    let mut notes = listener.take_notes();
                    self.banned.append(&mut notes.banned);
                    let notes = lines_of(notes);
                    if !notes.is_empty() {
                        wire.lines(notes).await?;
                    }
                    for line in self.watching.as_mut().map(Watching::pull).unwrap_or_default() {
                        wire.lines((*line).to_owned()).await?;
                    }
                    let instrument = last_frame + Duration::from_millis(COALESCE_MS);
                    due = Some(due.unwrap_or_else(|| instrument.max(Instant::now())));
                }
                () = sleep_until(due.unwrap_or(hello_by)), if due.is_some() => {
                    last_frame = Instant::now();
                    due = match self.send_events(wire).await {
                        Ok(true) => Some(last_frame),
                        Ok(false) => None,
                        Err(close) => return close,
                    };
                }
                _ = check.tick(), if self.caller.is_some() => {
                    if let Some(close) = self.check().await {
                        return Some(close);
                    }
                }
                _ = ping.tick() => {
                    pinged = Some(Instant::now());
                    wire.send(Message::Ping(axum::body::Bytes::new())).await?;
                }
                () = sleep_until(hello_by), if self.caller.is_none() => {
                    return Some(Close::ProtocolError);
                }
                () = sleep_until(silent_at) => return Some(Close::Silent),
            }
        }
    }

    /// Begins what the client has asked for. Posts run side by side, in their order; every other
    /// verb waits until they are done, and they for it.
    async fn take_requests(
        &mut self,
        wire: &mut Wire,
        posts: &mut Posts,
        due: &mut Option<Instant>,
    ) -> Result<(), Option<Close>> {
        let mut obeyed = 0;
        while let Some(next) = &wire.next {
            if posts.must_wait(next) || obeyed >= OBEYED_AT_ONCE_MAX {
                return Ok(());
            }
            obeyed += 1;
            match wire.next_request() {
                Some(Ok(Request {
                    id,
                    verb: Verb::Post(post),
                })) => match self.caller() {
                    Ok(caller) => posts.begin(self.state.ctx.clone(), caller, id, post),
                    Err(error) => posts.refuse(id, error),
                },
                Some(Ok(Request { id, verb })) => {
                    let is_hello = matches!(verb, Verb::Hello(_));
                    let answer = self.obey(verb).await;
                    let refused = answer.is_err();
                    let told = self.told(answer);
                    wire.answer(id, told).await.ok_or(None)?;
                    if is_hello && refused && self.caller.is_none() {
                        return Err(Some(Close::NotSignedIn));
                    }
                    if is_hello && refused {
                        // Half resumed: the client begins again.
                        return Err(Some(Close::GoingAway));
                    }
                    *due = Some(due.unwrap_or_else(Instant::now));
                }
                Some(Err(Bad { id, reject })) => wire.answer(id, Err(reject)).await.ok_or(None)?,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Sends what the cursors have; whether there is more.
    async fn send_events(&mut self, wire: &mut Wire) -> Result<bool, Option<Close>> {
        let mut out = String::new();
        let mut frames = 0;
        let mut fenced = Vec::new();
        let mut more = false;
        let metrics = self.state.ctx.metrics.clone();
        let began = Instant::now();
        let mut oldest = Vec::new();
        for (instance, cursor) in &mut self.cursors {
            let first = cursor.seq();
            loop {
                match cursor.pull(&mut out, EVENTS_FRAME_BYTES_MAX) {
                    Pull::CaughtUp => break,
                    Pull::Fenced => {
                        fenced.push(*instance);
                        break;
                    }
                    Pull::More => {
                        wire.lines(std::mem::take(&mut out)).await.ok_or(None)?;
                        frames += 1;
                    }
                    Pull::Behind => {
                        let after = cursor.seq();
                        let store = &self.state.ctx.store;
                        match store.backfill(*instance, after, BEHIND_EVENTS_MAX).await {
                            Ok(events) => cursor.push(&mut out, &events),
                            Err(error) => {
                                tracing::debug!(%error, "a reader who is behind has to resume");
                                return Err(Some(Close::TooSlow));
                            }
                        }
                        if cursor.seq() == after {
                            // The log does not have it: only opening it again helps.
                            return Err(Some(Close::TooSlow));
                        }
                        wire.lines(std::mem::take(&mut out)).await.ok_or(None)?;
                        frames += 1;
                    }
                }
                if frames >= FRAMES_AT_ONCE_MAX {
                    more = true;
                    break;
                }
            }
            let sent = cursor.seq().get().saturating_sub(first.get());
            metrics.deliveries.inc_by(sent);
            oldest.extend(cursor.take_oldest());
        }
        for instance in fenced {
            self.cursors.remove(&instance);
        }
        if !out.is_empty() {
            wire.lines(out).await.ok_or(None)?;
        }
        metrics.observe_stage(Stage::Send, began.elapsed());
        let now = self.state.ctx.now();
        for at in oldest {
            let took = u64::try_from(now.ms_since(at)).unwrap_or(0);
            metrics.record_delivery(Duration::from_millis(took));
        }
        if !more {
            self.forget_banned();
        }
        Ok(more)
    }

    /// What an admin has banned its person from is not followed any more; it has just been told why.
    fn forget_banned(&mut self) {
        let banned = std::mem::take(&mut self.banned);
        if self
            .caller
            .as_ref()
            .is_some_and(|caller| caller.user.role == Role::Admin)
        {
            // Admins may read everything.
            return;
        }
        for instance in banned {
            self.cursors.remove(&instance);
            self.bound.remove(&instance);
        }
    }

    /// Looks again at what was known when the connection began: whether the session is good still,
    /// who the person is, what they may follow. Why the connection has to be closed, if it has.
    async fn check(&mut self) -> Option<Close> {
        let ctx = self.state.ctx.clone();
        let caller = self.caller.as_mut()?;
        match ctx.store.session(caller.session, ctx.now()).await {
            Ok(Some(session)) => {
                caller.user = session.user;
                if caller.user.role != Role::Admin {
                    self.watching = None;
                }
            }
            Ok(None) => return Some(Close::NotSignedIn),
            Err(error) => {
                tracing::debug!(%error, "a session is not known now: looked at again later");
                return None;
            }
        }
        let instances: BTreeSet<InstanceId> =
            self.cursors.keys().chain(&self.bound).copied().collect();
        for instance in instances {
            match ctx
                .store
                .hold(instance, &caller.user, &self.connection)
                .await
            {
                Ok(()) => {
                    self.bound.insert(instance);
                }
                // Resuming tells the client what is left to it.
                Err(Error::Reject(_)) if self.cursors.contains_key(&instance) => {
                    return Some(Close::GoingAway);
                }
                Err(Error::Reject(_)) => {
                    self.bound.remove(&instance);
                }
                Err(Error::Fault(fault)) => {
                    tracing::debug!(%fault, "a stay is not held now: tried again later");
                    return None;
                }
            }
        }
        if let Err(error) = self.tell_idle().await {
            tracing::debug!(%error, "who is idle is told later");
        }
        let caller = self.caller.clone()?;
        if let Err(error) = self.wait_again(&caller).await {
            tracing::debug!(%error, "who waits is told later");
        }
        None
    }

    /// What the person is told: a fault is logged here, once, with an id.
    fn told(&self, answer: Answer<Box<RawValue>>) -> Result<Box<RawValue>, Reject> {
        answer.map_err(|error| match error {
            Error::Reject(reject) => reject,
            Error::Fault(fault) => {
                if matches!(fault, Fault::Broken { .. }) {
                    self.state.ctx.metrics.record_internal_error();
                }
                let mut bytes = [0; 16];
                (self.state.ctx.randomness)(&mut bytes);
                let id = uuid::Uuid::from_bytes(bytes).to_string();
                tracing::error!(%id, connection = %self.connection, error = %fault, "a request failed");
                fault.told(&id)
            }
        })
    }

    /// From here on it is known who this is.
    pub(super) fn sign_in(&mut self, caller: Caller) {
        self.listener = Some(self.state.hub.listen(
            self.connection.number,
            caller.user.id,
            caller.session,
        ));
        self.caller = Some(caller);
    }

    /// What wakes this socket.
    pub(super) fn listener(&self) -> Result<Arc<Listener>, Fault> {
        self.listener
            .clone()
            .ok_or_else(|| Fault::broken("following", "before hello"))
    }

    /// The connection is gone: whoever was in by it leaves after the grace.
    async fn end(self, heard: Instant) {
        let Self {
            state,
            connection,
            listener,
            cursors,
            waits,
            bound,
            caller,
            ..
        } = self;
        drop(cursors);
        if let Some(listener) = listener {
            state.hub.forget(&listener);
        }
        if let Some(caller) = caller {
            wait_no_more(&state, &caller, waits).await;
        }
        let store = state.ctx.store.clone();
        let instances: Vec<InstanceId> = bound.into_iter().collect();
        let mut to_detach = instances.clone();
        detach(&*store, &connection, heard, &mut to_detach).await;
        if instances.is_empty() {
            return;
        }
        let grace_ms = state.reconnect_grace_ms;
        let metrics = state.ctx.metrics.clone();
        let stop = state.stop.clone();
        // One for each connection that held a stay: as many as there were connections.
        state.tasks.spawn(async move {
            // While this server lives, nobody else takes its connections for lost.
            while !to_detach.is_empty() {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(DETACH_RETRY_MS)) => {}
                    // The end of this server's lease tells the others.
                    () = stop.cancelled() => return,
                }
                detach(&*store, &connection, heard, &mut to_detach).await;
            }
            // A little later than the grace, so that it is over by the store's clock too.
            let wait_ms = (grace_ms - silent_ms(heard)).max(0);
            let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0) + 50);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // Another server, or the next start, reaps what this one leaves.
                () = stop.cancelled() => return,
            }
            for instance in instances {
                match store.reap(instance, grace_ms).await {
                    Ok(reaped) => {
                        metrics
                            .reaped
                            .inc_by(u64::try_from(reaped).unwrap_or(u64::MAX));
                    }
                    Err(error) => tracing::warn!(%instance, %error, "reaped later"),
                }
            }
        });
    }
}

/// Whoever waited by a connection that is gone does so no more. Where that is not told, it is forgotten.
async fn wait_no_more(
    state: &WsState,
    caller: &Caller,
    waits: BTreeMap<InstanceId, (Cursor, Waiting)>,
) {
    for (instance, (hears, what)) in waits {
        drop(hears);
        let (user, store) = (&caller.user, &state.ctx.store);
        if what == Waiting::Waits
            && !state.hub.waits(user.id, instance)
            && let Err(error) = store.wait(instance, user, Waiting::Stops).await
        {
            tracing::debug!(%instance, %error, "who waits is forgotten later");
        }
    }
}

/// Says that a connection is lost, until that fails; what is left is to be tried again.
async fn detach(
    store: &dyn Store,
    connection: &ConnectionId,
    heard: Instant,
    instances: &mut Vec<InstanceId>,
) {
    while let Some(instance) = instances.last() {
        let detached = store.detach(*instance, connection, silent_ms(heard)).await;
        if let Err(error) = detached {
            tracing::warn!(%instance, %error, "a lost connection is not noted yet");
            return;
        }
        instances.pop();
    }
}

fn silent_ms(heard: Instant) -> i64 {
    i64::try_from(heard.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// Why a connection ends, in a word.
fn why(close: Option<Close>, is_slow: bool) -> &'static str {
    match close {
        _ if is_slow => "too_slow",
        None => "by_peer",
        Some(Close::GoingAway) => "going_away",
        Some(Close::TooSlow) => "too_slow",
        Some(Close::Silent) => "silent",
        Some(Close::ProtocolError) => "protocol_error",
        Some(Close::NotSignedIn) => "not_signed_in",
    }
}

async fn woken(listener: Option<&Listener>) {
    match listener {
        Some(listener) => listener.woken().await,
        None => std::future::pending().await,
    }
}

/// A line for each note.
fn lines_of(notes: Notes) -> String {
    let read = notes
        .read
        .into_iter()
        .map(|(instance, read)| serde_json::to_string(&ReadElsewhere { instance, read }));
    let typing = notes
        .typing
        .into_iter()
        .map(|(instance, user)| serde_json::to_string(&Typing { instance, user }));
    let presence = notes.presence.into_values();
    let presence = presence.map(|told| serde_json::to_string(&told));
    let waiting = notes.waiting.into_values();
    let waiting = waiting.flat_map(|(count, people)| {
        let people = people.into_values();
        // Of several the last count holds.
        people.map(move |told| serde_json::to_string(&WaitTold { count, ..told }))
    });
    let people = notes.people.into_iter().map(|instance| {
        serde_json::to_string(&Changed {
            instance: Some(instance),
            changed: ChangedList::People,
        })
    });
    read.chain(typing)
        .chain(presence)
        .chain(waiting)
        .chain(people)
        .filter_map(Result::ok)
        .fold(String::new(), |mut lines, line| {
            lines.push_str(&line);
            lines.push('\n');
            lines
        })
}
