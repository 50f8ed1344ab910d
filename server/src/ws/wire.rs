//! The frames of one connection: requests are parsed one line at a time, answers are sent in time.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use plenary_shared::domain::Reject;
use plenary_shared::protocol::{Close, Outcome, Reply, Request};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes, protocol::CloseFrame};

use super::request::{self, BadRequest};
use super::transport::{self, FRAGMENT_BYTES_MAX, Stream};

/// Time that a client may take to read a message, in seconds. Together with the silence limit it is only
/// a little longer than the grace period.
const SEND_S_MAX: u64 = 10;

/// Time that a client may take to read a close frame and to answer it, in milliseconds. Most of them are
/// gone already.
const CLOSE_MS_MAX: u64 = 500;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The connection broke.
    Gone,
    /// The client closed the connection with a close frame, which is not answered yet.
    Left,
    /// The client did not read a frame in time.
    Stalled,
    Closed(Close),
}

impl End {
    /// Returns the reason as a metrics label.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Gone | Self::Left => "by_peer",
            Self::Stalled | Self::Closed(Close::TooSlow) => "too_slow",
            Self::Closed(Close::GoingAway) => "going_away",
            Self::Closed(Close::Silent) => "silent",
            Self::Closed(
                Close::ProtocolError
                | Close::BadFrame
                | Close::NotUtf8
                | Close::TooMuch
                | Close::TooLarge,
            ) => "protocol_error",
            Self::Closed(Close::NotSignedIn) => "not_signed_in",
        }
    }
}

impl End {
    /// Returns whether the client broke the rules or the limits.
    pub(super) const fn is_violation(self) -> bool {
        match self {
            Self::Closed(close) => matches!(
                close,
                Close::ProtocolError
                    | Close::BadFrame
                    | Close::NotUtf8
                    | Close::TooMuch
                    | Close::TooLarge
            ),
            Self::Gone | Self::Left | Self::Stalled => false,
        }
    }
}

impl From<&Error> for End {
    fn from(error: &Error) -> Self {
        transport::close_reason(error).map_or(Self::Gone, Self::Closed)
    }
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Closed(close)
    }
}

/// The stream, and at most one received frame that is not fully handled.
pub(super) struct Wire {
    pub(super) stream: Stream,
    /// The next request, parsed from the frame.
    pub(super) next: Option<Result<Request, BadRequest>>,
    frame: Utf8Bytes,
    /// The offset of the line after `next`.
    offset: usize,
}

impl Wire {
    /// Returns a wire without a received frame.
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            next: None,
            frame: Utf8Bytes::default(),
            offset: 0,
        }
    }

    /// Takes a received frame. A frame without a line counts as one malformed request.
    pub(super) fn receive(&mut self, frame: Utf8Bytes) {
        self.frame = frame;
        self.offset = 0;
        self.next = self.parse_line().or_else(|| Some(request::parse("")));
    }

    /// Takes the next request, and parses the one after it.
    pub(super) fn next_request(&mut self) -> Option<Result<Request, BadRequest>> {
        let next = self.next.take()?;
        self.next = self.parse_line();
        Some(next)
    }

    /// Parses the next line that is not blank. One line at a time, so that a frame with many requests
    /// needs only its own memory.
    fn parse_line(&mut self) -> Option<Result<Request, BadRequest>> {
        loop {
            let rest = self.frame.as_str().get(self.offset..)?;
            if rest.is_empty() {
                self.frame = Utf8Bytes::default();
                self.offset = 0;
                return None;
            }
            let line = rest.split('\n').next().unwrap_or_default();
            self.offset += (line.len() + 1).min(rest.len());
            if !line.trim().is_empty() {
                return Some(request::parse(line));
            }
        }
    }

    /// Answers a request.
    pub(super) async fn answer(
        &mut self,
        id: u64,
        answer: Result<Box<RawValue>, Reject>,
    ) -> Result<(), End> {
        let outcome = match answer {
            Ok(ok) => Outcome::Ok(ok),
            Err(reject) => Outcome::Error(reject),
        };
        self.line(&Reply { id, outcome }).await
    }

    /// Sends one value as a frame.
    pub(super) async fn line<T: Serialize>(&mut self, value: &T) -> Result<(), End> {
        let text = serde_json::to_string(value).map_err(|_| End::Gone)?;
        self.lines(text).await
    }

    /// Sends serialised lines as one message.
    pub(super) async fn lines(&mut self, mut text: String) -> Result<(), End> {
        if text.ends_with('\n') {
            text.pop();
        }
        if text.len() <= FRAGMENT_BYTES_MAX {
            return self.send(Message::text(text)).await;
        }
        in_time(self.send_fragments(text.into())).await
    }

    async fn send_fragments(&mut self, mut rest: Bytes) -> Result<(), Error> {
        let mut data = Data::Text;
        while !rest.is_empty() {
            let part = rest.split_to(rest.len().min(FRAGMENT_BYTES_MAX));
            let frame = Frame::message(part, OpCode::Data(data), rest.is_empty());
            self.stream.send(Message::Frame(frame)).await?;
            data = Data::Continue;
        }
        Ok(())
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), End> {
        in_time(self.stream.send(message)).await
    }

    /// Sends the answer to a ping, which must be done before the next frame is read: a client that reads
    /// no answers cannot fill the write buffer.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        in_time(self.stream.flush()).await
    }

    /// Allows the client another message.
    pub(super) fn allow_message(&mut self) {
        self.stream.get_mut().renew();
    }

    /// Ends the connection with a close frame if the client still reads: the server's own, or the answer
    /// to the client's.
    pub(super) async fn close(mut self, end: End) {
        let closing = async {
            match end {
                End::Gone | End::Stalled => return,
                End::Left => {
                    // Sends the answer, which the close frame of the client has queued.
                    let _ = self.stream.flush().await;
                }
                End::Closed(close) => {
                    let frame = CloseFrame {
                        code: close.code().into(),
                        reason: close.text().into(),
                    };
                    if self.stream.send(Message::Close(Some(frame))).await.is_ok() {
                        // Ends with the answer of the client. After an error nothing more can be read.
                        while let Some(Ok(_)) = self.stream.next().await {}
                    }
                }
            }
            transport::shut_down(self.stream).await;
        };
        let _ = timeout(Duration::from_millis(CLOSE_MS_MAX), closing).await;
    }
}

/// Waits until the client has read a message, at most [`SEND_S_MAX`].
async fn in_time(sending: impl Future<Output = Result<(), Error>>) -> Result<(), End> {
    match timeout(Duration::from_secs(SEND_S_MAX), sending).await {
        Ok(sent) => sent.map_err(|_| End::Gone),
        Err(_) => Err(End::Stalled),
    }
}
