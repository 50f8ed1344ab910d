//! Text output: tables, local times, and untrusted text that cannot imitate other lines.

use chrono::{DateTime, FixedOffset, Local, Utc};
use plenary_shared::text::for_terminal;
use plenary_shared::time::Timestamp;
use unicode_width::UnicodeWidthStr as _;

/// Width limit of the column with names. Wider names shift only their own line.
const NAME_COLUMNS_MAX: usize = 20;

/// SGR parameter: bold.
pub const BOLD: &str = "1";
/// SGR parameter: faint.
pub const DIM: &str = "2";
/// SGR parameter: green.
pub const GREEN: &str = "32";
/// SGR parameter: yellow.
pub const YELLOW: &str = "33";

/// The settings of text output.
#[derive(Clone, Copy)]
pub struct Style {
    pub colour: bool,
    /// Converts UTC to the time zone of the reader.
    pub zone: fn(DateTime<Utc>) -> DateTime<FixedOffset>,
}

/// A cell of a table.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    /// The SGR (select graphic rendition) parameters, or an empty string.
    sgr: &'static str,
}

/// An event with its description.
#[derive(Clone, Debug)]
pub struct Entry {
    pub seq: u64,
    pub at: Timestamp,
    /// The author of a message, or `*`.
    pub who: String,
    pub text: String,
    pub is_message: bool,
}

/// Converts UTC to the time zone of the machine.
pub fn local(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&Local).fixed_offset()
}

/// Returns a cell with untrusted text.
pub fn cell(text: impl AsRef<str>) -> Cell {
    painted("", text)
}

/// Returns a cell with untrusted text and SGR parameters.
pub fn painted(sgr: &'static str, text: impl AsRef<str>) -> Cell {
    Cell {
        text: for_terminal(text.as_ref()),
        sgr,
    }
}

impl Style {
    /// Formats a date and time to the second.
    pub fn moment(self, at: Timestamp) -> String {
        (self.zone)(at.to_utc())
            .format("%Y-%m-%d %H:%M:%S")
            .to_string()
    }

