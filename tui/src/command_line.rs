//! The command line: every command, its arguments, its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use plenary_shared::ids::{InstanceId, Seq};
use plenary_shared::limits::{PAGE_MAX, SEARCH_PAGE_MAX};
use plenary_shared::search::Place;

use crate::export::Format;
use crate::server_url::ServerUrl;

mod admin;

pub use admin::{
    AddUser, Admin, AdminCommand, Concern, Explain, Longer, OfUser, SetPassword, SetRole, Steer,
    User, UserCommand,
};

/// What stands after the options of `plenary --help`.
const AFTER_HELP: &str = "\
Without a command, plenary opens the screen; with --plain it does the same by
lines: what happens is printed, what is written is said, /help lists the words.

Settings: a flag goes before its variable, that before the configuration file
  (config.toml in ~/.config/plenary), that before the server that was signed in
  to last, that before http://127.0.0.1:7400.
  keys.toml and theme.toml beside it have the screen's keys and looks; both are
  read again when they change. 'plenary --keys' prints all keys.
Variables:
  PLENARY_SERVER  the server's address, as --server
  PLENARY_CONFIG  the configuration file, as --config
  VISUAL, EDITOR  the editor that Ctrl-X opens
  PLENARY_TOKEN   a login token for scripts; goes before the stored session
  NO_COLOR        no colours; without a terminal there are none either

Exit codes:
  0  it was done
  1  something else went wrong
  2  the command line or the configuration is wrong
  3  not signed in, or e-mail address or password are wrong
  4  the server refused; the code in parentheses says why
  5  the server, or the data behind it, cannot be reached

Examples:
  plenary login ada@example.org
  plenary meetings
  plenary say 1/4 'Good morning'
  plenary tail 1/4 --json | jq -r .body";

/// What stands above the options of every command.
const EVERYWHERE: &str = "Before or after any command";

/// Talk in meetings from a terminal.
#[derive(Clone, Debug, Parser)]
#[command(name = "plenary", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct CommandLine {
    /// What every command understands.
    #[command(flatten)]
    pub globals: Globals,
    /// Print every key of the screen as keys.toml may have it, and end
    #[arg(long)]
    pub keys: bool,
    /// Talk by lines instead of on a screen: for screen readers, pipes and logs
    #[arg(long, conflicts_with = "keys")]
    pub plain: bool,
    /// What to do; without one, the screen is opened.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command understands, before or after its name.
#[derive(Clone, Debug, Default, Args)]
pub struct Globals {
    /// The server's address
    #[arg(long, global = true, value_name = "URL", help_heading = EVERYWHERE)]
    pub server: Option<ServerUrl>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub config: Option<PathBuf>,
    /// JSON for programs instead of lines for people
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
}

/// One for each file in `shell/`.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Sign in, and stay signed in
    Login(Login),
    /// Sign out, here and at the server
    #[command(after_help = "Example:\n  plenary logout")]
    Logout,
    /// The active and the coming meetings
    #[command(
        after_help = "Examples:\n  plenary meetings\n  plenary meetings --json | jq '.meetings[].title'"
    )]
    Meetings,
    /// Become a participant, until you leave or the meeting ends
    #[command(after_help = "Example:\n  plenary join 1/4")]
    Join(Where),
    /// Be a participant no longer
    #[command(after_help = "Example:\n  plenary leave 1/4")]
    Leave(Where),
    /// Who is in a meeting, and since when
    #[command(after_help = "Example:\n  plenary people 1/4")]
    People(Where),
    /// What was said in a meeting, in its order
    Messages(Messages),
    /// When the participants of every active meeting joined
    #[command(after_help = "Example:\n  plenary join-times")]
    JoinTimes,
    /// Say something in a meeting that you have joined
    Say(Say),
    /// Change a message that you said
    Edit(Edit),
    /// Delete a message that you said
    Delete(Delete),
    /// Find what was said, over everything that you may read
    Search(Search),
    /// A meeting as a document: who was there and when, and what was said
    Export(Export),
    /// What happens in a meeting, as it happens, until it ends
    Tail(Tail),
    /// Steer a running meeting, as an admin
    Admin(Admin),
}

/// One instance of a meeting.
#[derive(Clone, Copy, Debug, Args)]
pub struct Where {
    /// The meeting and its order, like 1/4
    #[arg(value_name = "MEETING/ORDER")]
    pub instance: InstanceId,
}

/// `plenary login`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "What is not given is asked on the terminal; the password is not shown.\n\n\
    Examples:\n  plenary login ada@example.org\n  \
    pass show plenary | plenary login --email ada@example.org --password-stdin"
)]
pub struct Login {
    /// The address of your account
    #[arg(value_name = "ADDRESS")]
    pub address: Option<String>,
    /// The same, for scripts that like it named
    #[arg(long, value_name = "ADDRESS", conflicts_with = "address")]
    pub email: Option<String>,
    /// Read the password from standard input: its first line
    #[arg(long)]
    pub password_stdin: bool,
}

/// `plenary messages`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Without --after, --before or --all: the last ones. \
    With --all and --json: one page a line.\n\n\
    Examples:\n  plenary messages 1/4\n  plenary messages 1/4 --user ada@example.org --all\n  \
    plenary messages 1/4 --before 100 --limit 20")]
pub struct Messages {
    /// Where.
    #[command(flatten)]
    pub at: Where,
    /// Only this person's: a userID, an e-mail address or a name
    #[arg(long, value_name = "WHO")]
    pub user: Option<String>,
    /// Only what comes after this number
    #[arg(long, value_name = "SEQ")]
    pub after: Option<Seq>,
    /// Only what comes before this number
    #[arg(long, value_name = "SEQ", conflicts_with = "after")]
    pub before: Option<Seq>,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=PAGE_MAX as i64))]
    pub limit: Option<u16>,
    /// All of them, however many
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
}

