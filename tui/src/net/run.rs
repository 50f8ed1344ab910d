//! The connection's life: open, converse, close, wait, again.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use plenary_shared::limits::FRAME_BYTES_MAX;
use plenary_shared::protocol::{Request, SILENCE_S, ServerLine};
use plenary_shared::text::for_terminal;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, Message};

use super::connect::{Socket, open};
use super::{Ask, Closed, TOLD_MAX, Told, backoff::wait_before};
use crate::address::Server;

/// How often silence and sleep are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Silence after which the connection is dead.
const SILENCE: Duration = Duration::from_secs(SILENCE_S);

/// How far the wall clock may run ahead of the monotonic one, which stands while a machine sleeps.
const SLEPT: Duration = Duration::from_secs(10);

/// How long one line may take to leave.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// How long saying goodbye may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection of this length was a good one: the next try comes at once.
const LASTED: Duration = Duration::from_secs(5);

/// The owner has dropped its end.
struct OwnerGone;

/// Runs until the owner drops its end.
pub async fn run(
    server: Server,
    wall_clock: fn() -> SystemTime,
    ask: mpsc::Receiver<Ask>,
    told: mpsc::Sender<Told>,
) {
    let mut ends = Ends {
        ask,
        told,
        wall_clock,
    };
    let mut attempt = 0;
    while let Ok(next) = once(&server, attempt, &mut ends).await {
        attempt = next;
    }
}

/// One connection, and the wait after it; gives the next attempt's number.
async fn once(server: &Server, attempt: u32, ends: &mut Ends) -> Result<u32, OwnerGone> {
    ends.all_read().await?;
    ends.tell(Told::Connecting { attempt }).await?;
    let mut next = attempt.saturating_add(1);
    let why = match ends.dropping_asks(open(server)).await? {
        Ok(socket) => {
            ends.tell(Told::Open).await?;
            let opened = Instant::now();
            let why = converse(socket, ends).await?;
            if opened.elapsed() >= LASTED {
                next = 0;
            }
            why
        }
        Err(why) => why,
    };
    if why == Closed::Asked {
        next = 0;
    }
    let retry_in = why
        .asks_to_reconnect()
        .then(|| wait_before(next, rand::random()));
    ends.tell(Told::Closed { why, retry_in }).await?;
    match retry_in {
        Some(wait) => match timeout(wait, ends.asked_to_reconnect()).await {
            Ok(asked) => asked.map(|()| 0),
            Err(_elapsed) => Ok(next),
        },
        None => ends.asked_to_reconnect().await.map(|()| 0),
    }
}

/// The task's ends of both channels, and the clock that sleep does not stop.
struct Ends {
    ask: mpsc::Receiver<Ask>,
    told: mpsc::Sender<Told>,
    wall_clock: fn() -> SystemTime,
}

impl Ends {
    /// Waits for `work`; what is asked meanwhile is dropped, so that an owner who waits for room in
    /// one channel never stops the other.
    async fn dropping_asks<T>(&mut self, work: impl Future<Output = T>) -> Result<T, OwnerGone> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                asked = self.ask.recv() => match asked {
                    Some(Ask::Send(_) | Ask::Reconnect) => {}
                    None => return Err(OwnerGone),
                },
            }
        }
    }

    async fn tell(&mut self, what: Told) -> Result<(), OwnerGone> {
        let told = self.told.clone();
        self.dropping_asks(told.send(what))
            .await?
            .map_err(|_| OwnerGone)
    }

    /// Waits until the owner has taken everything that was told.
    async fn all_read(&mut self) -> Result<(), OwnerGone> {
        let told = self.told.clone();
        let permits = self.dropping_asks(told.reserve_many(TOLD_MAX)).await?;
        permits.map(drop).map_err(|_| OwnerGone)
    }

    async fn asked_to_reconnect(&mut self) -> Result<(), OwnerGone> {
        loop {
            match self.ask.recv().await {
                Some(Ask::Reconnect) => return Ok(()),
                Some(Ask::Send(_)) => {}
                None => return Err(OwnerGone),
            }
        }
    }
}

