//! Markdown. User text is escaped, so that it is displayed literally.

use std::fmt::Write;

use super::{Transcript, duration, sanitize_lines};

/// Characters that can be markup anywhere in a line.
const MARKUP: &str = "\\`*_{}[]<>#|~!&";

pub(super) fn write(transcript: &Transcript) -> String {
    let mut out = String::new();
    write_to(transcript, &mut out).expect("a String accepts all writes");
    out
}

fn write_to(transcript: &Transcript, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# {}\n", line(&transcript.instance.title))?;
    if !transcript.instance.description.is_empty() {
        writeln!(out, "{}\n", lines(&transcript.instance.description, ""))?;
    }
    for (name, value) in transcript.head() {
        writeln!(out, "- {name}: {value}")?;
    }
    writeln!(out, "\n## Attendance\n")?;
    if transcript.attendance.is_empty() {
        writeln!(out, "No participants.")?;
    } else {
        writeln!(out, "| Name | From | To | Total |\n|---|---|---|---|")?;
    }
    for attendance in &transcript.attendance {
        for (at, stay) in attendance.stays.iter().enumerate() {
            let (name, total) = if at == 0 {
                (line(&attendance.name), duration(attendance.total_ms))
            } else {
                (String::new(), String::new())
            };
            let to = stay
                .to
                .map_or_else(|| "present".to_owned(), |to| to.to_string());
            writeln!(out, "| {name} | {} | {to} | {total} |", stay.from)?;
        }
    }
    writeln!(out, "\n## Messages\n")?;
    if transcript.messages.is_empty() {
        writeln!(out, "No messages.")?;
    }
    for message in &transcript.messages {
        let name = line(&message.name);
        write!(out, "- **{name}** {} · {}", message.timestamp, message.seq)?;
        if let Some(to) = message.reply_to {
            write!(out, " · reply to {to}")?;
        }
        if message.edited.is_some() && message.deleted.is_none() {
            write!(out, " · edited")?;
        }
        writeln!(out, "  \n  {}", lines(message.text(), "  "))?;
    }
    Ok(())
}

/// Escapes text on one line.
fn line(text: &str) -> String {
    escaped(&plenary_shared::text::for_terminal(text))
}

/// Escapes text line by line. Lines after the first start with `indent`.
fn lines(text: &str, indent: &str) -> String {
    let text = sanitize_lines(text);
    let lines: Vec<String> = text.split('\n').map(|line| escaped(line.trim())).collect();
    lines.join(&format!("  \n{indent}"))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let starts_a_list = at == 0 && matches!(c, '-' | '+' | '=');
        // `1.` at the start of a line would be a list.
        let is_numbering =
            matches!(c, '.' | ')') && at > 0 && text[..at].bytes().all(|b| b.is_ascii_digit());
        if MARKUP.contains(c) || starts_a_list || is_numbering {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
