//! Proxies that are trusted to report the addresses of their clients.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Peer;

/// The addresses and networks of trusted proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses addresses and networks, separated by commas. The error continues a sentence about the
    /// setting.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim);
        parts.map(parse_network).collect::<Result<_, _>>().map(Self)
    }

    /// Returns whether this peer is a trusted proxy.
    pub fn contains(&self, peer: Peer) -> bool {
        self.0.iter().any(|net| net.contains(&peer.address()))
    }

    /// Returns the client of a request: the connected peer, or the last address in `X-Forwarded-For` that
    /// is not a trusted proxy. Only trusted proxies are believed, so a client cannot choose its address.
    pub fn client<'a>(
        &self,
        connected: Peer,
        forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Peer {
        let mut client = connected;
        let addresses = forwarded_for.flat_map(|value| value.split(',')).rev();
        for address in addresses {
            if !self.contains(client) {
                break;
            }
            match parse_address(address.trim()) {
                Some(address) => client = Peer::new(address),
                // Whatever stands before an unreadable entry was not added by a trusted proxy.
                None => break,
            }
        }
        client
    }
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let network = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| {
        format!("'{text}' must be an address or a network, such as 127.0.0.1 or 10.0.0.0/8")
    })
}

/// Parses an entry of the header, which some proxies write with a port.
fn parse_address(text: &str) -> Option<IpAddr> {
    let with_port = || {
        text.parse()
            .map(|address: std::net::SocketAddr| address.ip())
    };
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    text.parse()
        .or_else(|_| with_port())
        .ok()
        .or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_header("10.0.0.1", &[], "10.0.0.1")]
    #[case::one_proxy("10.0.0.1", &["192.0.2.7"], "192.0.2.7")]
    #[case::two_proxies("10.0.0.1", &["192.0.2.7, 10.9.9.9"], "192.0.2.7")]
    #[case::two_headers("10.0.0.1", &["192.0.2.7", "10.9.9.9"], "192.0.2.7")]
    #[case::forged_first_entry("10.0.0.1", &["127.0.0.1, 198.51.100.1, 192.0.2.7"], "192.0.2.7")]
    #[case::not_a_proxy("192.0.2.7", &["198.51.100.1"], "192.0.2.7")]
    #[case::only_proxies("10.0.0.1", &["10.0.0.2"], "10.0.0.2")]
    #[case::with_port("10.0.0.1", &["192.0.2.7:5555"], "192.0.2.7")]
    #[case::ipv6("::ffff:10.0.0.1", &["2001:db8::7"], "2001:db8::7")]
    #[case::ipv6_with_port("10.0.0.1", &["[2001:db8::7]:5555"], "2001:db8::7")]
    #[case::ipv6_in_brackets("10.0.0.1", &["[2001:db8::7]"], "2001:db8::7")]
    #[case::unreadable("10.0.0.1", &["192.0.2.7, unknown"], "10.0.0.1")]
    #[case::empty("10.0.0.1", &[""], "10.0.0.1")]
    fn client_is_the_last_address_that_no_trusted_proxy_has(
        #[case] connected: IpAddr,
        #[case] headers: &[&str],
        #[case] client: &str,
    ) {
        let proxies = TrustedProxies::parse("10.0.0.0/8, fd00::/8").expect("networks");
        let found = proxies.client(Peer::new(connected), headers.iter().copied());
        assert_eq!(found.to_string(), client);
    }

    #[rstest]
    #[case("127.0.0.1", true)]
    #[case("::1", true)]
    #[case("10.0.0.0/8,192.168.0.0/16", true)]
    #[case("", false)]
    #[case("localhost", false)]
    #[case("10.0.0.0/33", false)]
    #[case("10.0.0.1,", false)]
    fn proxies_are_addresses_or_networks(#[case] text: &str, #[case] good: bool) {
        assert_eq!(TrustedProxies::parse(text).is_ok(), good);
    }
}
