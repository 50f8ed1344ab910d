//! The kill ring: the last cuts, newest first, shared by all inputs.

use std::collections::VecDeque;

/// Cuts that are kept. The oldest is dropped first.
const CUTS_MAX: usize = 16;

/// The last cuts, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KillRing {
    cuts: VecDeque<String>,
    /// Cuts so far. Identifies the cut that an editor made last.
    count: u64,
}

/// The side of the last cut to which an adjacent cut is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Before the last cut.
    Front,
    /// After the last cut.
    Back,
}

impl KillRing {
    /// Returns the number of the last cut, which another editor may have made.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns the nth cut from the newest, wrapping around.
    pub(super) fn nth(&self, nth: usize) -> Option<&str> {
        let at = nth.checked_rem(self.cuts.len())?;
        self.cuts.get(at).map(String::as_str)
    }

    /// Adds a cut.
    pub fn push(&mut self, cut: &str) {
        self.count += 1;
        self.cuts.truncate(CUTS_MAX - 1);
        self.cuts.push_front(cut.to_owned());
    }

    /// Adds text to the last cut.
    pub(super) fn extend(&mut self, cut: &str, end: Side) {
        match (self.cuts.front_mut(), end) {
            (None, _) => self.push(cut),
            (Some(last), Side::Front) => last.insert_str(0, cut),
            (Some(last), Side::Back) => last.push_str(cut),
        }
    }
}
