//! What strangers can do to others: little. Floods of sign-ins and of silent connections, proxies, and the
//! log of refusals.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use axum::http::Method;
use plenary_testkit::{
    Answer, DEADLINE, Http, Server, ServerOptions, open_descriptors, resident_kib, until,
};
use serde_json::json;

const PASSWORD: &str = "correct horse";

fn server(args: &[&str]) -> Server {
    let server = Server::embedded(ServerOptions {
        args: args.iter().map(ToString::to_string).collect(),
        env: vec![],
    });
    for name in ["ada", "bob"] {
        server.add_user(name, &format!("{name}@example.org"), PASSWORD);
    }
    server
}

/// A server that believes what this test reports about addresses.
fn behind_proxy() -> Server {
    server(&["--trusted-proxies", "127.0.0.1"])
}

/// Signs in from this address.
async fn sign_in(server: &Server, from: &str, name: &str, password: &str) -> Answer {
    let http = Http::nobody(&server.url());
    let login = json!({"email": format!("{name}@example.org"), "password": password});
    let request = http
        .request(Method::POST, "/login")
        .header("x-forwarded-for", from)
        .json(&login);
    http.send(request).await
}

/// The hostile address with this number.
fn hostile(number: usize) -> String {
    format!("198.51.{}.{}", number / 256, number % 256)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_of_wrong_sign_ins_is_bounded() {
    let server = behind_proxy();
    sign_in(&server, &hostile(0), "ada", "wrong").await;
    let before = resident_kib(server.pid());
    for round in 0..10 {
        let attempts = (0..12).map(|n| {
            let (server, from) = (&server, hostile(1 + round * 12 + n));
            async move {
                sign_in(server, &from, &format!("nobody{n}"), "wrong")
                    .await
                    .status
            }
        });
        let statuses = futures_util::future::join_all(attempts).await;
        assert!(
            statuses
                .iter()
                .all(|status| *status == 401 || *status == 429),
            "{statuses:?}"
        );
    }
    let grown = resident_kib(server.pid()).saturating_sub(before);
    let buffers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .div_ceil(2)
        .min(4);
    let most = (buffers as u64 - 1) * 19_456 + 8_192;
    assert!(grown < most, "{grown} KiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn account_under_attack_is_open_for_its_owner() {
    let server = behind_proxy();
    let home = "192.0.2.7";
    sign_in(&server, home, "ada", PASSWORD).await.ok();
    for n in 0..11 {
        let refused = sign_in(&server, &hostile(n), "ada", "a guess").await;
        let expected = if n < 10 {
            (401, "wrong_password")
        } else {
            (429, "too_many_requests")
        };
        assert_eq!((refused.status, refused.code()), expected, "{n}");
    }
    // The right password does not help either, and an account that does not exist gets the same answer.
    assert_eq!(
        sign_in(&server, &hostile(99), "ada", PASSWORD).await.status,
        429
    );
    for n in 0..11 {
        let refused = sign_in(&server, &hostile(100 + n), "nobody", "a guess").await;
        assert_eq!(refused.status, if n < 10 { 401 } else { 429 }, "{n}");
    }
    sign_in(&server, home, "ada", PASSWORD).await.ok();
    sign_in(&server, home, "bob", PASSWORD).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flood_of_sign_ins_does_not_delay_known_users() {
    let server = behind_proxy();
    let home = "192.0.2.7";
    sign_in(&server, home, "ada", PASSWORD).await.ok();
    let flood = async {
        let mut n = 0;
        loop {
            let attempts = (0..80).map(|at| {
                let (server, from) = (&server, hostile(n + at));
                async move { sign_in(server, &from, &format!("nobody{at}"), "wrong").await }
            });
            futures_util::future::join_all(attempts).await;
            n += 80;
        }
    };
    let signing_in = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..10 {
            let began = Instant::now();
            sign_in(&server, home, "ada", PASSWORD).await.ok();
            slowest = slowest.max(began.elapsed());
        }
        slowest
    };
    let slowest = tokio::select! {
        slowest = signing_in => slowest,
        () = flood => unreachable!("it never ends"),
    };
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_logged_with_the_address_of_the_client() {
    let server = behind_proxy();
    sign_in(&server, "203.0.113.9, 192.0.2.7", "ada", "wrong").await;
    let http = Http::with_token(&server.url(), "not a token");
    let request = http
        .request(Method::GET, "/me")
        .header("x-forwarded-for", "2001:db8::7");
    assert_eq!(http.send(request).await.status, 401);
    for line in [
        " WARN plenary_server::refused: refused peer=192.0.2.7 reason=wrong_password",
        " WARN plenary_server::refused: refused peer=2001:db8::7 reason=not_signed_in",
    ] {
        wait_for_log(&server, line);
    }
}

fn wait_for_log(server: &Server, end: &str) {
    until("the refusal to be logged", || {
        let log = server.log();
        log.iter().any(|line| line.ends_with(end)).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_cannot_choose_their_address() {
    let server = server(&[]);
    for n in 0..30 {
        sign_in(&server, &hostile(n), &format!("nobody{n}"), "wrong").await;
    }
    let refused = sign_in(&server, &hostile(99), "nobody99", "wrong").await;
    assert_eq!(refused.status, 429, "all came from one address");
    wait_for_log(&server, "peer=127.0.0.1 reason=too_many_sign_ins");
}

fn connect(server: &Server) -> TcpStream {
    let address = server.url().trim_start_matches("http://").to_owned();
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("an option");
    stream
}

/// Sends bytes, and returns the first line of the answer; empty if the connection is closed.
fn first_line(mut stream: &TcpStream, bytes: &[u8]) -> String {
    let mut answer = vec![0; 512];
    let read = stream
        .write_all(bytes)
        .and_then(|()| stream.read(&mut answer));
    match read {
        Ok(read) => answer.truncate(read),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => answer.clear(),
        Err(error) => panic!("neither answered nor closed: {error}"),
    }
    let answer = String::from_utf8_lossy(&answer);
    answer.lines().next().unwrap_or_default().to_owned()
}

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn silent_connections_make_room_before_descriptors_run_out() {
    let data = tempfile::tempdir().expect("a directory");
    let launcher = ["sh", "-c", "ulimit -n 256; exec \"$@\"", "sh"].map(str::to_owned);
    let server = Server::embedded_in(data.path(), &launcher);
    let silent: Vec<TcpStream> = (0..400).map(|_| connect(&server)).collect();
    let began = Instant::now();
    for _ in 0..10 {
        let line = first_line(&connect(&server), LIVEZ.as_bytes());
        assert_eq!(line, "HTTP/1.1 200 OK");
    }
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert!(open_descriptors(server.pid()) < 200);
    // The first is closed, the last still served.
    assert_eq!(first_line(&silent[0], b""), "");
    assert_eq!(
        first_line(&silent[399], LIVEZ.as_bytes()),
        "HTTP/1.1 200 OK"
    );
}

#[test]
fn limit_on_descriptors_is_raised_at_the_start() {
    let data = tempfile::tempdir().expect("a directory");
    let launcher = ["sh", "-c", "ulimit -S -n 64; exec \"$@\"", "sh"].map(str::to_owned);
    let server = Server::embedded_in(data.path(), &launcher);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid()));
    let limits = limits.expect("the kernel lists them");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let mut numbers = line.expect("a limit").split_whitespace().skip(3);
    let soft: u64 = numbers
        .next()
        .and_then(|n| n.parse().ok())
        .expect("a number");
    assert!(soft > 64, "{soft}");
}

#[test]
fn proxy_protocol_names_the_client_and_is_required() {
    let server = server(&["--trusted-proxies", "127.0.0.1", "--proxy-protocol"]);
    let login = r#"{"email":"ada@example.org","password":"wrong"}"#;
    let request = format!(
        "PROXY TCP4 192.0.2.7 127.0.0.1 5555 443\r\nPOST /login HTTP/1.1\r\nHost: x\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{login}",
        login.len()
    );
    let line = first_line(&connect(&server), request.as_bytes());
    assert_eq!(line, "HTTP/1.1 401 Unauthorized");
    let check = format!("PROXY UNKNOWN\r\n{LIVEZ}");
    assert_eq!(
        first_line(&connect(&server), check.as_bytes()),
        "HTTP/1.1 200 OK"
    );
    assert_eq!(first_line(&connect(&server), LIVEZ.as_bytes()), "");
    for line in [
        "refused peer=192.0.2.7 reason=wrong_password",
        "refused peer=127.0.0.1 reason=bad_connection",
    ] {
        wait_for_log(&server, line);
    }
}

#[test]
fn slow_request_body_is_refused() {
    let server = server(&[]);
    let stream = connect(&server);
    let head = "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    let began = Instant::now();
    let line = first_line(&stream, head.as_bytes());
    assert_eq!(line, "HTTP/1.1 400 Bad Request");
    assert!(began.elapsed() < Duration::from_secs(20));
}
