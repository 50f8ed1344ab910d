//! A text being written: a cursor that moves and deletes by grapheme cluster, and what was cut.

use unicode_segmentation::UnicodeSegmentation;

use crate::text;

/// A text, a cursor in it, and what was cut from it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    /// In bytes; always between two clusters.
    cursor: usize,
    cut: String,
}

/// The text laid out in rows, as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid {
    /// What each row shows.
    pub rows: Vec<String>,
    /// The cursor's row.
    pub row: usize,
    /// The cursor's column, in cells.
    pub column: usize,
    /// For every row the cells before each cluster and the cluster's place in the text.
    starts: Vec<Vec<(usize, usize)>>,
}

impl Editor {
    /// With a text, the cursor at its end.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            cursor: text.len(),
            text,
            cut: String::new(),
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text up to the cursor.
    pub fn before(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Puts another text in its place, the cursor at its end; what was cut stays.
    pub fn set(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.cursor = self.text.len();
    }

    /// Hands the text over and is empty.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Writes at the cursor. Line ends become `\n`; control characters but tabs are left out.
    pub fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let kept: String = text
            .chars()
            .filter(|c| *c == '\n' || *c == '\t' || !c.is_control())
            .collect();
        self.text.insert_str(self.cursor, &kept);
        self.cursor += kept.len();
        self.settle();
    }

    /// One cluster to the left.
    pub fn left(&mut self) {
        self.cursor = self.left_of(self.cursor);
    }

    /// One cluster to the right.
    pub fn right(&mut self) {
        self.cursor = self.right_of(self.cursor);
    }

    /// To the start of this word or of the one before.
    pub fn word_left(&mut self) {
        self.cursor = self.word_start();
    }

    /// To the end of this word or of the next.
    pub fn word_right(&mut self) {
        let rest = &self.text[self.cursor..];
        let mut end = rest.len();
        for (at, word) in rest.split_word_bound_indices() {
            if !word.trim().is_empty() {
                end = at + word.len();
                break;
            }
        }
        self.cursor += end;
        self.settle();
    }

    /// To the start of the line.
    pub fn line_start(&mut self) {
        self.cursor = self.start_of_line();
    }

    /// To the end of the line.
    pub fn line_end(&mut self) {
        self.cursor = self.end_of_line();
    }

    /// One row up, on rows of so many cells. False when there is none.
    pub fn up(&mut self, cells: usize) -> bool {
        let laid = self.laid(cells);
        laid.row > 0 && self.go(&laid, laid.row - 1)
    }

    /// One row down, on rows of so many cells. False when there is none.
    pub fn down(&mut self, cells: usize) -> bool {
        let laid = self.laid(cells);
        self.go(&laid, laid.row + 1)
    }

    /// Deletes the cluster before the cursor.
    pub fn delete_left(&mut self) {
        let start = self.left_of(self.cursor);
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
        self.settle();
    }

    /// Deletes the cluster after the cursor.
    pub fn delete_right(&mut self) {
        let end = self.right_of(self.cursor);
        self.text.replace_range(self.cursor..end, "");
        self.settle();
    }

    /// Cuts the word before the cursor.
    pub fn cut_word(&mut self) {
        self.cut_range(self.word_start(), self.cursor);
    }

    /// Cuts what stands before the cursor in its line; at the start of a line, its line end.
    pub fn cut_to_start(&mut self) {
        let start = self.start_of_line();
        self.cut_range(
            if start == self.cursor {
                self.left_of(start)
            } else {
                start
            },
            self.cursor,
        );
    }

    /// Cuts what stands after the cursor in its line; at the end of a line, its line end.
    pub fn cut_to_end(&mut self) {
        let end = self.end_of_line();
        let end = if end == self.cursor {
            self.right_of(end)
        } else {
            end
        };
        self.cut_range(self.cursor, end);
    }

    /// Cuts everything.
    pub fn cut_all(&mut self) {
        self.cut_range(0, self.text.len());
    }

    /// Writes what was cut last.
    pub fn yank(&mut self) {
        let cut = self.cut.clone();
        self.insert(&cut);
    }

    /// The text in rows of at most so many cells, with room for the cursor after the last.
    pub fn laid(&self, cells: usize) -> Laid {
        let cells = cells.max(2);
        let mut laid = Laid {
            rows: vec![String::new()],
            row: 0,
            column: 0,
            starts: vec![Vec::new()],
        };
        let mut used = 0;
        for (at, cluster) in self.text.grapheme_indices(true) {
            if cluster == "\n" {
                laid.mark(at, used, self.cursor);
                laid.rows.push(String::new());
                laid.starts.push(Vec::new());
                used = 0;
                continue;
            }
            let shown = text::shown(cluster);
            let more = text::width(&shown);
            // The last cell of a row stays free for the cursor.
            if used > 0 && used + more >= cells {
                laid.rows.push(String::new());
                laid.starts.push(Vec::new());
                used = 0;
            }
            laid.mark(at, used, self.cursor);
            let last = laid.rows.len() - 1;
            laid.rows[last].push_str(&shown);
            used += more;
        }
        laid.mark(self.text.len(), used, self.cursor);
        laid
    }

