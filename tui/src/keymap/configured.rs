//! The user's key bindings in `keys.toml`: one line for each command with other keys than the
//! default. An error is reported with its line number, and the command keeps its default keys.

use toml::de::DeValue;

use super::Keymap;
use crate::command::{KEYS, Row};
use crate::config::{self, LineError};
use crate::key::Key;

/// Keys that terminals cannot tell from Backspace, Tab, Enter and Esc.
const CONFUSED: [&str; 4] = ["ctrl-h", "ctrl-i", "ctrl-m", "ctrl-["];

impl Keymap {
    /// Returns the default bindings changed by a file, and the errors in the file.
    pub fn configured(text: &str) -> (Self, Vec<LineError>) {
        let mut keymap = Self::default();
        let entries = match config::entries(text) {
            Ok(entries) => entries,
            Err(error) => return (keymap, vec![error]),
        };
        let mut wrong = Vec::new();
        let mut given: Vec<(usize, &'static Row, Vec<Key>)> = Vec::new();
        for (line, name, value) in entries {
            let read = row_named(&name)
                .and_then(|row| Ok((row, keys_of(row, &value)?)))
                .and_then(|(row, keys)| match taken(&given, row, &keys) {
                    Some(other) => Err(format!("{}: {other}", row.name)),
                    None => Ok((row, keys)),
                });
            match read {
                Ok((row, keys)) => given.push((line, row, keys)),
                Err(message) => wrong.push(LineError { line, message }),
            }
        }
        for (_, row, keys) in given {
            keymap.give(row, &keys);
        }
        (keymap, wrong)
    }

    /// Binds a command to other keys, and unbinds them from other commands of the same context.
    fn give(&mut self, given: &'static Row, new: &[Key]) {
        for (row, keys) in &mut self.rows {
            if row.name == given.name {
                *keys = new.to_vec();
            } else if row.context == given.context {
                keys.retain(|key| !new.contains(key));
            }
        }
    }
}

fn row_named(name: &str) -> Result<&'static Row, String> {
    KEYS.iter()
        .find(|row| row.name == name)
        .ok_or_else(|| format!("unknown command '{name}'; 'plenary --keys' lists the commands"))
}

fn keys_of(row: &Row, value: &DeValue<'_>) -> Result<Vec<Key>, String> {
    let expected = || format!("{}: keys are \"ctrl-a\" or [\"ctrl-a\", \"f5\"]", row.name);
    let names: Vec<&str> = match value {
        DeValue::String(name) => vec![name],
        DeValue::Array(names) => names
            .iter()
            .map(|name| name.get_ref().as_str().ok_or_else(expected))
            .collect::<Result<_, _>>()?,
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => return Err(expected()),
    };
    names.into_iter().map(|name| key_of(row, name)).collect()
}

fn key_of(row: &Row, name: &str) -> Result<Key, String> {
    let key: Key = name
        .parse()
        .map_err(|error| format!("{}: {error}", row.name))?;
    if CONFUSED.contains(&name) {
        return Err(format!(
            "{}: terminals cannot tell {name} from Backspace, Tab, Enter or Esc",
            row.name
        ));
    }
    if key.typed().is_some() && !row.context.has_letter_keys() {
        return Err(format!("{}: '{name}' types a character here", row.name));
    }
    Ok(key)
}

/// Returns an error if an earlier line binds one of the keys in the same context.
fn taken(given: &[(usize, &'static Row, Vec<Key>)], row: &Row, keys: &[Key]) -> Option<String> {
    given
        .iter()
        .filter(|(_, other, _)| other.context == row.context)
        .find_map(|(line, other, others)| {
            let key = keys.iter().find(|key| others.contains(key))?;
            Some(format!("line {line} binds {key} to {}", other.name))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{AppCommand, ChatCommand, Command, EditCommand, MeetingsCommand};
    use rstest::rstest;

    fn names(keymap: &Keymap, command: Command) -> Vec<String> {
        let keys = keymap.keys(command).iter();
        keys.map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_changes_its_command_alone() {
        let text = "# mine\nnext-meeting = [\"ctrl-g\", \"f7\"]\nhelp = \"f12\"\nundo = []\n";
        let (keymap, wrong) = Keymap::configured(text);
        assert_eq!(wrong, []);
        assert_eq!(
            names(&keymap, Command::Meetings(MeetingsCommand::Next)),
            ["ctrl-g", "f7"]
        );
        assert_eq!(names(&keymap, Command::App(AppCommand::Help)), ["f12"]);
        assert!(names(&keymap, Command::Edit(EditCommand::Undo)).is_empty());
        // The command that had the key in the same context lost it.
        assert!(names(&keymap, Command::Meetings(MeetingsCommand::Find)).is_empty());
        assert_eq!(names(&keymap, Command::Chat(ChatCommand::Send)), ["enter"]);
    }

    #[rstest]
    #[case("send = \"ctrl-m\"", 1, "Backspace, Tab, Enter")]
    #[case("\nsend = \"x\"", 2, "types a character")]
    #[case("send = \"ctrl-\"", 1, "unknown key 'ctrl-'")]
    #[case("send = 7", 1, "send: keys are")]
    #[case("send = [\"f5\", 7]", 1, "send: keys are")]
    #[case("# a\n\nfly = \"f5\"", 3, "unknown command 'fly'")]
    #[case("send = \"f5\"\nnew-line = \"f5\"", 2, "line 1 binds f5 to send")]
    #[case("send = \"f5", 1, "")]
    fn what_is_wrong_has_its_line_and_the_keys_stay(
        #[case] text: &str,
        #[case] line: usize,
        #[case] what: &str,
    ) {
        let (keymap, wrong) = Keymap::configured(text);
        let [only] = wrong.as_slice() else {
            panic!("{wrong:?}")
        };
        assert!(only.line == line && only.message.contains(what), "{only:?}");
        assert_eq!(names(&keymap, Command::Edit(EditCommand::NewLine)).len(), 3);
    }

    #[test]
    fn the_table_itself_may_stand_in_the_file() {
        let lines = KEYS
            .iter()
            .map(|row| format!("{} = {:?}", row.name, row.keys));
        let text = lines.collect::<Vec<_>>().join("\n");
        let (keymap, wrong) = Keymap::configured(&text);
        assert_eq!(wrong, []);
        assert_eq!(keymap, Keymap::default());
    }
}
