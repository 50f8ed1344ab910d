//! Everything a person can tell the screen: one table of keys and one of words, from which the
//! keymap, the hints and the help are made.

mod table;
mod words;

pub use table::KEYS;
pub use words::WORDS;

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
    TextStart,
    TextEnd,
    DeleteLeft,
    DeleteRight,
    DeleteToBlank,
    DeleteWord,
    DeleteWordRight,
    DeleteToStart,
    DeleteToEnd,
    Yank,
    YankOlder,
    Transpose,
    Undo,
    Redo,
    Complete,
    CompleteBack,
    OpenEditor,
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
    PreviousMention,
    NextMention,
    PlainView,
    Mouse,
    Select,
    SelectDown,
    SelectUp,
    SelectFirst,
    SelectLast,
    SelectEnter,
    Search,
    SearchOlder,
    SearchNewer,
    SearchEnter,
    CopyText,
    CopyLine,
    OpenLink,
    UnreadFrom,
    Reply,
    Change,
    Delete,
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
    Seek,
    SeekUp,
    SeekDown,
    SeekPageUp,
    SeekPageDown,
    SeekEnter,
    SeekScope,
    Dashboard,
    BoardUp,
    BoardDown,
    BoardFirst,
    BoardLast,
    BoardPageUp,
    BoardPageDown,
    BoardEnter,
    BoardFilter,
    BoardSort,
    BoardFreeze,
    BoardMark,
    BoardExtend,
    BoardEnd,
    BoardLock,
    BoardReadOnly,
    BoardAnnounce,
    BoardMute,
    BoardUnmute,
    BoardRemove,
    BoardBan,
    BoardUnban,
    BoardServer,
    BoardRead,
    BoardExplain,
    DrillPane,
    DrillSort,
    AskingEnter,
    AskingUp,
    AskingDown,
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
    /// A selected message.
    Select,
    /// What is searched for among the messages.
    Search,
    /// Going from meeting to meeting.
    Meetings,
    /// The list of meetings, when it has been stepped into.
    List,
    /// A page over the chat.
    Overlay,
    /// The search for a meeting.
    Find,
    /// The search through everything that was said.
    Seek,
    /// The dashboard.
    Board,
    /// One meeting on the dashboard.
    Drill,
    /// What is asked before something is done from there.
    Asking,
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
        Self::Seek,
        Self::Chat,
        Self::Select,
        Self::Search,
        Self::Overlay,
        Self::Board,
        Self::Drill,
        Self::Asking,
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
            Self::Select => "a selected message",
            Self::Search => "searching the messages",
            Self::Meetings => "meetings",
            Self::List => "in the list of meetings",
            Self::Overlay => "a page like this",
            Self::Find => "finding",
            Self::Seek => "searching everything",
            Self::Board => "the dashboard of admins",
            Self::Drill => "one meeting on the dashboard",
            Self::Asking => "asked on the dashboard",
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
    /// What it is called: in the key configuration, and as a word after `/`.
    pub name: &'static str,
    /// The keys that do it by default, as `ctrl-a`, `alt-enter`, `f1`.
    pub keys: &'static [&'static str],
    /// What the help says.
    pub help: &'static str,
    /// What the hints say, where it is worth their space.
    pub hint: Option<&'static str>,
}

impl Row {
    /// Whether its name is a word as well: what makes sense while something is written.
    pub const fn is_word(&self) -> bool {
        match self.context {
            Context::Chat | Context::Meetings | Context::Anywhere => true,
            Context::Input
            | Context::Edit
            | Context::Select
            | Context::Search
            | Context::List
            | Context::Overlay
            | Context::Find
            | Context::Seek
            | Context::Board
            | Context::Drill
            | Context::Asking
            | Context::SignIn
            | Context::Leaving => false,
        }
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
    /// What completes it.
    pub completes: Completes,
    /// What the help says.
    pub help: &'static str,
}

/// What the argument of a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completes {
    /// Nothing that is known.
    Nothing,
    /// Somebody's name.
    People,
    /// A meeting.
    Meetings,
    /// One of these.
    Of(&'static [&'static str]),
}

impl Word {
    /// Whether it means nothing without an argument.
    pub const fn needs_more(&self) -> bool {
        !self.argument.is_empty() && !matches!(self.argument.as_bytes(), [b'[', ..])
    }

    const fn completes(mut self, completes: Completes) -> Self {
        self.completes = completes;
        self
    }
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
    Export,
    Notify,
    Mute,
    Dnd,
    Read,
    Reply,
    Change,
    Delete,
}

/// What a word after `/` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// One of the table of words.
    Word(&'static Word),
    /// What a key does.
    Row(&'static Row),
}

impl Named {
    /// The word, with its `/`.
    pub fn name(self) -> String {
        match self {
            Self::Word(word) => word.name.to_owned(),
            Self::Row(row) => format!("/{}", row.name),
        }
    }

    /// Everything that can be named.
    pub fn all() -> impl Iterator<Item = Self> {
        let rows = KEYS.iter().filter(|row| row.is_word());
        WORDS.iter().map(Self::Word).chain(rows.map(Self::Row))
    }
}

/// What this word names, or the word that it comes nearest to.
pub fn find_word(name: &str) -> Result<Named, String> {
    let name = name.to_lowercase();
    let mut nearest = String::new();
    let mut least = usize::MAX;
    for named in Named::all() {
        let word = named.name();
        if word == name {
            return Ok(named);
        }
        // A beginning is nearer than anything that has to be changed.
        let far = if word.starts_with(&name) {
            0
        } else {
            distance(&word, &name)
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
    #[case("/NEXT-unread", Ok("/next-unread"))]
    #[case("/next-unred", Err("/next-unread"))]
    #[case("/fid", Err("/find"))]
    fn words_and_the_nearest(#[case] name: &str, #[case] expected: Result<&str, &str>) {
        let named = find_word(name).map(Named::name);
        assert_eq!(named.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn every_name_is_one_and_every_alt_key_has_another_way() {
        let mut names: Vec<String> = KEYS.iter().map(|row| format!("/{}", row.name)).collect();
        names.extend(WORDS.iter().map(|word| word.name.to_owned()));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        for row in KEYS {
            let only_alt = row.keys.iter().all(|key| key.contains("alt-"));
            // What works on the text being written has its like without Alt.
            let on_text = matches!(row.context, Context::Edit);
            assert!(!only_alt || row.is_word() || on_text, "{row:?}");
        }
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
