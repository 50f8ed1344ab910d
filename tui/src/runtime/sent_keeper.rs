//! Writes what was sent into its file, one after the other, beside the loop.

use plenary_shared::ids::MeetingId;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::sent::SentFile;

/// Texts that wait for the disk. What comes while it is full is remembered until the end of the
/// program only.
const WAITING_MAX: usize = 64;

/// The way into the file.
pub(super) struct SentKeeper {
    texts: mpsc::Sender<(String, MeetingId, String)>,
    writing: JoinHandle<()>,
}

impl SentKeeper {
    pub(super) fn new(file: SentFile) -> Self {
        let (texts, mut queue) = mpsc::channel::<(String, MeetingId, String)>(WAITING_MAX);
        let writing = tokio::spawn(async move {
            while let Some((server, meeting, text)) = queue.recv().await {
                let file = file.clone();
                let write = move || file.append(&server, meeting, &text);
                // A history that cannot be kept is not worth a word in the middle of a talk.
                let _ = tokio::task::spawn_blocking(write).await;
            }
        });
        Self { texts, writing }
    }

    pub(super) fn keep(&self, server: String, meeting: MeetingId, text: String) {
        let _ = self.texts.try_send((server, meeting, text));
    }

    /// Lets what waits be written.
    pub(super) async fn end(self) {
        drop(self.texts);
        // A panic in it has been reported by the panic hook.
        let _ = self.writing.await;
    }
}
