//! The WebSocket protocol (RFC 6455): framing, control frames, fragments, UTF-8, the close handshake, and the
//! limits on what a client may send. Follows the cases of the Autobahn test suite that apply.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use plenary_testkit::{DEADLINE, Server, ServerOptions, masked_frame as frame, resident_kib};

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// The bit of a final fragment.
const FIN: u8 = 0x80;

/// A request that is answered with an error: its id is 7.
const REQUEST: &[u8] = br#"{"id":7,"meetings":{}}"#;

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes()[..], reason].concat())
}

/// A connection after the handshake.
struct Raw(TcpStream);

impl Raw {
    fn open(server: &Server) -> Self {
        let address = server.url().trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("an option");
        stream.set_read_timeout(Some(DEADLINE)).expect("an option");
        stream
            .write_all(
                b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                  Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                  Sec-WebSocket-Protocol: chat, plenary.v1\r\n\r\n",
            )
            .expect("it takes that");
        let mut head = vec![];
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a response");
            head.extend(byte);
        }
        let head = String::from_utf8(head).expect("text").to_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        // The key and its answer are the example of RFC 6455.
        assert!(
            head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
            "{head}"
        );
        assert!(
            head.contains("sec-websocket-protocol: plenary.v1"),
            "{head}"
        );
        Self(stream)
    }

    /// A connection of a new user.
    fn signed_in(server: &Server) -> Self {
        let mut raw = Self::open(server);
        let hello = format!(
            r#"{{"id":1,"hello":{{"token":"{}"}}}}"#,
            server.token("ada@example.org")
        );
        raw.send(&frame(FIN | TEXT, hello.as_bytes()));
        let (_, answer) = raw.next().expect("an answer");
        assert!(
            String::from_utf8_lossy(&answer).contains("\"ok\""),
            "{answer:?}"
        );
        raw
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the server reads");
    }

    /// The next frame: its first byte and its payload. `None` at the end of the connection.
    fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        match self.0.read_exact(&mut head) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return None,
            Err(error) => panic!("the connection was not closed but broke: {error}"),
        }
        let len = match head[1] {
            126 => {
                let mut len = [0; 2];
                self.0.read_exact(&mut len).expect("a length");
                u16::from_be_bytes(len).into()
            }
            len @ 0..126 => usize::from(len),
            len => panic!("a masked or huge frame: {len}"),
        };
        let mut payload = vec![0; len];
        self.0.read_exact(&mut payload).expect("a payload");
        Some((head[0], payload))
    }

    /// Reads until the close frame, which must be the last, and returns its payload.
    fn closed(mut self) -> Vec<u8> {
        let payload = loop {
            match self.next().expect("a close frame comes before the end") {
                (first, payload) if first == FIN | CLOSE => break payload,
                _ => {}
            }
        };
        // Answers as a client must; the server may have closed already.
        let _ = self.0.write_all(&frame(FIN | CLOSE, &payload));
        assert_eq!(self.next(), None, "nothing follows the close frame");
        payload
    }

    fn closed_with(self) -> u16 {
        let payload = self.closed();
        u16::from_be_bytes([payload[0], payload[1]])
    }
}

fn server() -> Server {
    let server = Server::embedded(ServerOptions::default());
    server.add_user("Ada", "ada@example.org", "correct horse");
    server
}

#[test]
fn messages_of_every_size_are_answered() {
    let server = server();
    let mut raw = Raw::signed_in(&server);
    for size in [REQUEST.len(), 125, 126, 127, 128, 4_096, 65_535, 65_536] {
        let mut request = REQUEST.to_vec();
        request.resize(size, b' ');
        raw.send(&frame(FIN | TEXT, &request));
        let (first, answer) = raw.next().expect("an answer");
        assert_eq!(first, FIN | TEXT);
        assert!(answer.starts_with(b"{\"id\":7,"), "{size}");
    }
    raw.send(&frame(FIN | TEXT, b""));
    assert_eq!(raw.next().expect("an answer").0, FIN | TEXT);
    raw.send(&frame(FIN | BINARY, REQUEST));
    assert_eq!(raw.next().expect("an answer").0, FIN | TEXT);
}

