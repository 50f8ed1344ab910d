//! The status reports of all servers, each until it expires.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use plenary_shared::protocol::ServerStatus;
use tokio::time::Instant;

use super::lock;

/// Lifetime of a report, in milliseconds. Servers report every 2 s, so two reports may be lost.
const LIFETIME_MS: u64 = 7_000;

/// Reports by node.
#[derive(Default)]
pub(super) struct Servers(Mutex<BTreeMap<String, (Instant, ServerStatus)>>);

impl Servers {
    pub(super) fn record(&self, server: ServerStatus) {
        let mut servers = lock(&self.0);
        servers.insert(server.node.clone(), (Instant::now(), server));
        expire(&mut servers);
    }

    pub(super) fn recent(&self) -> Vec<ServerStatus> {
        let mut servers = lock(&self.0);
        expire(&mut servers);
        servers.values().map(|(_, server)| server.clone()).collect()
    }
}

fn expire(servers: &mut BTreeMap<String, (Instant, ServerStatus)>) {
    let lifetime = Duration::from_millis(LIFETIME_MS);
    servers.retain(|_, (at, _)| at.elapsed() < lifetime);
}
