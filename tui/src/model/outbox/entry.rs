//! An entry of the outbox: its delivery state, and what a rejection means for it.

use plenary_shared::ids::{Cmid, Generation, InstanceId, Seq};
use plenary_shared::text::MessageBody;
use plenary_shared::time::Timestamp;

use super::{BYTES_MAX, ENTRIES_MAX};
use crate::journal::{ComposeTarget, JournalEntry, Record};

/// Why an entry waits although nothing is wrong.
pub const LIMITED: &str = "the server limits the speed";

/// A message, edit or deletion that is not durable yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    pub instance: InstanceId,
    /// The client's id of the message.
    pub cmid: Cmid,
    pub body: MessageBody,
    /// What it does.
    pub target: ComposeTarget,
    /// When it was written.
    pub since: Timestamp,
    pub state: Delivery,
    /// Whether it was sent, so that the server may have accepted it.
    pub tried: bool,
    /// Whether it caused an attempt to join.
    pub(super) has_rejoined: bool,
    /// Attempts that ended with an internal server error.
    pub(super) server_errors: u32,
}

/// The delivery state of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Being written to disk.
    Writing,
    /// Waiting for the connection, the previous entry, or a point in time.
    Waiting {
        /// The earliest time to send, and the reason; without a reason, the server limits how fast the user sends.
        until: Option<(Timestamp, Option<String>)>,
    },
    /// Sent on this connection.
    Sent {
        /// The log's generation at that time.
        generation: Generation,
    },
    /// In the log, but perhaps not durable.
    Acknowledged { seq: Seq, generation: Generation },
    /// Rejected by the server.
    Rejected { why: String },
}

/// An entry to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextSend {
    /// The client's id of the message.
    pub cmid: Cmid,
    pub body: MessageBody,
    /// What it does.
    pub target: ComposeTarget,
}

/// What a rejection means for an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Temporary: send again at this time.
    Later {
        /// The earliest time to send.
        at: Timestamp,
        /// The reason, unless the server only limits how fast the user sends.
        why: Option<String>,
    },
    /// Internal server error: send again at this time, but not forever.
    ServerError {
        /// The earliest time to send.
        at: Timestamp,
        why: String,
    },
    /// Join first. The second time this is final.
    NotParticipant { why: String },
    /// Not in the log, and never will be.
    Final { why: String },
}

/// Why an entry does not fit into the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutboxFull {
    /// See [`ENTRIES_MAX`].
    #[error("outbox is full ({ENTRIES_MAX} messages)")]
    Entries,
    /// See [`BYTES_MAX`].
    #[error("outbox is full ({} MiB)", BYTES_MAX / 1_024 / 1_024)]
    Bytes,
}

impl OutboxEntry {
    pub(super) fn new(entry: JournalEntry, state: Delivery, tried: bool) -> Self {
        Self {
            instance: entry.instance,
            cmid: entry.cmid,
            body: entry.body,
            target: entry.target,
            since: entry.since,
            state,
            tried,
            has_rejoined: false,
            server_errors: 0,
        }
    }

    pub fn is_rejected(&self) -> bool {
        match self.state {
            Delivery::Rejected { .. } => true,
            Delivery::Writing
            | Delivery::Waiting { .. }
            | Delivery::Sent { .. }
            | Delivery::Acknowledged { .. } => false,
        }
    }

    /// Returns whether it is still to be acknowledged.
    pub fn is_unacknowledged(&self) -> bool {
        match self.state {
            Delivery::Writing | Delivery::Waiting { .. } | Delivery::Sent { .. } => true,
            Delivery::Acknowledged { .. } | Delivery::Rejected { .. } => false,
        }
    }

    pub(super) fn wait(&mut self) {
        self.state = Delivery::Waiting { until: None };
    }

    pub(super) fn reject(&mut self, why: String) -> Record {
        self.state = Delivery::Rejected { why: why.clone() };
        Record::Failed {
            cmid: self.cmid,
            why,
            tried: self.tried,
        }
    }
}
