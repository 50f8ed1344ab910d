//! `plenary`: reads the command line and the settings, then does one command or opens the screen.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser as _;
use plenary::command_line::{Admin, Command, CommandLine};
use plenary::config::{self, Environment, Flags, Settings};
use plenary::link;
use plenary::runtime::{self, Desktop, Ended, LaunchOptions};
use plenary::session::{Account, SessionFile};
use plenary::shell::{self, Exit, Failure};
use plenary::term;
use plenary::theme::{Theme, wants_ascii};

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    match start(command_line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure != Failure::PipeClosed {
                // If nobody reads this either, the exit code is all there is to say.
                let _ = writeln!(std::io::stderr(), "plenary: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn start(command_line: CommandLine) -> Result<(), Failure> {
    // The one provider of the process; a second one cannot have been installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let globals = command_line.globals;
    let prints_keys = command_line.keys;
    let is_plain = command_line.plain;
    if is_plain && command_line.command.is_some() {
        return Err(Failure::usage(
            "--plain opens the program: no command goes with it.",
        ));
    }
    let flags = Flags {
        server: globals.server,
        config: globals.config,
    };
    let settings = config::resolve(flags, Environment::read()?)?;
    if prints_keys {
        return shell::print_keys(&config_dir(&settings).join("keys.toml"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("No runtime can be started: {error}.")))?;
    match command_line.command {
        Some(Command::Admin(Admin { measure: None })) => screen(&settings, &runtime, true),
        Some(command) => runtime.block_on(shell::run(
            command,
            &settings,
            globals.json,
            SystemTime::now,
        )),
        None if is_plain => plain(&settings, &runtime),
        None => screen(&settings, &runtime, false),
    }
}

fn plain(settings: &Settings, runtime: &tokio::runtime::Runtime) -> Result<(), Failure> {
    let opening = opening(settings);
    let ended = runtime.block_on(runtime::run_plain(&opening));
    let server = &opening.account.server;
    match ended {
        Ok(Ended::Well) => Ok(()),
        Ok(Ended::Refused) => {
            let sentence = "Something was refused: what was printed says what and why.";
            Err(Failure::told(Exit::Refused, "refused", sentence))
        }
        Ok(Ended::NotSignedIn) => {
            let sentence = format!("You are not signed in to {server}: use 'plenary login'.");
            Err(Failure::told(Exit::NotSignedIn, "not_signed_in", sentence))
        }
        Ok(Ended::Unreachable(why)) => {
            let sentence = format!("{server} cannot be talked to: {why}.");
            Err(Failure::told(Exit::Unreachable, "unreachable", sentence))
        }
        Err(error) => Err(error.into()),
    }
}

/// Opens the screen, or the dashboard on it.
fn screen(
    settings: &Settings,
    runtime: &tokio::runtime::Runtime,
    dashboard: bool,
) -> Result<(), Failure> {
    if !term::is_there() {
        return Err(Failure::usage(
            "The screen needs a terminal: 'plenary --help' says what can be done without one.",
        ));
    }
    let opening = opening(settings);
    runtime
        .block_on(runtime::run(&opening, dashboard))
        .map_err(|error| Failure::other(format!("The terminal cannot be used: {error}.")))
}

fn opening(settings: &Settings) -> LaunchOptions {
    let session_file = SessionFile::within(&settings.state_dir);
    // A session that cannot be read is made anew by signing in.
    let session = session_file.load().ok().and_then(|loaded| loaded.session);
    LaunchOptions {
        account: Account::choose(settings.server.clone(), settings.token.clone(), session),
        session_file,
        state_dir: settings.state_dir.clone(),
        theme: Theme::new(
            !settings.no_color,
            wants_ascii(|name| std::env::var(name).ok()),
        ),
        config_dir: config_dir(settings),
        desktop: Desktop::new(|name| std::env::var(name).ok()),
        has_links: settings.links && link::is_supported(|name| std::env::var(name).ok()),
        editor: editor(|name| std::env::var(name).ok()),
        wall_clock: SystemTime::now,
        new_id: uuid::Uuid::now_v7,
    }
}

/// The command line of the person's editor, by the variables that every program obeys.
fn editor(variable: impl Fn(&str) -> Option<String>) -> String {
    let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| "vi".to_owned())
}

/// Keys and looks lie beside the configuration file.
fn config_dir(settings: &Settings) -> PathBuf {
    let directory = settings.config_file.parent();
    directory.unwrap_or(Path::new(".")).to_owned()
}
