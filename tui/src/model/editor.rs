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

    /// Returns the text.
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
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const FAMILY: &str = "👩‍👩‍👧";

    #[rstest]
    #[case(FAMILY, "")]
    #[case("ae\u{301}", "a")]
    #[case("日本", "日")]
    #[case("🇩🇪🇫🇷", "🇩🇪")]
    #[case("", "")]
    fn backspace_takes_what_looks_like_one(#[case] text: &str, #[case] left: &str) {
        let mut editor = Editor::new(text);
        editor.delete_left();
        assert_eq!(editor.text(), left);
    }

    #[test]
    fn moves_by_cluster_and_deletes_to_the_right() {
        let mut editor = Editor::new(format!("a{FAMILY}b"));
        editor.left();
        editor.left();
        assert_eq!(editor.before(), "a");
        editor.delete_right();
        assert_eq!(editor.text(), "ab");
        editor.right();
        editor.right();
        assert_eq!(editor.before(), "ab");
    }

    #[test]
    fn words_are_cut_and_put_back() {
        let mut editor = Editor::new("one two  three");
        editor.word_left();
        editor.word_left();
        assert_eq!(editor.before(), "one ");
        editor.word_right();
        assert_eq!(editor.before(), "one two");
        let mut ring = KillRing::default();
        editor.cut_word(&mut ring);
        assert_eq!(editor.text(), "one   three");
        editor.line_end();
        editor.yank(&ring);
        assert_eq!(editor.text(), "one   threetwo");
        editor.cut_to_start(&mut ring);
        assert_eq!(editor.text(), "");
        editor.yank(&ring);
        editor.line_start();
        editor.cut_to_end(&mut ring);
        assert!(editor.is_empty());
    }

    #[test]
    fn lines_are_cut_one_at_a_time() {
        let mut ring = KillRing::default();
        let mut editor = Editor::new("one\ntwo");
        editor.cut_to_start(&mut ring);
        assert_eq!(editor.text(), "one\n");
        editor.cut_to_start(&mut ring);
        assert_eq!(editor.text(), "one");
        // Consecutive cuts are one entry.
        editor.yank(&ring);
        assert_eq!(editor.text(), "one\ntwo");
    }

    #[test]
    fn cuts_one_after_the_other_are_one_and_older_ones_come_back() {
        let mut ring = KillRing::default();
        let mut editor = Editor::new("see https://a.b/c?d now, please");
        editor.cut_word(&mut ring);
        editor.cut_word(&mut ring);
        assert_eq!(editor.text(), "see https://a.b/c?d ");
        editor.left();
        editor.cut_to_blank(&mut ring);
        assert_eq!(editor.text(), "see  ");
        editor.yank(&ring);
        assert_eq!(editor.text(), "see https://a.b/c?d ");
        assert!(editor.yank_older(&ring));
        assert_eq!(editor.text(), "see now, please ");
        assert!(editor.yank_older(&ring));
        assert_eq!(editor.text(), "see https://a.b/c?d ");
        editor.right();
        assert!(!editor.yank_older(&ring));
        let mut other = Editor::new("elsewhere");
        other.cut_word(&mut ring);
        editor.cut_word(&mut ring);
        other.yank(&ring);
        assert_eq!(other.text(), "d ");
    }

    #[rstest]
    #[case("abc", 0, "acb")]
    #[case("abc", 1, "acb")]
    #[case("abc", 3, "abc")]
    #[case("a👩‍👩‍👧", 0, "👩‍👩‍👧a")]
    #[case("x\nab", 2, "x\nab")]
    #[case("x\nab", 1, "x\nba")]
    #[case("", 0, "")]
    fn neighbours_are_swapped(#[case] text: &str, #[case] lefts: usize, #[case] expected: &str) {
        let mut editor = Editor::new(text);
        for _ in 0..lefts {
            editor.left();
        }
        editor.transpose();
        assert_eq!(editor.text(), expected);
    }

    #[test]
    fn what_is_written_is_taken_back_word_by_word() {
        let mut ring = KillRing::default();
        let mut editor = Editor::default();
        for c in "one two three".chars() {
            editor.write(c);
        }
        editor.insert(" pasted text");
        editor.cut_to_start(&mut ring);
        let mut seen = Vec::new();
        while editor.undo() {
            seen.push(editor.text().to_owned());
        }
        assert_eq!(
            seen,
            [
                "one two three pasted text",
                "one two three",
                "one two ",
                "one ",
                ""
            ]
        );
        while editor.redo() {}
        assert_eq!(editor.text(), "");
        editor.undo();
        for _ in 0..5 {
            editor.delete_left();
        }
        assert_eq!(editor.text(), "one two three pasted");
        editor.undo();
        assert_eq!(editor.text(), "one two three pasted text");
        editor.write('!');
        assert!(!editor.redo(), "what is new ends what was undone");
    }

    #[test]
    fn words_are_more_than_punctuation() {
        let mut editor = Editor::new("well, (yes) 日本 👩‍👩‍👧 …");
        let mut stops = Vec::new();
        while !editor.before().is_empty() {
            editor.word_left();
            stops.push(editor.before().chars().count());
        }
        assert_eq!(stops.last(), Some(&0));
        assert!(stops.contains(&7), "{stops:?}");
        editor.cut_word_right(&mut KillRing::default());
        assert_eq!(editor.text(), ", (yes) 日本 👩‍👩‍👧 …");
    }

    #[test]
    fn rows_leave_a_cell_for_the_cursor() {
        let layout = Editor::new("abcdef").layout(4);
        assert_eq!(layout.rows, ["abc", "def"]);
        assert_eq!((layout.row, layout.column), (1, 3));
        let layout = Editor::new("日本語").layout(4);
        assert_eq!(layout.rows, ["日", "本", "語"]);
        let layout = Editor::new("a\n").layout(10);
        assert_eq!((layout.rows.len(), layout.row, layout.column), (2, 1, 0));
        let layout = Editor::new("a\tb\u{202e}").layout(40);
        assert_eq!(layout.rows, ["a    b<U+202E>"]);
    }

    #[test]
    fn up_and_down_keep_the_column() {
        let mut editor = Editor::new("first line\nab\nthird line");
        assert!(editor.up(40));
        assert_eq!(editor.before(), "first line\nab");
        assert!(editor.up(40));
        assert_eq!(editor.before(), "first line");
        assert!(!editor.up(40));
        assert!(editor.down(40) && editor.down(40));
        assert!(!editor.down(40));
    }

    #[test]
    fn what_is_pasted_is_made_harmless() {
        let mut editor = Editor::default();
        editor.insert("a\r\nb\rc\u{1b}[2J\td");
        assert_eq!(editor.text(), "a\nb\nc[2J\td");
    }

    proptest! {
        #[test]
        fn everything_can_be_taken_back_and_made_again(
            text in "[a \n👩👧\u{200d}\u{301}日🇩🇪]{0,12}",
            steps in proptest::collection::vec(0_u8..9, 0..30),
        ) {
            let mut editor = Editor::new(text.clone());
            let mut ring = KillRing::default();
            for step in steps {
                match step {
                    0 => editor.left(),
                    1 => editor.word_left(),
                    2 => editor.write('a'),
                    3 => editor.write(' '),
                    4 => editor.insert("\u{200d}👧 b"),
                    5 => editor.delete_left(),
                    6 => editor.delete_right(),
                    7 => editor.cut_word(&mut ring),
                    _ => editor.yank(&ring),
                }
            }
            let end = editor.text().to_owned();
            while editor.undo() {}
            prop_assert_eq!(editor.text(), text);
            while editor.redo() {}
            prop_assert_eq!(editor.text(), end);
        }

        #[test]
        fn the_cursor_is_always_between_clusters(
            text in "[a \n👩👧\u{200d}\u{301}日🇩🇪]{0,20}",
            moves in proptest::collection::vec(0_u8..21, 0..40),
            cells in 1_usize..12,
        ) {
            let mut editor = Editor::new(text);
            let mut ring = KillRing::default();
            for step in moves {
                match step {
                    0 => editor.left(),
                    1 => editor.right(),
                    2 => editor.word_left(),
                    3 => editor.word_right(),
                    4 => editor.line_start(),
                    5 => editor.line_end(),
                    6 => { editor.up(cells); }
                    7 => { editor.down(cells); }
                    8 => editor.delete_left(),
                    9 => editor.delete_right(),
                    10 => editor.cut_word(&mut ring),
                    11 => editor.cut_to_start(&mut ring),
                    12 => editor.yank(&ring),
                    13 => editor.cut_word_right(&mut ring),
                    14 => editor.cut_to_blank(&mut ring),
                    15 => editor.transpose(),
                    16 => { editor.undo(); }
                    17 => { editor.redo(); }
                    18 => { editor.yank_older(&ring); }
                    19 => editor.write('\u{301}'),
                    _ => editor.insert("\u{200d}👧"),
                }
                let at = editor.before().len();
                let between = editor.text().grapheme_indices(true).any(|(start, _)| start == at);
                prop_assert!(between || at == editor.text().len());
                let layout = editor.layout(cells);
                prop_assert!(layout.row < layout.rows.len());
                prop_assert_eq!(editor.rows(cells, usize::MAX), layout.rows.len());
            }
        }
    }
}
