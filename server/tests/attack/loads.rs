//! The hostile loads: each returns how many requests, frames or connections it made.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use plenary_shared::ids::InstanceId;
use plenary_testkit::{Server, masked_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::{Times, chat};

const PASSWORD: &str = "correct horse";

/// Flags and opcodes of frames.
const TEXT: u8 = 0x81;
const FRAGMENT: u8 = 0x00;
const PING: u8 = 0x89;

/// The address of the users who sign in with the right password.
const HOME: &str = "192.0.2.7";

/// Time that a hostile client waits for an answer, in seconds.
const ANSWER_S: u64 = 10;

/// Connections that send requests at the same time.
const PARALLEL: usize = 40;

/// Runs a load of this amount. Returns how much of it ran.
type Run = for<'a> fn(&'a Target, usize) -> Pin<Box<dyn Future<Output = usize> + 'a>>;

/// A hostile load.
pub struct Load {
    pub name: &'static str,
    /// Connections, frames or requests.
    pub amount: usize,
    pub run: Run,
}

macro_rules! load {
    ($name:literal, $amount:literal, $run:ident) => {
        Load {
            name: $name,
            amount: $amount,
            run: |target, amount| Box::pin($run(target, amount)),
        }
    };
}

/// All loads, with their full amounts: a million requests and frames together.
pub const LOADS: &[Load] = &[
    load!("pings from sockets that read nothing", 100_000, pings),
    load!("wrong sign-ins from many addresses", 1_000, wrong_sign_ins),
    load!("80 at a time for one account", 10_000, sign_in_flood),
    load!("silent connections", 3_000, silent),
    load!("sockets before hello", 3_000, before_hello),
    load!("slow request heads", 1_000, slow_heads),
    load!("slow request bodies", 1_000, slow_bodies),
    load!("oversized frames", 2_000, oversized_frames),
    load!("malformed frames", 20_000, malformed_frames),
    load!("malformed requests by WebSocket", 600_000, malformed_lines),
    load!("malformed requests by HTTP", 100_000, malformed_http),
    load!("unknown tokens", 100_000, unknown_tokens),
    load!("posts of one member", 60_000, posts),
];

/// The server under attack, and what was seen.
pub struct Target {
    address: SocketAddr,
    token: String,
    here: InstanceId,
    next_address: AtomicUsize,
    failures: Mutex<Vec<String>>,
    sign_ins: Mutex<Times>,
}

impl Target {
    /// Adds users, and a meeting that one of them floods.
    pub async fn prepare(server: &Server) -> Self {
        for name in ["ada", "bob", "mallory"] {
            server.add_user(name, &format!("{name}@example.org"), PASSWORD);
        }
        let address = server.url().trim_start_matches("http://").to_owned();
        Self {
            address: address.parse().expect("an address"),
            token: server.token("mallory@example.org"),
            here: chat::meeting(server).await,
            next_address: AtomicUsize::new(0),
            failures: Mutex::default(),
            sign_ins: Mutex::default(),
        }
    }

    /// The promises that did not hold.
    pub fn failures(&self) -> Vec<String> {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn record_sign_in(&self, took: Duration) {
        let mut sign_ins = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner);
        sign_ins.add(took);
    }

    /// Takes the times of the right sign-ins since the last call.
    pub fn take_sign_ins(&self) -> Times {
        std::mem::take(&mut *self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn fail(&self, what: String) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }

    /// A new hostile address.
    fn hostile(&self) -> String {
        let n = self.next_address.fetch_add(1, Ordering::Relaxed);
        format!("10.{}.{}.{}", n / 65_536 % 256, n / 256 % 256, n % 256)
    }

    /// Connects; `None` if the server refuses or closes the connection.
    async fn connect(&self) -> Option<TcpStream> {
        let connecting = TcpStream::connect(self.address);
        timeout(Duration::from_secs(ANSWER_S), connecting)
            .await
            .ok()?
            .ok()
    }

    /// Sends a request, and returns the status of its answer.
    async fn status(&self, stream: &mut TcpStream, request: &[u8]) -> Option<u16> {
        let asking = async {
            stream.write_all(request).await.ok()?;
            let mut answer = vec![0; 4_096];
            let read = stream.read(&mut answer).await.ok()?;
            let answer = String::from_utf8_lossy(&answer[..read]);
            answer.split(' ').nth(1)?.parse::<u16>().ok()
        };
        let status = timeout(Duration::from_secs(ANSWER_S), asking).await.ok()?;
        if let Some(status @ 500..) = status
            && status != 503
        {
            self.fail(format!("{status} for {}", String::from_utf8_lossy(request)));
        }
        status
    }

    /// Opens a WebSocket from this address.
    async fn upgrade(&self, from: &str) -> Option<TcpStream> {
        let mut stream = self.connect().await?;
        let head = format!(
            "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             X-Forwarded-For: {from}\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        (self.status(&mut stream, head.as_bytes()).await? == 101).then_some(stream)
    }

    /// Opens a WebSocket of Mallory.
    async fn signed_in(&self) -> Option<TcpStream> {
        let mut stream = self.upgrade(HOME).await?;
        let hello = format!(r#"{{"id":1,"hello":{{"token":"{}"}}}}"#, self.token);
        stream
            .write_all(&masked_frame(TEXT, hello.as_bytes()))
            .await
            .ok()?;
        let mut answer = vec![0; 4_096];
        let read = stream.read(&mut answer).await.ok()?;
        (read > 0).then_some(stream)
    }

    async fn sign_in(&self, from: &str, email: &str, password: &str) -> Option<u16> {
        let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
        let head = format!("X-Forwarded-For: {from}\r\nConnection: close\r\n");
        let mut stream = self.connect().await?;
        self.status(&mut stream, &post("/login", &head, &body))
            .await
    }
}

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}")
        .into_bytes()
}

/// Runs `amount` calls, some of them at the same time.
async fn spread(amount: usize, run: impl AsyncFn(usize)) {
    let next = AtomicUsize::new(0);
    let workers = (0..PARALLEL).map(|_| async {
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= amount {
                break;
            }
            run(n).await;
        }
    });
    join_all(workers).await;
}

