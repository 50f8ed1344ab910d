//! Wakes the event loop when a file in the configuration directory changes, without a timer. Only on
//! Linux; elsewhere, and without the directory, the files are checked with the next key.

use std::path::Path;

use tokio::sync::mpsc;

/// A watch of a directory. Never reports a change if the directory cannot be watched.
pub(super) struct ConfigWatch {
    changes: Option<mpsc::Receiver<()>>,
}

impl ConfigWatch {
    /// Watches a directory.
    pub(super) fn new(directory: &Path) -> Self {
        Self {
            changes: watch(directory),
        }
    }

    /// Waits until a file has changed. Cancel safe.
    pub(super) async fn changed(&mut self) {
        if let Some(changes) = &mut self.changes
            && changes.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

/// Starts a thread that waits for notifications. It runs until the process exits, since a blocking read
/// cannot be interrupted.
#[cfg(target_os = "linux")]
fn watch(directory: &Path) -> Option<mpsc::Receiver<()>> {
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

    /// Bytes of notifications that are read at once. Their content does not matter.
    const READ_BYTES: usize = 4_096;

    let notifications = init(CreateFlags::CLOEXEC).ok()?;
    // Editors write a file in place, or another one that they rename.
    let kinds = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
    add_watch(&notifications, directory, kinds).ok()?;
    let (sender, changes) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut bytes = [0; READ_BYTES];
        while rustix::io::read(&notifications, &mut bytes).is_ok_and(|read| read > 0) {
            // If one is waiting, the files will be checked anyway.
            if let Err(mpsc::error::TrySendError::Closed(())) = sender.try_send(()) {
                return;
            }
        }
    });
    Some(changes)
}

#[cfg(not(target_os = "linux"))]
fn watch(_directory: &Path) -> Option<mpsc::Receiver<()>> {
    None
}
