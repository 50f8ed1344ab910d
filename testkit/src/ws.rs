//! A WebSocket client: requests with their answers, and pushes.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use plenary_shared::domain::{Event, Reject};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::protocol::{
    Ack, Hello, HelloOk, Open, OpenOk, Outcome, Post, Posted, Push, Reply, Request, SUBPROTOCOL,
    ServerLine, Verb, WS_PATH,
};
use plenary_shared::text::MessageBody;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::wait::DEADLINE;

/// An open connection.
#[derive(Debug)]
pub struct Ws {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Pushes received while waiting for an answer.
    pushes: VecDeque<Push>,
    /// Answers received while waiting for another one.
    replies: Vec<Reply<Value>>,
    lines: VecDeque<String>,
    last_id: u64,
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The code of the close frame; `None` if the connection broke.
    pub code: Option<u16>,
}

impl Ws {
    /// Connects without sending `hello`.
    pub async fn connect(server_url: &str) -> Self {
        let url = format!("{}{WS_PATH}", server_url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("the URL is valid");
        request.headers_mut().insert(
            "sec-websocket-protocol",
            HeaderValue::from_static(SUBPROTOCOL),
        );
        let (stream, _) = timeout(DEADLINE, connect_async(request))
            .await
            .expect("the server takes the connection in time")
            .unwrap_or_else(|e| panic!("no WebSocket at {server_url}: {e}"));
        Self {
            stream,
            pushes: VecDeque::new(),
            replies: vec![],
            lines: VecDeque::new(),
            last_id: 0,
        }
    }

    /// Connects and sends `hello`.
    pub async fn hello(server_url: &str, token: &str) -> Self {
        let mut ws = Self::connect(server_url).await;
        ws.say_hello(token, vec![])
            .await
            .expect("the token is valid");
        ws
    }

    /// Sends `hello`.
    pub async fn say_hello(
        &mut self,
        token: &str,
        resume: Vec<plenary_shared::protocol::Position>,
    ) -> Result<HelloOk, Reject> {
        let hello = Hello {
            token: token.to_owned(),
            resume,
            client: Some("testkit".to_owned()),
        };
        self.ask_as(Verb::Hello(hello)).await
    }

    /// Sends a request and waits for its answer. Pushes received meanwhile are kept.
    pub async fn ask(&mut self, verb: Verb) -> Result<Value, Reject> {
        let id = self.send(verb).await;
        self.answer(id).await
    }

    /// Like [`Ws::ask`], with the answer decoded.
    pub async fn ask_as<T: DeserializeOwned>(&mut self, verb: Verb) -> Result<T, Reject> {
        let value = self.ask(verb).await?;
        Ok(serde_json::from_value(value.clone())
            .unwrap_or_else(|e| panic!("unexpected answer ({e}): {value}")))
    }

    /// Opens an instance with its last 1,000 events.
    pub async fn open(&mut self, instance: InstanceId) -> Result<OpenOk, Reject> {
        let limit = plenary_shared::limits::PAGE_MAX;
        self.ask_as(Verb::Open(Open { instance, limit })).await
    }

    /// Joins an instance.
    pub async fn join(&mut self, instance: InstanceId) -> Result<Posted, Reject> {
        self.ask_as(Verb::Join(instance)).await
    }

    /// Leaves an instance.
    pub async fn leave(&mut self, instance: InstanceId) -> Result<Posted, Reject> {
        self.ask_as(Verb::Leave(instance)).await
    }

    /// Posts a message with a new cmid.
    pub async fn post(&mut self, instance: InstanceId, body: &str) -> Result<Posted, Reject> {
        self.ask_as(Verb::Post(new_post(instance, body, Ack::Ordered)))
            .await
    }

    /// Sends a post that is answered when it is durable. Returns its cmid and the request's id.
    pub async fn begin_durable(&mut self, instance: InstanceId, body: &str) -> (Cmid, u64) {
        let post = new_post(instance, body, Ack::Durable);
        let cmid = post.cmid;
        (cmid, self.send(Verb::Post(post)).await)
    }

    /// Whether this request was answered while waiting for another one.
    pub fn was_answered(&self, id: u64) -> bool {
        self.replies.iter().any(|reply| reply.id == id)
    }

    /// Sends a request without waiting, and returns its id.
    pub async fn send(&mut self, verb: Verb) -> u64 {
        self.last_id += 1;
        let request = Request {
            id: self.last_id,
            verb,
        };
        let text = serde_json::to_string(&request).expect("a request is JSON");
        self.send_text(&text).await;
        self.last_id
    }

    /// Sends any text as one frame.
    pub async fn send_text(&mut self, text: &str) {
        let sent = self.stream.send(Message::text(text)).await;
        sent.unwrap_or_else(|e| panic!("the connection is gone: {e}"));
    }

    /// Sends any bytes as one binary frame.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) {
        let sent = self.stream.send(Message::Binary(Bytes::from(bytes))).await;
        sent.unwrap_or_else(|e| panic!("the connection is gone: {e}"));
    }

