//! The table of keys: every command with its name, its default keys and its help.

use super::Context::{
    Anywhere, Chat, Edit, Find, Input, Leaving, List, Meetings, Overlay, Search, Select, SignIn,
};
use super::{Command, Context, Row};

/// Every key. The first key of a row is the one that hints and help show first.
pub const KEYS: &[Row] = &[
    row(
        Command::Send,
        Input,
        "send",
        &["enter"],
        "send; on an empty input: join, retry",
    )
    .hint("send"),
    row(
        Command::NewLine,
        Input,
        "new-line",
        &["alt-enter", "ctrl-j", "shift-enter"],
        "new line",
    )
    .hint("new line"),
    row(
        Command::Complete,
        Input,
        "complete",
        &["tab"],
        "complete a /command or an @name; again: the next one",
    )
    .hint("complete"),
    row(
        Command::CompleteBack,
        Input,
        "complete-back",
        &["shift-tab"],
        "complete with the one before",
    ),
    row(
        Command::OpenEditor,
        Input,
        "open-editor",
        &["ctrl-x"],
        "write in $VISUAL or $EDITOR",
    ),
    row(
        Command::Up,
        Edit,
        "up",
        &["up"],
        "line up; at the first line: what was sent before",
    ),
    row(
        Command::Down,
        Edit,
        "down",
        &["down"],
        "line down; at the last line: what was sent after",
    ),
    row(Command::Left, Edit, "left", &["left", "ctrl-b"], "left"),
    row(Command::Right, Edit, "right", &["right", "ctrl-f"], "right"),
    row(
        Command::WordLeft,
        Edit,
        "word-left",
        &["ctrl-left", "alt-left", "alt-b"],
        "word left",
    ),
    row(
        Command::WordRight,
        Edit,
        "word-right",
        &["ctrl-right", "alt-right", "alt-f"],
        "word right",
    ),
    row(
        Command::LineStart,
        Edit,
        "line-start",
        &["home", "ctrl-a"],
        "start of the line",
    ),
    row(
        Command::LineEnd,
        Edit,
        "line-end",
        &["end", "ctrl-e"],
        "end of the line; on an empty input: newest message",
    ),
    row(
        Command::TextStart,
        Edit,
        "text-start",
        &["ctrl-home"],
        "start of the text",
    ),
    row(
        Command::TextEnd,
        Edit,
        "text-end",
        &["ctrl-end"],
        "end of the text",
    ),
    row(
        Command::DeleteLeft,
        Edit,
        "delete-left",
        &["backspace"],
        "delete to the left",
    ),
    row(
        Command::DeleteRight,
        Edit,
        "delete-right",
        &["delete", "ctrl-d"],
        "delete to the right",
    ),
    row(
        Command::DeleteToBlank,
        Edit,
        "delete-to-blank",
        &["ctrl-w"],
        "cut to the blank before",
    ),
    row(
        Command::DeleteWord,
        Edit,
        "delete-word",
        &["alt-backspace"],
        "cut the word before",
    ),
    row(
        Command::DeleteWordRight,
        Edit,
        "delete-word-right",
        &["alt-d", "ctrl-delete"],
        "cut the word after",
    ),
    row(
        Command::DeleteToStart,
        Edit,
        "delete-to-start",
        &["ctrl-u"],
        "cut to the start of the line",
    ),
    row(
        Command::DeleteToEnd,
        Edit,
        "delete-to-end",
        &["ctrl-k"],
        "cut to the end of the line",
    ),
    row(
        Command::Yank,
        Edit,
        "yank",
        &["ctrl-y"],
        "put back what was cut",
    ),
    row(
        Command::YankOlder,
        Edit,
        "yank-older",
        &["alt-y"],
        "then: what was cut before that",
    ),
    row(
        Command::Transpose,
        Edit,
        "transpose",
        &["ctrl-t"],
        "swap two characters",
    ),
    row(
        Command::Undo,
        Edit,
        "undo",
        &["ctrl-_"],
        "take a change back",
    ),
    row(
        Command::Redo,
        Edit,
        "redo",
        &["ctrl-^", "alt-_"],
        "make it again",
    ),
    row(
        Command::Find,
        Meetings,
        "find",
        &["ctrl-g"],
        "find a meeting, a person, a command",
    )
    .hint("find"),
    row(
        Command::NextMeeting,
        Meetings,
        "next-meeting",
        &["ctrl-n"],
        "next meeting",
    )
    .hint("next"),
    row(
        Command::PreviousMeeting,
        Meetings,
        "previous-meeting",
        &["ctrl-p"],
        "previous meeting",
    ),
    row(
        Command::NthMeeting,
        Meetings,
        "meeting",
        &[
            "alt-1", "alt-2", "alt-3", "alt-4", "alt-5", "alt-6", "alt-7", "alt-8", "alt-9",
        ],
        "meeting by its number, as /meeting 3",
    ),
    row(
        Command::NextUnread,
        Meetings,
        "next-unread",
        &["alt-a"],
        "next unread, mentions first",
    ),
    row(
        Command::LastMeeting,
        Meetings,
        "last",
        &["alt-s"],
        "last meeting",
    ),
    row(
        Command::MeetingsList,
        Meetings,
        "meetings",
        &["f2"],
        "into the list of meetings",
    )
    .hint("meetings"),
    row(
        Command::PeopleList,
        Meetings,
        "people",
        &["f3"],
        "people, where the screen is narrow",
    )
    .hint("people"),
    row(Command::ListUp, List, "list-up", &["up"], "up").hint("up"),
    row(Command::ListDown, List, "list-down", &["down"], "down").hint("down"),
    row(
        Command::ListEnter,
        List,
        "list-enter",
        &["enter"],
        "join, or read what has ended",
    )
    .hint("join"),
    row(Command::FindUp, Find, "find-up", &["up", "ctrl-p"], "up").hint("up"),
    row(
        Command::FindDown,
        Find,
        "find-down",
        &["down", "ctrl-n"],
        "down",
    )
    .hint("down"),
    row(
        Command::FindEnter,
        Find,
        "find-enter",
        &["enter"],
        "go there",
    )
    .hint("go there"),
    row(
        Command::PageUp,
        Chat,
        "page-up",
        &["pageup"],
        "page up, and older messages",
    )
    .hint("scroll"),
    row(
        Command::PageDown,
        Chat,
        "page-down",
        &["pagedown"],
        "page down",
    ),
    row(Command::RowUp, Chat, "row-up", &["shift-up"], "one line up"),
    row(
        Command::RowDown,
        Chat,
        "row-down",
        &["shift-down"],
        "one line down",
    ),
    row(
        Command::Oldest,
        Chat,
        "oldest",
        &["alt-home"],
        "oldest message at hand",
    ),
    row(
        Command::Newest,
        Chat,
        "newest",
        &["alt-end"],
        "newest message",
    ),
    row(
        Command::FirstUnread,
        Chat,
        "first-unread",
        &["alt-u"],
        "first unread message",
    ),
    row(
        Command::PreviousMention,
        Chat,
        "previous-mention",
        &["alt-p"],
        "the message before that speaks of you",
    ),
    row(
        Command::NextMention,
        Chat,
        "next-mention",
        &["alt-n"],
        "the next message that speaks of you",
    ),
    row(
        Command::Select,
        Chat,
        "select",
        &["ctrl-s"],
        "select a message: to copy, search, open",
    ),
    row(
        Command::PlainView,
        Chat,
        "plain",
        &["alt-l"],
        "nothing but the chat, to copy from; again: back",
    ),
    row(
        Command::Mouse,
        Chat,
        "mouse",
        &["alt-m"],
        "give the mouse to the terminal; again: back",
    ),
    row(
        Command::SelectUp,
        Select,
        "select-up",
        &["k", "up"],
        "message up",
    )
    .hint("up"),
    row(
        Command::SelectDown,
        Select,
        "select-down",
        &["j", "down"],
        "message down",
    )
    .hint("down"),
    row(
        Command::SelectFirst,
        Select,
        "select-first",
        &["g", "home"],
        "first message at hand",
    ),
    row(
        Command::SelectLast,
        Select,
        "select-last",
        &["G", "end"],
        "last message",
    ),
    row(
        Command::Search,
        Select,
        "search",
        &["/"],
        "search upwards in the messages at hand",
    )
    .hint("search"),
    row(
        Command::SearchOlder,
        Select,
        "search-older",
        &["n"],
        "the one found before",
    )
    .hint("older"),
    row(
        Command::SearchNewer,
        Select,
        "search-newer",
        &["N"],
        "the one found after",
    ),
    row(
        Command::CopyText,
        Select,
        "copy",
        &["y"],
        "copy what it says",
    )
    .hint("copy"),
    row(
        Command::CopyLine,
        Select,
        "copy-line",
        &["Y"],
        "copy it with time and name",
    ),
    row(
        Command::OpenLink,
        Select,
        "open-link",
        &["o"],
        "open its link; again: its next one",
    )
    .hint("open link"),
    row(
        Command::UnreadFrom,
        Select,
        "unread-from",
        &["u"],
        "unread from here on",
    )
    .hint("unread"),
    row(
        Command::SelectEnter,
        Select,
        "fill",
        &["enter"],
        "at the first message: read older ones; else back",
    ),
    row(
        Command::SearchEnter,
        Search,
        "search-enter",
        &["enter"],
        "search upwards",
    )
    .hint("search"),
    row(
        Command::OverlayUp,
        Overlay,
        "overlay-up",
        &["up"],
        "line up",
    )
    .hint("up"),
    row(
        Command::OverlayDown,
        Overlay,
        "overlay-down",
        &["down"],
        "line down",
    )
    .hint("down"),
    row(
        Command::OverlayPageUp,
        Overlay,
        "overlay-page-up",
        &["pageup"],
        "page up",
    ),
    row(
        Command::OverlayPageDown,
        Overlay,
        "overlay-page-down",
        &["pagedown"],
        "page down",
    )
    .hint("page"),
    row(
        Command::FieldNext,
        SignIn,
        "field-next",
        &["tab", "down"],
        "next field",
    )
    .hint("next"),
    row(
        Command::FieldPrevious,
        SignIn,
        "field-previous",
        &["shift-tab", "up"],
        "field before",
    )
    .hint("back"),
    row(Command::SignIn, SignIn, "sign-in", &["enter"], "sign in").hint("sign in"),
    row(
        Command::QuitLeaving,
        Leaving,
        "quit-leaving",
        &["l"],
        "leave the meeting and quit",
    )
    .hint("leave and quit"),
    row(
        Command::QuitStaying,
        Leaving,
        "quit-staying",
        &["s", "ctrl-q", "ctrl-c"],
        "quit only: who is not back soon has left",
    )
    .hint("only quit"),
    row(Command::Help, Anywhere, "help", &["f1"], "this help").hint("help"),
    row(
        Command::Back,
        Anywhere,
        "back",
        &["esc"],
        "one step back; deletes nothing",
    ),
    row(
        Command::Redraw,
        Anywhere,
        "redraw",
        &["ctrl-l"],
        "draw everything again",
    ),
    row(
        Command::Suspend,
        Anywhere,
        "suspend",
        &["ctrl-z"],
        "suspend",
    ),
    row(
        Command::ClearOrQuit,
        Anywhere,
        "clear-or-quit",
        &["ctrl-c"],
        "clear the input; twice within 2 s: quit",
    ),
    row(Command::Quit, Anywhere, "quit", &["ctrl-q"], "quit").hint("quit"),
];

const fn row(
    command: Command,
    context: Context,
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
) -> Row {
    Row {
        command,
        context,
        name,
        keys,
        help,
        hint: None,
    }
}
