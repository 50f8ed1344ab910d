//! `plenary`: parses the command line, loads the settings, then runs a command or opens the screen.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser as _;
use plenary::command_line::{Admin, Command, CommandLine};
use plenary::config::{self, Environment, Flags, Settings};
use plenary::link;
use plenary::runtime::{self, Desktop, LaunchOptions, Outcome};
use plenary::session::{Account, SessionFile};
use plenary::shell::{self, Exit, Failure};
use plenary::term;
use plenary::theme::{Theme, wants_ascii};

fn main() -> ExitCode {
    match run(CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure != Failure::PipeClosed {
                // Standard error may be closed. The exit code remains.
                let _ = writeln!(std::io::stderr(), "plenary: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(command_line: CommandLine) -> Result<(), Failure> {
    // Fails only if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let CommandLine {
        globals,
        keys,
        plain,
        command,
    } = command_line;
    if plain && command.is_some() {
        return Err(Failure::usage("--plain cannot be used with a command."));
    }
    let flags = Flags {
        server: globals.server,
        config: globals.config,
    };
    let settings = config::resolve(flags, Environment::read()?)?;
    if keys {
        return shell::print_keys(&config_dir(&settings).join("keys.toml"));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("Cannot start the runtime: {error}.")))?;
    match command {
        Some(Command::Admin(Admin { command: None })) => open_screen(&settings, &runtime, true),
        Some(command) => runtime.block_on(shell::run(
            command,
            &settings,
            globals.json,
            SystemTime::now,
        )),
        None if plain => run_line_mode(&settings, &runtime),
        None => open_screen(&settings, &runtime, false),
    }
}

fn run_line_mode(settings: &Settings, runtime: &tokio::runtime::Runtime) -> Result<(), Failure> {
    let options = launch_options(settings);
    let server = &options.account.server;
    let (exit, code, message) = match runtime.block_on(runtime::run_line_mode(&options))? {
        Outcome::Success => return Ok(()),
        Outcome::Rejected => (
            Exit::Rejected,
            "refused",
            "Some input was rejected. See the errors above.".to_owned(),
        ),
        Outcome::NotSignedIn => (
            Exit::NotSignedIn,
            "not_signed_in",
            format!("You are not signed in to {server}. Run 'plenary login'."),
        ),
        Outcome::Unreachable(why) => (
            Exit::Unreachable,
            "unreachable",
            format!("Cannot connect to {server}: {why}."),
        ),
    };
    Err(Failure::new(exit, code, message))
}

fn open_screen(
    settings: &Settings,
    runtime: &tokio::runtime::Runtime,
    dashboard: bool,
) -> Result<(), Failure> {
    if !term::is_available() {
        return Err(Failure::usage(
            "The screen needs a terminal. Use --plain or a command from 'plenary --help'.",
        ));
    }
    if !term::can_draw(variable("TERM").as_deref()) {
        return Err(Failure::usage(
            "The terminal cannot draw a screen: TERM is 'dumb' or not set. Use 'plenary --plain'.",
        ));
    }
    runtime
        .block_on(runtime::run(&launch_options(settings), dashboard))
        .map_err(|error| Failure::other(format!("Cannot use the terminal: {error}.")))
}

fn launch_options(settings: &Settings) -> LaunchOptions {
    let session_file = SessionFile::within(&settings.state_dir);
    // The next sign-in replaces an unreadable session.
    let session = session_file.load().ok().and_then(|loaded| loaded.session);
    LaunchOptions {
        account: Account::choose(settings.server.clone(), settings.token.clone(), session),
        session_file,
        state_dir: settings.state_dir.clone(),
        theme: Theme::new(!settings.no_color, wants_ascii(variable)),
        config_dir: config_dir(settings),
        desktop: Desktop::new(variable),
        has_links: settings.links && link::is_supported(variable),
        editor: editor(),
        wall_clock: SystemTime::now,
        new_id: uuid::Uuid::now_v7,
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns the command line of the user's editor.
fn editor() -> String {
    let set = |name| variable(name).filter(|value| !value.trim().is_empty());
    set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| "vi".to_owned())
}

/// Returns the directory of the configuration file, `keys.toml` and `theme.toml`.
fn config_dir(settings: &Settings) -> PathBuf {
    let directory = settings.config_file.parent();
    directory.unwrap_or(Path::new(".")).to_owned()
}
