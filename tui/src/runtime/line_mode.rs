//! Line mode (`--plain`): reads commands and messages as lines and prints changes as lines, for screen
//! readers, pipes and logs.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::pin::pin;
use std::time::Duration;

use plenary_shared::unicode::without_bom;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Headless, LaunchOptions};
use crate::announcer::{Announcer, list, page};
use crate::command::{Named, find_named};
use crate::key::Key;
use crate::model::layer::State;
use crate::model::layer::meeting_list::MeetingList;
use crate::model::layer::page::Page;
use crate::model::layer::password::PasswordDialog;
use crate::model::layer::quit::Quit;
use crate::model::layer::search::Search;
use crate::model::layer::selection::Selection;
use crate::model::layer::sessions::Sessions;
use crate::model::layer::sign_in::SignIn;
use crate::model::outbox::Delivery;
use crate::model::{Link, Model};
use crate::msg::AppEvent;
use crate::pipe;

/// Capacity of the queue of input lines. The reading thread waits while it is full.
const LINES_MAX: usize = 64;

/// How long unsent messages wait for a connection after the end of the input. They stay on disk, and
/// the next start sends them.
const OFFLINE_WAIT: Duration = Duration::from_secs(30);

/// The outcome of line mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    /// Some input was rejected. The errors have been printed.
    Rejected,
    /// The login token is missing or invalid.
    NotSignedIn,
    /// The server is unreachable, with the reason.
    Unreachable(String),
}

/// Runs line mode until the input ends or the user quits.
///
/// The process must have a rustls crypto provider installed.
pub async fn run_line_mode(options: &LaunchOptions) -> io::Result<Outcome> {
    let mut line_mode = LineMode {
        program: Headless::open(options),
        announcer: Announcer::default(),
        is_terminal: io::stdin().is_terminal(),
        lines: Some(read_lines()),
        was_ready: false,
        offline_since: None,
    };
    let mut terminate = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
        signal(SignalKind::interrupt())?,
    ];
    let outcome = line_mode.run(&mut terminate).await;
    line_mode.program.close().await;
    outcome
}

struct LineMode {
    program: Headless,
    announcer: Announcer,
    is_terminal: bool,
    /// The input. `None` after its end.
    lines: Option<mpsc::Receiver<String>>,
    was_ready: bool,
    /// When the connection was lost.
    offline_since: Option<Instant>,
}

impl LineMode {
    async fn run(&mut self, terminate: &mut [Signal; 3]) -> io::Result<Outcome> {
        let mut reader_gone = pin!(pipe::reader_gone());
        loop {
            self.print_changes()?;
            if let Some(outcome) = self.outcome() {
                return Ok(outcome);
            }
            let [terminate, hangup, interrupt] = &mut *terminate;
            let takes_line = self.takes_line();
            let is_last = self.lines.is_none();
            let lines = self.lines.as_mut();
            tokio::select! {
                () = &mut reader_gone => return Err(io::ErrorKind::BrokenPipe.into()),
                _ = terminate.recv() => self.program.tell(AppEvent::Terminated),
                _ = hangup.recv() => self.program.tell(AppEvent::Terminated),
                _ = interrupt.recv() => self.program.tell(AppEvent::Terminated),
                line = next(lines), if takes_line => match line {
                    Some(line) => self.enter(&line)?,
                    None => self.lines = None,
                },
                () = self.program.next() => {}
                () = tokio::time::sleep(OFFLINE_WAIT), if is_last => {}
            }
        }
    }

    /// Prints changes of the model. Closes pages and lists after printing them.
    fn print_changes(&mut self) -> io::Result<()> {
        let model = self.program.model();
        let mut lines = self.announcer.announce(model);
        let top = Page::of(model.layers.top());
        if top.is_some_and(|page| !page.is_waiting()) {
            lines.extend(page(model));
            self.press("esc");
        }
        let model = self.program.model();
        if model.layers.is_top::<MeetingList>() {
            lines.extend(list(model));
            self.press("esc");
        }
        for (command, instead, is_open) in [
            (
                "/password",
                "password",
                is_top::<PasswordDialog>(self.program.model()),
            ),
            (
                "/sessions",
                "sessions",
                is_top::<Sessions>(self.program.model()),
            ),
        ] {
            if is_open {
                lines.push(format!(
                    "note: {command} needs the screen. Use 'plenary {instead}' in a shell"
                ));
                self.press("esc");
            }
        }
        // Selections are announced when they are made. Input goes to the end of the chat.
        let selection = Selection::of(self.program.model().layers.top());
        if selection.is_some_and(|selection| !selection.deleting) {
            self.press("alt-end");
            let _ = self.announcer.announce(self.program.model());
        }
        print(&lines)
    }

    /// Returns whether to process the next line. Lines of a pipe wait until the previous one is done.
    /// Lines of a terminal do not.
    fn takes_line(&mut self) -> bool {
        if self.lines.is_none() {
            return false;
        }
        let model = self.program.model();
        let is_ready = model.connection.link == Link::Ready && model.meetings.loaded;
        self.was_ready |= is_ready;
        if self.is_terminal {
            return self.was_ready;
        }
        is_ready && is_settled(model)
    }

