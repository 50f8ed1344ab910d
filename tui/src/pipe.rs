//! Notices that the reader of standard output is gone, also while nothing is printed.

use std::io;
use std::os::fd::AsFd as _;

use tokio::io::Interest;
use tokio::net::unix::pipe::Sender;

/// Waits until the reader of standard output has closed its pipe. Never returns for files and terminals.
pub async fn reader_gone() {
    // Files cannot be watched. The pipe stays blocking, as whole lines are written to it.
    let watched = io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .and_then(Sender::from_owned_fd_unchecked);
    if let Ok(pipe) = watched
        && pipe.ready(Interest::ERROR).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}
