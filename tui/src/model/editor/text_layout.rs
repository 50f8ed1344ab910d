//! The layout of an input's text in rows.

use unicode_segmentation::UnicodeSegmentation;

use crate::text;

/// A text laid out in rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextLayout {
    pub rows: Vec<String>,
    pub row: usize,
    /// The cursor's column, in cells.
    pub column: usize,
    /// For each row, the column of each cluster and its byte offset in the text.
    starts: Vec<Vec<(usize, usize)>>,
}

impl TextLayout {
    /// Lays out a text in rows of at most `cells`, with room for the cursor after the last
    /// character.
    pub(super) fn new(text: &str, cursor: usize, cells: usize) -> Self {
        let cells = cells.max(2);
        let mut layout = Self {
            rows: vec![String::new()],
            row: 0,
            column: 0,
            starts: vec![Vec::new()],
        };
        let mut start = 0;
        for (nth, line) in text.split('\n').enumerate() {
            if nth > 0 {
                layout.add_row();
            }
            let row_starts = row_starts(line, cells, usize::MAX);
            let mut next_rows = row_starts.iter().skip(1).peekable();
            let mut used = 0;
            for (at, cluster) in line.grapheme_indices(true) {
                if next_rows.next_if_eq(&&at).is_some() {
                    layout.add_row();
                    used = 0;
                }
                let shown = text::shown(cluster);
                layout.mark(start + at, used, cursor);
                used += text::width(&shown);
                let last = layout.rows.len() - 1;
                layout.rows[last].push_str(&shown);
            }
            layout.mark(start + line.len(), used, cursor);
            start += line.len() + 1;
        }
        layout
    }

    fn add_row(&mut self) {
        self.rows.push(String::new());
        self.starts.push(Vec::new());
    }

    /// Returns the byte offset nearest to a column of a row.
    pub(super) fn place(&self, row: usize, column: usize) -> Option<usize> {
        let starts = self.starts.get(row)?;
        let at = starts
            .iter()
            .take_while(|(start, _)| *start <= column)
            .last()
            .or(starts.first());
        at.map(|(_, at)| *at)
    }

    fn mark(&mut self, at: usize, column: usize, cursor: usize) {
        let last = self.rows.len() - 1;
        self.starts[last].push((column, at));
        if at == cursor {
            (self.row, self.column) = (last, column);
        }
    }
}

/// Returns the number of rows that a text needs, counting up to `most`, without laying it out.
pub(super) fn count(text: &str, cells: usize, most: usize) -> usize {
    let cells = cells.max(2);
    let mut rows = 0;
    for line in text.split('\n') {
        if rows >= most {
            break;
        }
        rows += row_starts(line, cells, most - rows).len();
    }
    rows
}

/// Returns the byte offsets at which the rows of a line start, at most `most`. A row breaks after its
/// last blank or hyphen, or within a word that is longer than a row. Its last cell is reserved for the
/// cursor.
fn row_starts(line: &str, cells: usize, most: usize) -> Vec<usize> {
    let mut starts = vec![0];
    let mut used = 0;
    // The last possible break in this row: its offset and the cells before it.
    let mut chance: Option<(usize, usize)> = None;
    for (at, cluster) in line.grapheme_indices(true) {
        if starts.len() >= most {
            break;
        }
        let more = text::width(&text::shown(cluster));
        let is_full = |used: usize| used > 0 && used + more >= cells;
        if is_full(used)
            && let Some((offset, before)) = chance.take()
        {
            starts.push(offset);
            used -= before;
        }
        if is_full(used) && starts.last() != Some(&at) {
            starts.push(at);
            used = 0;
        }
        used += more;
        if matches!(cluster, " " | "-") {
            chance = Some((at + cluster.len(), used));
        }
    }
    starts
}
