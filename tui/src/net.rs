//! The WebSocket connection to the server, with automatic reconnects.
//!
//! ```text
//! Connecting → Open → Line … Line → Closed → (wait) → Connecting → …
//! ```
//! The link transports lines and knows nothing about their meaning. Commands sent while no socket is
//! open are dropped: after the next `Open`, the owner sends hello and repeats what is unanswered. A
//! new connection starts only after the owner has read all events of the previous one, so requests
//! never reach the wrong connection.

mod backoff;
mod connect;
mod event;
mod run;

use std::time::{Duration, SystemTime};

use plenary_shared::protocol::Request;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::server_url::ServerUrl;

pub use backoff::wait_before;
pub use connect::{TlsError, tls_config};
pub use event::{CloseReason, LinkEvent};

/// Capacity of the command queue. Senders wait while it is full.
const COMMANDS_MAX: usize = 64;

/// Capacity of the event queue. The socket is not read while it is full.
const EVENTS_MAX: usize = 256;

/// How long a suspend waits for the connection to close.
const SUSPEND_WAIT: Duration = Duration::from_millis(1_200);

/// A command to the link.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkCommand {
    /// Sends a request on the open socket.
    Send(Request),
    /// Reconnects at once: drops an open connection, or ends the wait before the next attempt.
    Reconnect,
    /// Closes the connection because the process is about to stop, and waits for [`Self::Reconnect`].
    Suspend,
    /// Closes the connection because the user quits. The stays that it holds end.
    Quit,
}

/// A connection that reconnects automatically. Dropping it disconnects.
#[derive(Debug)]
pub struct Link {
    pub commands: mpsc::Sender<LinkCommand>,
    /// The events of the link. Ends only after `commands` has been dropped.
    pub events: mpsc::Receiver<LinkEvent>,
    task: JoinHandle<()>,
}

impl Link {
    /// Closes the connection because the process is about to stop. Returns the events until it is
    /// closed; a server that does not answer delays it by at most [`SUSPEND_WAIT`].
    pub async fn suspend(&mut self) -> Vec<LinkEvent> {
        let mut events = Vec::new();
        let closed = async {
            if self.commands.send(LinkCommand::Suspend).await.is_err() {
                return;
            }
            while let Some(event) = self.events.recv().await {
                let is_closed = matches!(event, LinkEvent::Closed { .. });
                events.push(event);
                if is_closed {
                    return;
                }
            }
        };
        let _ = timeout(SUSPEND_WAIT, closed).await;
        events
    }

    /// Closes the connection because the user quits: their stays end unless another connection holds
    /// them. Waits for the server's confirmation, at most one second.
    pub async fn quit(self) {
        // The task always takes commands. It is gone if it has ended.
        let _ = self.commands.send(LinkCommand::Quit).await;
        self.close().await;
    }

    /// Closes the connection as if it were lost: the user's stays continue for the reconnect grace.
    /// Waits for the server's confirmation, at most one second.
    pub async fn close(self) {
        let Self {
            commands,
            events,
            task,
        } = self;
        drop((commands, events));
        // The panic hook has reported a panic of the task.
        let _ = task.await;
    }
}

/// Connects to `server` and reconnects when the connection is lost.
///
/// `wall_clock` is `SystemTime::now`. It detects suspends, during which the monotonic clock stops.
/// Must be called within a tokio runtime.
pub fn link(server: ServerUrl, wall_clock: fn() -> SystemTime) -> Link {
    let (commands, received) = mpsc::channel(COMMANDS_MAX);
    let (send, events) = mpsc::channel(EVENTS_MAX);
    let task = tokio::spawn(run::run(server, wall_clock, received, send));
    Link {
        commands,
        events,
        task,
    }
}

#[cfg(test)]
mod tests;
