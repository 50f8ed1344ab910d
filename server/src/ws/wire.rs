//! The stream of one connection: lines read from its frames one at a time, frames sent in time or not.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use plenary_shared::domain::Reject;
use plenary_shared::protocol::{Close, Outcome, Reply, Request};
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::request::{self, Bad};

/// How long a peer may take to take a frame. Then it is closed, and may resume. With the silence
/// before it, little more than the grace.
const SEND_S_MAX: u64 = 10;

/// How long a peer may take to take a close frame: it is gone most likely.
const CLOSE_MS_MAX: u64 = 500;

/// The stream, and what was read from it and is not yet begun: a frame at most, a line of it read.
pub(super) struct Wire {
    pub(super) stream: WebSocket,
    pub(super) next: Option<Result<Request, Bad>>,
    frame: Utf8Bytes,
    /// Where in the frame the line after `next` begins.
    at: usize,
    /// Whether the peer took nothing for too long.
    pub(super) is_slow: bool,
}

impl Wire {
    /// Nothing is read yet.
    pub(super) fn new(stream: WebSocket) -> Self {
        Self {
            stream,
            next: None,
            frame: Utf8Bytes::default(),
            at: 0,
            is_slow: false,
        }
    }

    /// A frame has come. One without a line is answered as well.
    pub(super) fn take(&mut self, frame: Utf8Bytes) {
        self.frame = frame;
        self.at = 0;
        self.next = self.read_line().or_else(|| Some(request::read("")));
    }

    /// The next request, if there is one; the one after it is read.
    pub(super) fn next_request(&mut self) -> Option<Result<Request, Bad>> {
        let next = self.next.take()?;
        self.next = self.read_line();
        Some(next)
    }

    /// Reads the next line that is not blank. Lines are read one at a time, so that a frame of many
    /// costs no more memory than it has.
    fn read_line(&mut self) -> Option<Result<Request, Bad>> {
        loop {
            let rest = self.frame.as_str().get(self.at..)?;
            if rest.is_empty() {
                self.frame = Utf8Bytes::default();
                self.at = 0;
                return None;
            }
            let line = rest.split('\n').next().unwrap_or_default();
            self.at += (line.len() + 1).min(rest.len());
            if !line.trim().is_empty() {
                return Some(request::read(line));
            }
        }
    }

    pub(super) async fn answer(
        &mut self,
        id: u64,
        answer: Result<Box<RawValue>, Reject>,
    ) -> Option<()> {
        let outcome = match answer {
            Ok(ok) => Outcome::Ok(ok),
            Err(reject) => Outcome::Error(reject),
        };
        self.line(&Reply { id, outcome }).await
    }

    pub(super) async fn line<T: serde::Serialize>(&mut self, value: &T) -> Option<()> {
        let text = serde_json::to_string(value).ok()?;
        self.send(Message::Text(Utf8Bytes::from(text))).await
    }

    pub(super) async fn lines(&mut self, mut text: String) -> Option<()> {
        if text.ends_with('\n') {
            text.pop();
        }
        self.send(Message::Text(Utf8Bytes::from(text))).await
    }

    /// `None`: the peer is gone, or takes nothing.
    pub(super) async fn send(&mut self, message: Message) -> Option<()> {
        let sending = self.stream.send(message);
        let Ok(sent) = timeout(Duration::from_secs(SEND_S_MAX), sending).await else {
            self.is_slow = true;
            return None;
        };
        sent.ok()
    }

    pub(super) async fn close(&mut self, close: Close) {
        let frame = CloseFrame {
            code: close.code(),
            reason: close.text().into(),
        };
        // The peer may be gone already; then there is nobody to tell.
        let closing = self.send(Message::Close(Some(frame)));
        let _ = timeout(Duration::from_millis(CLOSE_MS_MAX), closing).await;
    }
}
