//! The open connections: how many there may be, and which one makes room for another.
//!
//! A connection is a stranger's until its user has signed in on a WebSocket. Strangers may have half of the
//! connections, one address half of those. At a limit the stranger makes room that has been silent the
//! longest, and after those the one whose last request was the earliest.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::peer::{Network, Peer, Refused};

/// Descriptors that are not for connections: files, stores, timers, and connections that are being closed.
const DESCRIPTORS_RESERVED: usize = 128;

/// Connections of strangers. Each may cost 16 KiB, which makes 64 MiB.
const STRANGERS_MAX: usize = 4_096;

/// How many connections there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// All connections.
    pub total: usize,
    /// Connections on which nobody has signed in.
    pub strangers: usize,
    /// Of these, the connections of one address.
    pub strangers_per_network: usize,
}

impl ConnectionLimits {
    /// Returns the limits for a process that may have this many descriptors.
    pub fn for_descriptors(descriptors: usize) -> Self {
        let total = descriptors
            .saturating_sub(DESCRIPTORS_RESERVED)
            .max(descriptors / 2)
            .max(4);
        let strangers = (total / 2).min(STRANGERS_MAX);
        Self {
            total,
            strangers,
            strangers_per_network: strangers / 2,
        }
    }
}

/// The open connections of one listener.
#[derive(Debug)]
pub struct Connections {
    limits: ConnectionLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    last: u64,
    strangers: HashMap<u64, Stranger>,
    /// All strangers, the first to make room first.
    order: BTreeSet<Rank>,
    networks: HashMap<Network, BTreeSet<Rank>>,
}

/// The position of a stranger in the order: whether it has sent a request, when, and its number.
type Rank = (bool, u64, u64);

#[derive(Debug)]
struct Stranger {
    rank: Rank,
    /// `None` for a trusted proxy, until the address of its client is known.
    peer: Option<Peer>,
    evicted: CancellationToken,
}

impl Connections {
    /// Returns an empty set.
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::default(),
        })
    }

    /// Adds a connection. Returns `None` if there are too many and none can make room. `peer` is `None`
    /// for a trusted proxy.
    pub(super) fn accept(self: &Arc<Self>, peer: Option<Peer>) -> Option<Arc<Connection>> {
        let mut state = self.state();
        if state.open >= self.limits.total + DESCRIPTORS_RESERVED / 2 {
            // The evicted connections are not closed yet.
            return None;
        }
        let is_full = state.open >= self.limits.total;
        let has_many_strangers = state.strangers.len() >= self.limits.strangers;
        if (is_full || has_many_strangers) && !state.evict_first() {
            return None;
        }
        state.last += 1;
        let number = state.last;
        let evicted = CancellationToken::new();
        state.open += 1;
        let rank = (false, number, number);
        state.strangers.insert(
            number,
            Stranger {
                rank,
                peer: None,
                evicted: evicted.clone(),
            },
        );
        state.order.insert(rank);
        if let Some(peer) = peer {
            state.assign(number, peer, self.limits.strangers_per_network);
        }
        drop(state);
        Some(Arc::new(Connection {
            connections: self.clone(),
            number,
            evicted,
        }))
    }

    /// Closes the stranger that is the first to make room. Returns false without strangers.
    pub(super) fn evict_first(&self) -> bool {
        self.state().evict_first()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every statement leaves the state consistent, so a poisoned lock is still usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn evict_first(&mut self) -> bool {
        let first = self.order.first().copied();
        first.is_some_and(|(_, _, number)| self.evict(number))
    }

    fn evict(&mut self, number: u64) -> bool {
        let Some(stranger) = self.remove(number) else {
            return false;
        };
        stranger.evicted.cancel();
        if let Some(peer) = stranger.peer {
            peer.log_refused(Refused::TooManyConnections);
        }
        true
    }

    fn remove(&mut self, number: u64) -> Option<Stranger> {
        let stranger = self.strangers.remove(&number)?;
        self.order.remove(&stranger.rank);
        if let Some(peer) = stranger.peer {
            let network = peer.network();
            if let Some(ranks) = self.networks.get_mut(&network) {
                ranks.remove(&stranger.rank);
                if ranks.is_empty() {
                    self.networks.remove(&network);
                }
            }
        }
        Some(stranger)
    }

    /// Counts a stranger under its address, and evicts another one of it if there are too many.
    fn assign(&mut self, number: u64, peer: Peer, max: usize) {
        let Some(stranger) = self.strangers.get_mut(&number) else {
            return;
        };
        if stranger.peer.is_some() {
            return;
        }
        stranger.peer = Some(peer);
        let rank = stranger.rank;
        let ranks = self.networks.entry(peer.network()).or_default();
        let first = ranks.first().copied().filter(|_| ranks.len() >= max);
        ranks.insert(rank);
        if let Some((_, _, first)) = first {
            self.evict(first);
        }
    }

    fn speak(&mut self, number: u64) {
        self.last += 1;
        let rank = (true, self.last, number);
        let Some(stranger) = self.strangers.get_mut(&number) else {
            return;
        };
        let before = std::mem::replace(&mut stranger.rank, rank);
        let network = stranger.peer.map(Peer::network);
        self.order.remove(&before);
        self.order.insert(rank);
        if let Some(ranks) = network.and_then(|network| self.networks.get_mut(&network)) {
            ranks.remove(&before);
            ranks.insert(rank);
        }
    }
}

