//! `GET /metrics` on an address of its own. Everybody who can reach that address may read it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpSocket;

use crate::hub::Hub;
use crate::listener::{self, ConnectionLimits};
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::store::Store;
use crate::tasks::Tasks;

/// Time that the store may take to report the archive lag, in milliseconds. After that the lag is
/// exported as unknown.
const BACKLOG_TIMEOUT_MS: u64 = 2_000;

/// Connections to the endpoint: a few scrapers, and nothing else.
const CONNECTIONS_MAX: usize = 64;

/// The sources of the exported values.
#[derive(Clone)]
pub(super) struct MetricsEndpoint {
    pub(super) metrics: Arc<Metrics>,
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Arc<Hub>,
}

/// Starts the endpoint at this reserved address.
pub(super) fn start(
    reserved: TcpSocket,
    endpoint: MetricsEndpoint,
    head_timeout: Duration,
    tasks: &mut Tasks,
) -> anyhow::Result<()> {
    let socket = listener::listen(reserved)?;
    tracing::info!(bound = %socket.local_addr()?, "serving metrics at /metrics");
    let routes = Router::new()
        .route("/metrics", get(export))
        .with_state(endpoint);
    let limits = ConnectionLimits {
        total: CONNECTIONS_MAX,
        strangers: CONNECTIONS_MAX,
        strangers_per_network: CONNECTIONS_MAX,
    };
    let options = listener::Options::new(head_timeout, limits);
    let serving = listener::serve(socket, routes, options, tasks.stop_token());
    tasks.start_once("metrics", serving);
    Ok(())
}

pub(super) fn count_responses(routes: Router, metrics: Arc<Metrics>) -> Router {
    routes.layer(map_response(move |response: Response| {
        let metrics = metrics.clone();
        async move {
            metrics.record_response(response.status().as_u16());
            response
        }
    }))
}

async fn export(State(endpoint): State<MetricsEndpoint>) -> Response {
    let MetricsEndpoint {
        metrics,
        store,
        hub,
    } = endpoint;
    let (rooms, bytes) = hub.buffered();
    metrics.rooms.set(i64::try_from(rooms).unwrap_or(i64::MAX));
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    metrics.ring_bytes.set(bytes);
    let limit = Duration::from_millis(BACKLOG_TIMEOUT_MS);
    match tokio::time::timeout(limit, store.backlog()).await {
        Ok(Ok(backlog)) => {
            let events = i64::try_from(backlog.events).unwrap_or(i64::MAX);
            metrics.set_archive_lag(Some((events, backlog.oldest_ms)));
        }
        Ok(Err(_)) | Err(_) => metrics.set_archive_lag(None),
    }
    let disk = store.disk();
    metrics.set_disk(disk.map(|disk| (disk.free_bytes, disk.reserve_bytes)));
    match metrics.encode() {
        Ok(text) => ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
