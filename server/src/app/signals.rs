//! SIGTERM and SIGINT.

use tokio::signal::unix::{SignalKind, signal};

/// Calls `stop` once when the process receives SIGTERM or SIGINT.
pub(super) fn on_termination(stop: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
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
