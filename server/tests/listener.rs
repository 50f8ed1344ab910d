//! Idle connections: a client that sends half a request, or nothing, is disconnected; others are
//! not.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use plenary_shared::domain::Code;
use plenary_testkit::{DEADLINE, Server, ServerOptions, Ws};

/// A server with a timeout so short that a pause in a test ends a connection.
fn impatient() -> Server {
    Server::embedded(ServerOptions {
        args: vec!["--head-timeout-ms".into(), "200".into()],
        env: vec![],
    })
}

fn connect(server: &Server) -> TcpStream {
    let address = server.url().trim_start_matches("http://").to_owned();
    let stream = TcpStream::connect(address).expect("it listens");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("a timeout can be set");
    stream
}

/// Waits until the server closes the connection. Returns what it sent before.
fn closed(mut stream: &TcpStream) -> String {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("not closed: {error}"),
    }
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn incomplete_request_head_times_out() {
    let server = impatient();
    let silent = connect(&server);
    let mut half = connect(&server);
    half.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
        .expect("it takes that");
    let mut slow = connect(&server);
    slow.write_all(b"GET /livez HTTP/1.1\r\n")
        .expect("it takes that");
    let drops = slow.try_clone().expect("the same socket");
    let dropping = std::thread::spawn(move || {
        // Sending single bytes does not extend the timeout.
        while (&drops).write_all(b"X-A: b\r\n").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for stream in [&silent, &half, &slow] {
        let said = closed(stream);
        assert!(!said.contains(" 200 "), "{said}");
    }
    dropping.join().expect("it does not panic");
}

#[test]
fn idle_http_connection_is_closed() {
    let server = impatient();
    let mut idle = connect(&server);
    idle.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        .expect("it takes that");
    let said = closed(&idle);
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websocket_has_its_own_rules() {
    let server = impatient();
    let mut ws = Ws::connect(&server.url()).await;
    let later = connect(&server);
    tokio::task::block_in_place(|| closed(&later));
    let refused = ws.say_hello("nobody's", vec![]).await;
    assert_eq!(refused.expect_err("no token").code, Code::NotSignedIn);
}

#[test]
fn endless_request_head_is_refused() {
    let server = Server::embedded(ServerOptions::default());
    let mut long = connect(&server);
    long.write_all(b"GET /livez HTTP/1.1\r\n")
        .expect("it takes that");
    let line = format!("X-A: {}\r\n", "b".repeat(1_000));
    while long.write_all(line.as_bytes()).is_ok() {}
    let said = closed(&long);
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 431 "),
        "{said}"
    );
}
