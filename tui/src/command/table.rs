//! The table itself: every key and every word, with its default and its help.

use super::{Command, Context, Row, Verb, Word};

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
        "quit only: who is not back soon has left",
    )
    .hint("only quit"),
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
    word(Verb::Help, "/help", "", "every key and command"),
    word(Verb::Quit, "/quit", "", "quit"),
];

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
