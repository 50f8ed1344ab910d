//! The WebSocket: the same services as HTTP, and the stream of events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use axum::routing::any;
use plenary_shared::limits::FRAME_BYTES_MAX;
use plenary_shared::protocol::{SUBPROTOCOL, WS_PATH};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ctx::Ctx;
use crate::dashboard::Dashboard;
use crate::hub::Hub;
use crate::store::{ConnectionId, NodeId};

mod closing;
mod dispatch;
mod events;
mod following;
mod posts;
mod request;
mod socket;
mod updates;
mod wire;

/// Buffer for what a client sends, in bytes: most requests fit. It is allocated for every connection, and
/// cleared at every read. Larger frames take several reads.
const READ_BUFFER_BYTES: usize = 4 * 1_024;

/// The state that all connections share.
#[derive(Clone, Debug)]
pub struct WsState {
    /// The context of the services.
    pub ctx: Ctx,
    /// The source of events.
    pub hub: Arc<Hub>,
    /// The dashboard, for admins.
    pub dashboard: Arc<Dashboard>,
    /// This server.
    pub node: NodeId,
    /// Time that a lost connection has to return, in milliseconds.
    pub reconnect_grace_ms: i64,
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

async fn upgrade(State(state): State<WsState>, upgrade: WebSocketUpgrade) -> Response {
    let number = state.next_number.fetch_add(1, Ordering::Relaxed);
    let connection = ConnectionId {
        node: state.node.clone(),
        number,
    };
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .protocols([SUBPROTOCOL])
        .on_upgrade(move |stream| {
            let tasks = state.tasks.clone();
            tasks.track_future(socket::run(state, connection, stream))
        })
}
