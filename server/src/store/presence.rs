//! Connections that hold stays, and the servers that hold connections.

use std::fmt;

use async_trait::async_trait;
use plenary_shared::domain::User;
use plenary_shared::ids::InstanceId;

use crate::error::Answer;

/// A WebSocket connection, unique over all servers and for ever.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    /// The server that holds it.
    pub node: NodeId,
    /// Its number on that server.
    pub number: u64,
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.node, self.number)
    }
}

/// A running server: random, new at every start. Letters and digits only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub String);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Binds connections to stays, and ends stays whose connections are lost.
#[async_trait]
pub trait PresenceStore: Send + Sync {
    /// Whether somebody who follows an instance may do so still; if they are in, their connection
    /// holds their stay from here on. `not_allowed`, or done; what is not live is nobody's secret.
    async fn hold(
        &self,
        instance: InstanceId,
        user: &User,
        connection: &ConnectionId,
    ) -> Answer<()>;
    /// A connection is gone whose last sign of life came `silent_ms` ago: the stay that it held ends
    /// when the grace since then is over, unless it is held otherwise.
    async fn detach(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        silent_ms: i64,
    ) -> Answer<()>;
    /// The person at a connection has not used it for so long, in milliseconds, or uses it (`None`):
    /// who uses none of those that hold their stay is idle. What is not live does not care.
    async fn idle(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        idle_ms: Option<i64>,
    ) -> Answer<()>;
    /// Ends the stays of an instance whose connections were lost `grace_ms` ago; emits `leave` with
    /// the time of the loss.
    async fn reap(&self, instance: InstanceId, grace_ms: i64) -> Answer<usize>;
    /// This server lives for `lease_ms` more (0: it stops). Answers every live server.
    async fn renew_lease(&self, node: &NodeId, lease_ms: i64) -> Answer<Vec<NodeId>>;
    /// Takes the connections of servers whose lease is over for lost, and reaps every instance.
    async fn reap_all(&self, grace_ms: i64) -> Answer<usize>;
}
