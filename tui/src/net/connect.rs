//! One try to open the socket: TCP, TLS where the address says so, the WebSocket's handshake.

use std::sync::Arc;
use std::time::Duration;

use plenary_shared::protocol::SUBPROTOCOL;
use plenary_shared::text::for_terminal;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Closed;
use crate::address::Server;

/// The largest message that is read, in bytes: a page of 1,000 events of full length fits, with its
/// escapes.
const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// From the first packet to the open socket.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A byte stream, encrypted or not.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// An open socket.
pub type Socket = WebSocketStream<Box<dyn Wire>>;

/// The system's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("encrypted connections are not possible here: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// How encrypted connections are made: only to servers whom the system trusts.
///
/// The process must have a crypto provider installed.
pub fn tls_config() -> Result<rustls::ClientConfig, TlsError> {
    Ok(rustls::ClientConfig::with_platform_verifier()?)
}

/// Tries once, for 10 s at most.
pub async fn open(server: &Server) -> Result<Socket, Closed> {
    let opening = async {
        let wire = dial(server).await?;
        shake_hands(server, wire).await
    };
    let late = || Closed::Unreachable {
        why: format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()),
    };
    timeout(CONNECT_TIMEOUT, opening)
        .await
        .map_err(|_elapsed| late())?
}

async fn dial(server: &Server) -> Result<Box<dyn Wire>, Closed> {
    let stream = TcpStream::connect((server.host(), server.port()))
        .await
        .map_err(unreachable)?;
    // Lines are short and somebody waits for each.
    stream.set_nodelay(true).map_err(unreachable)?;
    if !server.is_tls() {
        return Ok(Box::new(stream));
    }
    let config = tls_config().map_err(unreachable)?;
    let name = ServerName::try_from(server.host().to_owned()).map_err(unreachable)?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(unreachable)?;
    Ok(Box::new(stream))
}

async fn shake_hands(server: &Server, wire: Box<dyn Wire>) -> Result<Socket, Closed> {
    let mut request = server.ws().into_client_request().map_err(unreachable)?;
    request.headers_mut().insert(
        header::SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static(SUBPROTOCOL),
    );
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    match client_async_with_config(request, wire, Some(config)).await {
        Ok((socket, _response)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(Closed::Refused {
            status: Some(response.status().as_u16()),
        }),
        Err(tungstenite::Error::Protocol(_)) => Err(Closed::Refused { status: None }),
        Err(error) => Err(unreachable(error)),
    }
}

fn unreachable(error: impl std::fmt::Display) -> Closed {
    Closed::Unreachable {
        why: for_terminal(&error.to_string()),
    }
}
