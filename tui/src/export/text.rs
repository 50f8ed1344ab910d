//! Plain text. Continuation lines are indented, so that no text can imitate an entry.

use std::fmt::Write;

use plenary_shared::text::for_terminal;

use super::{Transcript, duration, sanitize_lines};

pub(super) fn write(transcript: &Transcript) -> String {
    let mut out = String::new();
    write_to(transcript, &mut out).expect("a String accepts all writes");
    out
}

fn write_to(transcript: &Transcript, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{}", for_terminal(&transcript.instance.title))?;
    if !transcript.instance.description.is_empty() {
        writeln!(out, "{}", indented(&transcript.instance.description, ""))?;
    }
    writeln!(out)?;
    for (name, value) in transcript.head() {
        writeln!(out, "{:<10}{value}", format!("{name}:"))?;
    }
    writeln!(out, "\nAttendance\n")?;
    for attendance in &transcript.attendance {
        let name = for_terminal(&attendance.name);
        writeln!(
            out,
            "{name} (#{}), {} total",
            attendance.user,
            duration(attendance.total_ms)
        )?;
        for stay in &attendance.stays {
            match stay.to {
                Some(to) => writeln!(out, "    {} to {to}", stay.from)?,
                None => writeln!(out, "    {}, present", stay.from)?,
            }
        }
    }
    writeln!(out, "\nMessages\n")?;
    for message in &transcript.messages {
        write!(
            out,
            "{:>5}  {}  {}",
            message.seq.get(),
            message.timestamp,
            for_terminal(&message.name)
        )?;
        if let Some(to) = message.reply_to {
            write!(out, " (reply to {to})")?;
        }
        if message.edited.is_some() && message.deleted.is_none() {
            write!(out, " (edited)")?;
        }
        writeln!(out, "\n       {}", indented(message.text(), "       "))?;
    }
    Ok(())
}

fn indented(text: &str, indent: &str) -> String {
    sanitize_lines(text).replace('\n', &format!("\n{indent}"))
}
