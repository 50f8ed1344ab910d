//! Comma-separated values: one table whose first column names the kind of the row.
//!
//! Spreadsheets evaluate cells that start with `=`, `+`, `-` or `@` as formulas. Such text is prefixed
//! with an apostrophe.

use csv::{Terminator, WriterBuilder};
use serde::Serialize;

use super::{Transcript, duration, sanitize_lines};
use crate::event_text::end_reason;

/// A row. The fields are the columns of the table.
#[derive(Default, Serialize)]
struct Row {
    kind: &'static str,
    seq: Option<String>,
    #[serde(rename = "userID")]
    user: Option<String>,
    name: String,
    from: Option<String>,
    to: Option<String>,
    length: Option<String>,
    text: String,
    #[serde(rename = "replyTo")]
    reply_to: Option<String>,
    edited: Option<String>,
    deleted: Option<String>,
}

pub(super) fn write(transcript: &Transcript) -> String {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows(transcript) {
        writer.serialize(row).expect("a Vec accepts all writes");
    }
    let bytes = writer.into_inner().expect("a Vec accepts all writes");
    String::from_utf8(bytes).expect("all cells are UTF-8")
}

fn rows(transcript: &Transcript) -> Vec<Row> {
    let instance = &transcript.instance;
    let end = transcript
        .reason
        .map(|reason| format!(": {}", end_reason(reason)));
    let mut rows = vec![Row {
        kind: "meeting",
        name: disarm(&instance.title),
        from: Some(instance.fromdatetime.to_string()),
        to: Some(instance.todatetime.to_string()),
        text: format!(
            "{} {}{}",
            instance.id,
            instance.state,
            end.unwrap_or_default()
        ),
        ..Row::default()
    }];
    for attendance in &transcript.attendance {
        let row = |kind, length_ms| Row {
            kind,
            user: Some(attendance.user.to_string()),
            name: disarm(&attendance.name),
            length: Some(duration(length_ms)),
            ..Row::default()
        };
        rows.extend(attendance.stays.iter().map(|stay| Row {
            from: Some(stay.from.to_string()),
            to: stay.to.map(|to| to.to_string()),
            ..row("stay", stay.length_ms(transcript.counted_to()))
        }));
        rows.push(row("attendance", attendance.total_ms));
    }
    rows.extend(transcript.messages.iter().map(|message| Row {
        kind: "message",
        seq: Some(message.seq.to_string()),
        user: Some(message.user.to_string()),
        name: disarm(&message.name),
        from: Some(message.timestamp.to_string()),
        text: disarm(&message.body),
        reply_to: message.reply_to.map(|to| to.to_string()),
        edited: message.edited.map(|at| at.to_string()),
        deleted: message.deleted.map(|at| at.to_string()),
        ..Row::default()
    }));
    rows
}

/// Returns text that spreadsheets do not evaluate. Some of them ignore leading blanks.
fn disarm(text: &str) -> String {
    let text = sanitize_lines(text);
    let first = text.trim_start().chars().next();
    // Some spreadsheets treat full-width characters like ASCII ones.
    let is_formula = first.is_some_and(|c| "=+-@|%＝＋－＠".contains(c));
    if is_formula { format!("'{text}") } else { text }
}
