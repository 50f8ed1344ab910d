//! The undo history of an editor. Typed and deleted characters are undone word by word.

use std::collections::VecDeque;

/// Changes that are kept. The oldest is dropped first.
const CHANGES_MAX: usize = 500;
/// Size limit of the kept changes in bytes. The oldest are dropped first.
const BYTES_MAX: usize = 512 * 1_024;

/// How a change combines with the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangeKind {
    /// Typed characters combine into words.
    Typed,
    /// Deleted characters combine into words.
    Deleted,
    /// Does not combine.
    Whole,
}

/// A replacement of one text by another at an offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) at: usize,
    pub(super) removed: String,
    pub(super) inserted: String,
    /// The cursor before and after the change.
    pub(super) cursors: (usize, usize),
    pub(super) kind: ChangeKind,
}

/// The undo and redo stacks of one editor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Undo {
    done: VecDeque<Change>,
    undone: Vec<Change>,
    /// Whether the next change starts a new entry.
    sealed: bool,
}

impl Change {
    fn bytes(&self) -> usize {
        self.removed.len() + self.inserted.len()
    }

    /// Adds the change that follows this one if both belong to one word. Returns whether they do.
    fn join(&mut self, next: &Change) -> bool {
        let blank = |c: Option<char>| c.is_some_and(char::is_whitespace);
        let first = |text: &str| text.chars().next();
        let last = |text: &str| text.chars().next_back();
        match (self.kind, next.kind) {
            (ChangeKind::Typed, ChangeKind::Typed) => {
                let follows = next.removed.is_empty() && next.at == self.at + self.inserted.len();
                let begins = blank(last(&self.inserted)) && !blank(first(&next.inserted));
                if !follows || begins {
                    return false;
                }
                self.inserted.push_str(&next.inserted);
            }
            (ChangeKind::Deleted, ChangeKind::Deleted)
                if next.at + next.removed.len() == self.at =>
            {
                if blank(first(&self.removed)) && !blank(last(&next.removed)) {
                    return false;
                }
                self.removed.insert_str(0, &next.removed);
                self.at = next.at;
            }
            (ChangeKind::Deleted, ChangeKind::Deleted) if next.at == self.at => {
                if blank(last(&self.removed)) && !blank(first(&next.removed)) {
                    return false;
                }
                self.removed.push_str(&next.removed);
            }
            (ChangeKind::Typed | ChangeKind::Deleted | ChangeKind::Whole, _) => return false,
        }
        self.cursors.1 = next.cursors.1;
        true
    }
}

impl Undo {
    /// Returns whether there is a change to undo.
    pub(super) fn is_any(&self) -> bool {
        !self.done.is_empty()
    }

    /// Makes the next change start a new entry.
    pub(super) fn seal(&mut self) {
        self.sealed = true;
    }

    pub(super) fn push(&mut self, change: Change) {
        self.undone.clear();
        let sealed = std::mem::take(&mut self.sealed);
        let joined = !sealed && self.done.back_mut().is_some_and(|last| last.join(&change));
        if !joined {
            self.done.push_back(change);
        }
        let mut bytes: usize = self.done.iter().map(Change::bytes).sum();
        while self.done.len() > CHANGES_MAX || (bytes > BYTES_MAX && self.done.len() > 1) {
            bytes -= self.done.pop_front().map_or(0, |oldest| oldest.bytes());
        }
    }

    /// Takes the change to undo and makes it available to redo.
    pub(super) fn undo(&mut self) -> Option<Change> {
        let change = self.done.pop_back()?;
        self.undone.push(change.clone());
        self.sealed = true;
        Some(change)
    }

    /// Takes the change to redo.
    pub(super) fn redo(&mut self) -> Option<Change> {
        let change = self.undone.pop()?;
        self.done.push_back(change.clone());
        self.sealed = true;
        Some(change)
    }
}
