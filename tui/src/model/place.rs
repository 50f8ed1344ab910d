//! Places in the chat: a block of the log, and the scroll position.

use plenary_shared::ids::Seq;

/// A part of the log that is wrapped as one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An event with the rows above it.
    Event(Seq),
    /// The rows after all events: pending messages.
    Tail,
}

/// The scroll position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scroll {
    /// Follows the end.
    Newest,
    /// Starts at this row. Rows count from the event's own first row, so rows above it may come and
    /// go; those have negative numbers.
    From {
        /// The block at the top.
        place: Place,
        /// Its row at the top.
        row: isize,
    },
}

impl Scroll {
    /// Returns whether the view follows the end.
    pub fn is_newest(self) -> bool {
        match self {
            Self::Newest => true,
            Self::From { .. } => false,
        }
    }
}
