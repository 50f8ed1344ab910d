//! Lines for people: columns, local times, and text from people that stays on its own lines.

use chrono::{DateTime, FixedOffset, Local, Utc};
use plenary_shared::text::for_terminal;
use plenary_shared::time::Timestamp;
use unicode_width::UnicodeWidthStr as _;

/// A name that is wider than this many columns moves its own line's text only.
const NAME_COLUMNS_MAX: usize = 20;

/// Bold.
pub const BOLD: &str = "1";
/// Faint.
pub const DIM: &str = "2";
/// Green.
pub const GREEN: &str = "32";
/// Yellow.
pub const YELLOW: &str = "33";

/// How lines look.
#[derive(Clone, Copy)]
pub struct Style {
    /// Whether the reader is a terminal that wants colours.
    pub colour: bool,
    /// From UTC to the reader's time.
    pub zone: fn(DateTime<Utc>) -> DateTime<FixedOffset>,
}

/// One field of a line.
#[derive(Clone, Debug)]
pub struct Cell {
    text: String,
    /// The parameters of the terminal's "select graphic rendition"; empty for none.
    sgr: &'static str,
}

/// One entry of a meeting's log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who, or a sign.
    pub who: String,
    /// What was said, or what happened.
    pub text: String,
    /// Whether a person said it.
    pub is_said: bool,
}

/// The time zone of the machine.
pub fn local(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&Local).fixed_offset()
}

/// A field of any text.
pub fn cell(text: impl AsRef<str>) -> Cell {
    painted("", text)
}

/// A field of any text, in this rendition.
pub fn painted(sgr: &'static str, text: impl AsRef<str>) -> Cell {
    Cell {
        text: for_terminal(text.as_ref()),
        sgr,
    }
}

impl Style {
    /// Date and time, to the second.
    pub fn moment(self, at: Timestamp) -> String {
        (self.zone)(at.to_utc())
            .format("%Y-%m-%d %H:%M:%S")
            .to_string()
    }

    /// `2026-11-22 20:15–20:45`, or with both dates where they differ.
    pub fn span(self, from: Timestamp, to: Timestamp) -> String {
        let (from, to) = ((self.zone)(from.to_utc()), (self.zone)(to.to_utc()));
        let end = if from.date_naive() == to.date_naive() {
            "%H:%M"
        } else {
            "%Y-%m-%d %H:%M"
        };
        format!("{}–{}", from.format("%Y-%m-%d %H:%M"), to.format(end))
    }

    /// Rows whose columns stand under each other; the last one is as wide as it is.
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

    /// Entries whose texts stand under each other; a text's further lines are indented, so that
    /// none of them can pass for an entry.
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
                self.paint(&painted(if entry.is_said { BOLD } else { DIM }, &who)),
            );
            let indent = " ".repeat(seq.width() + 2 + moment.width() + 2 + who_columns + 2);
            for (at, line) in entry.text.split('\n').enumerate() {
                let sgr = if entry.is_said { "" } else { DIM };
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

    /// Without colours, two hours east.
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
            is_said: true,
        }
    }

    #[test]
    fn entries_stay_on_their_own_lines() {
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
    fn columns_stand_under_each_other() {
        let lines = PLAIN.table(&[
            vec![cell("1/4"), cell("日本"), cell("x")],
            vec![cell("10/12"), painted(BOLD, "a\nb"), cell("")],
        ]);
        assert_eq!(lines, ["1/4    日本  x", "10/12  a b"]);
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
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
    fn a_span_names_the_second_date_only_if_it_differs() {
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
