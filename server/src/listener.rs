//! The TCP listener: accepts connections, serves each until it ends, and closes strangers to make room.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::peer::{Peer, Refused, TrustedProxies};

mod connections;
mod proxy_protocol;

pub use connections::{Connection, ConnectionLimits, Connections};

/// Size limit of a request head, in bytes. Larger than any client's head with a token, and small
/// enough to hold for every open connection.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Send buffer of a connection in the kernel, in bytes; Linux doubles it. Without this limit a
/// client that reads nothing costs megabytes.
const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// Connections that the kernel queues until they are accepted.
const BACKLOG_MAX: u32 = 1_024;

/// Pause after a connection could not be accepted, in milliseconds.
const ACCEPT_RETRY_MS: u64 = 50;

/// The header with which a proxy reports its client.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// How connections are served.
#[derive(Debug)]
pub struct Options {
    /// Time limit of a request head, including the pause before it.
    pub head_timeout: Duration,
    /// The proxies whose reports about their clients are believed.
    pub proxies: TrustedProxies,
    /// Whether every connection begins with the PROXY protocol, which only trusted proxies may send.
    pub proxy_protocol: bool,
    /// The open connections.
    pub connections: Arc<Connections>,
}

impl Options {
    /// Returns options without proxies.
    pub fn new(head_timeout: Duration, limits: ConnectionLimits) -> Self {
        Self {
            head_timeout,
            proxies: TrustedProxies::default(),
            proxy_protocol: false,
            connections: Connections::new(limits),
        }
    }
}

/// Reserves an address: no other process can listen there, and clients cannot connect yet. Accepted
/// connections inherit the [`SEND_BUFFER_BYTES`] limit.
pub fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Starts listening at a reserved address.
pub fn listen(reserved: TcpSocket) -> io::Result<TcpListener> {
    reserved.listen(BACKLOG_MAX)
}

/// Accepts connections until `stop` is cancelled, then returns when the last connection has ended.
///
/// A connection that does not complete its next request head within the time limit is closed. The
/// pause between two requests counts. WebSockets have their own timeouts. Requests have the [`Peer`] and
/// the [`Connection`] as extensions.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    options: Options,
    stop: CancellationToken,
) {
    let options = Arc::new(options);
    let tasks = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok((stream, address)) => (stream, Peer::new(address.ip())),
            Err(error) => {
                recover(&error, &options.connections).await;
                continue;
            }
        };
        let is_proxy = options.proxies.contains(peer);
        if options.proxy_protocol && !is_proxy {
            peer.log_refused(Refused::BadConnection);
            continue;
        }
        let counted = (!is_proxy).then_some(peer);
        let Some(connection) = options.connections.accept(counted) else {
            peer.log_refused(Refused::TooManyConnections);
            continue;
        };
        let (routes, options, stop) = (routes.clone(), options.clone(), stop.clone());
        tasks.spawn(async move {
            let serving = serve_connection(stream, peer, routes, &options, &connection, stop);
            tokio::select! {
                () = serving => {}
                () = connection.evicted() => {}
            }
        });
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Continues after `accept` has failed. If no descriptor is left, one is made free.
async fn recover(error: &io::Error, connections: &Connections) {
    let is_of_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    );
    if is_of_client {
        return;
    }
    let evicted = connections.evict_first();
    tracing::warn!(%error, evicted, "accepting a connection failed, retrying");
    tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
}

async fn serve_connection(
    mut stream: TcpStream,
    peer: Peer,
    routes: Router,
    options: &Arc<Options>,
    connection: &Arc<Connection>,
    stop: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "set nodelay failed, small frames may be delayed");
    }
    let Some(peer) = proxied_peer(&mut stream, peer, options, connection).await else {
        return;
    };
    let routes = routes.map_request({
        let (options, connection) = (options.clone(), connection.clone());
        move |mut request: Request<Incoming>| {
            connection.speak();
            let client = options
                .proxies
                .client(peer, forwarded_for(request.headers()));
            let extensions = request.extensions_mut();
            extensions.insert(client);
            extensions.insert(connection.clone());
            request.map(Body::new)
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.head_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
        .with_upgrades();
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        () = stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        // An incomplete head is not waited for.
        None if connection.is_silent() => return,
        None => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Returns the peer of a connection, which a proxy may report before the first request. `None` if it does
/// not report it in time.
async fn proxied_peer(
    stream: &mut TcpStream,
    peer: Peer,
    options: &Options,
    connection: &Connection,
) -> Option<Peer> {
    if !options.proxy_protocol {
        return Some(peer);
    }
    match timeout(options.head_timeout, proxy_protocol::read_client(stream)).await {
        Ok(Ok(None)) => Some(peer),
        Ok(Ok(Some(client))) => {
            let client = Peer::new(client);
            if !options.proxies.contains(client) {
                connection.assign(client);
            }
            Some(client)
        }
        Ok(Err(_)) | Err(_) => {
            peer.log_refused(Refused::BadConnection);
            None
        }
    }
}

fn forwarded_for(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &str> {
    let values = headers.get_all(FORWARDED_FOR).into_iter();
    values.filter_map(|value| value.to_str().ok())
}
