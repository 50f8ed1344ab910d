//! The WebSocket to the server: connects, sends, tells what came, and connects again. It decides
//! nothing: what is said on it is its owner's business.
//!
//! ```text
//! Connecting → Open → Line … Line → Closed → (the wait) → Connecting → …
//! ```
//! What is asked while no socket is open is dropped: the owner has read `Closed` before, and says
//! hello and whatever is still to be said after the next `Open`. A new connection begins only when
//! the owner has read all that was told of the last, so nothing meant for one reaches the next.

mod backoff;
mod connect;
mod run;

use std::fmt;
use std::time::{Duration, SystemTime};

use plenary_shared::protocol::{Close, Request, ServerLine};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::address::Server;

pub use backoff::wait_before;
pub use connect::{TlsError, tls_config};

/// Asks that wait to be sent; when it is full the asking side waits.
const ASK_MAX: usize = 64;

/// Things told that wait to be read; when it is full the socket is read no further.
const TOLD_MAX: usize = 256;

/// What the owner wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Send this on the open socket.
    Send(Request),
    /// Connect anew at once: drops an open connection, ends a wait, undoes a "do not".
    Reconnect,
}

/// What became of the connection, and what came on it.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A connection is tried; 0 is the first try after a connection that lasted.
    Connecting {
        /// Tries before this one.
        attempt: u32,
    },
    /// The socket is open: the owner says hello.
    Open,
    /// An answer or a push.
    Line(ServerLine),
    /// A line that is neither an answer nor a push.
    Garbled,
    /// This request was not sent: it is larger than a frame may be.
    Unsent {
        /// The request's number.
        id: u64,
    },
    /// There is no connection any more, or none could be made.
    Closed {
        /// Why.
        why: Closed,
        /// When it is tried again; `None`: not before [`Ask::Reconnect`].
        retry_in: Option<Duration>,
    },
}

/// Why there is no connection. Its text is a sentence's end, from which control characters are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// None could be made.
    Unreachable {
        /// What the system says.
        why: String,
    },
    /// Something answered, but not as a meeting server does.
    Refused {
        /// The HTTP status, if it was one.
        status: Option<u16>,
    },
    /// The server closed it.
    ByServer {
        /// The close frame's code.
        code: u16,
        /// The close frame's text.
        text: String,
    },
    /// It broke.
    Lost {
        /// What the system says.
        why: String,
    },
    /// Nothing was heard for [`plenary_shared::protocol::SILENCE_S`], or nothing could be sent.
    Silent,
    /// The machine was asleep.
    Slept,
    /// [`Ask::Reconnect`]
    Asked,
}

impl Closed {
    /// Whether it is worth trying again without a person's doing.
    pub const fn asks_to_reconnect(&self) -> bool {
        match self {
            Self::ByServer { code, .. } => Close::asks_to_reconnect(*code),
            Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Lost { .. }
            | Self::Silent
            | Self::Slept
            | Self::Asked => true,
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { why } => write!(f, "the server cannot be reached: {why}"),
            Self::Refused {
                status: Some(status),
            } => write!(
                f,
                "no Plenary server answers there, but something with HTTP status {status}"
            ),
            Self::Refused { status: None } => f.write_str("no Plenary server answers there"),
            Self::ByServer { code, text } if text.is_empty() => {
                write!(f, "the server closed the connection ({code})")
            }
            Self::ByServer { code, text } => {
                write!(f, "the server closed the connection: {text} ({code})")
            }
            Self::Lost { why } => write!(f, "the connection broke: {why}"),
            Self::Silent => f.write_str("nothing was heard from the server"),
            Self::Slept => f.write_str("this machine was asleep"),
            Self::Asked => f.write_str("connecting anew"),
        }
    }
}

/// Both ends of a connection that keeps itself up. Dropping it ends it.
#[derive(Debug)]
pub struct Link {
    /// What the owner wants.
    pub ask: mpsc::Sender<Ask>,
    /// What came; ends only when `ask` has been dropped.
    pub told: mpsc::Receiver<Told>,
    task: JoinHandle<()>,
}

impl Link {
    /// Says goodbye to the server and waits until that is done: a second at most.
    pub async fn close(self) {
        let Self { ask, told, task } = self;
        drop((ask, told));
        // It is over either way; a panic in it has been reported by the panic hook.
        let _ = task.await;
    }
}

/// Connects to `server` and keeps connected. `wall_clock` is `SystemTime::now`: it goes on while the
/// machine sleeps, by which sleep is noticed. Must be called within a tokio runtime.
pub fn link(server: Server, wall_clock: fn() -> SystemTime) -> Link {
    let (ask, asked) = mpsc::channel(ASK_MAX);
    let (tell, told) = mpsc::channel(TOLD_MAX);
    let task = tokio::spawn(run::run(server, wall_clock, asked, tell));
    Link { ask, told, task }
}

#[cfg(test)]
mod tests;
