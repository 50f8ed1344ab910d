//! What a line is to do: be said, answer a message, or change one; and how that message is found
//! again in a log that has begun anew.

use plenary_shared::domain::{Event, What};
use plenary_shared::ids::{Cmid, Seq};
use plenary_shared::replica::Replica;
use serde::{Deserialize, Serialize};

/// What a line is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// It is a message.
    #[default]
    Say,
    /// It is a message that answers this one.
    Reply(Target),
    /// It is what this message says from now on.
    Edit(Target),
    /// It deletes this message; its body is gone.
    Delete(Target),
}

/// A message in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Its number when it was aimed at.
    pub seq: Seq,
    /// Its sender's id of it, which stays when a fence gives it another number. Unknown only where
    /// the number cannot change any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmid: Option<Cmid>,
}

impl Aim {
    /// Whether it makes a message of its own that answers none.
    pub fn is_say(&self) -> bool {
        *self == Self::Say
    }

    /// Whether it changes or deletes a message.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Say | Self::Reply(_) => false,
            Self::Edit(_) | Self::Delete(_) => true,
        }
    }

    /// The message that it answers or changes.
    pub fn target(&self) -> Option<Target> {
        match self {
            Self::Say => None,
            Self::Reply(target) | Self::Edit(target) | Self::Delete(target) => Some(*target),
        }
    }

    /// The message that it changes.
    pub fn changes(&self) -> Option<Target> {
        self.target().filter(|_| self.is_change())
    }

    /// The same, aimed at this number.
    #[must_use]
    pub fn at(self, seq: Seq) -> Self {
        let moved = |target: Target| Target { seq, ..target };
        match self {
            Self::Say => Self::Say,
            Self::Reply(target) => Self::Reply(moved(target)),
            Self::Edit(target) => Self::Edit(moved(target)),
            Self::Delete(target) => Self::Delete(moved(target)),
        }
    }
}

impl Target {
    /// The message of this event, if it is one.
    pub fn of(event: &Event) -> Option<Self> {
        let What::Message { cmid, .. } = &event.what else {
            return None;
        };
        Some(Self {
            seq: event.seq,
            cmid: Some(*cmid),
        })
    }

    /// Whether this event is that message.
    pub fn is(self, event: &Event) -> bool {
        Self::of(event).is_some_and(|other| match self.cmid {
            Some(_) => other.cmid == self.cmid,
            None => other.seq == self.seq,
        })
    }

    /// Its number in this log. `None`: the log shows that it is not in it any more.
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
