//! Lines to standard output and standard error.

use std::io::{self, Write};

use plenary_shared::text::for_terminal;
use serde::Serialize;

/// Prints one line of text, without control characters.
pub(super) fn line(text: &str) -> io::Result<()> {
    raw(&for_terminal(text))
}

/// Prints one line of JSON, with all control characters escaped.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(raw(&escaped(&serde_json::to_string(value)?))?)
}

/// Prints a warning to standard error.
pub(super) fn warning(text: &str) {
    error(&for_terminal(&format!("warning: {text}")));
}

/// Prints one line to standard error.
pub(super) fn error(text: &str) {
    // A failure cannot be reported anywhere else.
    let _ = writeln!(io::stderr(), "{text}");
}

fn raw(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// Escapes what JSON does not escape: DEL, C1 control characters, and characters that reorder a line.
fn escaped(json: &str) -> String {
    use std::fmt::Write;
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() || plenary_shared::text::is_invisible(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String does not fail.
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
    fn escaped_json_has_the_same_value() {
        let text = "a\u{1b}[2J\u{9b}2J\u{202e}\u{e0001}\u{7f}é\n";
        let shown = escaped(&serde_json::to_string(text).expect("JSON"));
        assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}'));
        assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), text);
    }
}
