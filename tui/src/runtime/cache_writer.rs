//! Writes the cache of the last screens in the background.

use tokio::task::JoinHandle;

use crate::cache::{Cache, CacheFile};

/// Executes file operations one after the other.
pub(super) struct CacheWriter {
    file: CacheFile,
    last: Option<JoinHandle<()>>,
}

impl CacheWriter {
    pub(super) fn new(file: CacheFile) -> Self {
        Self { file, last: None }
    }

    /// Replaces the cache. Errors are ignored: the cache only speeds up the next start.
    pub(super) fn write(&mut self, cache: Cache) {
        self.enqueue(move |file| drop(file.save(cache)));
    }

    /// Removes the cache, when the user signs out.
    pub(super) fn remove(&mut self) {
        self.enqueue(|file| drop(file.remove()));
    }

    /// Waits for pending operations.
    pub(super) async fn finish(self) {
        if let Some(last) = self.last {
            // The panic hook has reported a panic.
            let _ = last.await;
        }
    }

    /// Runs `work` after the previous operation. The queue stays short: an operation takes
    /// milliseconds and starts at most every few seconds.
    fn enqueue(&mut self, work: impl FnOnce(&CacheFile) + Send + 'static) {
        let (file, previous) = (self.file.clone(), self.last.take());
        self.last = Some(tokio::spawn(async move {
            if let Some(previous) = previous {
                let _ = previous.await;
            }
            let _ = tokio::task::spawn_blocking(move || work(&file)).await;
        }));
    }
}
