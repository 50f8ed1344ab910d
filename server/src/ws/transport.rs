//! The WebSocket below the protocol: its buffers, what a client may send, and how it ends (RFC 6455).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use plenary_shared::limits::FRAME_BYTES_MAX;
use plenary_shared::protocol::Close;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Buffer for received bytes: most requests fit. It is allocated for every connection and cleared at
/// every read; larger frames take several reads.
const READ_BUFFER_BYTES: usize = 4 * 1_024;

/// Largest frame that the server sends. Larger messages are sent in fragments, so that a connection does
/// not keep a buffer of the size of its largest answer.
pub(super) const FRAGMENT_BYTES_MAX: usize = 16 * 1_024;

/// Bytes that wait to be written to a connection: a fragment, and the answers to pings. Above this, the
/// latest ping replaces the earlier ones.
const WRITE_BUFFER_BYTES_MAX: usize = 4 * FRAGMENT_BYTES_MAX;

/// Bytes that a client may send before it has signed in: a `hello` that resumes as many instances as it
/// may takes a third.
const HELLO_BYTES_MAX: usize = 16 * 1_024;

/// Bytes that a client may send until a message is complete: the largest message in small fragments. The
/// limit also ends an endless row of empty fragments.
const MESSAGE_BYTES_MAX: usize = 2 * FRAME_BYTES_MAX;

/// Bytes that are read and dropped after a close frame, at most, so that the client can read that frame
/// before its unread bytes reset the connection.
const LINGER_BYTES_MAX: u64 = 1024 * 1024;

/// The WebSocket of one client.
pub(super) type Stream = WebSocketStream<Metered<TokioIo<Upgraded>>>;

/// Starts the WebSocket protocol after the handshake.
pub(super) async fn accept(upgraded: Upgraded) -> Stream {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(FRAGMENT_BYTES_MAX)
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let metered = Metered {
        io: TokioIo::new(upgraded),
        allowance: HELLO_BYTES_MAX,
    };
    WebSocketStream::from_raw_socket(metered, Role::Server, Some(config)).await
}

/// Returns why the server ends a connection after this error, or `None` if the client is gone.
pub(super) fn close_reason(error: &Error) -> Option<Close> {
    match error {
        Error::Capacity(_) => Some(Close::TooLarge),
        Error::Utf8(_) => Some(Close::NotUtf8),
        Error::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => Some(Close::TooMuch),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_) => None,
        _ => Some(Close::BadFrame),
    }
}

/// Closes the TCP connection, and drops what the client still sends until it closes its side.
pub(super) async fn shut_down(stream: Stream) {
    let mut io = stream.into_inner().io;
    if io.shutdown().await.is_ok() {
        let mut rest = io.take(LINGER_BYTES_MAX);
        // The connection ends in any case.
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    }
}

/// Limits how much a client may send until [`Metered::renew`] is called.
#[derive(Debug)]
pub(super) struct Metered<S> {
    io: S,
    allowance: usize,
}

impl<S> Metered<S> {
    /// Allows another message of a client that has signed in.
    pub(super) fn renew(&mut self) {
        self.allowance = MESSAGE_BYTES_MAX;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        let Some(rest) = self.allowance.checked_sub(read) else {
            // A read that fails returns no bytes.
            buf.set_filled(before);
            return Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()));
        };
        self.allowance = rest;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn client_may_send_what_is_allowed_and_no_byte_more() {
        let sent = vec![7; 100];
        let mut metered = Metered {
            io: sent.as_slice(),
            allowance: 99,
        };
        let mut received = vec![];
        let error = metered.read_to_end(&mut received).await;
        let error = Error::Io(error.expect_err("one byte too many"));
        assert_eq!(close_reason(&error), Some(Close::TooMuch));
        let mut metered = Metered {
            io: sent.as_slice(),
            allowance: 0,
        };
        metered.renew();
        let read = metered.read_to_end(&mut received).await;
        assert_eq!(read.expect("an allowance"), 100);
    }
}
