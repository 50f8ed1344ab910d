//! The URL of a server, and the URLs derived from it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use plenary_shared::protocol::WS_PATH;
use reqwest::Url;

/// The base URL of a server: `http://HOST[:PORT][/PATH]`, or `https`. Without a scheme, `http` is meant
/// if the host is this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    base: Url,
    host: String,
    port: u16,
}

/// Why a text is not a server URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerUrlError {
    /// The scheme is missing.
    #[error(
        "invalid server address '{0}': it must start with http:// or https://, as in {DEFAULT}"
    )]
    NoScheme(String),
    /// The scheme is neither `http` nor `https`.
    #[error("invalid server address '{0}': it must start with http:// or https://, not {1}://")]
    Scheme(String, String),
    /// The text is not a URL.
    #[error("invalid server address '{0}': {1}")]
    Invalid(String, String),
    /// The URL has an unsupported part. The message omits the URL, which may contain a password.
    #[error("invalid server address: it must not contain a {0}, as in {DEFAULT}")]
    ExtraPart(&'static str),
}

/// The URL of a server on this machine with default settings.
pub const DEFAULT: &str = "http://127.0.0.1:7400";

impl ServerUrl {
    /// Returns the URL of `path`, which starts with a slash.
    pub fn http(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Returns the URL of the WebSocket.
    pub fn ws(&self) -> String {
        // `http` becomes `ws`, `https` becomes `wss`.
        format!("ws{}{WS_PATH}", &self.to_string()["http".len()..])
    }

    /// Returns the host name or IP address. IPv6 addresses have no brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns whether the connection uses TLS.
    pub fn is_tls(&self) -> bool {
        self.base.scheme() == "https"
    }
}

impl Default for ServerUrl {
    fn default() -> Self {
        DEFAULT.parse().expect("a tested literal")
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl FromStr for ServerUrl {
    type Err = ServerUrlError;

    fn from_str(text: &str) -> Result<Self, ServerUrlError> {
        let text = text.trim();
        let owned = || plenary_shared::text::for_terminal(text);
        // `localhost:7400` parses as a URL with the scheme `localhost`.
        let has_scheme = text.contains("://");
        let url = if has_scheme {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let base = Url::parse(&url);
        if !has_scheme && !base.as_ref().is_ok_and(is_loopback) {
            return Err(ServerUrlError::NoScheme(owned()));
        }
        let mut base = base.map_err(|error| ServerUrlError::Invalid(owned(), error.to_string()))?;
        if !base.username().is_empty() || base.password().is_some() {
            return Err(ServerUrlError::ExtraPart("user or password"));
        }
        if !matches!(base.scheme(), "http" | "https") {
            return Err(ServerUrlError::Scheme(owned(), base.scheme().to_owned()));
        }
        if base.query().is_some() {
            return Err(ServerUrlError::ExtraPart("'?'"));
        }
        if base.fragment().is_some() {
            return Err(ServerUrlError::ExtraPart("'#'"));
        }
        let (Some(host), Some(port)) = (base.host_str(), base.port_or_known_default()) else {
            return Err(ServerUrlError::Invalid(
                owned(),
                "the host is missing".to_owned(),
            ));
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        Ok(Self { base, host, port })
    }
}

/// Whether the host of a URL is this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let address = host.parse::<IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("localhost:21000", "http://localhost:21000")]
    #[case("127.0.0.1:7400", "http://127.0.0.1:7400")]
    #[case("[::1]:7400", "http://[::1]:7400")]
    #[case("localhost", "http://localhost")]
    fn http_is_assumed_for_this_machine(#[case] text: &str, #[case] expected: &str) {
        let url = text.parse::<ServerUrl>().map(|url| url.to_string());
        assert_eq!(url.as_deref(), Ok(expected));
    }

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
    fn urls_are_derived(
        #[case] text: &str,
        #[case] http: &str,
        #[case] ws: &str,
        #[case] host: &str,
        #[case] port: u16,
    ) {
        let server: ServerUrl = text.parse().expect("an address");
        assert_eq!(server.http("/me"), http);
        assert_eq!(server.ws(), ws);
        assert_eq!((server.host(), server.port()), (host, port));
        assert_eq!(server.is_tls(), http.starts_with("https"));
        assert_eq!(server.to_string().parse(), Ok(server));
    }

    #[rstest]
    #[case("", "with http:// or https://")]
    #[case("talk.corp:7400", "with http:// or https://")]
    #[case("ws://localhost", "not ws://")]
    #[case("ftp://localhost", "not ftp://")]
    #[case("http://", "empty host")]
    #[case("http://localhost:99999", "invalid port")]
    #[case("http://ada:secret@localhost", "not contain a user or password")]
    #[case("http://localhost/?a=b", "not contain a '?'")]
    #[case("http://localhost/#a", "not contain a '#'")]
    fn invalid_url_is_explained(#[case] text: &str, #[case] part: &str) {
        let error = text.parse::<ServerUrl>().expect_err("invalid").to_string();
        assert!(error.contains(part), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn default_is_a_valid_url() {
        assert_eq!(ServerUrl::default().to_string(), DEFAULT);
    }
}