#[test]
fn pings_are_answered_with_their_payload() {
    let server = server();
    let mut raw = Raw::open(&server);
    for payload in [&b""[..], b"hello", &[0, 255, 254, 0x80], &[b'x'; 125]] {
        raw.send(&frame(FIN | PING, payload));
        assert_eq!(raw.next(), Some((FIN | PONG, payload.to_vec())));
    }
    // Answers that nobody asked for are ignored.
    raw.send(&frame(FIN | PONG, b"unasked"));
    let pings: Vec<Vec<u8>> = (0..10).map(|n| frame(FIN | PING, &[n])).collect();
    raw.send(&pings.concat());
    for n in 0..10 {
        assert_eq!(raw.next(), Some((FIN | PONG, vec![n])));
    }
    // One byte at a time.
    for byte in frame(FIN | PING, b"slow") {
        raw.send(&[byte]);
    }
    assert_eq!(raw.next(), Some((FIN | PONG, b"slow".to_vec())));
}

#[test]
fn fragments_form_one_message_and_control_frames_may_come_between() {
    let server = server();
    let mut raw = Raw::open(&server);
    let (start, end) = REQUEST.split_at(9);
    raw.send(&frame(TEXT, start));
    raw.send(&frame(CONTINUATION, b""));
    raw.send(&frame(FIN | PING, b"between"));
    assert_eq!(raw.next(), Some((FIN | PONG, b"between".to_vec())));
    raw.send(&frame(FIN | CONTINUATION, end));
    let (_, answer) = raw.next().expect("an answer");
    assert!(answer.starts_with(b"{\"id\":7,"), "{answer:?}");
    // A character whose bytes are in two fragments.
    raw.send(&frame(TEXT, b"{\"id\":7,\"\xc3"));
    raw.send(&frame(FIN | CONTINUATION, b"\xa9\":{}}"));
    let (_, answer) = raw.next().expect("an answer");
    assert!(answer.starts_with(b"{\"id\":7,"), "{answer:?}");
}

