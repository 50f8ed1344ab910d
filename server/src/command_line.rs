//! The command line: subcommands, help and exit codes.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use plenary_shared::text::for_terminal;

use crate::app;
use crate::clock::Clock;
use crate::config::{
    ConfigError, CurrentSettings, Environment, Flags, RawSettings, ServeFlags, Settings, UsageError,
};
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

const SERVE_EXAMPLES: &str = "\
Examples:
  plenary-server serve
  plenary-server serve --bind 0.0.0.0:7400 --insecure
  plenary-server serve --redis redis://127.0.0.1/0 --mysql mysql://plenary:PASSWORD@127.0.0.1/plenary";

const MIGRATE_EXAMPLES: &str = "\
Example:
  plenary-server migrate --redis redis://127.0.0.1/0 --mysql mysql://plenary:PASSWORD@127.0.0.1/plenary";

const EXIT_FAILED: u8 = 1;
const EXIT_USAGE: u8 = 2;
const EXIT_REFUSED: u8 = 4;
const EXIT_UNREACHABLE: u8 = 5;

const AFTER_HELP: &str = "\
Settings come from flags, environment variables (PLENARY_REDIS=URL) and a TOML file (redis = \"URL\"),
in this order of precedence. The default file is plenary/server.toml in the XDG configuration
directory. Its keys are bind, metrics_bind, insecure, trusted_proxies, proxy_protocol, data, redis, mysql, log, log_format,
session_ttl_days and reconnect_grace_s.

Without --redis and --mysql, the server stores all data in one file in the directory --data.

Exit codes: 0 success, 1 failure, 2 invalid command line or settings, 4 rejected, 5 store unavailable.

Examples:
  plenary-server serve
  plenary-server serve --redis redis://127.0.0.1/0 --mysql mysql://plenary:PASSWORD@127.0.0.1/plenary
  plenary-server user add --name Ada --email ada@example.org --admin";

/// Advice for `backup` with Redis and MySQL.
const BACKUP_ADVICE: &str = "Back up MySQL with mysqldump --single-transaction or mariadb-dump; it \
     has the events of Redis within a second";

/// Advice for `move` with Redis and MySQL as the source.
const MOVE_ADVICE: &str = "Name the source with --data and the destination with --to-redis and \
     --to-mysql";

/// The server of Plenary, scheduled meetings held in text
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
    /// Run the server; applies pending migrations first
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeFlags),
    /// Apply pending migrations
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate,
    /// Check the settings and the stores, and suggest fixes
    Doctor(doctor::Arguments),
    /// Manage users
    #[command(subcommand)]
    User(user::Command),
    /// Manage meetings, audiences and schedules
    #[command(subcommand)]
    Meeting(meeting::Command),
    /// Print a login token for scripts
    Token(token::Arguments),
    /// Copy the data file, also while the server runs
    Backup(backup::Arguments),
    /// Move all data from the data file to Redis and MySQL
    Move(transfer::Arguments),
}

/// The machine that a command runs on.
pub struct Machine<'a> {
    /// The environment of the settings.
    pub environment: Environment<'a>,
    /// The current time.
    pub clock: Clock,
    /// Randomness that is fit for secrets.
    pub randomness: Randomness,
}

/// Runs a command line and returns its exit code.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, machine: &Machine<'_>) -> ExitCode {
    let command_line = match CommandLine::try_parse_from(arguments) {
        Ok(command_line) => command_line,
        // Includes `--help` and `--version`, which print to standard output and succeed.
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(EXIT_USAGE);
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let outcome = dispatch(command_line, machine).await;
    telemetry::flush();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of the output has closed the pipe.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&format!(
                "plenary-server: {}",
                for_terminal(&message(&error))
            ));
            ExitCode::from(exit_code(&error))
        }
    }
}

