//! The WebSocket: a door to the same services as HTTP, and the way on which events come.

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

use crate::board::Board;
use crate::ctx::Ctx;
use crate::hub::Hub;
use crate::store::{ConnectionId, NodeId};

mod posting;
mod request;
mod socket;
mod verb;
mod wire;

/// What every socket is handed.
#[derive(Clone, Debug)]
pub struct WsState {
    /// What services are handed.
    pub ctx: Ctx,
    /// Where events come from.
    pub hub: Arc<Hub>,
    /// What admins who watch are told.
    pub board: Arc<Board>,
    /// This server.
    pub node: NodeId,
    /// How long a lost connection may take to come back, in milliseconds.
    pub reconnect_grace_ms: i64,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
    /// Every socket's task, and what is to be done after its end.
    pub tasks: TaskTracker,
    /// The next connection's number.
    pub next_number: Arc<AtomicU64>,
}

/// The WebSocket's route.
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
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .protocols([SUBPROTOCOL])
        .on_upgrade(move |stream| {
            let tasks = state.tasks.clone();
            tasks.track_future(socket::run(state, connection, stream))
        })
}
