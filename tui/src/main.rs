//! `plenary`: reads the command line and the settings, then does one command or opens the screen.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser as _;
use plenary::command_line::CommandLine;
use plenary::config::{self, Environment, Flags};
use plenary::shell::{self, Failure};

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
    let flags = Flags {
        server: globals.server,
        config: globals.config,
    };
    let settings = config::resolve(flags, Environment::read()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("No runtime can be started: {error}.")))?;
    match command_line.command {
        Some(command) => runtime.block_on(shell::run(
            command,
            &settings,
            globals.json,
            SystemTime::now,
        )),
        None => Err(Failure::other("The screen cannot be opened by this build.")),
    }
}
