//! Comma-separated values (RFC 4180): one table, whose first column says what a row is.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula: such text gets an
//! apostrophe before it.

use super::{Record, harmless, length};

/// The columns, which every row has.
const COLUMNS: &[&str] = &[
    "kind", "seq", "userID", "name", "from", "to", "length", "text", "replyTo", "edited", "deleted",
];

pub(super) fn write(record: &Record) -> String {
    let mut out = String::new();
    row(&mut out, COLUMNS);
    let instance = &record.instance;
    let mut about = Row::of("meeting");
    about.name = disarmed(&instance.title);
    about.from = instance.fromdatetime.to_string();
    about.to = instance.todatetime.to_string();
    let state = instance.state.to_string();
    let facts = match record.reason {
        Some(reason) => format!("{} {state}: {}", instance.id, super::ended_because(reason)),
        None => format!("{} {state}", instance.id),
    };
    about.text = facts;
    row(&mut out, &about.cells());
    for one in &record.attendance {
        for stay in &one.stays {
            let mut line = Row::of("stay");
            line.user = one.user.to_string();
            line.name = disarmed(&one.name);
            line.from = stay.from.to_string();
            line.to = stay.to.map(|to| to.to_string()).unwrap_or_default();
            line.length = length(stay.length_ms(record.read_at));
            row(&mut out, &line.cells());
        }
        let mut line = Row::of("attendance");
        line.user = one.user.to_string();
        line.name = disarmed(&one.name);
        line.length = length(one.total_ms);
        row(&mut out, &line.cells());
    }
    for said in &record.messages {
        let mut line = Row::of("message");
        line.seq = said.seq.to_string();
        line.user = said.user.to_string();
        line.name = disarmed(&said.name);
        line.from = said.timestamp.to_string();
        line.text = disarmed(&said.body);
        line.reply_to = said.reply_to.map(|to| to.to_string()).unwrap_or_default();
        line.edited = said.edited.map(|at| at.to_string()).unwrap_or_default();
        line.deleted = said.deleted.map(|at| at.to_string()).unwrap_or_default();
        row(&mut out, &line.cells());
    }
    out
}

/// One row, in the order of [`COLUMNS`].
#[derive(Default)]
struct Row {
    kind: &'static str,
    seq: String,
    user: String,
    name: String,
    from: String,
    to: String,
    length: String,
    text: String,
    reply_to: String,
    edited: String,
    deleted: String,
}

impl Row {
    fn of(kind: &'static str) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    fn cells(&self) -> Vec<&str> {
        vec![
            self.kind,
            &self.seq,
            &self.user,
            &self.name,
            &self.from,
            &self.to,
            &self.length,
            &self.text,
            &self.reply_to,
            &self.edited,
            &self.deleted,
        ]
    }
}

fn row(out: &mut String, cells: &[&str]) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\n']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}

/// The text as a cell that no spreadsheet obeys. Some of them look past blanks.
fn disarmed(text: &str) -> String {
    let text = harmless(text);
    let first = text.trim_start().chars().next();
    // The wide forms are taken for the narrow ones by some.
    let is_formula = first.is_some_and(|c| "=+-@|%＝＋－＠".contains(c));
    if is_formula { format!("'{text}") } else { text }
}
