//! The table itself: every key and every word, with its default and its help.

use super::{Command, Completes, Context, Row, Verb, Word};

/// Every key. The first key of a row is the one that hints and help show first.
pub const KEYS: &[Row] = &[
    row(
        Command::Send,
        Context::Input,
        "send",
        &["enter"],
        "send; on an empty input: join, retry",
    )
    .hint("send"),
    row(
        Command::NewLine,
        Context::Input,
        "new-line",
        &["alt-enter", "ctrl-j", "shift-enter"],
        "new line",
    )
    .hint("new line"),
    row(
        Command::Complete,
        Context::Input,
        "complete",
        &["tab"],
        "complete a /command or an @name; again: the next one",
    )
    .hint("complete"),
    row(
        Command::CompleteBack,
        Context::Input,
        "complete-back",
        &["shift-tab"],
        "complete with the one before",
    ),
    row(
        Command::OpenEditor,
        Context::Input,
        "open-editor",
        &["ctrl-x"],
        "write in $VISUAL or $EDITOR",
    ),
    row(
        Command::Up,
        Context::Edit,
        "up",
        &["up"],
        "line up; at the first line: what was sent before",
    ),
    row(
        Command::Down,
        Context::Edit,
        "down",
        &["down"],
        "line down; at the last line: what was sent after",
    ),
    row(
        Command::Left,
        Context::Edit,
        "left",
        &["left", "ctrl-b"],
        "left",
    ),
    row(
        Command::Right,
        Context::Edit,
        "right",
        &["right", "ctrl-f"],
        "right",
    ),
    row(
        Command::WordLeft,
        Context::Edit,
        "word-left",
        &["ctrl-left", "alt-left", "alt-b"],
        "word left",
    ),
    row(
        Command::WordRight,
        Context::Edit,
        "word-right",
        &["ctrl-right", "alt-right", "alt-f"],
        "word right",
    ),
    row(
        Command::LineStart,
        Context::Edit,
        "line-start",
        &["home", "ctrl-a"],
        "start of the line",
    ),
    row(
        Command::LineEnd,
        Context::Edit,
        "line-end",
        &["end", "ctrl-e"],
        "end of the line; on an empty input: newest message",
    ),
    row(
        Command::TextStart,
        Context::Edit,
        "text-start",
        &["ctrl-home"],
        "start of the text",
    ),
    row(
        Command::TextEnd,
        Context::Edit,
        "text-end",
        &["ctrl-end"],
        "end of the text",
    ),
    row(
        Command::DeleteLeft,
        Context::Edit,
        "delete-left",
        &["backspace"],
        "delete to the left",
    ),
    row(
        Command::DeleteRight,
        Context::Edit,
        "delete-right",
        &["delete", "ctrl-d"],
        "delete to the right",
    ),
    row(
        Command::DeleteToBlank,
        Context::Edit,
        "delete-to-blank",
        &["ctrl-w"],
        "cut to the blank before",
    ),
    row(
        Command::DeleteWord,
        Context::Edit,
        "delete-word",
        &["alt-backspace"],
        "cut the word before",
    ),
    row(
        Command::DeleteWordRight,
        Context::Edit,
        "delete-word-right",
        &["alt-d", "ctrl-delete"],
        "cut the word after",
    ),
    row(
        Command::DeleteToStart,
        Context::Edit,
        "delete-to-start",
        &["ctrl-u"],
        "cut to the start of the line",
    ),
    row(
        Command::DeleteToEnd,
        Context::Edit,
        "delete-to-end",
        &["ctrl-k"],
        "cut to the end of the line",
    ),
    row(
        Command::Yank,
        Context::Edit,
        "yank",
        &["ctrl-y"],
        "put back what was cut",
    ),
    row(
        Command::YankOlder,
        Context::Edit,
        "yank-older",
        &["alt-y"],
        "then: what was cut before that",
    ),
    row(
        Command::Transpose,
        Context::Edit,
        "transpose",
        &["ctrl-t"],
        "swap two characters",
    ),
    row(
        Command::Undo,
        Context::Edit,
        "undo",
        &["ctrl-_"],
        "take a change back",
    ),
    row(
        Command::Redo,
        Context::Edit,
        "redo",
        &["ctrl-^", "alt-_"],
        "make it again",
    ),
    row(
        Command::Find,
        Context::Meetings,
        "find",
        &["ctrl-g"],
        "find a meeting, a person, a command",
    )
    .hint("find"),
    row(
        Command::NextMeeting,
        Context::Meetings,
        "next-meeting",
        &["ctrl-n"],
        "next meeting",
    )
    .hint("next"),
    row(
        Command::PreviousMeeting,
        Context::Meetings,
        "previous-meeting",
        &["ctrl-p"],
        "previous meeting",
    ),
    row(
        Command::NthMeeting,
        Context::Meetings,
        "meeting",
        &[
            "alt-1", "alt-2", "alt-3", "alt-4", "alt-5", "alt-6", "alt-7", "alt-8", "alt-9",
        ],
        "meeting by its number, as /meeting 3",
    ),
    row(
        Command::NextUnread,
        Context::Meetings,
        "next-unread",
        &["alt-a"],
        "next unread, mentions first",
    ),
    row(
        Command::LastMeeting,
        Context::Meetings,
        "last",
        &["alt-s"],
        "last meeting",
    ),
    row(
        Command::MeetingsList,
        Context::Meetings,
        "meetings",
        &["f2"],
        "into the list of meetings",
    )
    .hint("meetings"),
    row(
        Command::PeopleList,
        Context::Meetings,
        "people",
        &["f3"],
        "people, where the screen is narrow",
    )
    .hint("people"),
    row(Command::ListUp, Context::List, "list-up", &["up"], "up").hint("up"),
    row(
        Command::ListDown,
        Context::List,
        "list-down",
        &["down"],
        "down",
    )
    .hint("down"),
    row(
        Command::ListEnter,
        Context::List,
        "list-enter",
        &["enter"],
        "join, or read what has ended",
    )
    .hint("join"),
    row(
        Command::FindUp,
        Context::Find,
        "find-up",
        &["up", "ctrl-p"],
        "up",
    )
    .hint("up"),
    row(
        Command::FindDown,
        Context::Find,
        "find-down",
        &["down", "ctrl-n"],
        "down",
    )
    .hint("down"),
    row(
        Command::FindEnter,
        Context::Find,
        "find-enter",
        &["enter"],
        "go there",
    )
    .hint("go there"),
    row(
        Command::PageUp,
        Context::Chat,
        "page-up",
        &["pageup"],
        "page up, and older messages",
    )
    .hint("scroll"),
    row(
        Command::PageDown,
        Context::Chat,
        "page-down",
        &["pagedown"],
        "page down",
    ),
    row(
        Command::RowUp,
        Context::Chat,
        "row-up",
        &["shift-up"],
        "one line up",
    ),
    row(
        Command::RowDown,
        Context::Chat,
        "row-down",
        &["shift-down"],
        "one line down",
    ),
    row(
        Command::Oldest,
        Context::Chat,
        "oldest",
        &["alt-home"],
        "oldest message at hand",
    ),
    row(
        Command::Newest,
        Context::Chat,
        "newest",
        &["alt-end"],
        "newest message",
    ),
    row(
        Command::FirstUnread,
        Context::Chat,
        "first-unread",
        &["alt-u"],
        "first unread message",
    ),
    row(
        Command::PreviousMention,
        Context::Chat,
        "previous-mention",
        &["alt-p"],
        "the message before that speaks of you",
    ),
    row(
        Command::NextMention,
        Context::Chat,
        "next-mention",
        &["alt-n"],
        "the next message that speaks of you",
    ),
    row(
        Command::Select,
        Context::Chat,
        "select",
        &["ctrl-s"],
        "select a message: to copy, search, open",
    ),
    row(
        Command::PlainView,
        Context::Chat,
        "plain",
        &["alt-l"],
        "nothing but the chat, to copy from; again: back",
    ),
    row(
        Command::Mouse,
        Context::Chat,
        "mouse",
        &["alt-m"],
        "give the mouse to the terminal; again: back",
    ),
    row(
        Command::SelectUp,
        Context::Select,
        "select-up",
        &["k", "up"],
        "message up",
    )
    .hint("up"),
    row(
        Command::SelectDown,
        Context::Select,
        "select-down",
        &["j", "down"],
        "message down",
    )
    .hint("down"),
    row(
        Command::SelectFirst,
        Context::Select,
        "select-first",
        &["g", "home"],
        "first message at hand",
    ),
    row(
        Command::SelectLast,
        Context::Select,
        "select-last",
        &["G", "end"],
        "last message",
    ),
    row(
        Command::Search,
        Context::Select,
        "search",
        &["/"],
        "search upwards in the messages at hand",
    )
    .hint("search"),
    row(
        Command::SearchOlder,
        Context::Select,
        "search-older",
        &["n"],
        "the one found before",
    )
    .hint("older"),
    row(
        Command::SearchNewer,
        Context::Select,
        "search-newer",
        &["N"],
        "the one found after",
    ),
    row(
        Command::CopyText,
        Context::Select,
        "copy",
        &["y"],
        "copy what it says",
    )
    .hint("copy"),
    row(
        Command::CopyLine,
        Context::Select,
        "copy-line",
        &["Y"],
        "copy it with time and name",
    ),
    row(
        Command::OpenLink,
        Context::Select,
        "open-link",
        &["o"],
        "open its link; again: its next one",
    )
    .hint("open link"),
    row(
        Command::UnreadFrom,
        Context::Select,
        "unread-from",
        &["u"],
        "unread from here on",
    )
    .hint("unread"),
    row(
        Command::SelectEnter,
        Context::Select,
        "fill",
        &["enter"],
        "at the first message: read older ones; else back",
    ),
    row(
        Command::SearchEnter,
        Context::Search,
        "search-enter",
        &["enter"],
        "search upwards",
    )
    .hint("search"),
    row(
        Command::OverlayUp,
        Context::Overlay,
        "overlay-up",
        &["up"],
        "line up",
    )
    .hint("up"),
    row(
        Command::OverlayDown,
        Context::Overlay,
        "overlay-down",
        &["down"],
        "line down",
    )
    .hint("down"),
    row(
        Command::OverlayPageUp,
        Context::Overlay,
        "overlay-page-up",
        &["pageup"],
        "page up",
    ),
    row(
        Command::OverlayPageDown,
        Context::Overlay,
        "overlay-page-down",
        &["pagedown"],
        "page down",
    )
    .hint("page"),
    row(
        Command::FieldNext,
        Context::SignIn,
        "field-next",
        &["tab", "down"],
        "next field",
    )
    .hint("next"),
    row(
        Command::FieldPrevious,
        Context::SignIn,
        "field-previous",
        &["shift-tab", "up"],
        "field before",
    )
    .hint("back"),
    row(
        Command::SignIn,
        Context::SignIn,
        "sign-in",
        &["enter"],
        "sign in",
    )
    .hint("sign in"),
    row(
        Command::QuitLeaving,
        Context::Leaving,
        "quit-leaving",
        &["l"],
        "leave the meeting and quit",
    )
    .hint("leave and quit"),
    row(
        Command::QuitStaying,
        Context::Leaving,
        "quit-staying",
        &["s", "ctrl-q", "ctrl-c"],
        "quit only: who is not back soon has left",
    )
    .hint("only quit"),
    row(
        Command::Help,
        Context::Anywhere,
        "help",
        &["f1"],
        "this help",
    )
    .hint("help"),
    row(
        Command::Back,
        Context::Anywhere,
        "back",
        &["esc"],
        "one step back; deletes nothing",
    ),
    row(
        Command::Redraw,
        Context::Anywhere,
        "redraw",
        &["ctrl-l"],
        "draw everything again",
    ),
    row(
        Command::Suspend,
        Context::Anywhere,
        "suspend",
        &["ctrl-z"],
        "suspend",
    ),
    row(
        Command::ClearOrQuit,
        Context::Anywhere,
        "clear-or-quit",
        &["ctrl-c"],
        "clear the input; twice within 2 s: quit",
    ),
    row(
        Command::Quit,
        Context::Anywhere,
        "quit",
        &["ctrl-q"],
        "quit",
    )
    .hint("quit"),
];

const fn word(verb: Verb, name: &'static str, argument: &'static str, help: &'static str) -> Word {
    Word {
        verb,
        name,
        argument,
        completes: Completes::Nothing,
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
    )
    .completes(Completes::Meetings),
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
    )
    .completes(Completes::People),
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
    word(
        Verb::Notify,
        "/notify",
        "[all, mentions or none]",
        "what this meeting may call you for while you look elsewhere",
    )
    .completes(Completes::Of(&["all", "mentions", "none"])),
    word(
        Verb::Mute,
        "/mute",
        "",
        "let this meeting be silent; again: not",
    ),
    word(
        Verb::Dnd,
        "/dnd",
        "",
        "let nothing call you; again: all as before",
    ),
    word(
        Verb::Read,
        "/read",
        "[all]",
        "this meeting, or every one, has been read",
    )
    .completes(Completes::Of(&["all"])),
    word(
        Verb::Recall,
        "/recall",
        "",
        "put what was refused back into the input",
    ),
    word(
        Verb::Outbox,
        "/outbox",
        "",
        "what is on its way, and what was refused, in all meetings",
    ),
    word(Verb::Reconnect, "/reconnect", "", "connect anew at once"),
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
