//! `GET /metrics`, at an address of its own: who reaches that address may read it, and nothing else
//! is there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::doors;
use crate::hub::Hub;
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::store::Store;

/// How long the store may take to say how far the archive is behind; then that is told as unknown.
const ASKED_MS_MAX: u64 = 2_000;

/// Where the figures come from.
#[derive(Clone)]
pub(super) struct Figures {
    pub(super) metrics: Arc<Metrics>,
    pub(super) store: Arc<dyn Store>,
    pub(super) hub: Arc<Hub>,
}

/// Answers there until told to stop.
pub(super) fn tell(
    at: SocketAddr,
    figures: Figures,
    head_timeout: Duration,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> anyhow::Result<()> {
    let listener = doors::listen(at).with_context(|| format!("cannot tell the figures on {at}"))?;
    tracing::info!(bound = %listener.local_addr()?, "the figures are at /metrics");
    let routes = Router::new()
        .route("/metrics", get(metrics))
        .with_state(figures);
    tasks.spawn(doors::serve(listener, routes, head_timeout, stop.clone()));
    Ok(())
}

/// The routes, every answer of which is counted.
pub(super) fn counted(routes: Router, metrics: Arc<Metrics>) -> Router {
    routes.layer(map_response(move |response: Response| {
        let metrics = metrics.clone();
        async move {
            metrics.answered(response.status().as_u16());
            response
        }
    }))
}

async fn metrics(State(figures): State<Figures>) -> Response {
    let Figures {
        metrics,
        store,
        hub,
    } = figures;
    let (rooms, bytes) = hub.kept();
    metrics.rooms.set(i64::try_from(rooms).unwrap_or(i64::MAX));
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    metrics.queue_bytes.set(bytes);
    let asked = Duration::from_millis(ASKED_MS_MAX);
    match tokio::time::timeout(asked, store.backlog()).await {
        Ok(Ok(backlog)) => {
            let events = i64::try_from(backlog.events).unwrap_or(i64::MAX);
            metrics.archive_lag(Some((events, backlog.oldest_ms)));
        }
        Ok(Err(_)) | Err(_) => metrics.archive_lag(None),
    }
    match metrics.text() {
        Ok(text) => ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
