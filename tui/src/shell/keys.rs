//! `plenary --keys`: the keys that hold, as `keys.toml` may have them.

use std::fmt::Write as _;
use std::path::Path;

use super::Failure;
use super::out::Out;
use crate::command::{Context, SLASH_COMMANDS};
use crate::keymap::Keymap;

/// Columns of a command with its keys; longer ones push their help away.
const CELLS: usize = 44;

/// Prints them. A file with wrong lines is an error after that.
pub fn print(file: &Path) -> Result<(), Failure> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::usage(format!("{}: {error}", file.display()))),
    };
    let (keymap, wrong) = Keymap::configured(&text);
    Out::stdout().line(listed(&keymap, file).trim_end())?;
    if wrong.is_empty() {
        return Ok(());
    }
    let name = file.display();
    let wrong = wrong.iter();
    let lines: Vec<String> = wrong
        .map(|wrong| format!("{name}:{}: {}", wrong.line, wrong.what))
        .collect();
    Err(Failure::usage(lines.join("\n")))
}

fn listed(keymap: &Keymap, file: &Path) -> String {
    let mut out = format!(
        "# The keys of plenary's screen. {} may have such lines; it is read again when it changes.\n\
         # Names below Chat, Meetings and Anywhere are also slash commands: /next-unread.\n",
        file.display()
    );
    for context in Context::ALL {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "\n# {}", context.title());
        for (row, keys) in keymap.rows().filter(|(row, _)| row.context == *context) {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            let keys = match keys.as_slice() {
                [only] => format!("{only:?}"),
                several => format!("{several:?}"),
            };
            let line = format!("{} = {keys}", row.name);
            let _ = writeln!(out, "{line:CELLS$} # {}", row.help);
        }
    }
    out.push_str("\n# Slash commands without keys:\n");
    for word in SLASH_COMMANDS {
        let usage = format!("#   {} {}", word.name, word.argument);
        let _ = writeln!(out, "{usage:CELLS$} # {}", word.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_may_stand_in_the_file() {
        let printed = listed(&Keymap::default(), Path::new("keys.toml"));
        let (keymap, wrong) = Keymap::configured(&printed);
        assert_eq!(wrong, []);
        assert_eq!(keymap, Keymap::default());
        assert!(printed.contains("send = \"enter\""), "{printed}");
    }
}