    /// Waits for the answer to the request `id`.
    pub async fn answer(&mut self, id: u64) -> Result<Value, Reject> {
        let reply = match self.replies.iter().position(|reply| reply.id == id) {
            Some(at) => self.replies.swap_remove(at),
            None => loop {
                let reply = self.next_reply().await;
                if reply.id == id {
                    break reply;
                }
                self.replies.push(reply);
            },
        };
        match reply.outcome {
            Outcome::Ok(value) => Ok(value),
            Outcome::Error(reject) => Err(reject),
        }
    }

    /// Returns the next answer, to whichever request.
    pub async fn next_reply(&mut self) -> Reply<Value> {
        loop {
            match self.next_line().await {
                ServerLine::Reply(reply) => return reply,
                ServerLine::Push(push) => self.pushes.push_back(push),
            }
        }
    }

    /// Returns the next push.
    pub async fn next(&mut self) -> Push {
        if let Some(push) = self.pushes.pop_front() {
            return push;
        }
        match self.next_line().await {
            ServerLine::Push(push) => push,
            ServerLine::Reply(reply) => panic!("unexpected answer: {reply:?}"),
        }
    }

    /// Returns the next push, or `None` once the connection has ended.
    pub async fn try_next(&mut self) -> Option<Push> {
        loop {
            if let Some(push) = self.pushes.pop_front() {
                return Some(push);
            }
            while let Some(line) = self.lines.pop_front() {
                if let ServerLine::Push(push) = parse(&line) {
                    self.pushes.push_back(push);
                }
            }
            if self.pushes.is_empty() {
                match self.stream.next().await? {
                    Ok(Message::Text(text)) => {
                        self.lines.extend(text.as_str().lines().map(str::to_owned));
                    }
                    Ok(Message::Close(_)) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        }
    }

    /// Returns the next event, skipping all other pushes.
    pub async fn next_event(&mut self) -> Event {
        self.wait_for("an event", |push| match push {
            Push::Event(event) => Some(*event),
            Push::Durable(_)
            | Push::Fence(_)
            | Push::Changed(_)
            | Push::Read(_)
            | Push::Typing(_)
            | Push::Waiting(_)
            | Push::Presence(_)
            | Push::Dashboard(_)
            | Push::Detail(_) => None,
        })
        .await
    }

    /// Skips pushes until `look` accepts one.
    pub async fn wait_for<T>(&mut self, what: &str, mut look: impl FnMut(Push) -> Option<T>) -> T {
        let found = async {
            loop {
                let push = self.next().await;
                if let Some(found) = look(push) {
                    return found;
                }
            }
        };
        let found = timeout(DEADLINE, found).await;
        found.unwrap_or_else(|_| panic!("timed out after {DEADLINE:?} waiting for {what}"))
    }

    /// Waits until the server closes the connection.
    pub async fn closed(&mut self) -> Closed {
        let closed = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Close(frame))) => {
                        let code = frame.map(|frame| u16::from(frame.code));
                        // Answers the close frame, as a client should.
                        let _ = self.stream.close(None).await;
                        return Closed { code };
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Closed { code: None },
                }
            }
        };
        let closed = timeout(DEADLINE, closed).await;
        closed.expect("the server closes the connection")
    }

    /// Closes the connection with a close frame.
    pub async fn close(mut self) {
        let _ = self.stream.close(None).await;
        while let Some(Ok(_)) = self.stream.next().await {}
    }

    /// Returns the next line from the server.
    async fn next_line(&mut self) -> ServerLine {
        if self.lines.is_empty() {
            let text = timeout(DEADLINE, self.next_text()).await;
            let text = text.expect("the server sends a line within the deadline");
            self.lines.extend(text.lines().map(str::to_owned));
        }
        let line = self.lines.pop_front().expect("a frame holds a line");
        parse(&line)
    }

    async fn next_text(&mut self) -> String {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("not a text frame: {other:?}"),
                Some(Err(Error::ConnectionClosed)) | None => panic!("the connection was closed"),
                Some(Err(error)) => panic!("the connection broke: {error}"),
            }
        }
    }
}

fn new_post(instance: InstanceId, body: &str, ack: Ack) -> Post {
    Post {
        instance,
        cmid: Cmid(uuid::Uuid::now_v7()),
        body: MessageBody::parse(body).expect("a valid body"),
        reply_to: None,
        ack,
    }
}

fn parse(line: &str) -> ServerLine {
    ServerLine::parse(line).unwrap_or_else(|e| panic!("not a line of the protocol ({e}): {line}"))
}
