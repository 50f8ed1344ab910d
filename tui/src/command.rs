//! Everything a user can tell the screen: one table of keys and one of slash commands, from which
//! the keymap, the hints, the finder and the help are made.

mod slash;
mod table;

pub use slash::{Completes, Named, SLASH_COMMANDS, SlashCommand, Verb, find_named};
pub use table::KEYS;

/// What a key does, by the layer that carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Moves in a list, a page or a form, or confirms: every layer gives it its own meaning.
    Nav(Nav),
    /// Changes the text that takes the typing.
    Edit(EditCommand),
    /// Writes and reads in the chat.
    Chat(ChatCommand),
    /// Goes from meeting to meeting.
    Meetings(MeetingsCommand),
    Selection(SelectionCommand),
    /// Changes the search through all messages.
    Search(SearchCommand),
    /// Changes the view of the dashboard, or opens a screen from there.
    Dashboard(DashboardCommand),
    /// Acts on meetings, from the dashboard or from a meeting's detail.
    MeetingAction(MeetingAction),
    /// Changes the view of one meeting on the dashboard.
    Detail(DetailCommand),
    Schedule(ScheduleCommand),
    /// Ends sessions of the user.
    Sessions(SessionsCommand),
    Quit(QuitCommand),
    App(AppCommand),
}

/// Navigation, shared by all layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nav {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Enter,
    NextField,
    PreviousField,
}

impl Nav {
    /// The row that a move from row `at` of a list leads to, with `page` rows a page; `None` when
    /// it is not a move in a list.
    pub fn moved(self, at: usize, last: usize, page: usize) -> Option<usize> {
        match self {
            Self::Up => Some(at.saturating_sub(1)),
            Self::Down => Some((at + 1).min(last)),
            Self::PageUp => Some(at.saturating_sub(page)),
            Self::PageDown => Some((at + page).min(last)),
            Self::First => Some(0),
            Self::Last => Some(last),
            Self::Enter | Self::NextField | Self::PreviousField => None,
        }
    }
}

/// Edits of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditCommand {
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
    CutToBlank,
    CutWordLeft,
    CutWordRight,
    CutToStart,
    CutToEnd,
    Yank,
    YankOlder,
    Transpose,
    Undo,
    Redo,
}

/// Commands of the chat and its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChatCommand {
    Send,
    Complete,
    CompleteBack,
    OpenEditor,
    RowUp,
    RowDown,
    Oldest,
    Newest,
    FirstUnread,
    PreviousMention,
    NextMention,
    Select,
    Search,
    History,
    CopyMode,
    Mouse,
}

/// Commands that go from meeting to meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeetingsCommand {
    Find,
    Next,
    Previous,
    Nth,
    NextUnread,
    Last,
    List,
    HideList,
    Participants,
}

/// Commands for the selected message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectionCommand {
    Reply,
    Edit,
    Delete,
    ConfirmDelete,
    Find,
    FindOlder,
    FindNewer,
    CopyText,
    CopyLine,
    OpenLink,
    MarkUnread,
}

/// Commands of the search through all messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchCommand {
    Scope,
}

/// Commands of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DashboardCommand {
    Filter,
    Sort,
    Mark,
    Servers,
    Schedule,
}

/// Commands for the selected meetings, on the dashboard and in a meeting's detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeetingAction {
    Pause,
    Chat,
    Explain,
    Extend,
    End,
    Lock,
    ReadOnly,
    Announce,
    Mute,
    Unmute,
    Remove,
    Ban,
    Unban,
}

/// Commands of one meeting on the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetailCommand {
    Filter,
    Pane,
    Sort,
}

/// Commands of the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleCommand {
    Filter,
    Past,
    Add,
    Edit,
    Schedule,
    Move,
    Cancel,
    Invite,
    Uninvite,
    Import,
    Reload,
}

/// Commands of the list of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionsCommand {
    End,
    EndOthers,
}

/// Answers to the question before quitting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuitCommand {
    Leave,
    Stay,
}

/// Commands that work everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppCommand {
    Dashboard,
    Help,
    Back,
    Redraw,
    Suspend,
    ClearOrQuit,
    Quit,
}

/// Where a key has its meaning. A layer lists the contexts of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The message being written.
    Compose,
    /// Any text being written.
    Edit,
    /// The chat above the input.
    Chat,
    Selection,
    /// The question before a message is deleted.
    DeleteQuestion,
    /// The text to find among the messages of this meeting.
    FindInMeeting,
    /// Going from meeting to meeting.
    Meetings,
    MeetingList,
    /// Lists and pages without a text field.
    Lists,
    /// Lists below a text field.
    Choices,
    /// Forms of several fields.
    Forms,
    Finder,
    Search,
    Dashboard,
    /// Actions on meetings, on the dashboard and in a meeting's detail.
    MeetingActions,
    Detail,
    /// The dialog before a moderation action.
    ModerationDialog,
    Filter,
    Schedule,
    ScheduleForm,
    PasswordDialog,
    /// The list of the user's sessions.
    Sessions,
    SignIn,
    Quit,
    Anywhere,
}

