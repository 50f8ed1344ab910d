//! Links against a peer on a real socket.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use plenary_shared::protocol::{
    Close, Departure, Hello, Push, Request, SUBPROTOCOL, ServerLine, Verb,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Upgrade, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

async fn listener() -> (TcpListener, ServerUrl) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = format!("http://{address}").parse().expect("an address");
    (listener, server)
}

async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = timeout(DEADLINE, listener.accept())
        .await
        .expect("a connection in time")
        .expect("a connection");
    #[expect(
        clippy::result_large_err,
        reason = "tungstenite defines the callback type"
    )]
    let choose = |request: &Upgrade, mut response: Response| {
        assert_eq!(request.uri().path(), "/ws");
        assert_eq!(request.headers()["sec-websocket-protocol"], SUBPROTOCOL);
        response.headers_mut().insert(
            "sec-websocket-protocol",
            HeaderValue::from_static(SUBPROTOCOL),
        );
        Ok(response)
    };
    tokio_tungstenite::accept_hdr_async(stream, choose)
        .await
        .expect("a handshake")
}

async fn next_event(link: &mut Link) -> LinkEvent {
    timeout(DEADLINE, link.events.recv())
        .await
        .expect("an event in time")
        .expect("the link runs")
}

async fn opened(link: &mut Link) {
    loop {
        if next_event(link).await == LinkEvent::Open {
            return;
        }
    }
}

async fn closed(link: &mut Link) -> (CloseReason, Option<Duration>) {
    loop {
        if let LinkEvent::Closed { reason, retry_in } = next_event(link).await {
            return (reason, retry_in);
        }
    }
}

fn hello(id: u64) -> LinkCommand {
    LinkCommand::Send(Request {
        id,
        verb: Verb::Hello(Hello {
            token: "t".to_owned(),
            client: None,
            resume: vec![],
        }),
    })
}

async fn close_with(peer: &mut WebSocketStream<TcpStream>, close: Close) {
    let frame = CloseFrame {
        code: close.code().into(),
        reason: close.text().into(),
    };
    peer.close(Some(frame)).await.expect("closes");
    while let Some(Ok(_)) = peer.next().await {}
}

#[tokio::test]
async fn requests_are_sent_and_lines_received() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    assert_eq!(
        next_event(&mut link).await,
        LinkEvent::Connecting { attempt: 0 }
    );
    let mut peer = accept(&listener).await;
    assert_eq!(next_event(&mut link).await, LinkEvent::Open);

    link.commands.send(hello(1)).await.expect("taken");
    let sent = peer.next().await.expect("a frame").expect("a good one");
    assert_eq!(
        sent,
        Message::text(r#"{"id":1,"hello":{"token":"t"}}"#.to_owned())
    );

    peer.send(Message::Ping("are you there".into()))
        .await
        .expect("sent");
    let lines = "{\"changed\":\"meetings\"}\n\n{\"id\":1,\"ok\":{}}\n{\"who\":\"knows\"}\n";
    peer.send(Message::text(lines.to_owned()))
        .await
        .expect("sent");
    assert!(matches!(
        next_event(&mut link).await,
        LinkEvent::Line(message) if matches!(*message, ServerLine::Push(Push::Changed(_)))
    ));
    assert!(matches!(
        next_event(&mut link).await,
        LinkEvent::Line(message) if matches!(*message, ServerLine::Reply(_))
    ));
    assert_eq!(next_event(&mut link).await, LinkEvent::Garbled);
    let answer = peer.next().await.expect("a frame").expect("a good one");
    assert_eq!(answer, Message::Pong("are you there".into()));

    let saying_goodbye = tokio::spawn(link.quit());
    let last = peer.next().await.expect("a frame").expect("a good one");
    let Message::Close(Some(frame)) = last else {
        panic!("{last}");
    };
    assert_eq!(u16::from(frame.code), Departure::Quit.code());
    while let Some(Ok(_)) = peer.next().await {}
    saying_goodbye.await.expect("closes");
}

