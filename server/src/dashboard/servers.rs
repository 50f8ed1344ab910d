//! The status of this server and of the others.

use std::sync::Arc;
use std::time::Duration;

use plenary_shared::protocol::{DashboardTotals, ServerStatus};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Dashboard;

/// Time between two status messages to the other servers, in milliseconds.
const TELL_MS: u64 = 2_000;

impl Dashboard {
    /// Sets the address on which this server listens.
    pub fn listens(&self, bound: std::net::SocketAddr) {
        let host = rustix::system::uname();
        let host = host.nodename().to_string_lossy();
        // It is set once.
        let _ = self.name.set(format!("{host} {bound}"));
    }

    /// Publishes this server's status until `stop` is cancelled.
    pub async fn tell(self: Arc<Self>, stop: CancellationToken) {
        let mut tick = interval(Duration::from_millis(TELL_MS));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => {}
            }
            let own = ServerStatus {
                is_this_server: false,
                ..self.own()
            };
            if let Err(error) = self.store.publish_server(&own).await {
                tracing::debug!(%error, "publishing the server status failed, retrying");
            }
        }
    }

    /// This server first, then the others by name.
    pub(super) fn servers(&self) -> Vec<ServerStatus> {
        let others = self.hub.servers().into_iter();
        let mut others: Vec<ServerStatus> = others.filter(|one| one.node != self.node.0).collect();
        others.sort_by(|a, b| (&a.name, &a.node).cmp(&(&b.name, &b.node)));
        [self.own()].into_iter().chain(others).collect()
    }

    fn own(&self) -> ServerStatus {
        let (hub, metrics) = (&self.hub, self.hub.metrics());
        let (rooms, queue_bytes) = hub.buffered();
        ServerStatus {
            node: self.node.0.clone(),
            name: self.name.get().cloned().unwrap_or_default(),
            is_this_server: true,
            connections: u32::try_from(hub.connections()).unwrap_or(u32::MAX),
            rooms: u32::try_from(rooms).unwrap_or(u32::MAX),
            queue_bytes: queue_bytes as u64,
            fences: hub.fences(),
            too_slow: hub.too_slow(),
            delivery_p95_ms: metrics.delivery_p95_ms(),
            errors: metrics.recent_errors(),
            starts_late_ms: metrics.starts_late_ms(),
            ends_late_ms: metrics.ends_late_ms(),
        }
    }
}

/// Adds up the figures of all servers.
pub(super) fn sum(servers: &[ServerStatus], head: &mut DashboardTotals) {
    for server in servers {
        head.connections = head.connections.saturating_add(server.connections);
        head.errors += server.errors;
        head.delivery_p95_ms = head.delivery_p95_ms.max(server.delivery_p95_ms);
    }
}
