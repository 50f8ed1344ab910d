//! The text editor of an input: moves and deletes by grapheme cluster, with a kill ring and undo.

mod kill_ring;
mod text_layout;
mod undo;

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

pub use kill_ring::KillRing;
use kill_ring::Side;
pub use text_layout::TextLayout;
use undo::{Change, ChangeKind, Undo};

/// A text with a cursor, and its undo history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    /// In bytes, always at a cluster boundary.
    cursor: usize,
    undo: Undo,
    last: LastAction,
    /// The column that vertical moves keep.
    goal_column: Option<usize>,
    /// Whether the text is a default, which the first change replaces.
    is_default: bool,
}

/// The last action, where it affects the next one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum LastAction {
    /// Has no effect on the next action.
    #[default]
    Other,
    /// A cut with this number in the kill ring.
    Cut(u64),
    /// A yank: the range it wrote and the index of the cut.
    Yanked { at: Range<usize>, nth: usize },
}

impl Editor {
    /// Returns an editor with the cursor at the end of the text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            cursor: text.len(),
            text,
            ..Self::default()
        }
    }

    /// Returns an editor with a default value, which the first change replaces unless the cursor was
    /// moved before.
    pub fn with_default(text: impl Into<String>) -> Self {
        Self {
            is_default: true,
            ..Self::new(text)
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns whether there is a change to undo.
    pub fn is_changed(&self) -> bool {
        self.undo.is_any()
    }

    /// Returns the text before the cursor.
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Replaces the text and moves the cursor to its end.
    pub fn set(&mut self, text: &str) {
        self.replace(0..self.text.len(), &sanitize(text), ChangeKind::Whole);
    }

    /// Takes the text and resets the editor, including its undo history.
    pub fn take(&mut self) -> String {
        std::mem::take(self).text
    }

    /// Inserts one character at the cursor.
    pub fn write(&mut self, c: char) {
        if c == '\n' || c == '\t' || !c.is_control() {
            let kind = if c == '\n' {
                ChangeKind::Whole
            } else {
                ChangeKind::Typed
            };
            self.replace(self.cursor..self.cursor, c.encode_utf8(&mut [0; 4]), kind);
        }
    }

    /// Inserts a text at the cursor. Line ends become `\n`; control characters except tabs are
    /// removed.
    pub fn insert(&mut self, text: &str) {
        self.replace(self.cursor..self.cursor, &sanitize(text), ChangeKind::Whole);
    }

    /// Replaces the text between `start` and the cursor.
    pub fn complete(&mut self, start: usize, text: &str) {
        if self.text.is_char_boundary(start) && start <= self.cursor {
            self.replace(start..self.cursor, &sanitize(text), ChangeKind::Whole);
        }
    }

    /// Moves one cluster left.
    pub fn left(&mut self) {
        self.go(self.left_of(self.cursor));
    }

    /// Moves one cluster right.
    pub fn right(&mut self) {
        self.go(self.right_of(self.cursor));
    }

    /// Moves to the start of this word or the previous one.
    pub fn word_left(&mut self) {
        self.go(self.word_start());
    }

    /// Moves to the end of this word or the next one.
    pub fn word_right(&mut self) {
        self.go(self.word_end());
    }

    /// Moves to the start of the line.
    pub fn line_start(&mut self) {
        self.go(self.start_of_line());
    }

    /// Moves to the end of the line.
    pub fn line_end(&mut self) {
        self.go(self.end_of_line());
    }

    /// Moves to the start of the text.
    pub fn text_start(&mut self) {
        self.go(0);
    }

    /// Moves to the end of the text.
    pub fn text_end(&mut self) {
        self.go(self.text.len());
    }

    /// Moves one row up in a layout of this width. Returns false on the first row.
    pub fn up(&mut self, cells: usize) -> bool {
        let layout = self.layout(cells);
        layout
            .row
            .checked_sub(1)
            .is_some_and(|row| self.go_to_row(&layout, row))
    }

    /// Moves one row down in a layout of this width. Returns false on the last row.
    pub fn down(&mut self, cells: usize) -> bool {
        let layout = self.layout(cells);
        self.go_to_row(&layout, layout.row + 1)
    }

    /// Deletes the cluster before the cursor.
    pub fn delete_left(&mut self) {
        self.replace(
            self.left_of(self.cursor)..self.cursor,
            "",
            ChangeKind::Deleted,
        );
    }

    /// Deletes the cluster after the cursor.
    pub fn delete_right(&mut self) {
        self.replace(
            self.cursor..self.right_of(self.cursor),
            "",
            ChangeKind::Deleted,
        );
    }

    /// Cuts the word before the cursor.
    pub fn cut_word(&mut self, ring: &mut KillRing) {
        self.cut(self.word_start()..self.cursor, ring, Side::Front);
    }

    /// Cuts the word after the cursor.
    pub fn cut_word_right(&mut self, ring: &mut KillRing) {
        self.cut(self.cursor..self.word_end(), ring, Side::Back);
    }

    /// Cuts back to the previous whitespace: a whole URL or path.
    pub fn cut_to_blank(&mut self, ring: &mut KillRing) {
        let word = self.before().trim_end();
        let start = word
            .char_indices()
            .rfind(|(_, c)| c.is_whitespace())
            .map_or(0, |(at, c)| at + c.len_utf8());
        self.cut(self.bound_before(start)..self.cursor, ring, Side::Front);
    }

    /// Cuts the line before the cursor, or the preceding line end at the start of a line.
    pub fn cut_to_start(&mut self, ring: &mut KillRing) {
        let start = self.start_of_line();
        let start = if start == self.cursor {
            self.left_of(start)
        } else {
            start
        };
        self.cut(start..self.cursor, ring, Side::Front);
    }

    /// Cuts the line after the cursor, or the line end at the end of a line.
    pub fn cut_to_end(&mut self, ring: &mut KillRing) {
        let end = self.end_of_line();
        let end = if end == self.cursor {
            self.right_of(end)
        } else {
            end
        };
        self.cut(self.cursor..end, ring, Side::Back);
    }

    /// Cuts the whole text.
    pub fn cut_all(&mut self, ring: &mut KillRing) {
        self.cut(0..self.text.len(), ring, Side::Back);
    }

    /// Inserts the last cut.
    pub fn yank(&mut self, ring: &KillRing) {
        self.yank_nth(self.cursor..self.cursor, 0, ring);
    }

    /// Right after a yank, replaces the yanked text with the previous cut. Returns false in any
    /// other place.
    pub fn yank_older(&mut self, ring: &KillRing) -> bool {
        let LastAction::Yanked { at, nth } = self.last.clone() else {
            return false;
        };
        self.yank_nth(at, nth + 1, ring);
        true
    }

    /// Swaps the clusters around the cursor, or the two before it at the end of a line.
    pub fn transpose(&mut self) {
        let line = self.start_of_line()..self.end_of_line();
        let middle = if self.cursor == line.end {
            self.left_of(self.cursor)
        } else {
            self.cursor
        };
        let (start, end) = (self.left_of(middle), self.right_of(middle));
        if start >= line.start && start < middle && middle < end && end <= line.end {
            let swapped = format!("{}{}", &self.text[middle..end], &self.text[start..middle]);
            self.replace(start..end, &swapped, ChangeKind::Whole);
        }
    }

    /// Undoes the last change. Returns whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(change) = self.undo.undo() else {
            return false;
        };
        let end = change.at + change.inserted.len();
        self.text.replace_range(change.at..end, &change.removed);
        self.moved(change.cursors.0);
        true
    }

    /// Redoes the last undone change. Returns whether there was one.
    pub fn redo(&mut self) -> bool {
        let Some(change) = self.undo.redo() else {
            return false;
        };
        let end = change.at + change.removed.len();
        self.text.replace_range(change.at..end, &change.inserted);
        self.moved(change.cursors.1);
        true
    }

    /// Lays the text out in rows of at most `cells`, with room for the cursor after the last
    /// character.
    pub fn layout(&self, cells: usize) -> TextLayout {
        TextLayout::new(&self.text, self.cursor, cells)
    }

    /// Returns the number of rows at this width, counting up to `most`.
    pub fn rows(&self, cells: usize, most: usize) -> usize {
        text_layout::count(&self.text, cells, most)
    }

    fn go(&mut self, at: usize) {
        self.undo.seal();
        self.moved(at);
    }

    fn moved(&mut self, at: usize) {
        self.cursor = at;
        self.settle();
        (self.last, self.goal_column) = (LastAction::Other, None);
        self.is_default = false;
    }

    fn go_to_row(&mut self, layout: &TextLayout, row: usize) -> bool {
        let column = self.goal_column.unwrap_or(layout.column);
        let Some(at) = layout.place(row, column) else {
            return false;
        };
        self.go(at);
        self.goal_column = Some(column);
        true
    }

    /// Applies a change to the text. All changes go through here.
    fn replace(&mut self, range: Range<usize>, with: &str, kind: ChangeKind) {
        let range = if self.is_default {
            0..self.text.len()
        } else {
            range
        };
        if range.is_empty() && with.is_empty() {
            return self.go(self.cursor);
        }
        let before = self.cursor;
        let (at, removed) = (range.start, self.text[range.clone()].to_owned());
        self.text.replace_range(range, with);
        self.moved(at + with.len());
        self.undo.push(Change {
            at,
            removed,
            inserted: with.to_owned(),
            cursors: (before, self.cursor),
            kind,
        });
    }

    fn cut(&mut self, range: Range<usize>, ring: &mut KillRing, end: Side) {
        if range.is_empty() {
            return;
        }
        let cut = &self.text[range.clone()];
        // Consecutive cuts form one entry of the kill ring, in text order.
        if self.last == LastAction::Cut(ring.count()) {
            ring.extend(cut, end);
        } else {
            ring.push(cut);
        }
        self.replace(range, "", ChangeKind::Whole);
        self.last = LastAction::Cut(ring.count());
    }

    fn yank_nth(&mut self, range: Range<usize>, nth: usize, ring: &KillRing) {
        let Some(cut) = ring.nth(nth) else {
            return;
        };
        let at = range.start..range.start + cut.len();
        self.replace(range, cut, ChangeKind::Whole);
        self.last = LastAction::Yanked { at, nth };
    }

    /// Moves the cursor to a cluster boundary: a change may join the clusters around it.
    fn settle(&mut self) {
        let bounds = self.text.grapheme_indices(true).map(|(at, _)| at);
        self.cursor = bounds
            .chain([self.text.len()])
            .find(|at| *at >= self.cursor)
            .unwrap_or_default();
    }

    fn left_of(&self, at: usize) -> usize {
        self.text[..at]
            .grapheme_indices(true)
            .next_back()
            .map_or(0, |(start, _)| start)
    }

    fn right_of(&self, at: usize) -> usize {
        self.text[at..]
            .graphemes(true)
            .next()
            .map_or(at, |cluster| at + cluster.len())
    }

    fn word_start(&self) -> usize {
        let mut words = self.before().split_word_bound_indices();
        let start = words.rfind(|(_, word)| is_word(word));
        self.bound_before(start.map_or(0, |(at, _)| at))
    }

    fn word_end(&self) -> usize {
        let rest = &self.text[self.cursor..];
        let mut words = rest.split_word_bound_indices();
        let end = words
            .find(|(_, word)| is_word(word))
            .map_or(rest.len(), |(at, word)| at + word.len());
        let end = self.cursor + end;
        let mut bounds = self.text.grapheme_indices(true).map(|(at, _)| at);
        bounds.find(|at| *at >= end).unwrap_or(self.text.len())
    }

    /// Returns the last cluster boundary up to `at`. A word boundary may be inside a cluster.
    fn bound_before(&self, at: usize) -> usize {
        let bounds = self.text.grapheme_indices(true).map(|(start, _)| start);
        bounds.take_while(|start| *start <= at).last().unwrap_or(0)
    }

    fn start_of_line(&self) -> usize {
        self.before().rfind('\n').map_or(0, |at| at + 1)
    }

    fn end_of_line(&self) -> usize {
        self.text[self.cursor..]
            .find('\n')
            .map_or(self.text.len(), |at| self.cursor + at)
    }
}

/// Normalizes line ends to `\n` and removes control characters except tabs.
fn sanitize(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars()
        .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
        .collect()
}

/// Returns whether a segment contains more than whitespace and punctuation.
fn is_word(part: &str) -> bool {
    let counts = |c: char| !c.is_whitespace() && !c.is_ascii_punctuation();
    part.chars().any(counts)
}

#[cfg(test)]
mod tests;
