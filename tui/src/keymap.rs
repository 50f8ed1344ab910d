//! From keys to commands, by where they are pressed.

use crate::command::{Command, Context, KEYS};
use crate::key::Key;

/// A command, and which of its keys called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What to do.
    pub command: Command,
    /// The key's place in its row: the number of a meeting.
    pub nth: usize,
}

/// All keys, by context.
#[derive(Clone, Debug)]
pub struct Keymap {
    bindings: Vec<(Context, Key, Bound)>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = KEYS
            .iter()
            .flat_map(|row| {
                row.keys
                    .iter()
                    .enumerate()
                    .map(move |(nth, name)| (row, nth, name))
            })
            .filter_map(|(row, nth, name)| {
                // Every name of the table parses: a test reads them all.
                let key = name.parse().ok()?;
                Some((
                    row.context,
                    key,
                    Bound {
                        command: row.command,
                        nth,
                    },
                ))
            })
            .collect();
        Self { bindings }
    }
}

impl Keymap {
    /// What a key does, the first of `contexts` first.
    pub fn find(&self, contexts: &[Context], key: Key) -> Option<Bound> {
        contexts.iter().find_map(|context| {
            self.bindings
                .iter()
                .find(|(of, bound, _)| of == context && *bound == key)
                .map(|(_, _, bound)| *bound)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_one() {
        for row in KEYS {
            for name in row.keys {
                assert!(name.parse::<Key>().is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn the_nearer_context_wins() {
        let keymap = Keymap::default();
        let up = "up".parse().expect("a key");
        let find = |contexts: &[Context]| keymap.find(contexts, up).map(|bound| bound.command);
        assert_eq!(find(&[Context::List, Context::Edit]), Some(Command::ListUp));
        assert_eq!(find(&[Context::Edit]), Some(Command::Up));
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
