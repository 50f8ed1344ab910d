//! What an admin has restricted for the user in the meeting on screen.

use crate::model::Model;

/// What an admin has restricted for the user in the meeting on screen, the most severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restricted {
    /// Nobody can join, and the user has not.
    Locked,
    /// The user cannot post.
    Muted,
    /// Nobody can post.
    ReadOnly,
}

impl Restricted {
    /// Returns the word in the title.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Locked => "LOCKED",
            Self::Muted => "MUTED",
            Self::ReadOnly => "READ-ONLY",
        }
    }

    /// Returns the sentence in the prompt.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Locked => "Locked: no one can join until an admin unlocks it",
            Self::Muted => "Muted: you can read, but not post",
            Self::ReadOnly => "Read-only: no one can post now",
        }
    }
}

impl Model {
    /// Returns what an admin has restricted for the user in the meeting on screen.
    pub fn restricted(&self) -> Option<Restricted> {
        let id = self.shown.filter(|id| self.is_active(*id))?;
        let room = self.rooms.get(&id)?;
        let found = room.restrictions;
        match room.wants_to_join {
            false => found.locked.then_some(Restricted::Locked),
            true if found.muted => Some(Restricted::Muted),
            true => found.read_only.then_some(Restricted::ReadOnly),
        }
    }
}
