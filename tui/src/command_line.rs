//! The command line: commands, arguments and help texts.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::limits::{PAGE_MAX, SEARCH_PAGE_MAX};
use plenary_shared::protocol::SessionId;
use plenary_shared::search::Place;

use crate::export::Format;
use crate::server_url::ServerUrl;

mod admin;

pub use admin::{
    AddUser, Admin, AdminCommand, Explain, Extension, ModerateArgs, SetPassword, SetRole, User,
    UserArg, UserCommand, UserModerateArgs,
};

/// The text below the options of `plenary --help`.
const AFTER_HELP: &str = "\
Without a command, plenary opens the screen. With --plain it opens line mode:
events are printed as lines, and each line you enter is posted as a message or
run as a command. Enter /help there for the list of commands.

Settings, highest priority first:
  1. options, such as --server
  2. environment variables, such as PLENARY_SERVER
  3. the configuration file, ~/.config/plenary/config.toml by default
  4. the server you last signed in to
  5. http://127.0.0.1:7400
  keys.toml and theme.toml beside the configuration file set the key bindings
  and the colors of the screen. Changes apply at once. 'plenary --keys' prints
  all key bindings.

Environment variables:
  PLENARY_SERVER  server address, like --server
  PLENARY_CONFIG  configuration file, like --config
  PLENARY_TOKEN   login token for scripts, overrides the stored session
  VISUAL, EDITOR  editor that Ctrl-X opens
  NO_COLOR        turn colors off (they are always off without a terminal)

Exit codes:
  0  success
  1  other error
  2  invalid command line or configuration
  3  not signed in, or wrong email or password
  4  rejected by the server (the reason is the code in parentheses)
  5  server or its storage unreachable

Examples:
  plenary login ada@example.org
  plenary meetings
  plenary post 1/4 'Good morning'
  plenary tail 1/4 --json | jq -r .body";

/// The heading of the global options in the help of each command.
const GLOBAL_OPTIONS: &str = "Global options";

/// Text meetings in the terminal
#[derive(Clone, Debug, Parser)]
#[command(name = "plenary", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct CommandLine {
    /// Options that every command accepts.
    #[command(flatten)]
    pub globals: Globals,
    /// Print all key bindings in the format of keys.toml and exit
    #[arg(long)]
    pub keys: bool,
    /// Open line mode instead of the screen, for screen readers, pipes and logs
    #[arg(long, conflicts_with = "keys")]
    pub plain: bool,
    /// The command. `None` opens the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command accepts, before or after its name.
#[derive(Clone, Debug, Default, Args)]
pub struct Globals {
    /// Server address
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL_OPTIONS)]
    pub server: Option<ServerUrl>,
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL_OPTIONS)]
    pub config: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long, global = true, help_heading = GLOBAL_OPTIONS)]
    pub json: bool,
}

/// The commands. Each is implemented in the file of its name in `shell/`.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Sign in and store the session
    Login(Login),
    /// Sign out and delete the stored session
    #[command(after_help = "Example:\n  plenary logout")]
    Logout,
    /// Change your password and end your other sessions
    Password(Password),
    /// List or end your sessions
    Sessions(Sessions),
    /// List active, upcoming and recently ended meetings
    #[command(
        after_help = "Examples:\n  plenary meetings\n  plenary meetings --json | jq '.meetings[].title'"
    )]
    Meetings,
    /// Join a meeting
    #[command(
        after_help = "You stay a participant until you leave or the meeting ends.\n\n\
        Example:\n  plenary join 1/4"
    )]
    Join(InstanceArg),
    /// Leave a meeting
    #[command(after_help = "You can join again later.\n\nExample:\n  plenary leave 1/4")]
    Leave(InstanceArg),
    /// List the participants of a meeting
    #[command(after_help = "Example:\n  plenary participants 1/4")]
    Participants(InstanceArg),
    /// Print the messages of a meeting
    Messages(Messages),
    /// List when the participants of each active meeting joined
    #[command(after_help = "Example:\n  plenary join-times")]
    JoinTimes,
    /// Post a message to a meeting you have joined
    Post(Post),
    /// Edit one of your messages
    Edit(Edit),
    /// Delete one of your messages
    Delete(Delete),
    /// Search the messages of all meetings you can read
    Search(Search),
    /// Export the attendance and messages of a meeting as a document
    Export(Export),
    /// Print the events of a meeting as they happen, until it ends
    Tail(Tail),
    /// Open the dashboard, moderate running meetings or manage users (admins only)
    Admin(Admin),
}