/// Talks on an open socket until it ends.
async fn converse(mut socket: Socket, ends: &mut Ends) -> Result<Closed, OwnerGone> {
    let mut clock = Clock::start(ends.wall_clock);
    // The lines of one message that the owner has not taken yet; no more is read before.
    let mut waiting: VecDeque<Told> = VecDeque::new();
    loop {
        tokio::select! {
            permit = ends.told.reserve(), if !waiting.is_empty() => {
                let Ok(permit) = permit else { return goodbye(socket).await };
                if let Some(told) = waiting.pop_front() {
                    permit.send(told);
                }
            }
            frame = socket.next(), if waiting.is_empty() => {
                clock.heard();
                match read(frame) {
                    Ok(told) => waiting.extend(told),
                    Err(why) => {
                        // Answers a close frame; what cannot be answered any more fails at once.
                        let _ = timeout(GOODBYE_TIMEOUT, socket.close(None)).await;
                        return Ok(why);
                    }
                }
            }
            asked = ends.ask.recv() => match asked {
                Some(Ask::Send(request)) => match send(&mut socket, &request).await {
                    Ok(true) => {}
                    Ok(false) => waiting.push_back(Told::Unsent { id: request.id }),
                    Err(why) => return Ok(why),
                },
                Some(Ask::Reconnect) => {
                    finish(socket).await;
                    return Ok(Closed::Asked);
                }
                None => return goodbye(socket).await,
            },
            () = sleep_until(clock.next_look) => {
                if !waiting.is_empty() {
                    // It is the owner who is slow.
                    clock.heard();
                } else if let Some(why) = clock.look() {
                    return Ok(why);
                }
            }
        }
    }
}

async fn goodbye(socket: Socket) -> Result<Closed, OwnerGone> {
    finish(socket).await;
    Err(OwnerGone)
}

/// Says that it is over and waits for the answer; whether one comes matters to nobody.
async fn finish(mut socket: Socket) {
    let _ = timeout(GOODBYE_TIMEOUT, async {
        let _ = socket.close(None).await;
        while let Some(Ok(frame)) = socket.next().await
            && !frame.is_close()
        {}
    })
    .await;
}

/// Sends one request; false if it is larger than the server reads.
async fn send(socket: &mut Socket, request: &Request) -> Result<bool, Closed> {
    let Ok(line) = serde_json::to_string(request) else {
        return Ok(false);
    };
    if line.len() > FRAME_BYTES_MAX {
        return Ok(false);
    }
    match timeout(SEND_TIMEOUT, socket.send(Message::text(line))).await {
        Ok(Ok(())) => Ok(true),
        Ok(Err(error)) => Err(lost(&error)),
        Err(_elapsed) => Err(Closed::Silent),
    }
}

/// What one frame says, line by line.
fn read(frame: Option<Result<Message, tungstenite::Error>>) -> Result<Vec<Told>, Closed> {
    match frame {
        Some(Ok(Message::Text(text))) => Ok(text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| ServerLine::parse(line).map_or(Told::Garbled, Told::Line))
            .collect()),
        Some(Ok(Message::Binary(_))) => Ok(vec![Told::Garbled]),
        // Pings are answered by the socket itself, with the next read.
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(vec![]),
        Some(Ok(Message::Close(Some(frame)))) => Err(Closed::ByServer {
            code: frame.code.into(),
            text: for_terminal(&frame.reason),
        }),
        Some(Ok(Message::Close(None))) | None => Err(Closed::Lost {
            why: "the server went away".to_owned(),
        }),
        Some(Err(error)) => Err(lost(&error)),
    }
}

fn lost(error: &tungstenite::Error) -> Closed {
    Closed::Lost {
        why: for_terminal(&error.to_string()),
    }
}

/// Notices silence, and that the machine slept.
struct Clock {
    heard: Instant,
    looked: (Instant, SystemTime),
    next_look: Instant,
    wall: fn() -> SystemTime,
}

impl Clock {
    fn start(wall: fn() -> SystemTime) -> Self {
        let now = Instant::now();
        Self {
            heard: now,
            looked: (now, wall()),
            wall,
            next_look: now + LOOK_EVERY,
        }
    }

    fn heard(&mut self) {
        self.heard = Instant::now();
    }

    fn look(&mut self) -> Option<Closed> {
        let (now, wall) = (Instant::now(), (self.wall)());
        let monotonic_passed = now - self.looked.0;
        // A wall clock that was set back is no sign of sleep.
        let wall_passed = wall.duration_since(self.looked.1).unwrap_or_default();
        let silent_for = now - self.heard;
        self.looked = (now, wall);
        self.next_look = now + LOOK_EVERY;
        verdict(silent_for, monotonic_passed, wall_passed)
    }
}

/// Whether the connection is dead.
fn verdict(silent_for: Duration, monotonic: Duration, wall: Duration) -> Option<Closed> {
    if wall > monotonic + SLEPT {
        Some(Closed::Slept)
    } else if silent_for >= SILENCE {
        Some(Closed::Silent)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::well(9, 5, 5, None)]
    #[case::silent(15, 5, 5, Some(Closed::Silent))]
    #[case::slept(9, 5, 3_600, Some(Closed::Slept))]
    #[case::clock_set_a_little(9, 5, 14, None)]
    #[case::clock_set_back(9, 5, 0, None)]
    fn dead_or_alive(
        #[case] silent_s: u64,
        #[case] monotonic_s: u64,
        #[case] wall_s: u64,
        #[case] expected: Option<Closed>,
    ) {
        let s = Duration::from_secs;
        assert_eq!(verdict(s(silent_s), s(monotonic_s), s(wall_s)), expected);
    }
}
