//! The frames of one connection: requests are parsed one line at a time, answers are sent in time.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use plenary_shared::domain::Reject;
use plenary_shared::protocol::{Close, Outcome, Reply, Request};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::request::{self, BadRequest};

/// Time that a client may take to read a frame, in seconds. Together with the silence limit it is only
/// a little longer than the grace period.
const SEND_S_MAX: u64 = 10;

/// Time that a client may take to read a close frame, in milliseconds. Most of them are gone already.
const CLOSE_MS_MAX: u64 = 500;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client closed the connection, or it broke.
    Gone,
    /// The client did not read a frame in time.
    Stalled,
    /// The server closes the connection.
    Closed(Close),
}

impl End {
    /// Returns the reason as a metrics label.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Gone => "by_peer",
            Self::Stalled | Self::Closed(Close::TooSlow) => "too_slow",
            Self::Closed(Close::GoingAway) => "going_away",
            Self::Closed(Close::Silent) => "silent",
            Self::Closed(Close::ProtocolError) => "protocol_error",
            Self::Closed(Close::NotSignedIn) => "not_signed_in",
        }
    }
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Closed(close)
    }
}

/// The stream, and at most one received frame that is not fully handled.
pub(super) struct Wire {
    pub(super) stream: WebSocket,
    /// The next request, parsed from the frame.
    pub(super) next: Option<Result<Request, BadRequest>>,
    frame: Utf8Bytes,
    /// The offset of the line after `next`.
    offset: usize,
}

impl Wire {
    /// Returns a wire without a received frame.
    pub(super) fn new(stream: WebSocket) -> Self {
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

    /// Sends serialised lines as one frame.
    pub(super) async fn lines(&mut self, mut text: String) -> Result<(), End> {
        if text.ends_with('\n') {
            text.pop();
        }
        self.send(Message::Text(Utf8Bytes::from(text))).await
    }

    /// Sends a frame.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), End> {
        let sending = self.stream.send(message);
        match timeout(Duration::from_secs(SEND_S_MAX), sending).await {
            Ok(sent) => sent.map_err(|_| End::Gone),
            Err(_) => Err(End::Stalled),
        }
    }

    /// Sends a close frame, if the client still reads.
    pub(super) async fn close(&mut self, close: Close) {
        let frame = CloseFrame {
            code: close.code(),
            reason: close.text().into(),
        };
        let closing = self.send(Message::Close(Some(frame)));
        let _ = timeout(Duration::from_millis(CLOSE_MS_MAX), closing).await;
    }
}
