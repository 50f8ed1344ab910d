//! The listening socket: connections in, each served until it ends, and none that is only held.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::serve::{Listener, ListenerExt};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// What a connection may have sent of a request's head, in bytes, before it is refused: more than any
/// client's, with a token, and little for each connection that is held.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Connections that have not sent the head of their first request yet; beyond it the oldest is closed.
const WAITING_MAX: usize = 1_024;

/// What the operating system may hold for a connection that takes nothing, in bytes; it counts twice
/// this for its own part. Without a bound of ours it would be megabytes for each.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// Connections that wait to be taken.
const BACKLOG_MAX: u32 = 1_024;

/// Listens there. Every connection that is taken has the bound of [`SEND_BUFFER_BYTES`].
pub fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let socket = match at {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(at)?;
    socket.listen(BACKLOG_MAX)
}

/// Takes connections until told to stop, and serves each to its end; returns when the last has ended.
///
/// A connection whose next head is not complete within `head_timeout` is closed, so also one that
/// idles so long between two requests. One that has become a WebSocket lives by its own rules.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    head_timeout: Duration,
    stop: CancellationToken,
) {
    let mut listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "small frames may wait");
        }
    });
    let waiting = Arc::new(Waiting::default());
    let connections = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            (stream, _) = listener.accept() => stream,
        };
        let guest = Guest::arrive(&waiting);
        let routes = routes.clone();
        connections.spawn(converse(stream, routes, head_timeout, guest, stop.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn converse(
    stream: TcpStream,
    routes: Router,
    head_timeout: Duration,
    guest: Arc<Guest>,
    stop: CancellationToken,
) {
    let speaker = guest.clone();
    let routes = routes.map_request(move |request: Request<Incoming>| {
        speaker.has_spoken();
        request.map(Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = guest.shown_out() => return,
        () = stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        // Nobody waits for the rest of a head.
        None if guest.is_waiting() => return,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The connections that have not sent the head of their first request, the oldest first.
#[derive(Debug, Default)]
struct Waiting(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    guests: BTreeMap<u64, CancellationToken>,
}

impl Waiting {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is guarded is whole after every statement: a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection, as long as it is open.
#[derive(Debug)]
struct Guest {
    waiting: Arc<Waiting>,
    number: u64,
    shown_out: CancellationToken,
}

impl Guest {
    /// Where too many wait, the one that has waited longest goes.
    fn arrive(waiting: &Arc<Waiting>) -> Arc<Self> {
        let mut state = waiting.state();
        state.last += 1;
        let number = state.last;
        let shown_out = CancellationToken::new();
        state.guests.insert(number, shown_out.clone());
        if state.guests.len() > WAITING_MAX
            && let Some((_, oldest)) = state.guests.pop_first()
        {
            oldest.cancel();
        }
        drop(state);
        Arc::new(Self {
            waiting: waiting.clone(),
            number,
            shown_out,
        })
    }

    fn has_spoken(&self) {
        self.waiting.state().guests.remove(&self.number);
    }

    fn is_waiting(&self) -> bool {
        self.waiting.state().guests.contains_key(&self.number)
    }

    async fn shown_out(&self) {
        self.shown_out.cancelled().await;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.has_spoken();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_longest_makes_room() {
        let waiting = Arc::new(Waiting::default());
        let spoke = Guest::arrive(&waiting);
        spoke.has_spoken();
        let gone = Guest::arrive(&waiting);
        drop(gone);
        let guests: Vec<_> = (0..=WAITING_MAX).map(|_| Guest::arrive(&waiting)).collect();
        assert!(!spoke.shown_out.is_cancelled());
        assert!(guests[0].shown_out.is_cancelled() && !guests[0].is_waiting());
        let others = &guests[1..];
        assert!(others.iter().all(|guest| guest.is_waiting()));
        assert!(others.iter().all(|guest| !guest.shown_out.is_cancelled()));
    }
}
