//! The task behind a link: connect, exchange lines, close, wait, repeat.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use plenary_shared::limits::FRAME_BYTES_MAX;
use plenary_shared::protocol::{Departure, Request, SILENCE_S, ServerLine};
use plenary_shared::text::for_terminal;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};

use super::connect::{Socket, open};
use super::{CloseReason, EVENTS_MAX, LinkCommand, LinkEvent, backoff::wait_before};
use crate::server_url::ServerUrl;

/// Interval of the checks for silence and suspends.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Silence after which the connection is considered dead.
const SILENCE: Duration = Duration::from_secs(SILENCE_S);

/// Difference between the wall clock and the monotonic clock that indicates a suspend.
const SUSPEND_MIN: Duration = Duration::from_secs(10);

/// Timeout for sending one line.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Timeout for the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Duration from which a connection counts as stable. The next attempt then starts without a wait.
const STABLE_MIN: Duration = Duration::from_secs(5);

/// The owner has dropped the link.
struct OwnerGone;

/// Runs until the owner drops the link.
pub async fn run(
    server: ServerUrl,
    wall_clock: fn() -> SystemTime,
    commands: mpsc::Receiver<LinkCommand>,
    events: mpsc::Sender<LinkEvent>,
) {
    let mut owner = Owner {
        commands,
        events,
        wall_clock,
    };
    let mut attempt = 0;
    while let Ok(next) = connect_once(&server, attempt, &mut owner).await {
        attempt = next;
    }
}

/// Runs one connection and the wait after it. Returns the number of the next attempt.
async fn connect_once(
    server: &ServerUrl,
    attempt: u32,
    owner: &mut Owner,
) -> Result<u32, OwnerGone> {
    owner.wait_until_read().await?;
    owner.send(LinkEvent::Connecting { attempt }).await?;
    let mut next = attempt.saturating_add(1);
    let reason = match owner.dropping_commands(open(server)).await? {
        Ok(socket) => {
            owner.send(LinkEvent::Open).await?;
            let opened = Instant::now();
            let reason = exchange(socket, owner).await?;
            if opened.elapsed() >= STABLE_MIN {
                next = 0;
            }
            reason
        }
        Err(reason) => reason,
    };
    if reason == CloseReason::Reconnect {
        next = 0;
    }
    let retry_in = reason
        .allows_retry()
        .then(|| wait_before(next, rand::random()));
    owner.send(LinkEvent::Closed { reason, retry_in }).await?;
    match retry_in {
        Some(wait) => match timeout(wait, owner.reconnect_command()).await {
            Ok(command) => command.map(|()| 0),
            Err(_elapsed) => Ok(next),
        },
        None => owner.reconnect_command().await.map(|()| 0),
    }
}

/// The channels to the owner, and the clock that runs during suspends.
struct Owner {
    commands: mpsc::Receiver<LinkCommand>,
    events: mpsc::Sender<LinkEvent>,
    wall_clock: fn() -> SystemTime,
}

impl Owner {
    /// Waits for `work` and drops commands meanwhile, so that an owner that waits for room in the
    /// command queue cannot block this task.
    async fn dropping_commands<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, OwnerGone> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                command = self.commands.recv() => match command {
                    Some(
                        LinkCommand::Send(_)
                        | LinkCommand::Reconnect
                        | LinkCommand::Suspend
                        | LinkCommand::Quit,
                    ) => {}
                    None => return Err(OwnerGone),
                },
            }
        }
    }

    async fn send(&mut self, event: LinkEvent) -> Result<(), OwnerGone> {
        let events = self.events.clone();
        self.dropping_commands(events.send(event))
            .await?
            .map_err(|_| OwnerGone)
    }

    /// Waits until the owner has read all events.
    async fn wait_until_read(&mut self) -> Result<(), OwnerGone> {
        let events = self.events.clone();
        let permits = self
            .dropping_commands(events.reserve_many(EVENTS_MAX))
            .await?;
        permits.map(drop).map_err(|_| OwnerGone)
    }

    async fn reconnect_command(&mut self) -> Result<(), OwnerGone> {
        loop {
            match self.commands.recv().await {
                Some(LinkCommand::Reconnect) => return Ok(()),
                Some(LinkCommand::Send(_) | LinkCommand::Suspend | LinkCommand::Quit) => {}
                None => return Err(OwnerGone),
            }
        }
    }
}

