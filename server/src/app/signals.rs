//! SIGTERM and SIGINT stop the server, SIGHUP reloads its settings.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Calls `stop` once when the process receives SIGTERM or SIGINT.
pub(super) fn on_termination(stop: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop();
    });
    Ok(())
}

/// The request of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP, which also arrives when the terminal of the server is closed.
    Reload,
}

/// SIGHUP. From its creation on, the signal does not end the process.
pub(super) struct Hangup(Signal);

impl Hangup {
    pub(super) fn catch() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }
}

/// The signals of a running server.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Hangup,
}

impl Signals {
    /// Catches the other signals too. One that arrives before [`Self::next`] is not lost.
    pub(super) fn catch(hangup: Hangup) -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup,
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Stop,
            _ = self.interrupt.recv() => Request::Stop,
            _ = self.hangup.0.recv() => Request::Reload,
        }
    }
}
