//! A connection that can be read as slowly as the benchmark wants.

use std::collections::VecDeque;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use plenary_shared::protocol::{
    Hello, HelloOk, Outcome, Position, Push, Request, SUBPROTOCOL, ServerLine, Verb, WS_PATH,
};
use serde::de::DeserializeOwned;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

/// A WebSocket over its own TCP socket.
pub struct Line {
    pub stream: WebSocketStream<TcpStream>,
    /// Pushes received while waiting for an answer.
    pushes: VecDeque<Push>,
    last: u64,
}

impl Line {
    /// Connects and sends `hello`. `receive_bytes`: the receive buffer of the operating system.
    pub async fn connect(
        server: &str,
        token: &str,
        receive_bytes: Option<u32>,
        resume: Vec<Position>,
    ) -> (Self, HelloOk) {
        let address: SocketAddr = server
            .trim_start_matches("http://")
            .parse()
            .expect("an address");
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes).expect("a size");
        }
        let tcp = socket.connect(address).await.expect("the server listens");
        tcp.set_nodelay(true).expect("an option");
        let url = format!("ws://{address}{WS_PATH}");
        let mut request = url.into_client_request().expect("a URL");
        request.headers_mut().insert(
            "sec-websocket-protocol",
            HeaderValue::from_static(SUBPROTOCOL),
        );
        let (stream, _) = client_async(request, tcp).await.expect("a WebSocket");
        let mut line = Self {
            stream,
            pushes: VecDeque::new(),
            last: 0,
        };
        let hello = Hello {
            token: token.to_owned(),
            client: None,
            resume,
        };
        let hello = line.ask(Verb::Hello(hello)).await;
        (line, hello)
    }

    /// Sends a request and waits for its answer.
    pub async fn ask<T: DeserializeOwned>(&mut self, verb: Verb) -> T {
        self.last += 1;
        let id = self.last;
        let text = serde_json::to_string(&Request { id, verb }).expect("JSON");
        self.stream.send(Message::text(text)).await.expect("sent");
        loop {
            let text = self.frame().await.expect("an answer");
            for line in text.lines() {
                match ServerLine::parse(line).expect("a line of the protocol") {
                    ServerLine::Reply(reply) if reply.id == id => match reply.outcome {
                        Outcome::Ok(value) => {
                            return serde_json::from_value(value).expect("its answer");
                        }
                        Outcome::Error(reject) => panic!("{reject}"),
                    },
                    ServerLine::Reply(_) => {}
                    ServerLine::Push(push) => self.pushes.push_back(push),
                }
            }
        }
    }

    /// The next push; `None` once the connection is closed.
    pub async fn push(&mut self) -> Option<Push> {
        loop {
            if let Some(push) = self.pushes.pop_front() {
                return Some(push);
            }
            let text = self.frame().await?;
            for line in text.lines() {
                if let ServerLine::Push(push) = ServerLine::parse(line).expect("a line") {
                    self.pushes.push_back(push);
                }
            }
        }
    }

    async fn frame(&mut self) -> Option<String> {
        loop {
            match self.stream.next().await? {
                Ok(Message::Text(text)) => return Some(text.as_str().to_owned()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}
