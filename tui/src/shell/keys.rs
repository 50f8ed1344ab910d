//! `plenary --keys`: prints the key bindings in the format of `keys.toml`.

use std::fmt::Write as _;
use std::path::Path;

use plenary_shared::unicode::without_bom;

use super::Failure;
use super::output::Output;
use crate::command::{Context, SLASH_COMMANDS};
use crate::keymap::Keymap;

/// Width of the column with commands and keys.
const COLUMN_CELLS: usize = 44;

/// Prints the key bindings, then fails if `file` has invalid lines.
pub fn print(file: &Path) -> Result<(), Failure> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => without_bom(&text).to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::usage(format!("{}: {error}", file.display()))),
    };
    let (keymap, errors) = Keymap::configured(&text);
    Output::stdout().line(list(&keymap, file).trim_end())?;
    if errors.is_empty() {
        return Ok(());
    }
    let name = file.display();
    let lines: Vec<String> = errors
        .iter()
        .map(|error| format!("{name}:{}: {}", error.line, error.message))
        .collect();
    Err(Failure::usage(lines.join("\n")))
}

fn list(keymap: &Keymap, file: &Path) -> String {
    let mut out = format!(
        "# Key bindings of plenary. To change some, copy their lines to {}.\n\
         # Changes apply at once. Names below Chat, Meetings and Anywhere are also\n\
         # slash commands, such as /next-unread.\n",
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
            let _ = writeln!(out, "{line:COLUMN_CELLS$} # {}", row.help);
        }
    }
    out.push_str("\n# Slash commands without a key:\n");
    for word in SLASH_COMMANDS {
        let usage = format!("#   {} {}", word.name, word.argument);
        let _ = writeln!(out, "{usage:COLUMN_CELLS$} # {}", word.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_key_bindings_are_a_valid_file() {
        let printed = list(&Keymap::default(), Path::new("keys.toml"));
        let (keymap, wrong) = Keymap::configured(&printed);
        assert_eq!(wrong, []);
        assert_eq!(keymap, Keymap::default());
        assert!(printed.contains("send = \"enter\""), "{printed}");
    }
}