/// `plenary say`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Without TEXT, or with -, standard input is the message. It is sent again when \
    the connection breaks,\nand never twice. At most 4096 bytes a message.\n\n\
    Examples:\n  plenary say 1/4 'Good morning'\n  plenary say 1/4 < notes.txt\n  \
    grep -c error log | plenary say 1/4 -\n  plenary say 1/4 --lines < agenda.txt"
)]
pub struct Say {
    /// Where.
    #[command(flatten)]
    pub at: Where,
    /// What to say; several words become one message
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
    /// Answer the message with this number
    #[arg(long, value_name = "SEQ", conflicts_with = "lines")]
    pub reply: Option<Seq>,
    /// Each line of standard input is a message of its own; empty ones are left out
    #[arg(long, conflicts_with = "text")]
    pub lines: bool,
    /// Done only when the archive has it too: it survives the loss of the live store
    #[arg(long)]
    pub durable: bool,
}

/// `plenary edit`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Only your own messages, while you are in the meeting.\n\n\
    Example:\n  plenary edit 1/4 17 'Good evening'"
)]
pub struct Edit {
    /// Where.
    #[command(flatten)]
    pub at: Where,
    /// The message's number
    #[arg(value_name = "SEQ")]
    pub target: Seq,
    /// What it is to say; several words become one text
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
}

/// `plenary delete`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Only your own messages, while you are in the meeting.\n\n\
    Example:\n  plenary delete 1/4 17"
)]
pub struct Delete {
    /// Where.
    #[command(flatten)]
    pub at: Where,
    /// The message's number
    #[arg(value_name = "SEQ")]
    pub target: Seq,
}

/// `plenary search`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Newest first. Words begin a word of the message; what is \"quoted\" stands anywhere \
    in it. Also:\nfrom:ada (or from:me), in:1 or in:1/4, after:2026-11-01, before:2026-12-01 (days of \
    UTC).\n\n\
    Examples:\n  plenary search budget from:ada\n  plenary search --in 1/4 '\"next week\"' --all\n  \
    plenary search error --json | jq -r '.found[].body'"
)]
pub struct Search {
    /// What to look for
    #[arg(value_name = "QUERY", required = true)]
    pub query: Vec<String>,
    /// Only in this meeting, or this instance of it
    #[arg(long = "in", value_name = "MEETING[/ORDER]")]
    pub within: Option<String>,
    /// Only what is below this, which the page before said
    #[arg(long, value_name = "PLACE")]
    pub before: Option<Place>,
    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=SEARCH_PAGE_MAX as i64))]
    pub limit: Option<u16>,
    /// All of them, however many
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
}

/// `plenary export`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Of a meeting that goes on: what there is up to now. Times are UTC.\n\n\
    Examples:\n  plenary export 1/4 -o minutes.md\n  plenary export 1/4 --format csv > 1-4.csv"
)]
pub struct Export {
    /// Where.
    #[command(flatten)]
    pub at: Where,
    /// How it is written; by the file's name otherwise, or Markdown
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<Format>,
    /// Into this file instead of standard output; one that is there is not overwritten
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `plenary tail`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "After a lost connection it goes on where it was, without a hole or a double. \
    It ends when the\nmeeting does. With --json each event is a line.\n\n\
    Examples:\n  plenary tail 1/4\n  plenary tail 1/4 --since 0 --json > meeting.jsonl"
)]
pub struct Tail {
    /// Where.
    #[command(flatten)]
    pub at: Where,
    /// Begin after this number; 0 is the beginning. Otherwise with the last 10 events
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

    #[test]
    fn every_command_has_an_example() {
        let mut command = CommandLine::command();
        command.build();
        command.clone().debug_assert();
        for verb in command.get_subcommands().filter(|c| c.get_name() != "help") {
            let help = verb.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Example")
                    && help.contains(&format!("plenary {}", verb.get_name()))),
                "{} has no example",
                verb.get_name()
            );
        }
    }

    #[rstest]
    #[case("--server http://a:1 --json meetings")]
    #[case("meetings --server http://a:1 --json")]
    #[case("--json meetings --server http://a:1")]
    fn what_is_global_stands_before_or_after(#[case] words: &str) {
        let parsed = parse(words).expect("understood");
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
    #[case("say 1/4 --lines hello")]
    #[case("say 1/4 --lines --reply 3")]
    #[case("edit 1/4 3")]
    #[case("edit 1/4 x text")]
    #[case("delete 1/4")]
    #[case("search")]
    #[case("search x --limit 101")]
    #[case("search x --before 7")]
    #[case("export 1/4 --format docx")]
    #[case("meetings --server localhost")]
    #[case("admin extend 1/4")]
    #[case("admin extend 1/4 0m")]
    #[case("admin mute 1/4")]
    #[case("admin announce 1/4")]
    #[case("shout 1/4")]
    fn what_makes_no_sense_is_a_usage_error(#[case] words: &str) {
        assert_eq!(parse(words).expect_err("refused").exit_code(), 2);
    }

    #[test]
    fn words_become_one_text_and_a_dash_is_one_too() {
        for (words, expected) in [("say 1/4 a b", vec!["a", "b"]), ("say 1/4 -", vec!["-"])] {
            let Some(Command::Say(say)) = parse(words).expect("understood").command else {
                panic!("not say");
            };
            assert_eq!(say.text, expected);
        }
        assert!(parse("").expect("understood").command.is_none());
    }
}
