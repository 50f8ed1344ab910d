//! The address of a client, as limits count it and as refusals are logged.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

mod proxies;

pub use proxies::TrustedProxies;

/// The bits of an IPv6 address that one customer usually has: limits count all its addresses as one.
const IPV6_NETWORK_BITS: u32 = 64;

/// The address of a client: of its connection, or as a trusted proxy reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Peer(IpAddr);

/// The unit in which limits count addresses: one IPv4 address, or the /64 of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network(IpAddr);

impl Peer {
    /// Returns the peer at this address. An IPv4 address may be mapped to IPv6.
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// Returns the address.
    pub fn address(self) -> IpAddr {
        self.0
    }

    /// Returns the network that limits count.
    pub fn network(self) -> Network {
        match self.0 {
            IpAddr::V4(_) => Network(self.0),
            IpAddr::V6(address) => {
                let mask = u128::MAX << (128 - IPV6_NETWORK_BITS);
                Network(Ipv6Addr::from_bits(address.to_bits() & mask).into())
            }
        }
    }

    /// Logs that this peer was refused. The line has the same form for every reason, so that fail2ban can
    /// read it; docs/operations.md describes it, and contrib/fail2ban has the filter.
    pub fn log_refused(self, reason: Refused) {
        let reason = reason.as_str();
        tracing::warn!(target: "plenary_server::refused", parent: None, peer = %self, %reason, "refused");
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a peer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A sign-in with a wrong email address or password.
    WrongPassword,
    /// A sign-in before the end of a wait.
    TooManySignIns,
    /// A token that is malformed, unknown, expired or revoked.
    NotSignedIn,
    /// A connection beyond the limits.
    TooManyConnections,
    /// A WebSocket without `hello`, or with frames that break the rules or the limits.
    BadConnection,
}

impl Refused {
    /// All reasons.
    pub const ALL: [Self; 5] = [
        Self::WrongPassword,
        Self::TooManySignIns,
        Self::NotSignedIn,
        Self::TooManyConnections,
        Self::BadConnection,
    ];

    /// Returns the word in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::TooManySignIns => "too_many_sign_ins",
            Self::NotSignedIn => "not_signed_in",
            Self::TooManyConnections => "too_many_connections",
            Self::BadConnection => "bad_connection",
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("192.0.2.7", "192.0.2.7", "192.0.2.7")]
    #[case("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7")]
    #[case("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    #[case("::1", "::1", "::")]
    fn limits_count_one_ipv4_address_or_one_ipv6_network(
        #[case] address: IpAddr,
        #[case] shown: &str,
        #[case] network: IpAddr,
    ) {
        let peer = Peer::new(address);
        assert_eq!(peer.to_string(), shown);
        assert_eq!(peer.network(), Network(network));
    }
}
