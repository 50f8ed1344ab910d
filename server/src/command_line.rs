//! The command line: what there is to say to the server, and the exit codes.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use plenary_shared::text::for_terminal;

use crate::app;
use crate::clock::Clock;
use crate::config::{ConfigError, Environment, Flags, Gathered, ServeFlags, Settings, UsageError};
use crate::ctx::{Ctx, Randomness};
use crate::error::{Error, Fault};
use crate::telemetry;

mod backup;
mod doctor;
mod meeting;
mod migrate;
mod output;
mod token;
mod transfer;
mod user;

const EXIT_FAILED: u8 = 1;
const EXIT_USAGE: u8 = 2;
const EXIT_REFUSED: u8 = 4;
const EXIT_UNREACHABLE: u8 = 5;

const AFTER_HELP: &str = "\
Every setting can also be made by a variable (PLENARY_REDIS …) or in a TOML file (redis = \"…\"):
a flag goes before a variable, a variable before the file. Without --config the file is
plenary/server.toml in the XDG configuration directory, if it exists. Its keys are bind, insecure,
data, redis, mysql, log, log_format, session_ttl_days and reconnect_grace_s.

With neither --redis nor --mysql everything is kept in one file in the directory --data.

Exit codes: 0 done, 1 failed, 2 wrong command line or settings, 4 refused, 5 a store does not answer.";

/// What to do instead of a backup, where there is no one file.
const NO_BACKUP: &str = "of Redis and MySQL the database is what is to be copied, by mysqldump \
     --single-transaction or mariadb-dump; what is live in Redis is there within a second";

/// What to do instead, where there is no one file to move from.
const NO_MOVE: &str =
    "say by --data from where, by --to-redis and --to-mysql whereto, and leave it out";

/// The server of Plenary: meetings in a terminal
#[derive(Debug, Parser)]
#[command(name = "plenary-server", version, after_help = AFTER_HELP, propagate_version = true)]
struct CommandLine {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server, and brings the database's tables up to date before
    Serve(ServeFlags),
    /// Brings the database's tables up to date
    Migrate,
    /// Looks at the settings and the stores, and says what is wrong and what to do
    Doctor(doctor::Arguments),
    /// People
    #[command(subcommand)]
    User(user::Command),
    /// Meetings and when they take place
    #[command(subcommand)]
    Meeting(meeting::Command),
    /// Gives a login token for scripts
    Token(token::Arguments),
    /// Copies the data file, while it is served or not
    Backup(backup::Arguments),
    /// Moves everything from the data file to Redis and MySQL
    Move(transfer::Arguments),
}

/// What a command is handed of the machine that it runs on.
pub struct Machine<'a> {
    /// What says something about settings.
    pub environment: Environment<'a>,
    /// The time.
    pub clock: Clock,
    /// Randomness fit for secrets.
    pub randomness: Randomness,
}

/// Runs one command line; its exit code.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, machine: &Machine<'_>) -> ExitCode {
    let command_line = match CommandLine::try_parse_from(arguments) {
        Ok(command_line) => command_line,
        // Also `--help` and `--version`, which go to standard output and are no failure.
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(EXIT_USAGE);
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match obey(command_line, machine).await {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("plenary-server: {}", for_terminal(&told(&error))));
            ExitCode::from(exit_code(&error))
        }
    }
}

async fn obey(command_line: CommandLine, machine: &Machine<'_>) -> anyhow::Result<()> {
    let CommandLine { flags, command } = command_line;
    let serve_flags = match &command {
        Command::Serve(flags) => flags.clone(),
        Command::Migrate
        | Command::Doctor(_)
        | Command::User(_)
        | Command::Meeting(_)
        | Command::Token(_)
        | Command::Backup(_)
        | Command::Move(_) => ServeFlags::default(),
    };
    let gathered = Gathered::gather(&flags, &serve_flags, &machine.environment)?;
    let mut settings = Settings::resolve(&gathered)?;
    if settings.data.is_none() {
        settings.data.clone_from(&machine.environment.data_default);
    }
    telemetry::init(telemetry::filter(&settings.log)?, settings.log_format);
    match command {
        Command::Serve(flags) => {
            settings.check_bind(&gathered)?;
            if flags.force {
                settings.check_embedded(&gathered, "leave --force out")?;
                app::reclaim(&settings, &machine.clock)?;
            }
            let (clock, randomness) = (machine.clock.clone(), machine.randomness.clone());
            app::serve(settings, clock, randomness).await
        }
        Command::Doctor(arguments) => doctor::run(&settings, &machine.clock, &arguments).await,
        Command::Migrate => migrate::run(&settings, &machine.clock).await,
        Command::User(command) => user::run(&context(&settings, machine).await?, command).await,
        Command::Meeting(command) => {
            meeting::run(&context(&settings, machine).await?, command).await
        }
        Command::Token(arguments) => {
            token::run(&context(&settings, machine).await?, arguments).await
        }
        Command::Backup(arguments) => {
            settings.check_embedded(&gathered, NO_BACKUP)?;
            backup::run(&settings, &machine.clock, arguments).await
        }
        Command::Move(arguments) => {
            settings.check_embedded(&gathered, NO_MOVE)?;
            let with = (&machine.clock, &machine.randomness);
            transfer::run(&settings, with, arguments).await
        }
    }
}

