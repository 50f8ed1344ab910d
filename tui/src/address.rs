//! Where the server is: its base address, and the addresses that follow from it.

use std::fmt;
use std::str::FromStr;

use plenary_shared::protocol::WS_PATH;
use reqwest::Url;

/// A server's address: `http://HOST[:PORT][/PATH]`, or `https`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    base: Url,
    host: String,
    port: u16,
}

/// Why a text is no server's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// It does not begin with a scheme.
    #[error("'{0}' is no server address: write it with http:// or https://, like {DEFAULT}")]
    NoScheme(String),
    /// It begins with another.
    #[error("'{0}' is no server address: it must begin with http:// or https://, not {1}://")]
    Scheme(String, String),
    /// No URL.
    #[error("'{0}' is no server address: {1}")]
    Form(String, String),
    /// It has a part that has no meaning here. The text is not repeated: it may hold a password.
    #[error("a server address has no {0}: write it like {DEFAULT}")]
    Surplus(&'static str),
}

/// The address of a server on this machine as it listens when it is not told otherwise.
pub const DEFAULT: &str = "http://127.0.0.1:7400";

impl Server {
    /// The address of what lies at `path`, which begins with a slash.
    pub fn http(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// The address of the WebSocket.
    pub fn ws(&self) -> String {
        // `http` becomes `ws`, `https` becomes `wss`.
        format!("ws{}{WS_PATH}", &self.to_string()["http".len()..])
    }

    /// The name or number to connect to; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.base.scheme() == "https"
    }
}

impl Default for Server {
    fn default() -> Self {
        DEFAULT.parse().expect("a literal that is tested")
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        let text = text.trim();
        let owned = || plenary_shared::text::for_terminal(text);
        // `localhost:7400` parses as a URL of the scheme `localhost`.
        if !text.contains("://") {
            return Err(ServerError::NoScheme(owned()));
        }
        let mut base =
            Url::parse(text).map_err(|error| ServerError::Form(owned(), error.to_string()))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(ServerError::Surplus("user or password"));
        }
        if !matches!(base.scheme(), "http" | "https") {
            return Err(ServerError::Scheme(owned(), base.scheme().to_owned()));
        }
        if base.query().is_some() {
            return Err(ServerError::Surplus("'?'"));
        }
        if base.fragment().is_some() {
            return Err(ServerError::Surplus("'#'"));
        }
        let (Some(host), Some(port)) = (base.host_str(), base.port_or_known_default()) else {
            return Err(ServerError::Form(owned(), "no host".to_owned()));
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(Self { base, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "http://127.0.0.1:7400",
        "http://127.0.0.1:7400/me",
        "ws://127.0.0.1:7400/ws",
        "127.0.0.1",
        7400
    )]
    #[case(
        " http://localhost/ ",
        "http://localhost/me",
        "ws://localhost/ws",
        "localhost",
        80
    )]
    #[case(
        "HTTPS://Talk.Example.org",
        "https://talk.example.org/me",
        "wss://talk.example.org/ws",
        "talk.example.org",
        443
    )]
    #[case(
        "https://example.org:8443/talk/",
        "https://example.org:8443/talk/me",
        "wss://example.org:8443/talk/ws",
        "example.org",
        8443
    )]
    #[case(
        "http://[::1]:7400",
        "http://[::1]:7400/me",
        "ws://[::1]:7400/ws",
        "::1",
        7400
    )]
    fn addresses(
        #[case] text: &str,
        #[case] http: &str,
        #[case] ws: &str,
        #[case] host: &str,
        #[case] port: u16,
    ) {
        let server: Server = text.parse().expect("an address");
        assert_eq!(server.http("/me"), http);
        assert_eq!(server.ws(), ws);
        assert_eq!((server.host(), server.port()), (host, port));
        assert_eq!(server.is_tls(), http.starts_with("https"));
        assert_eq!(server.to_string().parse(), Ok(server));
    }

    #[rstest]
    #[case("", "with http:// or https://")]
    #[case("localhost:7400", "with http:// or https://")]
    #[case("ws://localhost", "not ws://")]
    #[case("ftp://localhost", "not ftp://")]
    #[case("http://", "empty host")]
    #[case("http://localhost:99999", "invalid port")]
    #[case("http://ada:secret@localhost", "no user or password")]
    #[case("http://localhost/?a=b", "no '?'")]
    #[case("http://localhost/#a", "no '#'")]
    fn what_is_no_address_is_told_why(#[case] text: &str, #[case] part: &str) {
        let error = text.parse::<Server>().expect_err("no address").to_string();
        assert!(error.contains(part), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn the_default_is_an_address() {
        assert_eq!(Server::default().to_string(), DEFAULT);
    }
}