/// One open connection. It is counted until it is dropped.
#[derive(Debug)]
pub struct Connection {
    connections: Arc<Connections>,
    number: u64,
    evicted: CancellationToken,
}

impl Connection {
    /// Notes a request.
    pub(super) fn speak(&self) {
        self.connections.state().speak(self.number);
    }

    /// Returns whether the connection has not sent a request.
    pub(super) fn is_silent(&self) -> bool {
        let state = self.connections.state();
        let stranger = state.strangers.get(&self.number);
        stranger.is_some_and(|stranger| !stranger.rank.0)
    }

    /// Counts the connection of a trusted proxy under the address of its client.
    pub fn assign(&self, peer: Peer) {
        let max = self.connections.limits.strangers_per_network;
        self.connections.state().assign(self.number, peer, max);
    }

    /// Notes that its user has signed in: the connection no longer makes room for others.
    pub fn sign_in(&self) {
        self.connections.state().remove(self.number);
    }

    /// Waits until the connection has to make room for another.
    pub async fn evicted(&self) {
        self.evicted.cancelled().await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        state.remove(self.number);
        state.open -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ConnectionLimits = ConnectionLimits {
        total: 10,
        strangers: 6,
        strangers_per_network: 3,
    };

    fn peer(last: u8) -> Peer {
        Peer::new([192, 0, 2, last].into())
    }

    fn accept(connections: &Arc<Connections>, last: u8) -> Arc<Connection> {
        connections.accept(Some(peer(last))).expect("there is room")
    }

    fn is_evicted(connection: &Connection) -> bool {
        connection.evicted.is_cancelled()
    }

    #[test]
    fn oldest_silent_connection_makes_room() {
        let connections = Connections::new(LIMITS);
        let active = accept(&connections, 0);
        active.speak();
        let closed = accept(&connections, 1);
        drop(closed);
        let silent: Vec<_> = (1..=6).map(|n| accept(&connections, n)).collect();
        assert!(!is_evicted(&active) && !active.is_silent());
        assert!(is_evicted(&silent[0]) && !silent[0].is_silent());
        let others = &silent[1..];
        assert!(others.iter().all(|one| one.is_silent() && !is_evicted(one)));
    }

    #[test]
    fn connection_with_the_earliest_request_makes_room_if_none_is_silent() {
        let connections = Connections::new(LIMITS);
        let all: Vec<_> = (1..=6).map(|n| accept(&connections, n)).collect();
        for one in all.iter().rev() {
            one.speak();
        }
        let newest = accept(&connections, 7);
        let evicted: Vec<bool> = all.iter().map(|one| is_evicted(one)).collect();
        assert_eq!(evicted, [false, false, false, false, false, true]);
        assert!(newest.is_silent());
    }

    #[test]
    fn one_address_has_half_of_the_places_for_strangers() {
        let connections = Connections::new(LIMITS);
        let other = accept(&connections, 1);
        let many: Vec<_> = (0..5).map(|_| accept(&connections, 2)).collect();
        assert!(!is_evicted(&other), "older, but of another address");
        let evicted: Vec<bool> = many.iter().map(|one| is_evicted(one)).collect();
        assert_eq!(evicted, [true, true, false, false, false]);
    }

    #[test]
    fn clients_of_a_proxy_are_counted_by_their_own_address() {
        let connections = Connections::new(LIMITS);
        let all: Vec<_> = (0..5)
            .map(|n| {
                let connection = connections.accept(None).expect("there is room");
                connection.speak();
                connection.assign(peer(n % 2));
                // The first address counts.
                connection.assign(peer(9));
                connection
            })
            .collect();
        assert!(all.iter().all(|one| !is_evicted(one)));
        let more = connections.accept(None).expect("there is room");
        more.assign(peer(0));
        assert!(is_evicted(&all[0]));
    }

    #[test]
    fn signed_in_connections_make_no_room() {
        let connections = Connections::new(LIMITS);
        let mut signed_in = vec![];
        for n in 0..10 {
            let connection = accept(&connections, n);
            connection.sign_in();
            signed_in.push(connection);
        }
        assert!(
            connections.accept(Some(peer(20))).is_none(),
            "all places are taken"
        );
        assert!(signed_in.iter().all(|one| !is_evicted(one)));
        drop(signed_in.pop());
        let stranger = accept(&connections, 20);
        let newer = accept(&connections, 21);
        assert!(is_evicted(&stranger) && !is_evicted(&newer));
        drop((signed_in, stranger, newer));
        let state = connections.state();
        assert_eq!(
            (state.open, state.order.len(), state.networks.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn limits_follow_from_the_descriptors() {
        let limits = |total, strangers, strangers_per_network| ConnectionLimits {
            total,
            strangers,
            strangers_per_network,
        };
        let of = ConnectionLimits::for_descriptors;
        assert_eq!(of(1_024), limits(896, 448, 224));
        assert_eq!(of(1_048_576), limits(1_048_448, 4_096, 2_048));
        assert_eq!(of(64), limits(32, 16, 8));
    }
}