/// Makes the server allocate what it keeps.
pub async fn warm_up(target: &Target) {
    for name in ["ada", "bob"] {
        let email = format!("{name}@example.org");
        let status = target.sign_in(HOME, &email, PASSWORD).await;
        assert_eq!(status, Some(200));
    }
    wrong_sign_ins(target, 8).await;
    before_hello(target, 50).await;
    malformed_lines(target, 1_000).await;
}

async fn pings(target: &Target, amount: usize) -> usize {
    let ping = masked_frame(PING, &[b'x'; 125]).repeat(100);
    spread(amount / 100, async |_| {
        if let Some(mut stream) = target.upgrade(&target.hostile()).await {
            // Ends when the server closes the connection, or reads nothing.
            let _ = timeout(Duration::from_secs(1), async {
                while stream.write_all(&ping).await.is_ok() {}
            })
            .await;
        }
    })
    .await;
    amount
}

async fn wrong_sign_ins(target: &Target, amount: usize) -> usize {
    spread(amount, async |n| {
        let email = format!("nobody{n}@example.org");
        target.sign_in(&target.hostile(), &email, "wrong").await;
    })
    .await;
    amount
}

/// Half of them for one account, half for random ones, while its owner signs in from home.
async fn sign_in_flood(target: &Target, amount: usize) -> usize {
    let flood = join_all((0..2).map(|half| {
        spread(amount / 2, async move |n| {
            let email = if half == 0 {
                "ada@example.org".to_owned()
            } else {
                format!("{n}@example.org")
            };
            target.sign_in(&target.hostile(), &email, "wrong").await;
        })
    }));
    let owner = async {
        loop {
            let began = Instant::now();
            let status = target.sign_in(HOME, "ada@example.org", PASSWORD).await;
            if status != Some(200) {
                target.fail(format!("a right sign-in was answered with {status:?}"));
            }
            target.record_sign_in(began.elapsed());
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        _ = flood => {}
        () = owner => unreachable!("it never ends"),
    }
    amount
}

async fn silent(target: &Target, amount: usize) -> usize {
    let open = join_all((0..amount).map(|_| target.connect())).await;
    let began = Instant::now();
    let mut stream = target.connect().await.expect("the server accepts");
    let status = target
        .status(&mut stream, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    if status != Some(200) || began.elapsed() > Duration::from_secs(1) {
        target.fail(format!(
            "/livez beside silent connections: {status:?} after {:?}",
            began.elapsed()
        ));
    }
    sleep(Duration::from_secs(2)).await;
    drop(open);
    amount
}

async fn before_hello(target: &Target, amount: usize) -> usize {
    let opened = Mutex::new(vec![]);
    spread(amount, async |_| {
        let stream = target.upgrade(&target.hostile()).await;
        opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(stream);
    })
    .await;
    sleep(Duration::from_secs(1)).await;
    drop(opened);
    amount
}

/// Sends the start of a request, and then a little at a time for some seconds.
async fn slowly(target: &Target, amount: usize, start: &[u8], part: &[u8]) -> usize {
    join_all((0..amount).map(async |_| {
        let mut stream = target.connect().await?;
        stream.write_all(start).await.ok()?;
        for _ in 0..10 {
            sleep(Duration::from_millis(200)).await;
            stream.write_all(part).await.ok()?;
        }
        Some(())
    }))
    .await;
    amount
}

async fn slow_heads(target: &Target, amount: usize) -> usize {
    slowly(target, amount, b"GET /livez HTTP/1.1\r\n", b"X-A: b\r\n").await
}

async fn slow_bodies(target: &Target, amount: usize) -> usize {
    let start = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
          Content-Length: 16000\r\n\r\n{";
    slowly(target, amount, start, b" ").await
}

async fn oversized_frames(target: &Target, amount: usize) -> usize {
    let frame = masked_frame(TEXT, &vec![b' '; 65_537]);
    spread(amount, async |n| {
        let stream = if n % 2 == 0 {
            target.signed_in().await
        } else {
            target.upgrade(&target.hostile()).await
        };
        if let Some(mut stream) = stream {
            let _ = stream.write_all(&frame).await;
            let mut answer = [0; 64];
            let _ = timeout(Duration::from_secs(ANSWER_S), stream.read(&mut answer)).await;
        }
    })
    .await;
    amount
}

async fn malformed_frames(target: &Target, amount: usize) -> usize {
    spread(amount, async |n| {
        let byte = u8::try_from(n % 251).expect("a byte");
        let payload: Vec<u8> = (0..40)
            .map(|at| byte.wrapping_mul(at).wrapping_add(at))
            .collect();
        let frame = match n % 4 {
            0 => payload,
            1 => masked_frame(byte, &payload),
            2 => masked_frame(TEXT, &payload),
            _ => masked_frame(FRAGMENT, &payload),
        };
        if let Some(mut stream) = target.upgrade(&target.hostile()).await {
            let _ = stream.write_all(&frame).await;
        }
    })
    .await;
    amount
}

async fn malformed_lines(target: &Target, amount: usize) -> usize {
    const LINES: usize = 100;
    let lines = [
        r#"{"id":1,"post":{}}"#,
        "{",
        "[]",
        r#"{"id":-1}"#,
        r#"{"id":1,"dance":{}}"#,
    ];
    let text = lines.join("\n").repeat(LINES / lines.len());
    let frame = masked_frame(TEXT, text.as_bytes());
    let workers = (0..PARALLEL).map(async |_| {
        let Some(stream) = target.signed_in().await else {
            return;
        };
        let (mut reader, mut writer) = stream.into_split();
        let reading = tokio::spawn(async move {
            let mut answers = vec![0; 65_536];
            while reader.read(&mut answers).await.is_ok_and(|read| read > 0) {}
        });
        for _ in 0..amount / LINES / PARALLEL {
            if writer.write_all(&frame).await.is_err() {
                break;
            }
        }
        // The close frame is answered after all requests.
        let _ = writer.write_all(&masked_frame(0x88, b"")).await;
        let _ = timeout(Duration::from_mins(1), reading).await;
    });
    join_all(workers).await;
    amount
}

async fn malformed_http(target: &Target, amount: usize) -> usize {
    let requests = [
        post("/login", "", "{"),
        post("/login", "", &"x".repeat(20_000)),
        post("/meeting/x/order/1/join", "", "{}"),
        b"GET /search?q=%00 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"NONSENSE\r\n\r\n".to_vec(),
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n".to_vec(),
        [
            &b"GET / HTTP/1.1\r\nX-Long: "[..],
            "x".repeat(20_000).as_bytes(),
            b"\r\n\r\n",
        ]
        .concat(),
    ];
    spread(amount, async |n| {
        if let Some(mut stream) = target.connect().await {
            target
                .status(&mut stream, &requests[n % requests.len()])
                .await;
        }
    })
    .await;
    amount
}

async fn unknown_tokens(target: &Target, amount: usize) -> usize {
    spread(amount, async |n| {
        if let Some(mut stream) = target.connect().await {
            let request = format!(
                "GET /me HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {}\r\nAuthorization: Bearer {n:064x}\r\n\r\n",
                target.hostile()
            );
            target.status(&mut stream, request.as_bytes()).await;
        }
    })
    .await;
    amount
}

async fn posts(target: &Target, amount: usize) -> usize {
    let Some(stream) = target.signed_in().await else {
        return 0;
    };
    let (mut reader, mut writer) = stream.into_split();
    let reading = tokio::spawn(async move {
        let mut answers = vec![0; 65_536];
        while reader.read(&mut answers).await.is_ok_and(|read| read > 0) {}
    });
    let (meeting, order) = (target.here.meeting, target.here.order);
    let join = format!(r#"{{"id":2,"join":{{"meetingID":{meeting},"orderID":{order}}}}}"#);
    let _ = writer.write_all(&masked_frame(TEXT, join.as_bytes())).await;
    let body = "x".repeat(4_000);
    for id in 0..amount {
        let cmid = uuid::Uuid::now_v7();
        let post = format!(
            r#"{{"id":{id},"post":{{"meetingID":{meeting},"orderID":{order},"cmid":"{cmid}","body":"{body}"}}}}"#
        );
        if writer
            .write_all(&masked_frame(TEXT, post.as_bytes()))
            .await
            .is_err()
        {
            break;
        }
    }
    let _ = writer.write_all(&masked_frame(0x88, b"")).await;
    let _ = timeout(Duration::from_mins(1), reading).await;
    amount
}
