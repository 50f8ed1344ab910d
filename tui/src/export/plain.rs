//! Plain text: a line's further lines are indented, so that none of them can pass for an entry.

use std::fmt::Write;

use plenary_shared::text::for_terminal;

use super::{Record, harmless, length};

pub(super) fn write(record: &Record) -> String {
    let mut out = String::new();
    write_to(record, &mut out).expect("a String takes everything");
    out
}

fn write_to(record: &Record, out: &mut String) -> std::fmt::Result {
    writeln!(out, "{}", for_terminal(&record.instance.title))?;
    if !record.instance.description.is_empty() {
        writeln!(out, "{}", indented(&record.instance.description, ""))?;
    }
    writeln!(out)?;
    for (name, value) in record.head() {
        writeln!(out, "{:<10}{value}", format!("{name}:"))?;
    }
    writeln!(out, "\nAttendance\n")?;
    for one in &record.attendance {
        let name = for_terminal(&one.name);
        writeln!(
            out,
            "{name} (#{}), {} in all",
            one.user,
            length(one.total_ms)
        )?;
        for stay in &one.stays {
            match stay.to {
                Some(to) => writeln!(out, "    {} to {to}", stay.from)?,
                None => writeln!(out, "    {}, still in", stay.from)?,
            }
        }
    }
    writeln!(out, "\nMessages\n")?;
    for said in &record.messages {
        write!(
            out,
            "{:>5}  {}  {}",
            said.seq.get(),
            said.timestamp,
            for_terminal(&said.name)
        )?;
        if let Some(to) = said.reply_to {
            write!(out, " (answers {to})")?;
        }
        if said.edited.is_some() && said.deleted.is_none() {
            write!(out, " (edited)")?;
        }
        writeln!(out, "\n       {}", indented(said.text(), "       "))?;
    }
    Ok(())
}

fn indented(text: &str, indent: &str) -> String {
    harmless(text).replace('\n', &format!("\n{indent}"))
}
