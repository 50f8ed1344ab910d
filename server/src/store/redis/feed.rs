//! The hub's feed: a connection of its own, subscribed to the followed instances' channels.
//!
//! The library subscribes again in one command after a reconnect, which a cluster refuses for
//! channels of different slots, and it keeps that to itself. So the set of channels is kept here,
//! and they are subscribed to one by one.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plenary_shared::domain::Code;
use plenary_shared::ids::{Generation, InstanceId, Seq};
use plenary_shared::protocol::{BoardServer, PresenceTold, WaitTold};
use plenary_shared::time::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, PushInfo, PushKind, Value};
use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::error::Fault;
use crate::store::overview::Denial;
use crate::store::{Feed, ReadPosition, TokenHash};

use super::connection::Connection;
use super::decode::{self, Decode, unexpected};
use super::keys::{self, Keys};
use super::{RESPONSE_MS_MAX, RedisStore};

/// What may wait between Redis and the hub. What does not fit is dropped and read from the log:
/// memory stays bounded however slow the hub is.
const FEED_MAX: usize = 16_384;

/// What may wait to be subscribed to; whoever asks for more waits.
const ORDERS_MAX: usize = 1_024;

/// Between two looks whether the connection still answers, and between two tries to connect.
const CHECK_MS: u64 = 2_000;

/// Between two tries to connect.
const RETRY_MS: u64 = 200;

/// How old the last probe that came back may be: one may be lost between two looks.
const HEARD_MS_MAX: u64 = 5_000;

/// What was published to be heard again.
#[derive(Debug, Default)]
struct Probe {
    sent: Option<Instant>,
    heard: Option<Instant>,
    took: Duration,
}

impl Probe {
    fn came_back(&mut self) {
        self.heard = Some(Instant::now());
        if let Some(sent) = self.sent.take() {
            self.took = sent.elapsed();
        }
    }

    fn is_late(&self) -> bool {
        let most = Duration::from_millis(HEARD_MS_MAX);
        self.heard.is_none_or(|heard| heard.elapsed() > most)
    }
}

type Probing = Arc<Mutex<Probe>>;

fn lock(probe: &Probing) -> MutexGuard<'_, Probe> {
    probe.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Order {
    Follow(InstanceId, oneshot::Sender<Result<(), Fault>>),
    Unfollow(InstanceId, oneshot::Sender<()>),
}

/// Orders for the connection that feeds the hub.
#[derive(Clone, Debug)]
pub struct Subscriber {
    orders: mpsc::Sender<Order>,
    probe: Probing,
}

impl Subscriber {
    /// How long what was published last took to come back; `None`: nothing came for too long.
    pub fn heard(&self) -> Option<Duration> {
        let probe = lock(&self.probe);
        (!probe.is_late()).then_some(probe.took)
    }

    /// Feeds this instance's events from now on.
    pub async fn follow(&self, id: InstanceId) -> Result<(), Fault> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Follow(id, done)).await?;
        answer
            .await
            .map_err(|gone| Fault::unavailable("Redis", gone))?
    }

    /// Feeds this instance's events no longer.
    pub async fn unfollow(&self, id: InstanceId) -> Result<(), Fault> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Unfollow(id, done)).await?;
        answer
            .await
            .map_err(|gone| Fault::unavailable("Redis", gone))
    }

    async fn order(&self, order: Order) -> Result<(), Fault> {
        self.orders
            .send(order)
            .await
            .map_err(|_| Fault::unavailable("Redis", "the feed has stopped"))
    }
}

impl RedisStore {
    /// Begins to feed the hub. The task behind it ends when the receiver or the subscriber is gone.
    pub fn subscribe(&self) -> (Subscriber, mpsc::Receiver<Feed>) {
        let (orders, to_do) = mpsc::channel(ORDERS_MAX);
        let (feed, received) = mpsc::channel(FEED_MAX);
        let probe = Probing::default();
        let listener = Listener {
            client: self.client.clone(),
            commands: self.connection.clone(),
            probe: probe.clone(),
            channel: None,
            feed,
            dropped: Arc::new(AtomicBool::new(false)),
            followed: HashSet::new(),
            reported: false,
        };
        tokio::spawn(listener.run(to_do));
        (Subscriber { orders, probe }, received)
    }

