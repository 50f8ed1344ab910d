//! The commands of the command line: one file for each, and what they share.

mod account;
mod admin;
mod attend;
mod change;
mod export;
mod failure;
mod join_times;
mod keys;
mod login;
mod logout;
mod meetings;
mod messages;
mod output;
mod participants;
mod post;
mod prompt;
mod retry;
mod search;
mod style;
mod tail;

use std::io::IsTerminal as _;
use std::time::SystemTime;

use plenary_shared::domain::Code;
use serde::de::DeserializeOwned;

pub use failure::{Exit, Failure};
pub use keys::print as print_keys;

use crate::api::{Api, Receipt, Response};
use crate::command_line::Command;
use crate::config::Settings;
use crate::session::{Account, SessionFile};
use output::Output;
use style::{Cell, Style};

/// The context of a command.
struct Shell {
    account: Account,
    session_file: SessionFile,
    out: Output,
    style: Style,
    /// Whether to print JSON instead of text.
    json: bool,
    wall_clock: fn() -> SystemTime,
}

/// Runs a command. `wall_clock` is `SystemTime::now`.
pub async fn run(
    command: Command,
    settings: &Settings,
    json: bool,
    wall_clock: fn() -> SystemTime,
) -> Result<(), Failure> {
    let session_file = SessionFile::within(&settings.state_dir);
    let session = match (session_file.load(), &command) {
        (Ok(loaded), _) => {
            if loaded.was_exposed {
                output::note(&format!(
                    "{} was readable by other users and is now private: sign in again if \
                     someone may have read it",
                    session_file.path().display()
                ));
            }
            loaded.session
        }
        // Signing in replaces an unreadable session.
        (Err(_), Command::Login(_)) => None,
        (Err(error), _) => return Err(error.into()),
    };
    let mut shell = Shell {
        account: Account::choose(settings.server.clone(), settings.token.clone(), session),
        session_file,
        out: Output::stdout(),
        style: Style {
            colour: !settings.no_color && std::io::stdout().is_terminal(),
            zone: style::local,
        },
        json,
        wall_clock,
    };
    match command {
        Command::Login(args) => login::run(&mut shell, args).await,
        Command::Logout => logout::run(&mut shell).await,
        Command::Password(args) => account::password(&mut shell, args).await,
        Command::Sessions(args) => account::sessions(&mut shell, args).await,
        Command::Meetings => meetings::run(&mut shell).await,
        Command::Join(args) => attend::join(&mut shell, args.instance).await,
        Command::Leave(args) => attend::leave(&mut shell, args.instance).await,
        Command::Participants(args) => participants::run(&mut shell, args.instance).await,
        Command::Messages(args) => messages::run(&mut shell, args).await,
        Command::JoinTimes => join_times::run(&mut shell).await,
        Command::Post(args) => post::run(&mut shell, args).await,
        Command::Edit(args) => change::edit(&mut shell, args).await,
        Command::Delete(args) => change::delete(&mut shell, args).await,
        Command::Search(args) => search::run(&mut shell, args).await,
        Command::Export(args) => export::run(&mut shell, args).await,
        Command::Tail(args) => tail::run(&mut shell, args).await,
        Command::Admin(args) => admin::run(&mut shell, args).await,
    }
}

impl Shell {
    /// Returns a client for the account, or a failure if no one is signed in.
    fn api(&self) -> Result<Api, Failure> {
        if self.account.token.is_none() {
            return Err(self.not_signed_in());
        }
        Ok(Api::new(
            self.account.server.clone(),
            self.account.token.clone(),
        )?)
    }

    fn not_signed_in(&self) -> Failure {
        let server = &self.account.server;
        let message = match &self.account.session {
            Some(session) => format!(
                "You are signed in to {}, not to {server}. Run 'plenary login --server {server}'.",
                session.server
            ),
            None => format!("You are not signed in to {server}. Run 'plenary login'."),
        };
        Failure::new(Exit::NotSignedIn, Code::NotSignedIn.as_str(), message)
    }

    /// Prints a response as JSON or as the table of `rows`.
    fn print_table<T: DeserializeOwned>(
        &mut self,
        response: &Response,
        rows: impl Fn(Style, &T) -> Vec<Vec<Cell>>,
    ) -> Result<(), Failure> {
        if self.json {
            return self.out.line(&response.json());
        }
        for line in self.style.table(&rows(self.style, &response.read()?)) {
            self.out.line(&line)?;
        }
        Ok(())
    }

    /// Prints a receipt as JSON or as `DONE at TIME (seq N)`.
    fn print_receipt(&mut self, response: &Response, done: &str) -> Result<(), Failure> {
        if self.json {
            return self.out.line(&response.json());
        }
        let receipt: Receipt = response.read()?;
        let at = self.style.moment(receipt.timestamp);
        self.out
            .line(&format!("{done} at {at} (seq {})", receipt.seq))
    }
}