    /// Processes a line of input: an answer to a question, a search, a command or a message.
    fn enter(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim_end_matches(['\r', '\n']);
        let model = self.program.model();
        if model.layers.is_top::<Quit>() {
            match line.trim() {
                key @ ("l" | "s") => self.press(key),
                _ => self.press("esc"),
            }
            return Ok(());
        }
        let selection = Selection::of(model.layers.top());
        if selection.is_some_and(|selection| selection.deleting) {
            self.press(if line.trim() == "y" { "y" } else { "esc" });
            return Ok(());
        }
        if let Some(name) = needs_screen(line) {
            return print(&[format!("error: {name} needs the screen")]);
        }
        if model.shows_search() && !line.starts_with('/') {
            return self.search(line.trim());
        }
        if model.shows_search() {
            self.press("esc");
            if line.trim() == "/back" {
                return print(&["search closed".to_owned()]);
            }
        }
        if !line.trim().is_empty() {
            if self.has_input() {
                self.press("ctrl-end");
                self.press("ctrl-c");
            }
            self.program.tell(AppEvent::Pasted(line.to_owned()));
        }
        self.press("enter");
        // The notice about rejected input ends with the input, which must not mix with the next line.
        let lines = self.announcer.announce(self.program.model());
        print(&lines)?;
        let model = self.program.model();
        if self.has_input() && model.confirming.is_none() && !model.shows_search() {
            self.press("ctrl-c");
        }
        Ok(())
    }

    /// Processes a line while the search is open.
    fn search(&mut self, line: &str) -> io::Result<()> {
        let search = self.program.model().layers.get::<Search>();
        let count = search.map_or(0, |search| search.found.len());
        match line.parse::<usize>() {
            Ok(number) if (1..=count).contains(&number) => {
                for _ in 0..count {
                    self.press("up");
                }
                for _ in 1..number {
                    self.press("down");
                }
                self.press("enter");
            }
            Ok(number) => {
                return print(&[format!(
                    "error: match {number} does not exist. Enter a number from 1 to {count}"
                )]);
            }
            Err(_) if line == "more" => {
                for _ in 0..count {
                    self.press("down");
                }
            }
            Err(_) if line.is_empty() => {}
            Err(_) => {
                self.press("ctrl-e");
                self.press("ctrl-u");
                self.program.tell(AppEvent::Pasted(line.to_owned()));
                self.press("enter");
            }
        }
        Ok(())
    }

    fn has_input(&self) -> bool {
        let composer = self.program.model().composer();
        composer.is_some_and(|composer| !composer.editor.is_empty())
    }

    fn press(&mut self, name: &str) {
        let key: Key = name.parse().expect("a key name");
        self.program.tell(AppEvent::Key(key));
    }

    /// Returns the outcome if line mode has to end.
    fn outcome(&mut self) -> Option<Outcome> {
        let model = self.program.model();
        if self.program.has_quit() {
            return Some(if self.announcer.has_rejection && !self.is_terminal {
                Outcome::Rejected
            } else {
                Outcome::Success
            });
        }
        if model.layers.get::<SignIn>().is_some() {
            return Some(Outcome::NotSignedIn);
        }
        if let Link::Lost { why, .. } = &model.connection.link {
            // The writer of a pipe does not wait for a server.
            if !self.is_terminal && !self.was_ready {
                return Some(Outcome::Unreachable(why.clone()));
            }
            let since = *self.offline_since.get_or_insert_with(Instant::now);
            if self.lines.is_none() && since.elapsed() >= OFFLINE_WAIT {
                return Some(Outcome::Unreachable(why.clone()));
            }
        } else if model.connection.link == Link::Ready {
            self.offline_since = None;
        }
        let is_done =
            self.lines.is_none() && model.connection.link == Link::Ready && is_settled(model);
        if is_done {
            // Like closing a terminal: the user leaves the meeting.
            self.program.tell(AppEvent::Terminated);
            return self.outcome();
        }
        None
    }
}

fn is_top<T: State>(model: &Model) -> bool {
    model.layers.is_top::<T>()
}

/// Returns whether no request, jump, export or message is pending.
fn is_settled(model: &Model) -> bool {
    let is_sending = model.outbox.entries().any(|line| {
        matches!(
            line.state,
            Delivery::Writing | Delivery::Waiting { .. } | Delivery::Sent { .. }
        )
    });
    model.connection.requests.is_empty()
        && model.jump.is_none()
        && model.exports == 0
        && !is_sending
}

/// Returns the name of the command in a line if it needs the screen.
fn needs_screen(line: &str) -> Option<String> {
    let name = line.trim().split(char::is_whitespace).next()?;
    match find_named(name) {
        // It closes the search.
        Ok(Named::Row(row)) if row.name == "back" => None,
        Ok(Named::Row(row)) if row.needs_screen() => Some(format!("/{}", row.name)),
        Ok(Named::Row(_) | Named::Slash(_)) | Err(_) => None,
    }
}

async fn next(lines: Option<&mut mpsc::Receiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => None,
    }
}

/// Reads standard input line by line. The thread runs until the process exits, since a blocking read
/// cannot be interrupted.
fn read_lines() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(LINES_MAX);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut is_first = true;
        loop {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&line);
            let text = if std::mem::take(&mut is_first) {
                without_bom(&text)
            } else {
                &text
            };
            if send.blocking_send(text.to_owned()).is_err() {
                return;
            }
        }
    });
    lines
}

fn print(lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    // A single write, so that lines of programs that share a pipe do not mix.
    let mut stdout = io::stdout();
    stdout.write_all((lines.join("\n") + "\n").as_bytes())?;
    stdout.flush()
}
