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
        let mut used = 0;
        for (at, cluster) in text.grapheme_indices(true) {
            if cluster == "\n" {
                layout.mark(at, used, cursor);
                layout.rows.push(String::new());
                layout.starts.push(Vec::new());
                used = 0;
                continue;
            }
            let shown = text::shown(cluster);
            let more = text::width(&shown);
            // The last cell of a row is reserved for the cursor.
            if used > 0 && used + more >= cells {
                layout.rows.push(String::new());
                layout.starts.push(Vec::new());
                used = 0;
            }
            layout.mark(at, used, cursor);
            let last = layout.rows.len() - 1;
            layout.rows[last].push_str(&shown);
            used += more;
        }
        layout.mark(text.len(), used, cursor);
        layout
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
    let (mut rows, mut used) = (1, 0);
    for cluster in text.graphemes(true) {
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