/// Exchanges lines on an open socket until it closes.
async fn exchange(mut socket: Socket, owner: &mut Owner) -> Result<CloseReason, OwnerGone> {
    let mut watchdog = Watchdog::start(owner.wall_clock);
    // Events that the owner has not taken yet. The socket is not read while there are any.
    let mut pending: VecDeque<LinkEvent> = VecDeque::new();
    loop {
        tokio::select! {
            permit = owner.events.reserve(), if !pending.is_empty() => {
                let Ok(permit) = permit else {
                    close(socket, None).await;
                    return Err(OwnerGone);
                };
                if let Some(event) = pending.pop_front() {
                    permit.send(event);
                }
            }
            frame = socket.next(), if pending.is_empty() => {
                watchdog.reset();
                match parse(frame) {
                    Ok(events) => pending.extend(events),
                    Err(reason) => {
                        // Answers a close frame. Fails at once on a broken connection.
                        let _ = timeout(CLOSE_TIMEOUT, socket.close(None)).await;
                        return Ok(reason);
                    }
                }
            }
            command = owner.commands.recv() => match command {
                Some(LinkCommand::Send(request)) => match send(&mut socket, &request).await {
                    Ok(true) => {}
                    Ok(false) => pending.push_back(LinkEvent::Unsent { id: request.id }),
                    Err(reason) => return Ok(reason),
                },
                Some(LinkCommand::Reconnect) => {
                    close(socket, None).await;
                    return Ok(CloseReason::Reconnect);
                }
                Some(LinkCommand::Suspend) => {
                    close(socket, Some(Departure::Suspended)).await;
                    return Ok(CloseReason::ProcessSuspended);
                }
                Some(LinkCommand::Quit) => {
                    close(socket, Some(Departure::Quit)).await;
                    return Err(OwnerGone);
                }
                None => {
                    close(socket, None).await;
                    return Err(OwnerGone);
                }
            },
            () = sleep_until(watchdog.next_check) => {
                if !pending.is_empty() {
                    // The owner is slow, not the server.
                    watchdog.reset();
                } else if let Some(reason) = watchdog.check() {
                    return Ok(reason);
                }
            }
        }
    }
}

/// Performs the closing handshake. Its outcome does not matter.
async fn close(mut socket: Socket, departure: Option<Departure>) {
    let frame = departure.map(|departure| CloseFrame {
        code: departure.code().into(),
        reason: departure.text().into(),
    });
    let _ = timeout(CLOSE_TIMEOUT, async {
        let _ = socket.close(frame).await;
        while let Some(Ok(frame)) = socket.next().await
            && !frame.is_close()
        {}
    })
    .await;
}

/// Sends a request. Returns false if it exceeds [`FRAME_BYTES_MAX`].
async fn send(socket: &mut Socket, request: &Request) -> Result<bool, CloseReason> {
    let Ok(line) = serde_json::to_string(request) else {
        return Ok(false);
    };
    if line.len() > FRAME_BYTES_MAX {
        return Ok(false);
    }
    match timeout(SEND_TIMEOUT, socket.send(Message::text(line))).await {
        Ok(Ok(())) => Ok(true),
        Ok(Err(error)) => Err(lost(&error)),
        Err(_elapsed) => Err(CloseReason::TimedOut),
    }
}

/// Parses the lines of a frame.
fn parse(
    frame: Option<Result<Message, tungstenite::Error>>,
) -> Result<Vec<LinkEvent>, CloseReason> {
    match frame {
        Some(Ok(Message::Text(text))) => Ok(text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| match ServerLine::parse(line) {
                Ok(line) => LinkEvent::Line(Box::new(line)),
                Err(_) => LinkEvent::Garbled,
            })
            .collect()),
        Some(Ok(Message::Binary(_))) => Ok(vec![LinkEvent::Garbled]),
        // The socket answers pings with the next read.
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(vec![]),
        Some(Ok(Message::Close(Some(frame)))) => Err(CloseReason::ByServer {
            code: frame.code.into(),
            text: for_terminal(&frame.reason),
        }),
        Some(Ok(Message::Close(None))) | None => Err(CloseReason::Lost {
            why: "closed without a reason".to_owned(),
        }),
        Some(Err(error)) => Err(lost(&error)),
    }
}

fn lost(error: &tungstenite::Error) -> CloseReason {
    CloseReason::Lost {
        why: for_terminal(&error.to_string()),
    }
}

/// Detects a silent server and a suspend of the computer.
struct Watchdog {
    heard: Instant,
    checked: (Instant, SystemTime),
    next_check: Instant,
    wall_clock: fn() -> SystemTime,
}

impl Watchdog {
    fn start(wall_clock: fn() -> SystemTime) -> Self {
        let now = Instant::now();
        Self {
            heard: now,
            checked: (now, wall_clock()),
            next_check: now + CHECK_EVERY,
            wall_clock,
        }
    }

    fn reset(&mut self) {
        self.heard = Instant::now();
    }

    fn check(&mut self) -> Option<CloseReason> {
        let (now, wall) = (Instant::now(), (self.wall_clock)());
        let monotonic_passed = now - self.checked.0;
        // A wall clock that was set back does not indicate a suspend.
        let wall_passed = wall.duration_since(self.checked.1).unwrap_or_default();
        self.checked = (now, wall);
        self.next_check = now + CHECK_EVERY;
        diagnose(now - self.heard, monotonic_passed, wall_passed)
    }
}

/// Returns why the connection is dead, or `None` if it is healthy.
fn diagnose(silent_for: Duration, monotonic: Duration, wall: Duration) -> Option<CloseReason> {
    if wall > monotonic + SUSPEND_MIN {
        Some(CloseReason::Suspended)
    } else if silent_for >= SILENCE {
        Some(CloseReason::TimedOut)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::healthy(9, 5, 5, None)]
    #[case::silent(15, 5, 5, Some(CloseReason::TimedOut))]
    #[case::suspended(9, 5, 3_600, Some(CloseReason::Suspended))]
    #[case::clock_set_forward_a_little(9, 5, 14, None)]
    #[case::clock_set_back(9, 5, 0, None)]
    fn watchdog_detects_silence_and_suspends(
        #[case] silent_s: u64,
        #[case] monotonic_s: u64,
        #[case] wall_s: u64,
        #[case] expected: Option<CloseReason>,
    ) {
        let s = Duration::from_secs;
        assert_eq!(diagnose(s(silent_s), s(monotonic_s), s(wall_s)), expected);
    }
}