    /// Tells every server that a schedule or a list has changed.
    pub async fn notice_changed(&self) -> Result<(), Fault> {
        self.notice("changed").await
    }

    /// Tells every server that a session was closed.
    pub async fn notice_signed_out(&self, token: TokenHash) -> Result<(), Fault> {
        self.notice(&format!("signed_out {}", token.to_hex())).await
    }

    /// Tells every server how far people have read.
    pub async fn notice_read(&self, positions: &[ReadPosition]) -> Result<(), Fault> {
        let mut pipeline = redis::pipe();
        for one in positions {
            let (user, instance, seq) = (one.user, one.instance, one.seq);
            let text = format!("read {user} {instance} {seq}");
            pipeline.publish(keys::NOTICES, text).ignore();
        }
        self.ask_all(&pipeline).await
    }

    /// Tells every server that somebody was refused.
    pub async fn notice_denied(&self, denial: &Denial) -> Result<(), Fault> {
        let (instance, user, code) = (denial.instance, denial.user, denial.code);
        let (at, name) = (denial.at.as_ms(), &denial.name);
        self.notice(&format!("denied {instance} {user} {code} {at} {name}"))
            .await
    }

    /// Tells every server how this one is.
    pub async fn notice_server(&self, server: &BoardServer) -> Result<(), Fault> {
        let json = serde_json::to_string(server)
            .map_err(|error| Fault::broken("telling how this server is", error))?;
        self.notice(&format!("server {json}")).await
    }

    async fn notice(&self, text: &str) -> Result<(), Fault> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(keys::NOTICES).arg(text);
        self.ask::<u64>(&mut command).await.map(|_| ())
    }
}

struct Listener {
    client: redis::Client,
    /// By which probes are published.
    commands: Connection,
    probe: Probing,
    /// On which probes are heard.
    channel: Option<String>,
    feed: mpsc::Sender<Feed>,
    /// Whether something did not fit since the last `Gap`.
    dropped: Arc<AtomicBool>,
    followed: HashSet<InstanceId>,
    /// Whether it was logged that Redis is away, since it was last there.
    reported: bool,
}