#[test]
fn frames_against_the_rules_close_the_connection_with_the_standard_code() {
    let server = server();
    let long_reason = [b'x'; 124];
    let mut rows: Vec<(String, Vec<u8>, u16)> = vec![
        ("fragmented ping".into(), frame(PING, b""), 1_002),
        (
            "ping of 126 bytes".into(),
            frame(FIN | PING, &[0; 126]),
            1_002,
        ),
        (
            "pong of 126 bytes".into(),
            frame(FIN | PONG, &[0; 126]),
            1_002,
        ),
        (
            "continuation of nothing".into(),
            frame(FIN | CONTINUATION, b"x"),
            1_002,
        ),
        (
            "message within a fragmented message".into(),
            [frame(TEXT, b"a"), frame(FIN | TEXT, b"b")].concat(),
            1_002,
        ),
        ("unmasked frame".into(), vec![FIN | TEXT, 1, b'x'], 1_002),
        (
            "close payload of one byte".into(),
            frame(FIN | CLOSE, b"x"),
            1_002,
        ),
        (
            "close payload of 126 bytes".into(),
            close(1_000, &long_reason),
            1_002,
        ),
        (
            "close reason not UTF-8".into(),
            close(1_000, b"\xce\xba\xff"),
            1_007,
        ),
        (
            "text not UTF-8".into(),
            frame(FIN | TEXT, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80"),
            1_007,
        ),
        (
            "text cut within a character".into(),
            frame(FIN | TEXT, b"{\xf0\x9f\x98"),
            1_007,
        ),
        (
            "fragments not UTF-8".into(),
            [frame(TEXT, b"\xc3"), frame(FIN | CONTINUATION, b"(")].concat(),
            1_007,
        ),
        (
            "65,537 bytes".into(),
            frame(FIN | TEXT, &vec![b' '; 65_537]),
            1_009,
        ),
        (
            "a frame of 2^62 bytes".into(),
            {
                let mut head = vec![FIN | TEXT, 0xff];
                head.extend((1_u64 << 62).to_be_bytes());
                [head, vec![0; 100]].concat()
            },
            1_009,
        ),
    ];
    for flag in [0x40, 0x20, 0x10, 0x70] {
        rows.push((
            format!("reserved bits {flag:#x}"),
            frame(FIN | flag | TEXT, b"x"),
            1_002,
        ));
    }
    for opcode in (3..8).chain(11..16) {
        rows.push((
            format!("reserved opcode {opcode}"),
            frame(FIN | opcode, b""),
            1_002,
        ));
    }
    for (what, bytes, code) in rows {
        let mut raw = Raw::open(&server);
        raw.send(&bytes);
        assert_eq!(raw.closed_with(), code, "{what}");
    }
}

#[test]
fn close_frame_is_answered_with_its_code() {
    let server = server();
    for code in [
        1_000, 1_001, 1_002, 1_003, 1_007, 1_011, 3_000, 3_999, 4_000, 4_999,
    ] {
        let mut raw = Raw::open(&server);
        raw.send(&close(code, "bye ✓".as_bytes()));
        assert_eq!(raw.closed_with(), code);
    }
    for code in [0, 999, 1_004, 1_005, 1_006, 1_016, 1_100, 2_000, 2_999] {
        let mut raw = Raw::open(&server);
        raw.send(&close(code, b""));
        assert_eq!(raw.closed_with(), 1_002, "{code} is reserved");
    }
    let mut raw = Raw::open(&server);
    raw.send(&frame(FIN | CLOSE, b""));
    assert_eq!(raw.closed(), b"", "no code is answered with none");
    let mut raw = Raw::open(&server);
    // What follows the close frame is ignored.
    raw.send(
        &[
            close(1_000, b""),
            frame(FIN | PING, b"x"),
            frame(FIN | TEXT, REQUEST),
        ]
        .concat(),
    );
    assert_eq!(raw.closed_with(), 1_000);
}

#[test]
fn client_that_sends_a_large_message_can_read_why_it_is_refused() {
    let server = server();
    let mut raw = Raw::signed_in(&server);
    let bytes = frame(FIN | TEXT, &vec![b' '; 600_000]);
    let mut writer = raw.0.try_clone().expect("the same socket");
    let writing = std::thread::spawn(move || writer.write_all(&bytes));
    let (first, payload) = raw.next().expect("a close frame");
    assert_eq!(
        (first, &payload[..2]),
        (FIN | CLOSE, &1_009_u16.to_be_bytes()[..])
    );
    // The rest may be refused.
    let _ = writing.join().expect("no panic");
}

#[test]
fn client_may_send_little_before_hello() {
    let server = server();
    let mut raw = Raw::open(&server);
    let request = [REQUEST, &[b' '; 4_000]].concat();
    for _ in 0..10 {
        if raw.0.write_all(&frame(FIN | TEXT, &request)).is_err() {
            break;
        }
    }
    assert_eq!(raw.closed_with(), 1_008);
    // A frame that is announced, and comes in small parts.
    let mut raw = Raw::open(&server);
    let _ = raw
        .0
        .write_all(&frame(FIN | TEXT, &vec![b' '; 60_000])[..40_000]);
    assert_eq!(raw.closed_with(), 1_008);
}

#[test]
fn endless_empty_fragments_end_the_connection() {
    let server = server();
    let mut raw = Raw::signed_in(&server);
    raw.send(&frame(TEXT, b""));
    let fragments = frame(CONTINUATION, b"").repeat(1_000);
    while raw.0.write_all(&fragments).is_ok() {}
    let signed_in = Raw::signed_in(&server);
    drop(signed_in);
}

#[test]
fn client_that_reads_no_answers_to_its_pings_costs_no_memory() {
    let server = server();
    let before = resident_kib(server.pid());
    let mut raw = Raw::open(&server);
    raw.0
        .set_write_timeout(Some(Duration::from_secs(1)))
        .expect("an option");
    let pings = frame(FIN | PING, &[b'x'; 125]).repeat(1_000);
    let began = Instant::now();
    let mut sent = 0;
    while began.elapsed() < Duration::from_secs(5) && raw.0.write_all(&pings).is_ok() {
        sent += pings.len();
    }
    let grown = resident_kib(server.pid()).saturating_sub(before);
    assert!(grown < 4_096, "{grown} KiB after {sent} bytes");
    assert!(sent < 10_000_000, "the server read {sent} bytes of pings");
}

#[test]
fn too_many_control_frames_end_the_connection() {
    let server = server();
    let mut raw = Raw::open(&server);
    raw.send(&frame(FIN | PONG, b"").repeat(101));
    assert_eq!(raw.closed_with(), 1_008);
}

#[test]
fn connection_before_hello_costs_at_most_16_kib() {
    const CONNECTIONS: usize = 500;
    let server = server();
    // Fills the caches of the allocator.
    drop((0..50).map(|_| Raw::open(&server)).collect::<Vec<_>>());
    let before = resident_kib(server.pid());
    let connections: Vec<Raw> = (0..CONNECTIONS).map(|_| Raw::open(&server)).collect();
    let grown = resident_kib(server.pid()).saturating_sub(before);
    assert!(
        grown < 16 * CONNECTIONS as u64,
        "{grown} KiB for {CONNECTIONS} connections"
    );
    drop(connections);
}