    /// Rows of so many cells that the text needs, counted up to `most`: a long text is not laid
    /// out only to be measured.
    pub fn rows(&self, cells: usize, most: usize) -> usize {
        let cells = cells.max(2);
        let (mut rows, mut used) = (1, 0);
        for cluster in self.text.graphemes(true) {
            if rows >= most {
                break;
            }
            if cluster == "\n" {
                (rows, used) = (rows + 1, 0);
                continue;
            }
            let more = text::width(&text::shown(cluster));
            if used > 0 && used + more >= cells {
                (rows, used) = (rows + 1, 0);
            }
            used += more;
        }
        rows
    }

    fn go(&mut self, laid: &Laid, row: usize) -> bool {
        let Some(starts) = laid.starts.get(row) else {
            return false;
        };
        let at = starts
            .iter()
            .take_while(|(column, _)| *column <= laid.column)
            .last();
        self.cursor = at.or(starts.first()).map_or(self.cursor, |(_, at)| *at);
        true
    }

    /// A text that is put in, or a gap that closes, may join clusters around the cursor.
    fn settle(&mut self) {
        let bounds = self.text.grapheme_indices(true).map(|(at, _)| at);
        self.cursor = bounds
            .chain([self.text.len()])
            .find(|at| *at >= self.cursor)
            .unwrap_or_default();
    }

    fn cut_range(&mut self, start: usize, end: usize) {
        if start < end {
            self.cut = self.text[start..end].to_owned();
            self.text.replace_range(start..end, "");
            self.cursor = start;
            self.settle();
        }
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
        let start = words
            .rfind(|(_, word)| !word.trim().is_empty())
            .map_or(0, |(at, _)| at);
        // Words may part what is one cluster: flags with a joiner between them.
        let bounds = self.text.grapheme_indices(true).map(|(at, _)| at);
        bounds.take_while(|at| *at <= start).last().unwrap_or(0)
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

impl Laid {
    fn mark(&mut self, at: usize, column: usize, cursor: usize) {
        let last = self.rows.len() - 1;
        self.starts[last].push((column, at));
        if at == cursor {
            (self.row, self.column) = (last, column);
        }
    }
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
        editor.cut_word();
        assert_eq!(editor.text(), "one   three");
        editor.line_end();
        editor.yank();
        assert_eq!(editor.text(), "one   threetwo");
        editor.cut_to_start();
        assert_eq!(editor.text(), "");
        editor.yank();
        editor.line_start();
        editor.cut_to_end();
        assert!(editor.is_empty());
    }

    #[test]
    fn lines_are_cut_one_at_a_time() {
        let mut editor = Editor::new("one\ntwo");
        editor.cut_to_start();
        assert_eq!(editor.text(), "one\n");
        editor.cut_to_start();
        assert_eq!(editor.text(), "one");
    }

    #[test]
    fn rows_leave_a_cell_for_the_cursor() {
        let laid = Editor::new("abcdef").laid(4);
        assert_eq!(laid.rows, ["abc", "def"]);
        assert_eq!((laid.row, laid.column), (1, 3));
        let laid = Editor::new("日本語").laid(4);
        assert_eq!(laid.rows, ["日", "本", "語"]);
        let laid = Editor::new("a\n").laid(10);
        assert_eq!((laid.rows.len(), laid.row, laid.column), (2, 1, 0));
        let laid = Editor::new("a\tb\u{202e}").laid(40);
        assert_eq!(laid.rows, ["a    b<U+202E>"]);
    }

    #[test]
    fn up_and_down_keep_the_column() {
        let mut editor = Editor::new("first line\nab\nthird line");
        assert!(editor.up(40));
        assert_eq!(editor.before(), "first line\nab");
        assert!(editor.up(40));
        assert_eq!(editor.before(), "fi");
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
        fn the_cursor_is_always_between_clusters(
            text in "[a \n👩👧\u{200d}\u{301}日🇩🇪]{0,20}",
            moves in proptest::collection::vec(0_u8..14, 0..40),
            cells in 1_usize..12,
        ) {
            let mut editor = Editor::new(text);
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
                    10 => editor.cut_word(),
                    11 => editor.cut_to_start(),
                    12 => editor.yank(),
                    _ => editor.insert("\u{200d}👧"),
                }
                let at = editor.before().len();
                let between = editor.text().grapheme_indices(true).any(|(start, _)| start == at);
                prop_assert!(between || at == editor.text().len());
                let laid = editor.laid(cells);
                prop_assert!(laid.row < laid.rows.len());
                prop_assert_eq!(editor.rows(cells, usize::MAX), laid.rows.len());
            }
        }
    }
}