impl Listener {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut connection = None;
        let mut check = tokio::time::interval(Duration::from_millis(CHECK_MS));
        check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (lost, mut is_lost) = mpsc::channel(1);
        loop {
            if connection.is_none() {
                connection = self.connect(&lost).await;
            }
            let retry = connection.is_none();
            tokio::select! {
                () = self.feed.closed() => return,
                order = orders.recv() => match order {
                    Some(order) => {
                        // Redis may be back by now, and whoever asks should not have to ask again.
                        if connection.is_none() {
                            connection = self.connect(&lost).await;
                        }
                        self.obey(order, &mut connection).await;
                    }
                    None => return,
                },
                _ = is_lost.recv() => connection = None,
                _ = check.tick(), if !retry => {
                    // A connection that answers may be fed with nothing all the same.
                    if !self.answers(connection.as_mut()).await || lock(&self.probe).is_late() {
                        connection = None;
                    }
                    self.publish_probe().await;
                    if self.dropped.swap(false, Ordering::Relaxed)
                        && self.feed.send(Feed::Gap).await.is_err()
                    {
                        return;
                    }
                }
                () = tokio::time::sleep(Duration::from_millis(RETRY_MS)), if retry => {}
            }
        }
    }

    async fn obey(&mut self, order: Order, connection: &mut Option<MultiplexedConnection>) {
        match order {
            Order::Follow(id, done) => {
                let result = match connection {
                    Some(connection) => subscribe(connection, id).await,
                    None => Err(Fault::unavailable("Redis", "the feed is not connected")),
                };
                if result.is_ok() {
                    self.followed.insert(id);
                } else {
                    *connection = None;
                }
                // Whoever asked may have gone; then nobody wants to know.
                let _ = done.send(result);
            }
            Order::Unfollow(id, done) => {
                self.followed.remove(&id);
                if let Some(up) = connection {
                    let mut command = redis::cmd("SUNSUBSCRIBE");
                    command.arg(Keys(id).channel());
                    if command.query_async::<()>(up).await.is_err() {
                        // The next connection does not subscribe to it.
                        *connection = None;
                    }
                }
                // Whoever asked may have gone; then nobody wants to know.
                let _ = done.send(());
            }
        }
    }

    async fn publish_probe(&mut self) {
        let Some(channel) = &self.channel else { return };
        lock(&self.probe).sent = Some(Instant::now());
        let mut command = redis::cmd("SPUBLISH");
        command.arg(channel).arg("");
        if !matches!(self.commands.ask::<u64>(&command).await, Ok(Ok(_))) {
            tracing::debug!("a probe could not be published");
        }
    }

    /// Connects, subscribes to everything that is followed, and says that events may be missing.
    async fn connect(&mut self, lost: &mpsc::Sender<()>) -> Option<MultiplexedConnection> {
        let (feed, dropped, lost) = (self.feed.clone(), self.dropped.clone(), lost.clone());
        let probe = self.probe.clone();
        let push = move |push: PushInfo| -> Result<(), Fault> {
            if push.kind == PushKind::Disconnection {
                // One is as good as many: the channel holds one.
                let _ = lost.try_send(());
                return Ok(());
            }
            if is_probe(&push) {
                lock(&probe).came_back();
                return Ok(());
            }
            match read(&push) {
                Ok(Some(news)) => {
                    if feed.try_send(news).is_err() {
                        dropped.store(true, Ordering::Relaxed);
                    }
                }
                Ok(None) => {}
                Err(fault) => {
                    dropped.store(true, Ordering::Relaxed);
                    tracing::error!(%fault, "an event in the feed cannot be read");
                }
            }
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)))
            .set_response_timeout(Some(Duration::from_millis(RESPONSE_MS_MAX)))
            .set_push_sender(push);
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        let mut connection = match connecting.await {
            Ok(connection) => connection,
            Err(error) => {
                if !std::mem::replace(&mut self.reported, true) {
                    tracing::warn!(%error, "the feed cannot connect to Redis");
                }
                return None;
            }
        };
        if connection.subscribe(keys::NOTICES).await.is_err() {
            return None;
        }
        for id in &self.followed {
            if subscribe(&mut connection, *id).await.is_err() {
                return None;
            }
        }
        if !self.hear_probes(&mut connection).await {
            return None;
        }
        self.feed.send(Feed::Gap).await.ok()?;
        self.reported = false;
        Some(connection)
    }

    /// Subscribes to a channel of its own, and counts as heard from here on: the first probe has its
    /// time.
    async fn hear_probes(&mut self, connection: &mut MultiplexedConnection) -> bool {
        let mut number = redis::cmd("CLIENT");
        number.arg("ID");
        let Ok(number) = number.query_async::<i64>(connection).await else {
            return false;
        };
        let channel = keys::probe(number);
        let mut command = redis::cmd("SSUBSCRIBE");
        command.arg(&channel);
        if command.query_async::<()>(connection).await.is_err() {
            return false;
        }
        self.channel = Some(channel);
        self.publish_probe().await;
        lock(&self.probe).heard = Some(Instant::now());
        true
    }

    async fn answers(&self, connection: Option<&mut MultiplexedConnection>) -> bool {
        match connection {
            Some(connection) => redis::cmd("PING")
                .query_async::<Value>(connection)
                .await
                .is_ok(),
            None => false,
        }
    }
}

async fn subscribe(connection: &mut MultiplexedConnection, id: InstanceId) -> Result<(), Fault> {
    let mut command = redis::cmd("SSUBSCRIBE");
    command.arg(Keys(id).channel());
    command
        .query_async::<()>(connection)
        .await
        .map_err(super::fault)
}

/// Reads what a script published on this channel.
pub fn read_published(channel: &str, payload: &str) -> Result<Feed, Fault> {
    let instance = keys::instance_of_channel(channel)
        .ok_or_else(|| unexpected("a channel that is no instance's"))?;
    read_event(instance, payload)
}

fn is_probe(push: &PushInfo) -> bool {
    push.kind == PushKind::SMessage
        && push
            .data
            .first()
            .and_then(|channel| channel.text().ok())
            .is_some_and(|channel| keys::is_probe(&channel))
}

