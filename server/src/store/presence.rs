//! Connections that are bound to stays, and the servers that hold connections.

use std::fmt;

use async_trait::async_trait;
use plenary_shared::domain::{Reason, User};
use plenary_shared::ids::InstanceId;

use crate::error::Answer;

/// A WebSocket connection, unique across all servers and restarts.
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
    /// Checks that a follower may still read, and binds their connection to their stay, if any. `not_allowed`.
    /// Succeeds if the instance is not live.
    async fn bind(
        &self,
        instance: InstanceId,
        user: &User,
        connection: &ConnectionId,
    ) -> Answer<()>;
    /// Marks a connection as lost since `silent_ms` ago. Its stay ends after the grace period, unless another
    /// connection is bound to it.
    async fn detach(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        silent_ms: i64,
    ) -> Answer<()>;
    /// Unbinds a connection that was closed on purpose, or is lost. If no other connection is bound to
    /// its stay, the stay ends; emits `leave` with this reason, at the time of the loss.
    async fn release(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        reason: Reason,
    ) -> Answer<()>;
    /// Sets since how many milliseconds the user at a connection is idle; `None`: not idle. A user is idle if
    /// all connections of their stay are. Does nothing if the instance is not live.
    async fn idle(
        &self,
        instance: InstanceId,
        connection: &ConnectionId,
        idle_ms: Option<i64>,
    ) -> Answer<()>;
    /// Ends the stays whose connections were all lost `grace_ms` ago; emits `leave` with the time of the loss.
    async fn reap(&self, instance: InstanceId, grace_ms: i64) -> Answer<usize>;
    /// Renews the lease of this server; 0 ends it. Returns every live server.
    async fn renew_lease(&self, node: &NodeId, lease_ms: i64) -> Answer<Vec<NodeId>>;
    /// Marks the connections of servers without a lease as lost, and reaps every instance.
    async fn reap_all(&self, grace_ms: i64) -> Answer<usize>;
}
