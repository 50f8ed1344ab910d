//! Everything a person can tell the screen: one table of keys and one of words, from which the
//! keymap, the hints and the help are made.

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

const fn row(
    command: Command,
    context: Context,
    keys: &'static [&'static str],
    help: &'static str,
) -> Row {
    Row {
        command,
        context,
        keys,
        help,
        hint: None,
    }
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
    Reconnect,
    Help,
    Quit,
}

/// Every key. The first key of a row is the one that hints and help show first.
pub const KEYS: &[Row] = &[
    row(
        Command::Send,
        Context::Input,
        &["enter"],
        "send; on an empty input: join, retry",
    )
    .hint("send"),
    row(
        Command::NewLine,
        Context::Input,
        &["alt-enter", "ctrl-j", "shift-enter"],
        "new line",
    )
    .hint("new line"),
    row(
        Command::Complete,
        Context::Input,
        &["tab"],
        "complete a /command or an @name",
    )
    .hint("complete"),
    row(
        Command::Up,
        Context::Edit,
        &["up"],
        "line up; at the first line: what was sent before",
    ),
    row(
        Command::Down,
        Context::Edit,
        &["down"],
        "line down; at the last line: what was sent after",
    ),
    row(Command::Left, Context::Edit, &["left", "ctrl-b"], "left"),
    row(Command::Right, Context::Edit, &["right", "ctrl-f"], "right"),
    row(
        Command::WordLeft,
        Context::Edit,
        &["ctrl-left", "alt-left", "alt-b"],
        "word left",
    ),
    row(
        Command::WordRight,
        Context::Edit,
        &["ctrl-right", "alt-right", "alt-f"],
        "word right",
    ),
    row(
        Command::LineStart,
        Context::Edit,
        &["home", "ctrl-a"],
        "start of the line",
    ),
    row(
        Command::LineEnd,
        Context::Edit,
        &["end", "ctrl-e"],
        "end of the line; on an empty input: newest message",
    ),
    row(
        Command::DeleteLeft,
        Context::Edit,
        &["backspace"],
        "delete to the left",
    ),
    row(
        Command::DeleteRight,
        Context::Edit,
        &["delete", "ctrl-d"],
        "delete to the right",
    ),
    row(
        Command::DeleteWord,
        Context::Edit,
        &["ctrl-w", "alt-backspace"],
        "cut the word before",
    ),
    row(
        Command::DeleteToStart,
        Context::Edit,
        &["ctrl-u"],
        "cut to the start of the line",
    ),
    row(
        Command::DeleteToEnd,
        Context::Edit,
        &["ctrl-k"],
        "cut to the end of the line",
    ),
    row(
        Command::Yank,
        Context::Edit,
        &["ctrl-y"],
        "put back what was cut",
    ),
    row(
        Command::Find,
        Context::Meetings,
        &["ctrl-g"],
        "find a meeting",
    )
    .hint("find"),
    row(
        Command::NextMeeting,
        Context::Meetings,
        &["ctrl-n"],
        "next meeting",
    )
    .hint("next"),
    row(
        Command::PreviousMeeting,
        Context::Meetings,
        &["ctrl-p"],
        "previous meeting",
    ),
    row(
        Command::NthMeeting,
        Context::Meetings,
        &[
            "alt-1", "alt-2", "alt-3", "alt-4", "alt-5", "alt-6", "alt-7", "alt-8", "alt-9",
        ],
        "meeting by its number",
    ),
    row(
        Command::NextUnread,
        Context::Meetings,
        &["alt-a"],
        "next unread, mentions first",
    ),
    row(
        Command::LastMeeting,
        Context::Meetings,
        &["alt-s"],
        "last meeting",
    ),
    row(
        Command::MeetingsList,
        Context::Meetings,
        &["f2"],
        "into the list of meetings",
    )
    .hint("meetings"),
    row(
        Command::PeopleList,
        Context::Meetings,
        &["f3"],
        "people, where the screen is narrow",
    )
    .hint("people"),
    row(Command::ListUp, Context::List, &["up"], "up").hint("up"),
    row(Command::ListDown, Context::List, &["down"], "down").hint("down"),
    row(
        Command::ListEnter,
        Context::List,
        &["enter"],
        "join, or read what has ended",
    )
    .hint("join"),
    row(Command::FindUp, Context::Find, &["up", "ctrl-p"], "up").hint("up"),
    row(
        Command::FindDown,
        Context::Find,
        &["down", "ctrl-n"],
        "down",
    )
    .hint("down"),
    row(Command::FindEnter, Context::Find, &["enter"], "go there").hint("go there"),
    row(
        Command::PageUp,
        Context::Chat,
        &["pageup"],
        "page up, and older messages",
    )
    .hint("scroll"),
    row(Command::PageDown, Context::Chat, &["pagedown"], "page down"),
    row(Command::RowUp, Context::Chat, &["shift-up"], "one line up"),
    row(
        Command::RowDown,
        Context::Chat,
        &["shift-down"],
        "one line down",
    ),
    row(
        Command::Oldest,
        Context::Chat,
        &["alt-home"],
        "oldest message at hand",
    ),
    row(
        Command::Newest,
        Context::Chat,
        &["alt-end"],
        "newest message",
    ),
    row(
        Command::FirstUnread,
        Context::Chat,
        &["alt-u"],
        "first unread message",
    ),
    row(Command::OverlayUp, Context::Overlay, &["up"], "line up").hint("up"),
    row(
        Command::OverlayDown,
        Context::Overlay,
        &["down"],
        "line down",
    )
    .hint("down"),
    row(
        Command::OverlayPageUp,
        Context::Overlay,
        &["pageup"],
        "page up",
    ),
    row(
        Command::OverlayPageDown,
        Context::Overlay,
        &["pagedown"],
        "page down",
    )
    .hint("page"),
    row(
        Command::FieldNext,
        Context::SignIn,
        &["tab", "down"],
        "next field",
    )
    .hint("next"),
    row(
        Command::FieldPrevious,
        Context::SignIn,
        &["shift-tab", "up"],
        "field before",
    )
    .hint("back"),
    row(Command::SignIn, Context::SignIn, &["enter"], "sign in").hint("sign in"),
    row(
        Command::QuitLeaving,
        Context::Leaving,
        &["l"],
        "leave the meeting and quit",
    )
    .hint("leave and quit"),
    row(
        Command::QuitStaying,
        Context::Leaving,
        &["s", "ctrl-q", "ctrl-c"],
        "quit without leaving",
    )
    .hint("quit, stay joined"),
    row(Command::Help, Context::Anywhere, &["f1"], "this help").hint("help"),
    row(
        Command::Back,
        Context::Anywhere,
        &["esc"],
        "one step back; deletes nothing",
    ),
    row(
        Command::Redraw,
        Context::Anywhere,
        &["ctrl-l"],
        "draw everything again",
    ),
    row(Command::Suspend, Context::Anywhere, &["ctrl-z"], "suspend"),
    row(
        Command::ClearOrQuit,
        Context::Anywhere,
        &["ctrl-c"],
        "clear the input; twice within 2 s: quit",
    ),
    row(Command::Quit, Context::Anywhere, &["ctrl-q"], "quit").hint("quit"),
];

const fn word(verb: Verb, name: &'static str, argument: &'static str, help: &'static str) -> Word {
    Word {
        verb,
        name,
        argument,
        help,
    }
}

/// Every word.
pub const WORDS: &[Word] = &[
    word(
        Verb::Join,
        "/join",
        "[1/4 or title]",
        "join this meeting, or the one you name",
    ),
    word(Verb::Leave, "/leave", "", "leave this meeting"),
    word(
        Verb::Who,
        "/who",
        "",
        "who is in this meeting, with all that is known",
    ),
    word(
        Verb::Messages,
        "/messages",
        "NAME",
        "the messages of one person in this meeting",
    ),
    word(
        Verb::Joins,
        "/joins",
        "",
        "when the people of all running meetings joined",
    ),
    word(
        Verb::Retry,
        "/retry",
        "",
        "send again what could not be sent",
    ),
    word(Verb::Reconnect, "/reconnect", "", "connect anew at once"),
    word(Verb::Help, "/help", "", "every key and command"),
    word(Verb::Quit, "/quit", "", "quit"),
];

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
