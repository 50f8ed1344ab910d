//! The members: all of them read at once, some of them post, and every delivery is timed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use plenary_shared::ids::Cmid;
use plenary_shared::protocol::{Ack, Open, OpenOk, Post, Posted, Request, Verb};
use plenary_shared::text::MessageBody;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::line::Line;
use crate::place::{Place, here};
use crate::{MEMBERS, POSTERS, POSTS_PER_S, Times};

/// The prefix of a message; the interval of the post and its time in microseconds follow.
const MARK: &str = "\"body\":\"#";

/// Bytes of a message: large, so that a stalled reader's buffers fill soon.
const BODY_BYTES: usize = 1_000;

/// How late deliveries of one interval may be; then some are lost.
const LATE: Duration = Duration::from_secs(20);

/// Time between the end of an interval and the last post that counts to it.
const SETTLED: Duration = Duration::from_millis(100);

type Wire = WebSocketStream<TcpStream>;

/// All members.
pub struct Members {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    began: Instant,
    /// The current interval.
    span: AtomicUsize,
    /// Posts of this interval.
    posted: AtomicUsize,
    /// Deliveries to each member in this interval.
    received: Vec<Mutex<Vec<u32>>>,
}

impl Members {
    /// Joins all members and starts those who post.
    pub async fn join(place: &Place) -> Self {
        let shared = Arc::new(Shared {
            began: Instant::now(),
            span: AtomicUsize::new(0),
            posted: AtomicUsize::new(0),
            received: (0..MEMBERS).map(|_| Mutex::default()).collect(),
        });
        let mut tasks = vec![];
        for (number, token) in place.tokens[..MEMBERS].iter().enumerate() {
            // It reads from now on: a client that waits silently would be taken for dead.
            let line = enter(place, token).await;
            let (sink, stream) = line.stream.split();
            tasks.push(tokio::spawn(read(shared.clone(), number, stream)));
            if number < POSTERS {
                tasks.push(tokio::spawn(post(shared.clone(), number, sink)));
            } else {
                tasks.push(tokio::spawn(hold(sink)));
            }
        }
        Self { shared, tasks }
    }

    /// Measures an interval: the posts from now on, once everybody has received them.
    pub async fn span(&mut self, length: Duration) -> Times {
        let shared = &self.shared;
        shared.posted.store(0, Ordering::SeqCst);
        for received in &shared.received {
            lock(received).clear();
        }
        shared.span.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(length).await;
        let next = shared.span.load(Ordering::SeqCst) + 1;
        shared.span.store(next, Ordering::SeqCst);
        // A member that just read the current interval has posted by then.
        tokio::time::sleep(SETTLED).await;
        let posted = shared.posted.load(Ordering::SeqCst);
        let late = Instant::now() + LATE;
        let counts = || shared.received.iter().map(|times| lock(times).len());
        while counts().any(|count| count < posted) {
            let least = counts().min().unwrap_or_default();
            assert!(
                Instant::now() < late,
                "a member has {least} of {posted} messages"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(
            counts().all(|count| count == posted),
            "a message was delivered twice"
        );
        let mut all = Times::default();
        for received in &shared.received {
            all.add(Times(std::mem::take(&mut *lock(received))));
        }
        all
    }

    /// Stops all members.
    pub async fn end(self) {
        for task in &self.tasks {
            task.abort();
        }
        for task in self.tasks {
            // Cancelled on purpose.
            let _ = task.await;
        }
    }
}

async fn enter(place: &Place, token: &str) -> Line {
    let (mut line, _) = Line::connect(&place.server().url(), token, None, vec![]).await;
    let _: Posted = line.ask(Verb::Join(here())).await;
    let open = Open {
        instance: here(),
        limit: 1,
    };
    let _: OpenOk = line.ask(Verb::Open(open)).await;
    line
}

async fn read(shared: Arc<Shared>, number: usize, mut stream: SplitStream<Wire>) {
    while let Some(frame) = stream.next().await {
        let text = match frame {
            Ok(Message::Text(text)) => text,
            Ok(_) => continue,
            Err(error) => panic!("a member's connection broke: {error}"),
        };
        let now = micros(shared.began);
        for said in text.split(MARK).skip(1) {
            let mut numbers = said.split(' ').map(str::parse::<u64>);
            let (Some(Ok(span)), Some(Ok(at))) = (numbers.next(), numbers.next()) else {
                panic!("unexpected message: {said}");
            };
            let current = shared.span.load(Ordering::SeqCst) as u64;
            // An interval lasts until everybody has its messages.
            if span + 1 >= current && span % 2 == 1 {
                let took = u32::try_from(now - at).unwrap_or(u32::MAX);
                lock(&shared.received[number]).push(took);
            }
        }
    }
}

async fn post(shared: Arc<Shared>, number: usize, mut sink: SplitSink<Wire, Message>) {
    let posters = u32::try_from(POSTERS).expect("a small number");
    let mut turn = interval(Duration::from_secs(1) * posters / POSTS_PER_S);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Not all at the same moment.
    let share = u32::try_from(number).expect("a small number");
    tokio::time::sleep(Duration::from_secs(1) * share / POSTS_PER_S).await;
    let mut id = 1_000_000;
    loop {
        turn.tick().await;
        id += 1;
        let span = shared.span.load(Ordering::SeqCst);
        if span == 0 {
            // Not everybody has joined.
            continue;
        }
        let said = format!("#{span} {} ", micros(shared.began));
        let body = format!("{said}{}", "x".repeat(BODY_BYTES - said.len()));
        let post = Post {
            instance: here(),
            cmid: Cmid(uuid::Uuid::now_v7()),
            body: MessageBody::parse(&body).expect("a body"),
            reply_to: None,
            ack: Ack::Ordered,
        };
        let verb = Verb::Post(post);
        let text = serde_json::to_string(&Request { id, verb }).expect("JSON");
        if span % 2 == 1 {
            shared.posted.fetch_add(1, Ordering::SeqCst);
        }
        sink.send(Message::text(text)).await.expect("sent");
    }
}

/// Keeps the half that answers pings.
async fn hold(sink: SplitSink<Wire, Message>) {
    std::future::pending::<()>().await;
    drop(sink);
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).expect("no bench lasts that long")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
