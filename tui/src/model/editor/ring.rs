//! What was cut, the newest first: to be put back here or elsewhere.

use std::collections::VecDeque;

/// Cuts that are remembered; the oldest goes.
const CUTS_MAX: usize = 16;

/// What was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    cuts: VecDeque<String>,
    /// Cuts so far: which of them a text made last.
    count: u64,
}

/// At which end of the last cut another one is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It stood before.
    Front,
    /// It stood behind.
    Back,
}

impl Ring {
    /// The number of the last cut; another text may have made it.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The cut made so many cuts ago, around the end.
    pub(super) fn nth(&self, nth: usize) -> Option<&str> {
        let at = nth.checked_rem(self.cuts.len())?;
        self.cuts.get(at).map(String::as_str)
    }

    /// Remembers what was cut.
    pub fn push(&mut self, cut: &str) {
        self.count += 1;
        self.cuts.truncate(CUTS_MAX - 1);
        self.cuts.push_front(cut.to_owned());
    }

    /// Adds to the last cut what was cut right after it.
    pub(super) fn extend(&mut self, cut: &str, end: End) {
        match (self.cuts.front_mut(), end) {
            (None, _) => self.push(cut),
            (Some(last), End::Front) => last.insert_str(0, cut),
            (Some(last), End::Back) => last.push_str(cut),
        }
    }
}
