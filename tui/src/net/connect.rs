//! One connection attempt: TCP, TLS for `https`, and the WebSocket handshake.

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
use tokio_tungstenite::{WebSocketStream, client_async_with_config, tungstenite};

use super::CloseReason;
use crate::server_url::ServerUrl;

/// Size limit of a received message, in bytes. Fits a page of 1,000 events of maximum length, with
/// JSON escapes.
const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Timeout of a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A byte stream with or without TLS.
pub trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// An open WebSocket.
pub type Socket = WebSocketStream<Box<dyn Wire>>;

/// The system's root certificates are not usable.
#[derive(Debug, thiserror::Error)]
#[error("TLS is not available: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// Returns a TLS configuration that trusts the root certificates of the system.
///
/// The process must have a rustls crypto provider installed.
pub fn tls_config() -> Result<rustls::ClientConfig, TlsError> {
    Ok(rustls::ClientConfig::with_platform_verifier()?)
}

/// Opens a WebSocket, within [`CONNECT_TIMEOUT`].
pub async fn open(server: &ServerUrl) -> Result<Socket, CloseReason> {
    let opening = async {
        let wire = dial(server).await?;
        handshake(server, wire).await
    };
    timeout(CONNECT_TIMEOUT, opening)
        .await
        .map_err(|_elapsed| {
            unreachable(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs()))
        })?
}

async fn dial(server: &ServerUrl) -> Result<Box<dyn Wire>, CloseReason> {
    let stream = TcpStream::connect((server.host(), server.port()))
        .await
        .map_err(unreachable)?;
    // Lines are short and each is needed at once.
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

async fn handshake(server: &ServerUrl, wire: Box<dyn Wire>) -> Result<Socket, CloseReason> {
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
        Err(tungstenite::Error::Http(response)) => Err(CloseReason::NotPlenary {
            status: Some(response.status().as_u16()),
        }),
        Err(tungstenite::Error::Protocol(_)) => Err(CloseReason::NotPlenary { status: None }),
        Err(error) => Err(unreachable(error)),
    }
}

fn unreachable(error: impl std::fmt::Display) -> CloseReason {
    CloseReason::Unreachable {
        why: for_terminal(&error.to_string()),
    }
}
