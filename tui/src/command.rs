//! Everything a person can tell the screen: one table of keys and one of words, from which the
//! keymap, the hints and the help are made.

mod table;

pub use table::{KEYS, WORDS};

use crate::key::label;
use crate::theme::Glyphs;

/// What a key can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained by its row of the table")]
pub enum Command {
    Send,
    NewLine,
    Up,
    Down,
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    DeleteLeft,
    DeleteRight,
    DeleteWord,
    DeleteToStart,
    DeleteToEnd,
    Yank,
    Complete,
    Find,
    NextMeeting,
    PreviousMeeting,
    NthMeeting,
    NextUnread,
    LastMeeting,
    MeetingsList,
    PeopleList,
    PageUp,
    PageDown,
    RowUp,
    RowDown,
    Oldest,
    Newest,
    FirstUnread,
    ListUp,
    ListDown,
    ListEnter,
    OverlayUp,
    OverlayDown,
    OverlayPageUp,
    OverlayPageDown,
    FindUp,
    FindDown,
    FindEnter,
    FieldNext,
    FieldPrevious,
    SignIn,
    QuitLeaving,
    QuitStaying,
    Help,
    Back,
    Redraw,
    Suspend,
    ClearOrQuit,
    Quit,
}

/// Where a key means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The message being written.
    Input,
    /// Any text being written.
    Edit,
    /// The chat above the input.
    Chat,
    /// Going from meeting to meeting.
    Meetings,
    /// The list of meetings, when it has been stepped into.
    List,
    /// A page over the chat.
    Overlay,
    /// The search for a meeting.
    Find,
    /// The sign-in form.
    SignIn,
    /// The question before quitting.
    Leaving,
    /// Everywhere.
    Anywhere,
}

impl Context {
    /// Every case, as the help lists them.
    pub const ALL: &'static [Self] = &[
        Self::Input,
        Self::Edit,
        Self::Meetings,
        Self::List,
        Self::Find,
        Self::Chat,
        Self::Overlay,
        Self::SignIn,
        Self::Leaving,
        Self::Anywhere,
    ];

    /// What the help calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Input => "message",
            Self::Edit => "editing",
            Self::Chat => "chat",
            Self::Meetings => "meetings",
            Self::List => "in the list (F2)",
            Self::Overlay => "a page like this",
            Self::Find => "finding a meeting",
            Self::SignIn => "signing in",
            Self::Leaving => "asked when quitting",
            Self::Anywhere => "anywhere",
        }
    }
}

/// One thing that a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What.
    pub command: Command,
    /// Where.
    pub context: Context,
    /// The keys that do it by default, as `ctrl-a`, `alt-enter`, `f1`.
    pub keys: &'static [&'static str],
    /// What the help says.
    pub help: &'static str,
    /// What the hints say, where it is worth their space.
    pub hint: Option<&'static str>,
}

impl Row {
    /// The keys as people read them, at most so many.
    pub fn labels(&self, glyphs: &Glyphs, count_max: usize) -> String {
        if let [first, _, _, _, .., last] = self.keys {
            return format!(
                "{}{}{}",
                label(first, glyphs.keys),
                glyphs.cut,
                label(last, glyphs.keys)
            );
        }
        let shown = self.keys.iter().take(count_max);
        shown
            .map(|key| label(key, glyphs.keys))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// With what the hints say.
    const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// One thing that a word after `/` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// What.
    pub verb: Verb,
    /// The word, with its `/`.
    pub name: &'static str,
    /// What may follow it.
    pub argument: &'static str,
    /// What the help says.
    pub help: &'static str,
}

/// What a word can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is explained by its row of the table")]
pub enum Verb {
    Join,
    Leave,
    Who,
    Messages,
    Joins,
    Retry,
    Recall,
    Outbox,
    Reconnect,
    Help,
    Quit,
}

/// The word that this is, or the one it comes nearest to.
pub fn find_word(name: &str) -> Result<&'static Word, &'static Word> {
    let name = name.to_lowercase();
    let mut nearest = &WORDS[0];
    let mut least = usize::MAX;
    for word in WORDS {
        if word.name == name {
            return Ok(word);
        }
        // A beginning is nearer than anything that has to be changed.
        let far = if word.name.starts_with(&name) {
            0
        } else {
            distance(word.name, &name)
        };
        if far < least {
            (nearest, least) = (word, far);
        }
    }
    Err(nearest)
}

/// Characters to add, remove or change between two words: Wagner and Fischer's edit distance.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (y, a) in one.chars().enumerate() {
        let mut corner = above[0];
        above[0] = y + 1;
        for (x, b) in other.iter().enumerate() {
            let change = corner + usize::from(a != *b);
            corner = above[x + 1];
            above[x + 1] = change.min(above[x] + 1).min(corner + 1);
        }
    }
    above[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/join", Ok("/join"))]
    #[case("/JOIN", Ok("/join"))]
    #[case("/jion", Err("/join"))]
    #[case("/q", Err("/quit"))]
    #[case("/laeve", Err("/leave"))]
    #[case("/mesages", Err("/messages"))]
    fn words_and_the_nearest(#[case] name: &str, #[case] expected: Result<&str, &str>) {
        assert_eq!(
            find_word(name).map(|w| w.name).map_err(|w| w.name),
            expected
        );
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for (index, row) in KEYS.iter().enumerate() {
            for other in &KEYS[index + 1..] {
                if row.context == other.context {
                    assert!(
                        row.keys.iter().all(|key| !other.keys.contains(key)),
                        "{row:?} {other:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn keys_that_terminals_confuse_stay_free() {
        for row in KEYS {
            for key in ["ctrl-h", "ctrl-i", "ctrl-m", "ctrl-["] {
                assert!(!row.keys.contains(&key), "{row:?}");
            }
        }
    }

    #[test]
    fn every_context_is_in_the_help() {
        assert!(KEYS.iter().all(|row| Context::ALL.contains(&row.context)));
    }
}
