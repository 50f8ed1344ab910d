//! The TCP listener: accepts connections, serves each until it ends, and closes those that only idle.

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

/// Size limit of a request head, in bytes. Larger than any client's head with a token, and small
/// enough to hold for every open connection.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Connections that have not sent a complete request head yet. Above this, the oldest is closed.
const IDLE_MAX: usize = 1_024;

/// Send buffer of a connection in the kernel, in bytes; Linux doubles it. Without this limit a
/// client that reads nothing costs megabytes.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// Connections that the kernel queues until they are accepted.
const BACKLOG_MAX: u32 = 1_024;

/// Binds a listening socket. Accepted connections inherit the [`SEND_BUFFER_BYTES`] limit.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG_MAX)
}

/// Accepts connections until `stop` is cancelled, then returns when the last connection has ended.
///
/// A connection that does not complete its next request head within `head_timeout` is closed. The
/// pause between two requests counts. WebSockets have their own timeouts.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    head_timeout: Duration,
    stop: CancellationToken,
) {
    let mut listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "set nodelay failed, small frames may be delayed");
        }
    });
    let idle = Arc::new(Idle::default());
    let connections = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            (stream, _) = listener.accept() => stream,
        };
        let connection = Connection::accept(&idle);
        let routes = routes.clone();
        connections.spawn(serve_connection(
            stream,
            routes,
            head_timeout,
            connection,
            stop.clone(),
        ));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn serve_connection(
    stream: TcpStream,
    routes: Router,
    head_timeout: Duration,
    connection: Arc<Connection>,
    stop: CancellationToken,
) {
    let requested = connection.clone();
    let routes = routes.map_request(move |request: Request<Incoming>| {
        requested.mark_active();
        request.map(Body::new)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
        .with_upgrades();
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        () = connection.evicted.cancelled() => return,
        () = stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        // An incomplete head is not waited for.
        None if connection.is_idle() => return,
        None => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// The connections without a complete request head, ordered by age.
#[derive(Debug, Default)]
struct Idle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: u64,
    evictions: BTreeMap<u64, CancellationToken>,
}

impl Idle {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every statement leaves the state consistent, so a poisoned lock is still usable.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open connection. It counts as idle until its first request head is complete.
#[derive(Debug)]
struct Connection {
    idle: Arc<Idle>,
    number: u64,
    evicted: CancellationToken,
}

impl Connection {
    /// Registers a new connection as idle, and evicts the oldest if there are too many.
    fn accept(idle: &Arc<Idle>) -> Arc<Self> {
        let mut state = idle.state();
        state.last += 1;
        let number = state.last;
        let evicted = CancellationToken::new();
        state.evictions.insert(number, evicted.clone());
        if state.evictions.len() > IDLE_MAX
            && let Some((_, oldest)) = state.evictions.pop_first()
        {
            oldest.cancel();
        }
        drop(state);
        Arc::new(Self {
            idle: idle.clone(),
            number,
            evicted,
        })
    }

    fn mark_active(&self) {
        self.idle.state().evictions.remove(&self.number);
    }

    fn is_idle(&self) -> bool {
        self.idle.state().evictions.contains_key(&self.number)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.mark_active();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_idle_connection_is_evicted() {
        let idle = Arc::new(Idle::default());
        let active = Connection::accept(&idle);
        active.mark_active();
        let closed = Connection::accept(&idle);
        drop(closed);
        let connections: Vec<_> = (0..=IDLE_MAX).map(|_| Connection::accept(&idle)).collect();
        assert!(!active.evicted.is_cancelled());
        assert!(connections[0].evicted.is_cancelled() && !connections[0].is_idle());
        let others = &connections[1..];
        assert!(others.iter().all(|connection| connection.is_idle()));
        assert!(others.iter().all(|one| !one.evicted.is_cancelled()));
    }
}