impl Context {
    /// Every case, in the order of the help.
    pub const ALL: &'static [Self] = &[
        Self::Compose,
        Self::Edit,
        Self::Meetings,
        Self::MeetingList,
        Self::Finder,
        Self::Search,
        Self::Chat,
        Self::Selection,
        Self::DeleteQuestion,
        Self::FindInMeeting,
        Self::Lists,
        Self::Choices,
        Self::Forms,
        Self::Dashboard,
        Self::MeetingActions,
        Self::Detail,
        Self::ModerationDialog,
        Self::Schedule,
        Self::ScheduleForm,
        Self::Filter,
        Self::PasswordDialog,
        Self::Sessions,
        Self::SignIn,
        Self::Quit,
        Self::Anywhere,
    ];

    /// Its heading in the help.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Compose => "Message",
            Self::Edit => "Editing text",
            Self::Chat => "Chat",
            Self::Selection => "Selected message",
            Self::DeleteQuestion => "Delete dialog",
            Self::FindInMeeting => "Find in this meeting",
            Self::Meetings => "Meetings",
            Self::MeetingList => "List of meetings",
            Self::Lists => "Lists and pages",
            Self::Choices => "Lists below a text field",
            Self::Forms => "Forms",
            Self::Finder => "Finder",
            Self::Search => "Search",
            Self::Dashboard => "Dashboard (admins)",
            Self::MeetingActions => "Actions on meetings (admins)",
            Self::Detail => "Meeting on the dashboard",
            Self::ModerationDialog => "Moderation dialog",
            Self::Filter => "Filter of a table",
            Self::Schedule => "Schedule (admins)",
            Self::ScheduleForm => "Schedule form",
            Self::PasswordDialog => "Password dialog",
            Self::Sessions => "List of sessions",
            Self::SignIn => "Sign-in",
            Self::Quit => "Quit dialog",
            Self::Anywhere => "Anywhere",
        }
    }

    /// Whether letters are keys here because no text takes the typing.
    pub const fn has_letter_keys(self) -> bool {
        match self {
            Self::Selection
            | Self::DeleteQuestion
            | Self::Lists
            | Self::MeetingList
            | Self::Dashboard
            | Self::MeetingActions
            | Self::Detail
            | Self::Schedule
            | Self::Sessions
            | Self::Quit => true,
            Self::Compose
            | Self::Edit
            | Self::Chat
            | Self::FindInMeeting
            | Self::Meetings
            | Self::Choices
            | Self::Forms
            | Self::Finder
            | Self::Search
            | Self::Filter
            | Self::ModerationDialog
            | Self::ScheduleForm
            | Self::PasswordDialog
            | Self::SignIn
            | Self::Anywhere => false,
        }
    }

    /// Whether its commands can be written as slash commands: those that make sense while a
    /// message is being written.
    pub const fn has_slash_commands(self) -> bool {
        matches!(self, Self::Chat | Self::Meetings | Self::Anywhere)
    }
}

/// One command with its default keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub command: Command,
    pub context: Context,
    /// The name in `keys.toml`, and after `/` where it is a slash command.
    pub name: &'static str,
    /// The default keys, as `ctrl-a`, `alt-enter`, `f1`.
    pub keys: &'static [&'static str],
    /// The sentence in the help.
    pub help: &'static str,
    /// The word beside the key in the hints, if it is shown there.
    pub hint: Option<&'static str>,
}

impl Row {
    /// Whether its name is a slash command too.
    pub const fn is_slash_command(&self) -> bool {
        self.context.has_slash_commands()
    }

    /// Whether it changes only what a screen shows, so that line mode has no use for it.
    pub const fn needs_screen(&self) -> bool {
        matches!(
            self.command,
            Command::Chat(
                ChatCommand::RowUp
                    | ChatCommand::RowDown
                    | ChatCommand::Select
                    | ChatCommand::History
                    | ChatCommand::CopyMode
                    | ChatCommand::Mouse
            ) | Command::Meetings(
                MeetingsCommand::Find | MeetingsCommand::HideList | MeetingsCommand::Participants
            ) | Command::App(
                AppCommand::Dashboard
                    | AppCommand::Back
                    | AppCommand::Redraw
                    | AppCommand::Suspend
                    | AppCommand::ClearOrQuit
            )
        )
    }

    /// Adds the word shown in the hints.
    const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_alt_is_never_the_only_way() {
        let mut names: Vec<String> = KEYS.iter().map(|row| format!("/{}", row.name)).collect();
        names.extend(SLASH_COMMANDS.iter().map(|command| command.name.to_owned()));
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        for row in KEYS {
            let only_alt = row.keys.iter().all(|key| key.contains("alt-"));
            // Edits of a text have a counterpart without Alt.
            let is_edit = matches!(row.context, Context::Edit);
            assert!(!only_alt || row.is_slash_command() || is_edit, "{row:?}");
        }
    }

    #[test]
    fn a_key_has_one_meaning_in_a_context() {
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
    fn letters_are_keys_only_where_nothing_is_typed() {
        for row in KEYS.iter().filter(|row| !row.context.has_letter_keys()) {
            assert!(
                row.keys.iter().all(|key| key.chars().count() > 1),
                "{row:?}"
            );
        }
    }

    #[test]
    fn every_context_is_in_the_help() {
        assert!(KEYS.iter().all(|row| Context::ALL.contains(&row.context)));
    }
}
