//! Slash commands: what can be written into the input after `/`, and the nearest to a typo.

use super::{ChatCommand, Command, KEYS, MeetingsCommand, Row};

/// A command that is written into the input and has no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashCommand {
    pub verb: Verb,
    /// Its name, with the `/`.
    pub name: &'static str,
    /// Its argument as the help shows it; in brackets where it may be left out.
    pub argument: &'static str,
    pub completes: Completes,
    /// The sentence in the help.
    pub help: &'static str,
}

/// What completes the argument of a slash command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completes {
    Nothing,
    /// The name of a user in this meeting.
    Users,
    Meetings,
    Of(&'static [&'static str]),
}

/// What a slash command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Join,
    Leave,
    Who,
    Messages,
    Joins,
    Urls,
    Me,
    Config,
    Retry,
    Recall,
    Outbox,
    Password,
    Sessions,
    Reconnect,
    Export,
    Notify,
    Mute,
    Dnd,
    Read,
    Reply,
    Edit,
    Delete,
}

impl SlashCommand {
    pub const fn needs_argument(&self) -> bool {
        !self.argument.is_empty() && !matches!(self.argument.as_bytes(), [b'[', ..])
    }

    /// Whether it opens a list or dialog that line mode does not have.
    pub const fn needs_screen(&self) -> bool {
        matches!(self.verb, Verb::Password | Verb::Sessions)
    }

    const fn completes(mut self, completes: Completes) -> Self {
        self.completes = completes;
        self
    }
}

/// What a name after `/` refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A slash command without a key.
    Slash(&'static SlashCommand),
    /// A command that also has keys.
    Row(&'static Row),
}

impl Named {
    /// The name, with the `/`.
    pub fn name(self) -> String {
        match self {
            Self::Slash(command) => command.name.to_owned(),
            Self::Row(row) => format!("/{}", row.name),
        }
    }

    /// The argument as the help shows it; empty if there is none.
    pub fn argument(self) -> &'static str {
        match self {
            Self::Slash(command) => command.argument,
            Self::Row(row) => match row.command {
                Command::Chat(ChatCommand::Search) => "[WORDS]",
                Command::Meetings(MeetingsCommand::Nth) => "NUMBER",
                Command::Nav(_)
                | Command::Edit(_)
                | Command::Chat(_)
                | Command::Meetings(_)
                | Command::Selection(_)
                | Command::Search(_)
                | Command::Dashboard(_)
                | Command::MeetingAction(_)
                | Command::Detail(_)
                | Command::Schedule(_)
                | Command::Sessions(_)
                | Command::Quit(_)
                | Command::App(_) => "",
            },
        }
    }

    /// Every slash command.
    pub fn all() -> impl Iterator<Item = Self> {
        let rows = KEYS.iter().filter(|row| row.is_slash_command());
        SLASH_COMMANDS
            .iter()
            .map(Self::Slash)
            .chain(rows.map(Self::Row))
    }
}

/// Returns the slash command of this name (any case), or else the name nearest to it.
pub fn find_named(name: &str) -> Result<Named, String> {
    let name = name.to_lowercase();
    let distance = |named: &Named| {
        let other = named.name();
        // A prefix is nearer than anything that differs.
        if other.starts_with(&name) {
            0
        } else {
            strsim::levenshtein(&other, &name)
        }
    };
    if let Some(named) = Named::all().find(|named| named.name() == name) {
        return Ok(named);
    }
    let nearest = Named::all().min_by_key(distance);
    Err(nearest.map(Named::name).unwrap_or_default())
}

/// Slash commands without a key, in the order of the help.
pub const SLASH_COMMANDS: &[SlashCommand] = &[
    slash(
        Verb::Join,
        "/join",
        "[1/4 or title]",
        "Join this meeting, or the one given",
    )
    .completes(Completes::Meetings),
    slash(Verb::Leave, "/leave", "", "Leave this meeting"),
    slash(
        Verb::Who,
        "/who",
        "",
        "List the participants of this meeting with details",
    ),
    slash(
        Verb::Reply,
        "/reply",
        "[NAME]",
        "Reply to the last message, or to the last one by a user",
    )
    .completes(Completes::Users),
    slash(Verb::Edit, "/edit", "", "Edit your last message"),
    slash(Verb::Delete, "/delete", "", "Delete your last message"),
    slash(
        Verb::Messages,
        "/messages",
        "NAME",
        "List the messages of a user in this meeting",
    )
    .completes(Completes::Users),
    slash(
        Verb::Joins,
        "/joins",
        "",
        "List the join times of all live meetings",
    ),
    slash(
        Verb::Me,
        "/me",
        "TEXT",
        "Say what you are doing: * ada waves",
    ),
    slash(
        Verb::Urls,
        "/urls",
        "",
        "List the links in this meeting, newest first",
    ),
    slash(Verb::Retry, "/retry", "", "Retry failed messages"),
    slash(
        Verb::Notify,
        "/notify",
        "[all, mentions or none]",
        "Choose the notifications of this meeting",
    )
    .completes(Completes::Of(&["all", "mentions", "none"])),
    slash(Verb::Mute, "/mute", "", "Mute or unmute this meeting"),
    slash(Verb::Dnd, "/dnd", "", "Turn do not disturb on or off"),
    slash(
        Verb::Read,
        "/read",
        "[all]",
        "Mark this meeting, or all meetings, as read",
    )
    .completes(Completes::Of(&["all"])),
    slash(
        Verb::Export,
        "/export",
        "[md, json, csv or txt] [FILE]",
        "Export this meeting to a file",
    )
    .completes(Completes::Of(&["md", "json", "csv", "txt"])),
    slash(
        Verb::Recall,
        "/recall",
        "",
        "Restore unsent text to the input",
    ),
    slash(
        Verb::Outbox,
        "/outbox",
        "",
        "Show pending and failed messages of all meetings",
    ),
    slash(Verb::Password, "/password", "", "Change your password"),
    slash(
        Verb::Sessions,
        "/sessions",
        "",
        "List and end your sessions",
    ),
    slash(Verb::Reconnect, "/reconnect", "", "Reconnect now"),
    slash(
        Verb::Config,
        "/config",
        "",
        "List the errors in keys.toml and theme.toml",
    ),
];

const fn slash(
    verb: Verb,
    name: &'static str,
    argument: &'static str,
    help: &'static str,
) -> SlashCommand {
    SlashCommand {
        verb,
        name,
        argument,
        completes: Completes::Nothing,
        help,
    }
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
    fn a_typo_finds_the_nearest_name(#[case] name: &str, #[case] expected: Result<&str, &str>) {
        let named = find_named(name).map(Named::name);
        assert_eq!(named.as_deref().map_err(String::as_str), expected);
    }
}
