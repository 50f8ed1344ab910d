//! The commands of the shell: one file for each, and what they share.

mod admin;
mod change;
mod export;
mod failure;
mod join;
mod join_times;
mod keys;
mod leave;
mod login;
mod logout;
mod meetings;
mod messages;
mod once;
mod out;
mod people;
mod print;
mod prompt;
mod say;
mod search;
mod tail;

use std::io::IsTerminal as _;
use std::time::SystemTime;

use plenary_shared::domain::Code;

pub use failure::{Exit, Failure};
pub use keys::print as print_keys;

use crate::api::Api;
use crate::command_line::Command;
use crate::config::Settings;
use crate::session::{Account, SessionFile};
use out::Out;
use print::Style;

/// What a command works with.
struct Shell {
    account: Account,
    session_file: SessionFile,
    out: Out,
    style: Style,
    /// JSON for programs instead of lines for people.
    json: bool,
    /// By which a connection notices that the machine slept.
    wall_clock: fn() -> SystemTime,
}

/// Does what one command says.
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
                out::note(&format!(
                    "{} could be read by others until now: sign in anew if they may have",
                    session_file.path().display()
                ));
            }
            loaded.session
        }
        // A new sign-in replaces what cannot be read.
        (Err(_), Command::Login(_)) => None,
        (Err(error), _) => return Err(error.into()),
    };
    let mut shell = Shell {
        account: Account::choose(settings.server.clone(), settings.token.clone(), session),
        session_file,
        out: Out::stdout(),
        style: Style {
            colour: !settings.no_color && std::io::stdout().is_terminal(),
            zone: print::local,
        },
        json,
        wall_clock,
    };
    match command {
        Command::Login(login) => login::run(&mut shell, login).await,
        Command::Logout => logout::run(&mut shell).await,
        Command::Meetings => meetings::run(&mut shell).await,
        Command::Join(at) => join::run(&mut shell, at.instance).await,
        Command::Leave(at) => leave::run(&mut shell, at.instance).await,
        Command::People(at) => people::run(&mut shell, at.instance).await,
        Command::Messages(messages) => messages::run(&mut shell, messages).await,
        Command::JoinTimes => join_times::run(&mut shell).await,
        Command::Say(say) => say::run(&mut shell, say).await,
        Command::Edit(edit) => change::edit(&mut shell, edit).await,
        Command::Delete(delete) => change::delete(&mut shell, delete).await,
        Command::Search(search) => search::run(&mut shell, search).await,
        Command::Export(export) => export::run(&mut shell, export).await,
        Command::Tail(tail) => tail::run(&mut shell, tail).await,
        Command::Admin(admin) => admin::run(&mut shell, admin).await,
    }
}

impl Shell {
    /// The server, asked as whoever is signed in.
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
        let sentence = match &self.account.session {
            Some(session) => format!(
                "You are signed in to {}, but not to {server}: use 'plenary login --server {server}'.",
                session.server
            ),
            None => format!("You are not signed in to {server}: use 'plenary login'."),
        };
        Failure::told(Exit::NotSignedIn, Code::NotSignedIn.as_str(), sentence)
    }
}