/// The argument that names an instance of a meeting.
#[derive(Clone, Copy, Debug, Args)]
pub struct InstanceArg {
    /// Instance of a meeting, such as 1/4
    #[arg(value_name = "MEETING/INSTANCE")]
    pub instance: InstanceId,
}

/// `plenary login`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Prompts for the email and the password if they are not given.\n\n\
    Examples:\n  plenary login ada@example.org\n  \
    pass show plenary | plenary login --email ada@example.org --password-stdin"
)]
pub struct Login {
    /// Email of your account
    #[arg(value_name = "EMAIL")]
    pub address: Option<String>,
    /// Email of your account, as an option
    #[arg(long, value_name = "EMAIL", conflicts_with = "address")]
    pub email: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// `plenary password`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Prompts for the old and the new password unless --password-stdin is given.\n\n\
    Examples:\n  plenary password\n  printf '%s\\n' \"$OLD\" \"$NEW\" | plenary password --password-stdin"
)]
pub struct Password {
    /// Read the old and the new password from two lines of standard input
    #[arg(long)]
    pub password_stdin: bool,
}

/// `plenary sessions`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Lists where you are signed in unless --end or --end-others is given.\n\n\
    Examples:\n  plenary sessions\n  plenary sessions --end 01c2a3b4d5e6f708\n  \
    plenary sessions --end-others"
)]
pub struct Sessions {
    /// End the session with this ID
    #[arg(long, value_name = "ID")]
    pub end: Option<SessionId>,
    /// End all sessions but this one
    #[arg(long, conflicts_with = "end")]
    pub end_others: bool,
}

/// `plenary messages`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Prints the latest messages unless --after, --before or --all is given.\n\
    With --all and --json, each page is printed on its own line.\n\n\
    Examples:\n  plenary messages 1/4\n  plenary messages 1/4 --user ada@example.org --all\n  \
    plenary messages 1/4 --before 100 --limit 20"
)]
pub struct Messages {
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
    /// Print only messages of this user, given by user ID, email or name
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Print messages after this message number
    #[arg(long, value_name = "SEQ")]
    pub after: Option<Seq>,
    /// Print messages before this message number
    #[arg(long, value_name = "SEQ", conflicts_with = "after")]
    pub before: Option<Seq>,
    /// Print at most N messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=PAGE_MAX as i64))]
    pub limit: Option<u16>,
    /// Print all messages
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
}

/// `plenary post`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Reads the message from standard input if TEXT is missing or '-'. \
    Retries when the connection\nfails. A message is never posted twice. \
    The limit is 4,096 bytes per message.\n\n\
    Examples:\n  plenary post 1/4 'Good morning'\n  plenary post 1/4 < notes.txt\n  \
    grep -c error log | plenary post 1/4 -\n  plenary post 1/4 --lines < agenda.txt"
)]
pub struct Post {
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
    /// Message text (several words are joined with spaces)
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
    /// Reply to the message with this number
    #[arg(long, value_name = "SEQ", conflicts_with = "lines")]
    pub reply: Option<Seq>,
    /// Post each line of standard input as a message, skipping empty lines
    #[arg(long, conflicts_with = "text")]
    pub lines: bool,
    /// Wait until the message is in the durable store
    #[arg(long)]
    pub durable: bool,
}

/// `plenary edit`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "You can edit only your own messages, and only while you are in the meeting.\n\n\
    Example:\n  plenary edit 1/4 17 'Good evening'"
)]
pub struct Edit {
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
    /// Number of the message
    #[arg(value_name = "SEQ")]
    pub target: Seq,
    /// New text (several words are joined with spaces)
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
}

/// `plenary delete`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "You can delete only your own messages, and only while you are in the meeting.\n\n\
    Example:\n  plenary delete 1/4 17"
)]
pub struct Delete {
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
    /// Number of the message
    #[arg(value_name = "SEQ")]
    pub target: Seq,
}