/// What services are handed, for one command.
async fn context(settings: &Settings, machine: &Machine<'_>) -> anyhow::Result<Ctx> {
    let (clock, randomness) = (machine.clock.clone(), machine.randomness.clone());
    let store = app::open_store(settings, clock.clone()).await?;
    Ok(Ctx::new(store, clock, randomness, settings.session_ttl_s))
}

/// The error and its causes, in one line.
fn told(error: &anyhow::Error) -> String {
    // A refusal's sentence says it all; its code is for programs.
    if let Some(Error::Reject(reject)) = error.downcast_ref() {
        return reject.detail.clone();
    }
    let mut told = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Our own errors name their cause themselves.
        if told.ends_with(&cause) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(&cause);
    }
    told
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let of_fault = |fault: &Fault| match fault {
        Fault::Unavailable { .. } => EXIT_UNREACHABLE,
        Fault::Broken { .. } => EXIT_FAILED,
    };
    for cause in error.chain() {
        if cause.is::<ConfigError>() || cause.is::<UsageError>() {
            return EXIT_USAGE;
        }
        if let Some(doctor::Unwell { away: true }) = cause.downcast_ref() {
            return EXIT_UNREACHABLE;
        }
        if let Some(fault) = cause.downcast_ref() {
            return of_fault(fault);
        }
        match cause.downcast_ref() {
            Some(Error::Reject(_)) => return EXIT_REFUSED,
            Some(Error::Fault(fault)) => return of_fault(fault),
            None => {}
        }
    }
    EXIT_FAILED
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use plenary_shared::domain::{Code, Reject};
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[rstest]
    #[case(&["--redis", "R", "--mysql", "M", "user", "list"])]
    #[case(&["user", "--redis", "R", "list", "--mysql", "M"])]
    #[case(&["user", "list", "--redis", "R", "--mysql=M"])]
    #[case(&["meeting", "list", "--json", "--redis", "R", "--mysql", "M"])]
    #[case(&["serve", "--redis", "R", "--mysql", "M"])]
    #[case(&["migrate", "--redis", "R", "--mysql", "M"])]
    #[case(&["token", "a@b", "--redis", "R", "--mysql", "M"])]
    #[case(&["move", "--to-redis", "A", "--to-mysql", "B", "--redis", "R", "--mysql", "M"])]
    fn store_flags_stand_anywhere(#[case] arguments: &[&str]) {
        let arguments = [&["plenary-server"], arguments].concat();
        let flags = CommandLine::try_parse_from(arguments)
            .expect("a command line")
            .flags;
        assert_eq!(flags.redis.as_deref(), Some("R"));
        assert_eq!(flags.mysql.as_deref(), Some("M"));
    }

    #[test]
    fn exit_codes_tell_failures_apart() {
        let away = || Fault::unavailable("Redis", "connection refused");
        let config = ConfigError::Missing {
            key: "redis",
            variable: "PLENARY_REDIS",
        };
        let reject = Error::from(Code::NotFound);
        let cases: [(anyhow::Error, u8); 6] = [
            (config.into(), EXIT_USAGE),
            (reject.into(), EXIT_REFUSED),
            (away().into(), EXIT_UNREACHABLE),
            (
                anyhow::Error::new(Error::Fault(away())).context("opening"),
                EXIT_UNREACHABLE,
            ),
            (Fault::broken("reading", "no").into(), EXIT_FAILED),
            (anyhow::anyhow!("else"), EXIT_FAILED),
        ];
        for (error, code) in cases {
            assert_eq!(exit_code(&error), code, "{error:?}");
        }
    }

    #[test]
    fn errors_are_told_once() {
        let away = anyhow::Error::new(Fault::unavailable("Redis", "connection refused"));
        assert_eq!(told(&away), "Redis is unavailable: connection refused");
        assert_eq!(
            told(&away.context("opening the stores")),
            "opening the stores: Redis is unavailable: connection refused"
        );
        let reject = Error::from(Reject::new(Code::Invalid, "No."));
        assert_eq!(told(&reject.into()), "No.");
    }
}