/// What a push says; `None`: nothing for the hub.
fn read(push: &PushInfo) -> Result<Option<Feed>, Fault> {
    let [channel, payload] = push.data.as_slice() else {
        return Ok(None);
    };
    match push.kind {
        PushKind::SMessage => read_published(&channel.text()?, &payload.text()?).map(Some),
        PushKind::Message => Ok(read_notice(&payload.text()?)),
        _ => Ok(None),
    }
}

fn read_notice(text: &str) -> Option<Feed> {
    if text == "changed" {
        return Some(Feed::Changed);
    }
    if let Some(read) = text.strip_prefix("read ") {
        let mut words = read.split(' ');
        return Some(Feed::Read(ReadPosition {
            user: words.next()?.parse().ok()?,
            instance: words.next()?.parse().ok()?,
            seq: words.next()?.parse().ok()?,
        }));
    }
    if let Some(denied) = text.strip_prefix("denied ") {
        let mut words = denied.splitn(5, ' ');
        return Some(Feed::Denied(Box::new(Denial {
            instance: words.next()?.parse().ok()?,
            user: words.next()?.parse().ok()?,
            code: {
                let word = words.next()?;
                *Code::ALL.iter().find(|code| code.as_str() == word)?
            },
            at: Timestamp::from_ms(words.next()?.parse().ok()?),
            name: words.next()?.to_owned(),
        })));
    }
    if let Some(json) = text.strip_prefix("server ") {
        return serde_json::from_str(json).ok().map(Feed::Server);
    }
    let hex = text.strip_prefix("signed_out ")?;
    let mut hash = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(Feed::SignedOut(TokenHash(hash)))
}

/// Reads what the scripts publish: `["event", gen, seq, kind, user, time, [fields]]`,
/// `["durable", gen, seq]`, `["fence", gen, base]`, `["typing", user]`,
/// `["presence", user, word, since]`, `["waiting", user, name, '1' if they do, count]`.
fn read_event(instance: InstanceId, payload: &str) -> Result<Feed, Fault> {
    let parts: Vec<Json> = serde_json::from_str(payload)
        .map_err(|error| Fault::broken("reading what a script published", error))?;
    let text = |at: usize| match parts.get(at) {
        Some(Json::String(text)) => Ok(text.clone()),
        Some(Json::Number(number)) => Ok(number.to_string()),
        _ => Err(unexpected(
            "a published part that is neither text nor number",
        )),
    };
    let generation = |at| -> Result<Generation, Fault> {
        text(at)?
            .parse()
            .map_err(|_| unexpected("no generation where one belongs"))
    };
    let seq = |at| -> Result<Seq, Fault> {
        text(at)?
            .parse()
            .map_err(|_| unexpected("no seq where one belongs"))
    };
    Ok(match text(0)?.as_str() {
        "durable" => Feed::Durable {
            instance,
            generation: generation(1)?,
            seq: seq(2)?,
        },
        "fence" => Feed::Fence {
            instance,
            generation: generation(1)?,
            base: seq(2)?,
        },
        "typing" => Feed::Typing {
            instance,
            user: decode::user(&text(1)?)?,
        },
        "presence" => Feed::Presence(PresenceTold {
            instance,
            user: decode::user(&text(1)?)?,
            state: decode::presence(&text(2)?)?,
            since: decode::time(&text(3)?)?,
        }),
        "waiting" => Feed::Waiting(WaitTold {
            instance,
            user: decode::user(&text(1)?)?,
            name: text(2)?,
            waits: text(3)? == "1",
            count: text(4)?
                .parse()
                .map_err(|_| unexpected("no count where one belongs"))?,
        }),
        "event" => {
            let fields: Vec<String> = match parts.get(6) {
                Some(Json::Array(fields)) => fields
                    .iter()
                    .map(|field| field.as_str().map(str::to_owned))
                    .collect::<Option<_>>()
                    .ok_or_else(|| unexpected("a published field that is no text"))?,
                // An empty Lua table is an empty object.
                _ => Vec::new(),
            };
            let event = decode::event(
                instance,
                generation(1)?,
                seq(2)?,
                &text(3)?,
                &text(4)?,
                &text(5)?,
                &fields,
            )?;
            Feed::Event(Box::new(event))
        }
        _ => return Err(unexpected("something published that we do not know")),
    })
}
