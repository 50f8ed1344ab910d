//! The connection against a real socket on the other side.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use plenary_shared::protocol::{Close, Hello, Push, Request, SUBPROTOCOL, ServerLine, Verb};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Upgrade, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::*;

const LONGEST: Duration = Duration::from_secs(20);

async fn listener() -> (TcpListener, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = format!("http://{address}").parse().expect("an address");
    (listener, server)
}

async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = timeout(LONGEST, listener.accept())
        .await
        .expect("a connection in time")
        .expect("a connection");
    #[expect(clippy::result_large_err, reason = "the callback's type is not ours")]
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

async fn told(link: &mut Link) -> Told {
    timeout(LONGEST, link.told.recv())
        .await
        .expect("told in time")
        .expect("the link lives")
}

async fn opened(link: &mut Link) {
    loop {
        if told(link).await == Told::Open {
            return;
        }
    }
}

async fn closed(link: &mut Link) -> (Closed, Option<Duration>) {
    loop {
        if let Told::Closed { why, retry_in } = told(link).await {
            return (why, retry_in);
        }
    }
}

fn hello(id: u64) -> Ask {
    Ask::Send(Request {
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
async fn requests_go_out_and_each_line_comes_in() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    assert_eq!(told(&mut link).await, Told::Connecting { attempt: 0 });
    let mut peer = accept(&listener).await;
    assert_eq!(told(&mut link).await, Told::Open);

    link.ask.send(hello(1)).await.expect("taken");
    let said = peer.next().await.expect("a frame").expect("a good one");
    assert_eq!(
        said,
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
        told(&mut link).await,
        Told::Line(ServerLine::Push(Push::Changed(_)))
    ));
    assert!(matches!(
        told(&mut link).await,
        Told::Line(ServerLine::Reply(_))
    ));
    assert_eq!(told(&mut link).await, Told::Garbled);
    let answer = peer.next().await.expect("a frame").expect("a good one");
    assert_eq!(answer, Message::Pong("are you there".into()));

    let saying_goodbye = tokio::spawn(link.close());
    let last = peer.next().await.expect("a frame").expect("a good one");
    assert!(last.is_close(), "{last}");
    while let Some(Ok(_)) = peer.next().await {}
    saying_goodbye.await.expect("closes");
}

#[tokio::test]
async fn an_owner_who_reads_slowly_misses_nothing() {
    const LINES: u64 = 3 * TOLD_MAX as u64;
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
        match told(&mut link).await {
            Told::Line(ServerLine::Reply(reply)) => assert_eq!(reply.id, id),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn it_comes_back_at_once_and_says_nothing_that_was_meant_for_the_last_connection() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    close_with(&mut peer, Close::GoingAway).await;
    let (why, retry_in) = closed(&mut link).await;
    assert_eq!(
        why,
        Closed::ByServer {
            code: 4_000,
            text: "the server stops: reconnect".to_owned()
        }
    );
    assert!(retry_in.expect("it comes back") < Duration::from_millis(300));
    // Nobody hears this one: there is no connection.
    link.ask.send(hello(1)).await.expect("taken");
    assert_eq!(told(&mut link).await, Told::Connecting { attempt: 1 });
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    link.ask.send(hello(2)).await.expect("taken");
    let said = peer.next().await.expect("a frame").expect("a good one");
    assert!(said.to_text().expect("text").contains("\"id\":2"), "{said}");
}

#[tokio::test]
async fn it_stays_away_when_told_so_until_it_is_asked() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    close_with(&mut peer, Close::NotSignedIn).await;
    let (why, retry_in) = closed(&mut link).await;
    assert_eq!(
        why.to_string(),
        "the server closed the connection: not signed in (4501)"
    );
    assert_eq!(retry_in, None);
    link.ask.send(Ask::Reconnect).await.expect("taken");
    assert_eq!(told(&mut link).await, Told::Connecting { attempt: 0 });
    let _peer = accept(&listener).await;
    opened(&mut link).await;
}

#[tokio::test]
async fn an_open_connection_can_be_made_anew() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    link.ask.send(Ask::Reconnect).await.expect("taken");
    while let Some(Ok(_)) = peer.next().await {}
    let (why, retry_in) = closed(&mut link).await;
    assert_eq!((why, retry_in), (Closed::Asked, Some(Duration::ZERO)));
    let _peer = accept(&listener).await;
    opened(&mut link).await;
}

#[tokio::test]
async fn what_is_larger_than_a_frame_is_not_sent() {
    let (listener, server) = listener().await;
    let mut link = link(server, SystemTime::now);
    let mut peer = accept(&listener).await;
    opened(&mut link).await;
    let verb = Verb::Hello(Hello {
        token: "t".repeat(70_000),
        client: None,
        resume: vec![],
    });
    let large = Ask::Send(Request { id: 5, verb });
    link.ask.send(large).await.expect("taken");
    assert_eq!(told(&mut link).await, Told::Unsent { id: 5 });
    link.ask.send(hello(6)).await.expect("taken");
    let said = peer.next().await.expect("a frame").expect("a good one");
    assert!(said.to_text().expect("text").contains("\"id\":6"), "{said}");
}

#[tokio::test]
async fn a_server_of_another_kind_is_named_as_such() {
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
    let (why, retry_in) = closed(&mut link).await;
    assert_eq!(why, Closed::Refused { status: Some(404) });
    assert!(retry_in.is_some());
}

#[tokio::test]
async fn tries_are_counted_while_nobody_listens() {
    let (listener, server) = listener().await;
    drop(listener);
    let mut link = link(server, SystemTime::now);
    for expected in 0..3 {
        assert_eq!(
            told(&mut link).await,
            Told::Connecting { attempt: expected }
        );
        let (why, retry_in) = closed(&mut link).await;
        assert!(matches!(why, Closed::Unreachable { .. }), "{why}");
        assert!(retry_in.expect("it tries again") > Duration::ZERO);
    }
    timeout(LONGEST, link.close()).await.expect("ends at once");
}
