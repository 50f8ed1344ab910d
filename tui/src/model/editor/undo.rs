//! Changes of a text, to be taken back and made again: what is typed, word by word.

use std::collections::VecDeque;

/// Changes that can be taken back; the oldest goes.
const CHANGES_MAX: usize = 500;
/// Bytes that they hold together; the oldest go.
const BYTES_MAX: usize = 512 * 1_024;

/// What a change is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Written one by one: a word is taken back at once.
    Typed,
    /// Deleted one by one, likewise.
    Deleted,
    /// For itself.
    Whole,
}

/// One change: at a place one text came in place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) at: usize,
    pub(super) removed: String,
    pub(super) inserted: String,
    /// The cursor before and after.
    pub(super) cursors: (usize, usize),
    pub(super) how: How,
}

/// The changes of one text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Undo {
    made: VecDeque<Change>,
    undone: Vec<Change>,
    /// Whether the next change stands for itself.
    sealed: bool,
}

impl Change {
    fn bytes(&self) -> usize {
        self.removed.len() + self.inserted.len()
    }

    /// Takes in the change that came right after this one, if the two are of one word.
    fn join(&mut self, next: &Change) -> bool {
        let blank = |c: Option<char>| c.is_some_and(char::is_whitespace);
        let first = |text: &str| text.chars().next();
        let last = |text: &str| text.chars().next_back();
        match (self.how, next.how) {
            (How::Typed, How::Typed) => {
                let follows = next.removed.is_empty() && next.at == self.at + self.inserted.len();
                let begins = blank(last(&self.inserted)) && !blank(first(&next.inserted));
                if !follows || begins {
                    return false;
                }
                self.inserted.push_str(&next.inserted);
            }
            (How::Deleted, How::Deleted) if next.at + next.removed.len() == self.at => {
                if blank(first(&self.removed)) && !blank(last(&next.removed)) {
                    return false;
                }
                self.removed.insert_str(0, &next.removed);
                self.at = next.at;
            }
            (How::Deleted, How::Deleted) if next.at == self.at => {
                if blank(last(&self.removed)) && !blank(first(&next.removed)) {
                    return false;
                }
                self.removed.push_str(&next.removed);
            }
            (How::Typed | How::Deleted | How::Whole, _) => return false,
        }
        self.cursors.1 = next.cursors.1;
        true
    }
}

impl Undo {
    /// Whether there is a change to take back.
    pub(super) fn is_any(&self) -> bool {
        !self.made.is_empty()
    }

    /// What comes next is no part of what came last.
    pub(super) fn seal(&mut self) {
        self.sealed = true;
    }

    pub(super) fn made(&mut self, change: Change) {
        self.undone.clear();
        let sealed = std::mem::take(&mut self.sealed);
        let joined = !sealed && self.made.back_mut().is_some_and(|last| last.join(&change));
        if !joined {
            self.made.push_back(change);
        }
        let mut bytes: usize = self.made.iter().map(Change::bytes).sum();
        while self.made.len() > CHANGES_MAX || (bytes > BYTES_MAX && self.made.len() > 1) {
            bytes -= self.made.pop_front().map_or(0, |oldest| oldest.bytes());
        }
    }

    /// The change to take back; it can be made again.
    pub(super) fn undo(&mut self) -> Option<Change> {
        let change = self.made.pop_back()?;
        self.undone.push(change.clone());
        self.sealed = true;
        Some(change)
    }

    /// The change to make again.
    pub(super) fn redo(&mut self) -> Option<Change> {
        let change = self.undone.pop()?;
        self.made.push_back(change.clone());
        self.sealed = true;
        Some(change)
    }
}
