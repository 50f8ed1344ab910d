//! The table of words: every one that is no key's name, with what follows it and its help.

use super::{Completes, Verb, Word};

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
        Verb::Reply,
        "/reply",
        "[NAME]",
        "answer the last message, or the last of one person",
    )
    .completes(Completes::People),
    word(Verb::Change, "/edit", "", "change your last message"),
    word(Verb::Delete, "/delete", "", "delete your last message"),
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
        Verb::Export,
        "/export",
        "[md, json, csv or txt] [FILE]",
        "write this meeting into a file: who was there and when, what was said",
    )
    .completes(Completes::Of(&["md", "json", "csv", "txt"])),
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

const fn word(verb: Verb, name: &'static str, argument: &'static str, help: &'static str) -> Word {
    Word {
        verb,
        name,
        argument,
        completes: Completes::Nothing,
        help,
    }
}
