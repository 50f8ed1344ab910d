//! Markdown. A `CommonMark` viewer displays user text literally, and links keep their targets.
//!
//! Text is escaped, and links are written as autolinks, which need no escapes. A message in which blanks
//! matter, such as indented code, is a code block, since viewers join blanks elsewhere.

use std::fmt::Write;

use plenary_shared::text::for_terminal;

use super::{Transcript, duration, sanitize_lines};
use crate::link;

/// Characters that can be markup anywhere in a line.
const MARKUP: &str = "\\`*_{}[]<>#|~!&";

/// The indentation of what belongs to an item of a list.
const INDENT: &str = "  ";

pub(super) fn write(transcript: &Transcript) -> String {
    let mut out = String::new();
    write_to(transcript, &mut out).expect("a String accepts all writes");
    out
}

fn write_to(transcript: &Transcript, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# {}\n", line(&transcript.instance.title))?;
    if !transcript.instance.description.is_empty() {
        writeln!(out, "{}\n", block(&transcript.instance.description, ""))?;
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
        let text = block(message.text(), INDENT);
        if is_code(&text) {
            writeln!(out, "\n\n{INDENT}{text}")?;
        } else {
            writeln!(out, "  \n{INDENT}{text}")?;
        }
    }
    Ok(())
}

/// Escapes text on one line. Links are escaped too, so that they cannot break a heading or a table.
fn line(text: &str) -> String {
    escaped(&for_terminal(text), true)
}

/// Returns text of several lines as a paragraph with hard line ends, or as a code block if its blanks
/// matter. Lines after the first start with `indent`.
fn block(text: &str, indent: &str) -> String {
    let text = sanitize_lines(text);
    let needs_code = text.split('\n').any(|line| {
        line.trim() != line || line.contains('\t') || line.contains("  ") || line.is_empty()
    });
    let (start, end, lines): (_, _, Vec<String>) = if needs_code {
        let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
        let lines = text.split('\n').map(str::to_owned).collect();
        (
            format!("{fence}\n{indent}"),
            format!("\n{indent}{fence}"),
            lines,
        )
    } else {
        let lines = text.split('\n').map(with_links).collect();
        (String::new(), String::new(), lines)
    };
    let separator = if needs_code { "\n" } else { "  \n" };
    format!(
        "{start}{}{end}",
        lines.join(&format!("{separator}{indent}"))
    )
}

fn is_code(block: &str) -> bool {
    block.starts_with("```")
}

/// The length of the longest sequence of this character.
fn longest_run(text: &str, sought: char) -> usize {
    let runs = text.split(|c| c != sought).map(str::len);
    runs.max().unwrap_or(0)
}

/// Escapes one line, with its links as autolinks.
fn with_links(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut begun = 0;
    for range in link::found(line) {
        let target = &line[range.clone()];
        out.push_str(&escaped(&line[begun..range.start], begun == 0));
        if is_autolink(target) {
            out.extend(["<", target, ">"]);
        } else {
            let text = escaped(target, false);
            out.extend(["[", &text, "](<", &destination(target), ">)"]);
        }
        begun = range.end;
    }
    out.push_str(&escaped(&line[begun..], begun == 0));
    out
}

/// Whether every viewer takes the text between `<` and `>` for this link. Some decode `&amp;` there.
fn is_autolink(target: &str) -> bool {
    let has_entity = target.split('&').skip(1).any(|rest| rest.contains(';'));
    !has_entity && !target.contains(['<', '>', '\\', '`']) && target.is_ascii()
}

/// Escapes the target of a link between `<` and `>`.
fn destination(target: &str) -> String {
    let mut out = String::with_capacity(target.len());
    for c in target.chars() {
        if matches!(c, '\\' | '<' | '>' | '&') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Escapes text within a line. `starts`: the text is at the start of the line.
fn escaped(text: &str, starts: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let starts_a_list = starts && at == 0 && matches!(c, '-' | '+' | '=');
        // `1.` at the start of a line would be a list.
        let is_numbering = starts
            && matches!(c, '.' | ')')
            && at > 0
            && text[..at].bytes().all(|b| b.is_ascii_digit());
        if MARKUP.contains(c) || starts_a_list || is_numbering {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