/// `plenary search`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Prints the newest matches first. Search terms:\n  \
    word               messages with a word that starts with it\n  \
    \"several words\"    messages that contain this text\n  \
    from:ada           messages of a user (from:me for your own)\n  \
    in:1, in:1/4       messages of a meeting or an instance\n  \
    after:2026-11-01   messages after a day (UTC), likewise before:2026-12-01\n\n\
    Examples:\n  plenary search budget from:ada\n  plenary search --in 1/4 '\"next week\"' --all\n  \
    plenary search error --json | jq -r '.found[].body'")]
pub struct Search {
    /// Search terms
    #[arg(value_name = "QUERY", required = true)]
    pub query: Vec<String>,
    /// Search only this meeting or instance
    #[arg(long = "in", value_name = "MEETING[/INSTANCE]")]
    pub within: Option<String>,
    /// Continue after a page, at the position that it printed
    #[arg(long, value_name = "POSITION")]
    pub before: Option<Place>,
    /// Print at most N matches
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=SEARCH_PAGE_MAX as i64))]
    pub limit: Option<u16>,
    /// Print all matches
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
}

/// `plenary export`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exports a running meeting up to the current moment. Times are in UTC.\n\n\
    Examples:\n  plenary export 1/4 -o minutes.md\n  plenary export 1/4 --format csv > 1-4.csv"
)]
pub struct Export {
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
    /// Format of the document [default: by the extension of FILE, else md]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Write to this new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `plenary tail`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Reconnects after a lost connection and resumes without gaps or duplicates. \
    Exits when the\nmeeting ends. With --json, each event is printed on its own line.\n\n\
    Examples:\n  plenary tail 1/4\n  plenary tail 1/4 --since 0 --json > meeting.jsonl"
)]
pub struct Tail {
    /// The instance.
    #[command(flatten)]
    pub at: InstanceArg,
    /// Start after this event number, 0 for all events [default: the last 10 events]
    #[arg(long, value_name = "SEQ")]
    pub since: Option<Seq>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use rstest::rstest;

    fn parse(words: &str) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from(std::iter::once("plenary").chain(words.split_whitespace()))
    }

    fn check_examples(parent: &str, command: &clap::Command) {
        for command in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let name = format!("{parent} {}", command.get_name());
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Example") && help.contains(&name)),
                "{name} has no example"
            );
            check_examples(&name, command);
        }
    }

    #[test]
    fn every_command_has_an_example() {
        let mut command = CommandLine::command();
        command.build();
        command.clone().debug_assert();
        check_examples("plenary", &command);
    }

    #[rstest]
    #[case("--server http://a:1 --json meetings")]
    #[case("meetings --server http://a:1 --json")]
    #[case("--json meetings --server http://a:1")]
    fn global_options_are_accepted_before_and_after_the_command(#[case] words: &str) {
        let parsed = parse(words).expect("valid");
        assert!(parsed.globals.json);
        assert_eq!(
            parsed.globals.server.map(|server| server.to_string()),
            Some("http://a:1".to_owned())
        );
    }

    #[rstest]
    #[case("join")]
    #[case("join 1")]
    #[case("join 1/-1")]
    #[case("join 1/18446744073709551616")]
    #[case("messages 1/4 --limit 0")]
    #[case("messages 1/4 --limit 1001")]
    #[case("messages 1/4 --all --limit 10")]
    #[case("messages 1/4 --after -1")]
    #[case("tail 1/4 --since x")]
    #[case("post 1/4 --lines hello")]
    #[case("post 1/4 --lines --reply 3")]
    #[case("edit 1/4 3")]
    #[case("edit 1/4 x text")]
    #[case("delete 1/4")]
    #[case("search")]
    #[case("search x --limit 101")]
    #[case("search x --before 7")]
    #[case("export 1/4 --format docx")]
    #[case("meetings --server talk.corp")]
    #[case("admin extend 1/4")]
    #[case("admin extend 1/4 0m")]
    #[case("admin mute 1/4")]
    #[case("admin announce 1/4")]
    #[case("shout 1/4")]
    fn invalid_arguments_are_usage_errors(#[case] words: &str) {
        assert_eq!(parse(words).expect_err("rejected").exit_code(), 2);
    }

    #[test]
    fn post_takes_words_or_a_dash() {
        for (words, expected) in [("post 1/4 a b", vec!["a", "b"]), ("post 1/4 -", vec!["-"])] {
            let Some(Command::Post(post)) = parse(words).expect("valid").command else {
                panic!("not post");
            };
            assert_eq!(post.text, expected);
        }
        assert!(parse("").expect("valid").command.is_none());
    }
}
