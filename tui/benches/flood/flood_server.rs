//! A minimal Plenary server for a flood.

use futures_util::{SinkExt as _, StreamExt as _};
use plenary_shared::domain::{
    Event, EventKind, Instance, InstanceState, Participant, Role, UserRef,
};
use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq, UserId};
use plenary_shared::protocol::{
    Done, HelloOk, MeetingsOk, OpenOk, Outcome, OwnRestrictions, Posted, Reply, Request,
    SUBPROTOCOL, Verb,
};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request as Asking, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use uuid::Uuid;

use crate::{LINES, author, line};

/// The number of events per frame, like the server's batches.
const BATCH: u64 = 64;

/// The user ID of the client.
const ME: u64 = 100;

/// A server for one client.
pub struct PlenaryServer {
    port: u16,
    floods: watch::Sender<bool>,
    _runtime: tokio::runtime::Runtime,
}

impl PlenaryServer {
    /// Starts on a free port of the loopback interface.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (floods, begins) = watch::channel(false);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, begins.clone()));
            }
        });
        Self {
            port,
            floods,
            _runtime: runtime,
        }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts the flood.
    pub fn flood(&self) {
        self.floods.send_replace(true);
    }
}

async fn serve(stream: TcpStream, mut begins: watch::Receiver<bool>) {
    #[expect(
        clippy::result_large_err,
        reason = "tungstenite defines the callback type"
    )]
    let named = |_: &Asking, mut response: Response| {
        let name = HeaderValue::from_static(SUBPROTOCOL);
        response
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", name);
        Ok(response)
    };
    let Ok(socket) = accept_hdr_async(stream, named).await else {
        return;
    };
    let (mut out, mut asked) = socket.split();
    let mut next = 1;
    loop {
        let is_flooding = *begins.borrow() && next <= LINES;
        let frame = tokio::select! {
            biased;
            request = asked.next() => match request {
                Some(Ok(Message::Text(text))) => answer(text.as_str()),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
            changed = begins.changed(), if !is_flooding => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
            () = std::future::ready(()), if is_flooding => {
                let numbers = next..(next + BATCH).min(LINES + 1);
                next += BATCH;
                let events = numbers.map(|n| serde_json::to_string(&message(n)).expect("JSON"));
                events.collect::<Vec<_>>().join("\n")
            }
        };
        if out.send(Message::text(frame)).await.is_err() {
            return;
        }
    }
}

fn answer(text: &str) -> String {
    let request: Request = serde_json::from_str(text).expect("a request");
    let (id, now) = (request.id, Timestamp::from_ms(now_ms()));
    match request.verb {
        Verb::Hello(_) => reply(
            id,
            HelloOk {
                user: user(ME),
                name: "ada".into(),
                email: "ada@example.org".into(),
                role: Role::Member,
                server: "1".into(),
                now,
                resumed: vec![],
            },
        ),
        Verb::Meetings {} => reply(
            id,
            MeetingsOk {
                meetings: vec![seminar()],
                unread: vec![],
                now,
            },
        ),
        Verb::Open(_) => reply(id, opened()),
        Verb::Join(_) => reply(
            id,
            Posted {
                seq: seq(1),
                timestamp: now,
                repeat: false,
                durable: None,
            },
        ),
        _ => reply(id, Done {}),
    }
}

fn reply(id: u64, ok: impl Serialize) -> String {
    let outcome = Outcome::Ok(ok);
    serde_json::to_string(&Reply { id, outcome }).expect("JSON")
}

fn opened() -> OpenOk {
    let me = EventKind::Join {
        user: user(ME),
        name: "ada".into(),
    };
    let people = (0..6).map(|n| Participant {
        name: author(n).into(),
        age: None,
        gender: None,
        email: Some(format!("{}@example.org", author(n))),
        id: user(n + 1),
        joined: Timestamp::from_ms(now_ms()),
        presence: plenary_shared::domain::Presence::Present,
        since: None,
    });
    let mut people: Vec<Participant> = people.collect();
    people.push(Participant {
        name: "ada".into(),
        id: user(ME),
        ..people[0].clone()
    });
    let users = people.iter().map(|one| UserRef {
        id: one.id,
        name: one.name.clone(),
    });
    OpenOk {
        instance: seminar(),
        generation: Generation::new(1).expect("small"),
        seq: seq(1),
        durable: Seq::default(),
        users: users.collect(),
        roster: people,
        events: vec![event(1, me)],
        more: false,
        unread: None,
        absent: None,
        restrictions: OwnRestrictions::default(),
    }
}

fn message(number: u64) -> Event {
    let what = EventKind::Message {
        user: user(number % 6 + 1),
        cmid: Cmid(Uuid::from_u128(u128::from(number) + 1)),
        body: MessageBody::parse(line(number)).expect("a body"),
        reply_to: None,
        edited: None,
        deleted: None,
    };
    event(number + 1, what)
}

fn event(number: u64, what: EventKind) -> Event {
    Event {
        instance: seminar().id,
        generation: Generation::new(1).expect("small"),
        seq: seq(number),
        kind: what,
        timestamp: Timestamp::from_ms(now_ms()),
    }
}

fn seminar() -> Instance {
    let id: InstanceId = "1/1".parse().expect("an instance");
    Instance {
        title: "Seminar".into(),
        description: String::new(),
        is_public: true,
        fromdatetime: Timestamp::from_ms(now_ms() - 60_000),
        todatetime: Timestamp::from_ms(now_ms() + 3_600_000),
        id,
        state: InstanceState::Active,
        participants: 7,
        joined: None,
        cancelled: false,
        ended_at: None,
    }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("later than that").as_millis()).expect("a time")
}

fn user(id: u64) -> UserId {
    UserId::new(id).expect("small")
}

fn seq(number: u64) -> Seq {
    Seq::new(number).expect("small")
}
