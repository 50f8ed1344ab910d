//! Markdown: what people wrote is shown as they wrote it, and is no markup.

use std::fmt::Write;

use super::{Record, harmless, length};

/// Signs that may be markup somewhere in a line.
const SIGNS: &str = "\\`*_{}[]<>#|~!&";

pub(super) fn write(record: &Record) -> String {
    let mut out = String::new();
    write_to(record, &mut out).expect("a String takes everything");
    out
}

fn write_to(record: &Record, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# {}\n", line(&record.instance.title))?;
    if !record.instance.description.is_empty() {
        writeln!(out, "{}\n", lines(&record.instance.description, ""))?;
    }
    for (name, value) in record.head() {
        writeln!(out, "- {name}: {value}")?;
    }
    writeln!(out, "\n## Attendance\n")?;
    if record.attendance.is_empty() {
        writeln!(out, "Nobody was there.")?;
    } else {
        writeln!(out, "| Name | From | To | In all |\n|---|---|---|---|")?;
    }
    for one in &record.attendance {
        for (at, stay) in one.stays.iter().enumerate() {
            let (name, total) = if at == 0 {
                (line(&one.name), length(one.total_ms))
            } else {
                (String::new(), String::new())
            };
            let to = stay
                .to
                .map_or_else(|| "still in".to_owned(), |to| to.to_string());
            writeln!(out, "| {name} | {} | {to} | {total} |", stay.from)?;
        }
    }
    writeln!(out, "\n## Messages\n")?;
    if record.messages.is_empty() {
        writeln!(out, "Nothing was said.")?;
    }
    for said in &record.messages {
        let name = line(&said.name);
        write!(out, "- **{name}** {} · {}", said.timestamp, said.seq)?;
        if let Some(to) = said.reply_to {
            write!(out, " · answers {to}")?;
        }
        if said.edited.is_some() && said.deleted.is_none() {
            write!(out, " · edited")?;
        }
        writeln!(out, "  \n  {}", lines(said.text(), "  "))?;
    }
    Ok(())
}

/// On one line.
fn line(text: &str) -> String {
    escaped(&plenary_shared::text::for_terminal(text))
}

/// Line for line; those after the first begin with `indent`.
fn lines(text: &str, indent: &str) -> String {
    let text = harmless(text);
    let lines: Vec<String> = text.split('\n').map(|line| escaped(line.trim())).collect();
    lines.join(&format!("  \n{indent}"))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let begins_a_list = at == 0 && matches!(c, '-' | '+' | '=');
        // `1.` at the beginning of a line would be a list.
        let is_numbering =
            matches!(c, '.' | ')') && at > 0 && text[..at].bytes().all(|b| b.is_ascii_digit());
        if SIGNS.contains(c) || begins_a_list || is_numbering {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
