//! Appends sent messages to the input history in the background.

use plenary_shared::ids::MeetingId;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::sent::SentFile;

/// Capacity of the queue. Texts sent while it is full are in the history only until the exit.
const QUEUE_MAX: usize = 64;

/// Appends texts one after the other.
pub(super) struct HistoryWriter {
    queue: mpsc::Sender<(String, MeetingId, String)>,
    task: JoinHandle<()>,
}

impl HistoryWriter {
    pub(super) fn new(file: SentFile) -> Self {
        let (queue, mut texts) = mpsc::channel::<(String, MeetingId, String)>(QUEUE_MAX);
        let task = tokio::spawn(async move {
            while let Some((server, meeting, text)) = texts.recv().await {
                let file = file.clone();
                let append = move || file.append(&server, meeting, &text);
                // Errors are ignored: a missing history entry is not worth an interruption.
                let _ = tokio::task::spawn_blocking(append).await;
            }
        });
        Self { queue, task }
    }

    pub(super) fn append(&self, server: String, meeting: MeetingId, text: String) {
        let _ = self.queue.try_send((server, meeting, text));
    }

    /// Waits for queued texts.
    pub(super) async fn finish(self) {
        drop(self.queue);
        // The panic hook has reported a panic.
        let _ = self.task.await;
    }
}
