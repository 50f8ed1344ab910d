//! The key bindings by context: those of the table, changed by the user's `keys.toml`.

mod configured;

use crate::command::{Command, Context, KEYS, Row};
use crate::key::Key;
use crate::theme::Glyphs;

/// The number of keys of a command that are listed; of more, the first and the last are shown.
const SHOWN_MAX: usize = 3;

/// A command, and which of its keys was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    pub command: Command,
    /// The index of the key in its row, such as the number of a meeting.
    pub nth: usize,
}

/// All key bindings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    /// In the order of the table.
    rows: Vec<(&'static Row, Vec<Key>)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = |row: &Row| {
            // Every name in the table parses; a test checks that.
            let keys = row.keys.iter().filter_map(|name| name.parse().ok());
            keys.collect()
        };
        Self {
            rows: KEYS.iter().map(|row| (row, keys(row))).collect(),
        }
    }
}

impl Keymap {
    /// Returns the command of a key in the first of `contexts` that binds it.
    pub fn find(&self, contexts: &[Context], key: Key) -> Option<Bound> {
        let (row, nth) = self.row_of(contexts, key)?;
        let command = row.command;
        Some(Bound { command, nth })
    }

    /// Returns the row of a key and the index of the key in it, from the first of `contexts` that
    /// binds the key.
    pub fn row_of(&self, contexts: &[Context], key: Key) -> Option<(&'static Row, usize)> {
        contexts.iter().find_map(|context| {
            let mut here = self.rows.iter().filter(|(row, _)| row.context == *context);
            here.find_map(|(row, keys)| {
                let nth = keys.iter().position(|bound| *bound == key)?;
                Some((*row, nth))
            })
        })
    }

    /// Returns every row of the table with its keys.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Row, &[Key])> {
        self.rows.iter().map(|(row, keys)| (*row, keys.as_slice()))
    }

    pub fn keys_of(&self, wanted: &Row) -> &[Key] {
        let found = self.rows.iter().find(|(row, _)| row.name == wanted.name);
        found.map_or(&[], |(_, keys)| keys.as_slice())
    }

    /// Returns the keys of a command: those of its first row if several layers share it.
    pub fn keys(&self, command: Command) -> &[Key] {
        let row = self.rows.iter().find(|(row, _)| row.command == command);
        row.map_or(&[], |(_, keys)| keys.as_slice())
    }

    /// Returns the label of the first key of a command; empty if it has none.
    pub fn label(&self, command: Command, glyphs: &Glyphs) -> String {
        let key = self.keys(command).first();
        key.map_or_else(String::new, |key| key.label(glyphs.keys))
    }

    /// Returns the label of the first key of a command in one context; empty if it has none.
    pub fn label_in(&self, context: Context, command: Command, glyphs: &Glyphs) -> String {
        let is_meant = |row: &Row| row.context == context && row.command == command;
        let found = self.rows.iter().find(|(row, _)| is_meant(row));
        let key = found.and_then(|(_, keys)| keys.first());
        key.map_or_else(String::new, |key| key.label(glyphs.keys))
    }

    /// Returns the labels of the keys of a row.
    pub fn labels(&self, row: &Row, glyphs: &Glyphs) -> String {
        let keys = self.keys_of(row);
        // Letters take little room, and their order is that of the help.
        let is_letter = |key: &Key| key.typed().is_some();
        if let [first, .., last] = keys
            && keys.len() > SHOWN_MAX
            && !keys.iter().all(is_letter)
        {
            let (first, last) = (first.label(glyphs.keys), last.label(glyphs.keys));
            return format!("{first}{}{last}", glyphs.cut);
        }
        let labels = keys.iter().map(|key| key.label(glyphs.keys));
        labels.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{EditCommand, Nav};

    #[test]
    fn every_key_of_the_table_is_one() {
        for row in KEYS {
            for name in row.keys {
                let key = name.parse::<Key>();
                assert!(key.is_ok(), "{name}");
                assert_eq!(key.map(|key| key.to_string()), Ok((*name).to_owned()));
            }
        }
    }

    #[test]
    fn the_nearer_context_wins() {
        let keymap = Keymap::default();
        let up = "up".parse().expect("a key");
        let find = |contexts: &[Context]| keymap.find(contexts, up).map(|bound| bound.command);
        assert_eq!(
            find(&[Context::Lists, Context::Edit]),
            Some(Command::Nav(Nav::Up))
        );
        assert_eq!(find(&[Context::Edit]), Some(Command::Edit(EditCommand::Up)));
        assert_eq!(find(&[Context::Chat]), None);
        let third = "alt-3".parse().expect("a key");
        assert_eq!(
            keymap
                .find(&[Context::Meetings], third)
                .map(|bound| bound.nth),
            Some(2)
        );
    }
}
