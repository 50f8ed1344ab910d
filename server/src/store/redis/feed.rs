//! The hub's feed: a separate connection, subscribed to the channels of the followed instances.
//!
//! After a reconnect the library subscribes to all channels in one command, which a cluster refuses for
//! channels of different slots. So the set of channels is kept here, and each is subscribed to separately.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{PresenceChange, WaitingChange};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, PushInfo, PushKind, Value};
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::error::Fault;
use crate::store::Feed;

use super::connection::Connection;
use super::decode::{self, Decode, number, unexpected};
use super::keys::{self, Keys};
use super::notices;
use super::{RESPONSE_MS_MAX, RedisStore};

/// Entries between Redis and the hub. What does not fit is dropped and read from the log later, so
/// memory stays bounded however slow the hub is.
const FEED_MAX: usize = 16_384;

/// Requests that may queue. Further callers wait.
const ORDERS_MAX: usize = 1_024;

/// How often the connection is checked.
const CHECK_MS: u64 = 2_000;

/// Between two attempts to connect.
const RETRY_MS: u64 = 200;

/// How old the last probe received may be. One may be lost between two checks.
const HEARD_MS_MAX: u64 = 5_000;

/// A message that is published in order to be received again.
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

/// Requests to the connection that feeds the hub.
#[derive(Clone, Debug)]
pub struct Subscriber {
    orders: mpsc::Sender<Order>,
    probe: Probing,
}

impl Subscriber {
    /// Returns how long the last probe took; `None` if none has arrived for too long.
    pub fn heard(&self) -> Option<Duration> {
        let probe = lock(&self.probe);
        (!probe.is_late()).then_some(probe.took)
    }

    /// Starts feeding the events of an instance.
    pub async fn follow(&self, id: InstanceId) -> Result<(), Fault> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Follow(id, done)).await?;
        answer
            .await
            .map_err(|gone| Fault::unavailable("Redis", gone))?
    }

    /// Stops feeding the events of an instance.
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
    /// Starts the feed. Its task ends when the receiver or the subscriber is dropped.
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
}

struct Listener {
    client: redis::Client,
    /// The connection that publishes probes.
    commands: Connection,
    probe: Probing,
    /// The channel on which probes arrive.
    channel: Option<String>,
    feed: mpsc::Sender<Feed>,
    /// Whether an entry was dropped since the last `Gap`.
    dropped: Arc<AtomicBool>,
    followed: HashSet<InstanceId>,
    /// Whether the current outage of Redis was logged.
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
                        // Redis may be back by now, which saves the caller a retry.
                        if connection.is_none() {
                            connection = self.connect(&lost).await;
                        }
                        self.obey(order, &mut connection).await;
                    }
                    None => return,
                },
                _ = is_lost.recv() => connection = None,
                _ = check.tick(), if !retry => {
                    // A connection may answer and still deliver nothing.
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
                // The caller may be gone.
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
                // The caller may be gone.
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
            tracing::debug!("probe not published");
        }
    }

    /// Connects, subscribes to all followed instances and sends a `Gap`.
    async fn connect(&mut self, lost: &mpsc::Sender<()>) -> Option<MultiplexedConnection> {
        let (feed, dropped, lost) = (self.feed.clone(), self.dropped.clone(), lost.clone());
        let probe = self.probe.clone();
        let push = move |push: PushInfo| -> Result<(), Fault> {
            if push.kind == PushKind::Disconnection {
                // The channel holds one notification, which is enough.
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
                    tracing::error!(%fault, "event in the feed is unreadable");
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
                    tracing::warn!(%error, "feed cannot connect to Redis");
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

    /// Subscribes to the channel for probes. The first probe has as much time as any other.
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

/// A string of a published message, borrowed unless it contains escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Word<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads what a script published on this channel: a flat JSON array of strings, one of
/// `event, gen, seq, kind, user, time, name, value, …`, `durable, gen, seq`, `fence, gen, base`,
/// `typing, user`, `presence, user, word, since` and `waiting, user, name, '1' if they wait, count`.
pub fn read_published(channel: &str, payload: &str) -> Result<Feed, Fault> {
    let instance =
        keys::instance_of_channel(channel).ok_or_else(|| unexpected("a channel of no instance"))?;
    let words: Vec<Word<'_>> = serde_json::from_str(payload)
        .map_err(|error| Fault::broken("reading what a script published", error))?;
    let words: Vec<&str> = words.iter().map(|word| word.0.as_ref()).collect();
    Ok(match words.as_slice() {
        ["event", generation, seq, kind, user, time, fields @ ..] => {
            let (generation, seq) = (number(generation)?, number(seq)?);
            let event = decode::event(instance, generation, seq, kind, user, time, fields)?;
            Feed::Event(Box::new(event))
        }
        ["durable", generation, seq] => Feed::Durable {
            instance,
            generation: number(generation)?,
            seq: number(seq)?,
        },
        ["fence", generation, base] => Feed::Fence {
            instance,
            generation: number(generation)?,
            base: number(base)?,
        },
        ["typing", user] => Feed::Typing {
            instance,
            user: number(user)?,
        },
        ["presence", user, word, since] => Feed::Presence(PresenceChange {
            instance,
            user: number(user)?,
            state: decode::presence(word)?,
            since: decode::time(since)?,
        }),
        ["waiting", user, name, waits, count] => Feed::Waiting(WaitingChange {
            instance,
            user: number(user)?,
            name: (*name).to_owned(),
            is_waiting: *waits == "1",
            count: number(count)?,
        }),
        _ => return Err(unexpected("a published message of an unknown kind")),
    })
}

fn is_probe(push: &PushInfo) -> bool {
    push.kind == PushKind::SMessage
        && push
            .data
            .first()
            .and_then(|channel| channel.text().ok())
            .is_some_and(|channel| keys::is_probe(&channel))
}

/// Reads a push; `None` if it is not for the hub.
fn read(push: &PushInfo) -> Result<Option<Feed>, Fault> {
    let [channel, payload] = push.data.as_slice() else {
        return Ok(None);
    };
    match push.kind {
        PushKind::SMessage => read_published(&channel.text()?, &payload.text()?).map(Some),
        PushKind::Message => Ok(notices::read(&payload.text()?)),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use plenary_shared::domain::EventKind;

    use super::*;

    fn channel() -> String {
        Keys("1/4".parse().expect("an instance")).channel()
    }

    #[test]
    fn published_event_is_decoded() {
        let payload = r#"["event","3","17","message","7","1764000000000","cmid","01890a5d-ac96-774b-bcce-b302099a8057","body","a \"quoted\" body"]"#;
        let Ok(Feed::Event(event)) = read_published(&channel(), payload) else {
            panic!("not an event");
        };
        assert_eq!((event.generation.get(), event.seq.get()), (3, 17));
        let EventKind::Message { user, body, .. } = event.kind else {
            panic!("not a message: {event:?}");
        };
        assert_eq!((user.get(), body.as_str()), (7, "a \"quoted\" body"));
    }

    #[test]
    fn malformed_published_message_is_a_fault() {
        for payload in [
            "",
            "{}",
            "[]",
            r#"["durable","1"]"#,
            r#"["event",3,17]"#,
            r#"["x"]"#,
        ] {
            assert!(read_published(&channel(), payload).is_err(), "{payload}");
        }
        assert!(read_published("{nodes}:events", r#"["typing","7"]"#).is_err());
    }
}