async fn dispatch(command_line: CommandLine, machine: &Machine<'_>) -> anyhow::Result<()> {
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
    let read_settings = || read_settings(&flags, &serve_flags, machine);
    let (raw, settings) = read_settings()?;
    telemetry::init(telemetry::filter(&settings.log)?, settings.log_format);
    match command {
        Command::Serve(flags) => {
            settings.check_bind(&raw)?;
            settings.check_proxies(&raw)?;
            for finding in settings.findings(&raw, &machine.environment) {
                let (about, advice) = (finding.about, finding.advice);
                tracing::warn!(about, advice, "{}", finding.says);
            }
            if flags.force {
                settings.check_embedded(&raw, "Omit --force")?;
                app::reclaim(&settings, &machine.clock)?;
            }
            let (clock, randomness) = (machine.clock.clone(), machine.randomness.clone());
            let reread = || {
                let (raw, settings) = read_settings()?;
                settings.check_bind(&raw)?;
                Ok(settings)
            };
            app::serve(settings, &reread, clock, randomness).await
        }
        Command::Doctor(arguments) => {
            let findings = settings.findings(&raw, &machine.environment);
            doctor::run(&settings, findings, &machine.clock, &arguments).await
        }
        Command::Migrate => migrate::run(&settings, &machine.clock).await,
        Command::User(command) => user::run(&context(&settings, machine).await?, command).await,
        Command::Meeting(command) => {
            meeting::run(&context(&settings, machine).await?, command).await
        }
        Command::Token(arguments) => {
            token::run(&context(&settings, machine).await?, arguments).await
        }
        Command::Backup(arguments) => {
            settings.check_embedded(&raw, BACKUP_ADVICE)?;
            backup::run(&settings, &machine.clock, arguments).await
        }
        Command::Move(arguments) => {
            settings.check_embedded(&raw, MOVE_ADVICE)?;
            let with = (&machine.clock, &machine.randomness);
            transfer::run(&settings, with, arguments).await
        }
    }
}

/// Reads and checks all settings. Returns them with their sources.
fn read_settings(
    flags: &Flags,
    serve_flags: &ServeFlags,
    machine: &Machine<'_>,
) -> Result<(RawSettings, Settings), ConfigError> {
    let raw = RawSettings::collect(flags, serve_flags, &machine.environment)?;
    let mut settings = Settings::resolve(&raw)?;
    if settings.data.is_none() {
        settings.data.clone_from(&machine.environment.data_default);
    }
    Ok((raw, settings))
}

/// Opens the stores for one command.
async fn context(settings: &Settings, machine: &Machine<'_>) -> anyhow::Result<Ctx> {
    let (clock, randomness) = (machine.clock.clone(), machine.randomness.clone());
    let store = app::open_store(settings, clock.clone()).await?;
    let current = CurrentSettings::new(settings.reloadable());
    Ok(Ctx::new(store, clock, randomness, current))
}

/// Returns an error and its causes in one line.
fn message(error: &anyhow::Error) -> String {
    // The sentence of a reject is complete; its code is for programs.
    if let Some(Error::Reject(reject)) = error.downcast_ref() {
        return reject.detail.clone();
    }
    let mut message = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Our own errors contain their cause.
        if message.ends_with(&cause) {
            continue;
        }
        if !message.is_empty() {
            message.push_str(": ");
        }
        message.push_str(&cause);
    }
    message
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
        if let Some(doctor::Unhealthy { unavailable: true }) = cause.downcast_ref() {
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
    fn command_line_is_consistent() {
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
    fn exit_codes_distinguish_failures() {
        let unavailable = || Fault::unavailable("Redis", "connection refused");
        let config = ConfigError::Missing {
            key: "redis",
            variable: "PLENARY_REDIS",
        };
        let reject = Error::from(Code::NotFound);
        let cases: [(anyhow::Error, u8); 6] = [
            (config.into(), EXIT_USAGE),
            (reject.into(), EXIT_REFUSED),
            (unavailable().into(), EXIT_UNREACHABLE),
            (
                anyhow::Error::new(Error::Fault(unavailable())).context("opening"),
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
    fn error_message_names_each_cause_once() {
        let unavailable = anyhow::Error::new(Fault::unavailable("Redis", "connection refused"));
        assert_eq!(
            message(&unavailable),
            "Redis is unavailable: connection refused"
        );
        assert_eq!(
            message(&unavailable.context("opening the stores")),
            "opening the stores: Redis is unavailable: connection refused"
        );
        let reject = Error::from(Reject::new(Code::Invalid, "No."));
        assert_eq!(message(&reject.into()), "No.");
    }
}