#[tokio::test]
async fn slow_owner_misses_no_line() {
    const LINES: u64 = 3 * EVENTS_MAX as u64;
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    let mut frame = String::new();
    for id in 0..LINES {
        use std::fmt::Write as _;
        writeln!(frame, "{{\"id\":{id},\"ok\":{{}}}}").expect("a String takes all");
    }
    peer.send(Message::text(frame)).await.expect("sent");
    opened(&mut link).await;
    for id in 0..LINES {
        match next_event(&mut link).await {
            LinkEvent::Line(message) => {
                assert!(matches!(*message, ServerLine::Reply(reply) if reply.id == id));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn reconnect_drops_requests_of_the_previous_connection() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    close_with(&mut peer, Close::GoingAway).await;
    let (reason, retry_in) = closed(&mut link).await;
    assert_eq!(
        reason,
        CloseReason::ByServer {
            code: 4_000,
            text: "server is shutting down, reconnect".to_owned()
        }
    );
    assert!(retry_in.expect("it retries") < Duration::from_millis(300));
    // Dropped while disconnected.
    link.commands.send(hello(1)).await.expect("taken");
    assert_eq!(
        next_event(&mut link).await,
        LinkEvent::Connecting { attempt: 1 }
    );
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    link.commands.send(hello(2)).await.expect("taken");
    let sent = peer.next().await.expect("a frame").expect("a good one");
    assert!(sent.to_text().expect("text").contains("\"id\":2"), "{sent}");
}

#[tokio::test]
async fn sign_out_waits_for_a_reconnect_command() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    close_with(&mut peer, Close::NotSignedIn).await;
    let (reason, retry_in) = closed(&mut link).await;
    assert_eq!(
        reason.to_string(),
        "connection closed by the server: not signed in (4501)"
    );
    assert_eq!(retry_in, None);
    link.commands
        .send(LinkCommand::Reconnect)
        .await
        .expect("taken");
    assert_eq!(
        next_event(&mut link).await,
        LinkEvent::Connecting { attempt: 0 }
    );
    let _peer = accept(&listener).await;
    opened(&mut link).await;
}

#[tokio::test]
async fn reconnect_command_replaces_an_open_connection() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    link.commands
        .send(LinkCommand::Reconnect)
        .await
        .expect("taken");
    while let Some(Ok(_)) = peer.next().await {}
    let (reason, retry_in) = closed(&mut link).await;
    assert_eq!(
        (reason, retry_in),
        (CloseReason::Reconnect, Some(Duration::ZERO))
    );
    let _peer = accept(&listener).await;
    opened(&mut link).await;
}

#[tokio::test]
async fn oversized_request_is_not_sent() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    let verb = Verb::Hello(Hello {
        token: "t".repeat(70_000),
        client: None,
        resume: vec![],
    });
    let large = LinkCommand::Send(Request { id: 5, verb });
    link.commands.send(large).await.expect("taken");
    assert_eq!(next_event(&mut link).await, LinkEvent::Unsent { id: 5 });
    link.commands.send(hello(6)).await.expect("taken");
    let sent = peer.next().await.expect("a frame").expect("a good one");
    assert!(sent.to_text().expect("text").contains("\"id\":6"), "{sent}");
}

#[tokio::test]
async fn http_server_is_reported_as_not_plenary() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut request = [0; 1024];
    let read = stream.read(&mut request).await.expect("a request");
    assert!(request[..read].starts_with(b"GET /ws HTTP/1.1"));
    stream
        .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
        .await
        .expect("sent");
    let (reason, retry_in) = closed(&mut link).await;
    assert_eq!(reason, CloseReason::NotPlenary { status: Some(404) });
    assert!(retry_in.is_some());
}

#[tokio::test]
async fn attempts_are_counted_while_the_server_is_down() {
    let (listener, server) = listener().await;
    drop(listener);
    let mut link = link(server, SystemTime::now);
    for expected in 0..3 {
        assert_eq!(
            next_event(&mut link).await,
            LinkEvent::Connecting { attempt: expected }
        );
        let (reason, retry_in) = closed(&mut link).await;
        assert!(
            matches!(reason, CloseReason::Unreachable { .. }),
            "{reason}"
        );
        assert!(retry_in.expect("it retries") > Duration::ZERO);
    }
    timeout(DEADLINE, link.close()).await.expect("ends at once");
}
