//! Writes the last screens into their file beside the loop, the newest last.

use tokio::task::JoinHandle;

use crate::cache::{Cache, CacheFile};

/// The way into the file.
pub(super) struct ScreensKeeper {
    file: CacheFile,
    writing: Option<JoinHandle<()>>,
}

impl ScreensKeeper {
    pub(super) fn new(file: CacheFile) -> Self {
        Self {
            file,
            writing: None,
        }
    }

    pub(super) fn keep(&mut self, cache: Cache) {
        self.after(move |file| {
            // What is only quicker with it is not worth a word in the middle of a talk.
            let _ = file.save(cache);
        });
    }

    /// Whoever signs out leaves nothing behind.
    pub(super) fn forget(&mut self) {
        self.after(|file| {
            let _ = file.remove();
        });
    }

    /// Lets what is under way come to its end.
    pub(super) async fn end(self) {
        if let Some(writing) = self.writing {
            // A panic in it has been reported by the panic hook.
            let _ = writing.await;
        }
    }

    /// After what is under way, which takes milliseconds and begins every few seconds at most.
    fn after(&mut self, work: impl FnOnce(&CacheFile) + Send + 'static) {
        let (file, before) = (self.file.clone(), self.writing.take());
        self.writing = Some(tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            let _ = tokio::task::spawn_blocking(move || work(&file)).await;
        }));
    }
}