    /// Formats a period as `2026-11-22 20:15–20:45`, with both dates if they differ.
    pub fn span(self, from: Timestamp, to: Timestamp) -> String {
        let (from, to) = ((self.zone)(from.to_utc()), (self.zone)(to.to_utc()));
        let end = if from.date_naive() == to.date_naive() {
            "%H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        format!("{}–{}", from.format("%Y-%m-%d %H:%M"), to.format(end))
    }

    /// Formats rows with aligned columns. The last column is not padded.
    pub fn table(self, rows: &[Vec<Cell>]) -> Vec<String> {
        let mut widths: Vec<usize> = Vec::new();
        for row in rows {
            for (at, cell) in row.iter().enumerate() {
                let width = cell.text.width();
                match widths.get_mut(at) {
                    Some(widest) => *widest = width.max(*widest),
                    None => widths.push(width),
                }
            }
        }
        rows.iter()
            .map(|row| {
                let mut line = String::new();
                for (at, cell) in row.iter().enumerate() {
                    let is_last = at + 1 == row.len();
                    line.push_str(&self.paint(cell));
                    if !is_last {
                        let gap = widths[at].saturating_sub(cell.text.width()) + 2;
                        line.push_str(&" ".repeat(gap));
                    }
                }
                line.trim_end().to_owned()
            })
            .collect()
    }

    /// Formats entries with aligned texts. Continuation lines are indented, so that no text can
    /// imitate an entry.
    pub fn entries(self, entries: &[Entry]) -> Vec<String> {
        let seq_columns = widest(entries, |entry| entry.seq.to_string().width(), 4);
        let who_columns = widest(entries, |entry| for_terminal(&entry.who).width(), 8);
        let mut lines = Vec::new();
        for entry in entries {
            let seq = format!("{:>seq_columns$}", entry.seq);
            let who = for_terminal(&entry.who);
            let gap = " ".repeat(who_columns.saturating_sub(who.width()));
            let moment = self.moment(entry.at);
            let before = format!(
                "{}  {}  {}{gap}  ",
                self.paint(&painted(DIM, &seq)),
                self.paint(&painted(DIM, &moment)),
                self.paint(&painted(if entry.is_message { BOLD } else { DIM }, &who)),
            );
            let indent = " ".repeat(seq.width() + 2 + moment.width() + 2 + who_columns + 2);
            for (at, line) in entry.text.split('\n').enumerate() {
                let sgr = if entry.is_message { "" } else { DIM };
                let text = self.paint(&painted(sgr, line));
                let front = if at == 0 { &before } else { &indent };
                lines.push(format!("{front}{text}").trim_end().to_owned());
            }
        }
        lines
    }

    fn paint(self, cell: &Cell) -> String {
        if !self.colour || cell.sgr.is_empty() || cell.text.is_empty() {
            cell.text.clone()
        } else {
            format!("\u{1b}[{}m{}\u{1b}[0m", cell.sgr, cell.text)
        }
    }
}

fn widest(entries: &[Entry], width: impl Fn(&Entry) -> usize, least: usize) -> usize {
    entries
        .iter()
        .map(width)
        .filter(|columns| *columns <= NAME_COLUMNS_MAX)
        .fold(least, usize::max)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use chrono::Offset as _;

    /// No colours, UTC+2.
    pub const PLAIN: Style = Style {
        colour: false,
        zone: |at| at.with_timezone(&FixedOffset::east_opt(7_200).unwrap_or_else(|| Utc.fix())),
    };

    fn entry(seq: u64, who: &str, text: &str) -> Entry {
        Entry {
            seq,
            at: Timestamp::from_ms(1_700_000_000_000),
            who: who.to_owned(),
            text: text.to_owned(),
            is_message: true,
        }
    }

    #[test]
    fn entry_text_cannot_imitate_other_entries() {
        let lines = PLAIN.entries(&[
            entry(
                9,
                "ada",
                "first\n  10  2023-11-15 00:13:20  grace  forged\n",
            ),
            entry(
                10,
                "日本",
                "\u{1b}]0;title\u{7}tab\there\u{202e}right to left",
            ),
            entry(11, "a name of more than twenty columns", "x\r\ny"),
        ]);
        insta::assert_snapshot!(lines.join("\n"), @r"
           9  2023-11-15 00:13:20  ada       first
                                               10  2023-11-15 00:13:20  grace  forged

          10  2023-11-15 00:13:20  日本      ]0;titletab here<U+202E>right to left
          11  2023-11-15 00:13:20  a name of more than twenty columns  x
                                             y
        ");
    }

    #[test]
    fn columns_are_aligned() {
        let lines = PLAIN.table(&[
            vec![cell("1/4"), cell("日本"), cell("x")],
            vec![cell("10/12"), painted(BOLD, "a\nb"), cell("")],
        ]);
        assert_eq!(lines, ["1/4    日本  x", "10/12  a b"]);
    }

    #[test]
    fn colours_are_optional() {
        let colourful = Style {
            colour: true,
            ..PLAIN
        };
        assert_eq!(
            colourful.table(&[vec![painted(GREEN, "\u{1b}[5mactive"), cell("x")]]),
            ["\u{1b}[32m[5mactive\u{1b}[0m  x"]
        );
    }

    #[test]
    fn span_has_the_second_date_only_if_it_differs() {
        let from: Timestamp = "2026-05-06T11:00:00Z".parse().expect("a time");
        assert_eq!(
            PLAIN.span(from, from.plus_ms(1_800_000)),
            "2026-05-06 13:00–13:30"
        );
        assert_eq!(
            PLAIN.span(from, from.plus_ms(86_400_000)),
            "2026-05-06 13:00–2026-05-07 13:00"
        );
    }
}
