//! How the other servers say that they are: the last word of each, as long as it is fresh.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use plenary_shared::protocol::BoardServer;
use tokio::time::Instant;

use super::lock;

/// How long a word holds: two of them may be lost.
const FRESH_MS: u64 = 7_000;

/// By their node.
#[derive(Default)]
pub(super) struct Servers(Mutex<BTreeMap<String, (Instant, BoardServer)>>);

impl Servers {
    pub(super) fn note(&self, server: BoardServer) {
        let mut servers = lock(&self.0);
        servers.insert(server.node.clone(), (Instant::now(), server));
        forget(&mut servers);
    }

    pub(super) fn known(&self) -> Vec<BoardServer> {
        let mut servers = lock(&self.0);
        forget(&mut servers);
        servers.values().map(|(_, server)| server.clone()).collect()
    }
}

fn forget(servers: &mut BTreeMap<String, (Instant, BoardServer)>) {
    let fresh = Duration::from_millis(FRESH_MS);
    servers.retain(|_, (at, _)| at.elapsed() < fresh);
}
