//! The WebSocket: the same services as HTTP, and the stream of events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::SEC_WEBSOCKET_PROTOCOL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Extension, Router};
use plenary_shared::protocol::{SUBPROTOCOL, WS_PATH};
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ctx::Ctx;
use crate::dashboard::Dashboard;
use crate::hub::Hub;
use crate::listener;
use crate::peer::Peer;
use crate::store::{ConnectionId, NodeId};

mod closing;
mod dispatch;
mod events;
mod following;
mod pings;
mod posts;
mod request;
mod socket;
mod transport;
mod updates;
mod wire;

/// The state that all connections share.
#[derive(Clone, Debug)]
pub struct WsState {
    pub ctx: Ctx,
    pub hub: Arc<Hub>,
    pub dashboard: Arc<Dashboard>,
    /// This server.
    pub node: NodeId,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
    /// The tasks of all connections, including the clean-up after their end.
    pub tasks: TaskTracker,
    /// The number of the next connection.
    pub next_number: Arc<AtomicU64>,
}

/// Returns the route of the WebSocket.
pub fn router(state: WsState) -> Router {
    Router::new().route(WS_PATH, any(upgrade)).with_state(state)
}

/// The client of a connection.
#[derive(Clone, Debug)]
struct Client {
    peer: Peer,
    /// Its place among the open connections.
    place: Arc<listener::Connection>,
}

async fn upgrade(
    State(state): State<WsState>,
    Extension(peer): Extension<Peer>,
    Extension(place): Extension<Arc<listener::Connection>>,
    mut request: Request,
) -> Response {
    let mut response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => {
            tracing::debug!(%error, "not a WebSocket handshake");
            return StatusCode::BAD_REQUEST.into_response();
        }
    };
    if offers_subprotocol(request.headers()) {
        let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
        let headers = response.headers_mut();
        headers.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    let number = state.next_number.fetch_add(1, Ordering::Relaxed);
    let connection = ConnectionId {
        node: state.node.clone(),
        number,
    };
    // Behind a proxy, the address of the client is known only now.
    place.assign(peer);
    let client = Client { peer, place };
    let upgrade = hyper::upgrade::on(&mut request);
    state.tasks.clone().spawn(async move {
        match upgrade.await {
            Ok(upgraded) => {
                let stream = transport::accept(upgraded).await;
                socket::run(state, connection, client, stream).await;
            }
            Err(error) => tracing::debug!(%error, "connection ended during the handshake"),
        }
    });
    response
}

fn offers_subprotocol(headers: &HeaderMap) -> bool {
    let offers = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    offers
        .filter_map(|offer| offer.to_str().ok())
        .flat_map(|offer| offer.split(','))
        .any(|offer| offer.trim() == SUBPROTOCOL)
}
