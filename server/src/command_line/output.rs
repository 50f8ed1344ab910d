//! Lines to standard output and standard error.

use std::io::{self, Write};

use plenary_shared::text::for_terminal;
use serde::Serialize;

/// Prints one line for people: no control character of it reaches the terminal.
pub(super) fn line(text: &str) -> io::Result<()> {
    raw(&for_terminal(text))
}

/// Prints one line of JSON, where every control character is escaped.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(raw(&escaped(&serde_json::to_string(value)?))?)
}

/// Prints one line to standard error.
pub(super) fn complain(text: &str) {
    // There is nobody else to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

fn raw(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// JSON escapes C0 by itself; DEL, C1 and what reorders a line are left to us.
fn escaped(json: &str) -> String {
    use std::fmt::Write;
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() || plenary_shared::text::is_invisible(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_for_a_terminal_says_the_same() {
        let text = "a\u{1b}[2J\u{9b}2J\u{202e}\u{e0001}\u{7f}é\n";
        let shown = escaped(&serde_json::to_string(text).expect("JSON"));
        assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'));
        assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), text);
    }
}
