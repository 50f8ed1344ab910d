//! What a composed text does: it is posted, replies to a message, or edits or deletes one.

use plenary_shared::domain::{Event, EventKind};
use plenary_shared::ids::{Cmid, Seq};
use plenary_shared::replica::Replica;
use serde::{Deserialize, Serialize};

/// The message, if any, that a composed text acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComposeTarget {
    /// None: the text is a new message.
    #[default]
    New,
    /// The text is a reply to this message.
    Reply(MessageRef),
    /// The text replaces the body of this message.
    Edit(MessageRef),
    /// The text is empty and this message is deleted.
    Delete(MessageRef),
}

/// A reference to a message that survives a change of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRef {
    /// The number of the message when the reference was made.
    pub seq: Seq,
    /// The id that its author gave it, which a fence does not change. `None` if the number is final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmid: Option<Cmid>,
}

impl ComposeTarget {
    /// Returns whether the text is a new message that is not a reply.
    pub fn is_new(&self) -> bool {
        *self == Self::New
    }

    /// Returns whether the text edits or deletes a message.
    pub fn is_change(&self) -> bool {
        match self {
            Self::New | Self::Reply(_) => false,
            Self::Edit(_) | Self::Delete(_) => true,
        }
    }

    /// Returns the message that the text replies to, edits or deletes.
    pub fn message(&self) -> Option<MessageRef> {
        match self {
            Self::New => None,
            Self::Reply(message) | Self::Edit(message) | Self::Delete(message) => Some(*message),
        }
    }

    /// Returns the message that the text edits or deletes.
    pub fn changed_message(&self) -> Option<MessageRef> {
        self.message().filter(|_| self.is_change())
    }

    /// Returns the same target with the message number `seq`.
    #[must_use]
    pub fn with_seq(mut self, seq: Seq) -> Self {
        match &mut self {
            Self::New => {}
            Self::Reply(message) | Self::Edit(message) | Self::Delete(message) => message.seq = seq,
        }
        self
    }
}

impl MessageRef {
    /// Returns a reference to the message of `event`, or `None` for other events.
    pub fn of(event: &Event) -> Option<Self> {
        let EventKind::Message { cmid, .. } = &event.kind else {
            return None;
        };
        Some(Self {
            seq: event.seq,
            cmid: Some(*cmid),
        })
    }

    /// Returns whether `event` is the referenced message.
    pub fn is(self, event: &Event) -> bool {
        Self::of(event).is_some_and(|other| match self.cmid {
            Some(_) => other.cmid == self.cmid,
            None => other.seq == self.seq,
        })
    }

    /// Returns the number of the message in `log`, or `None` if the log shows that it is gone.
    pub fn seq_in(self, log: &Replica) -> Option<Seq> {
        let known = log.event(self.seq);
        if self.cmid.is_none() || known.is_some_and(|event| self.is(event)) {
            return Some(self.seq);
        }
        let moved = log.events().rev().find(|event| self.is(event));
        let is_older = known.is_none() && self.seq <= log.durable();
        moved
            .map(|event| event.seq)
            .or(is_older.then_some(self.seq))
    }
}
