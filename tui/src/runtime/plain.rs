//! The program without a screen: lines come in, lines go out, for screen readers, pipes and logs.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Headless, LaunchOptions};
use crate::key::Key;
use crate::model::find::Find;
use crate::model::layer::{MeetingList, Quit, State as _};
use crate::model::overlay::Overlay;
use crate::model::seek::Seek;
use crate::model::select::Selecting;
use crate::model::sign_in::SignIn;
use crate::model::{Link, Model};
use crate::msg::AppEvent;
use crate::plain::{Told, list, page};

/// Lines that wait while one is being obeyed; whoever writes more waits.
const LINES_MAX: usize = 64;

/// How long what was said may wait for a connection after the last line: then nobody waits for it. It
/// stays on disk, and the next start sends it.
const OFFLINE_MAX: Duration = Duration::from_secs(30);

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything that was asked was done.
    Well,
    /// Something was refused, which was told.
    Refused,
    /// Nobody is signed in.
    NotSignedIn,
    /// The server cannot be reached.
    Unreachable(String),
}

/// Runs until the input ends or somebody quits. The process must have a crypto provider.
pub async fn run_plain(opening: &LaunchOptions) -> io::Result<Ended> {
    let mut plain = Plain {
        program: Headless::open(opening),
        told: Told::default(),
        is_terminal: io::stdin().is_terminal(),
        lines: Some(lines()),
        was_ready: false,
        waits_since: None,
    };
    let mut ends = [
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
        signal(SignalKind::interrupt())?,
    ];
    let ended = plain.run(&mut ends).await;
    plain.program.close().await;
    ended
}

struct Plain {
    program: Headless,
    told: Told,
    is_terminal: bool,
    /// `None` when the input has ended.
    lines: Option<mpsc::Receiver<String>>,
    was_ready: bool,
    /// Since when the last lines wait for a connection.
    waits_since: Option<Instant>,
}

impl Plain {
    async fn run(&mut self, ends: &mut [Signal; 3]) -> io::Result<Ended> {
        loop {
            self.say()?;
            if let Some(ended) = self.ended() {
                return Ok(ended);
            }
            let [terminate, hangup, interrupt] = &mut *ends;
            let takes_line = self.takes_line();
            let is_last = self.lines.is_none();
            let lines = self.lines.as_mut();
            tokio::select! {
                _ = terminate.recv() => self.program.tell(AppEvent::Terminated),
                _ = hangup.recv() => self.program.tell(AppEvent::Terminated),
                _ = interrupt.recv() => self.program.tell(AppEvent::Terminated),
                line = next(lines), if takes_line => match line {
                    Some(line) => self.obey(&line)?,
                    None => self.lines = None,
                },
                () = self.program.next() => {}
                () = tokio::time::sleep(OFFLINE_MAX), if is_last => {}
            }
        }
    }

    /// Prints what is new.
    fn say(&mut self) -> io::Result<()> {
        let model = self.program.model();
        let mut lines = self.told.news(model);
        let top = Overlay::of(model.layers.top());
        if top.is_some_and(|page| !page.is_waiting()) {
            lines.extend(page(model));
            self.press("esc");
        }
        let model = self.program.model();
        if model.layers.is_top::<MeetingList>() {
            lines.extend(list(model));
            self.press("esc");
        }
        if self.program.model().layers.is_top::<Find>() {
            lines.push("note: without a screen, /meetings lists what /find finds".to_owned());
            self.press("esc");
        }
        // Where one was taken has been told; what is written goes to the end.
        if self.program.model().layers.is_top::<Selecting>() {
            self.press("alt-end");
            let _ = self.told.news(self.program.model());
        }
        print(&lines)
    }

    /// Whether the next line may be obeyed now. What a pipe has is obeyed one after the other, each
    /// when the one before is done; a person may go on at once.
    fn takes_line(&mut self) -> bool {
        if self.lines.is_none() {
            return false;
        }
        let model = self.program.model();
        let is_ready = model.link == Link::Ready && model.meetings.loaded;
        self.was_ready |= is_ready;
        if self.is_terminal {
            return self.was_ready;
        }
        is_ready && is_settled(model)
    }

    fn obey(&mut self, line: &str) -> io::Result<()> {
        let line = line.trim_end_matches(['\r', '\n']);
        let model = self.program.model();
        if model.layers.is_top::<Quit>() {
            match line.trim() {
                "l" => self.press("l"),
                "s" => self.press("s"),
                _ => self.press("esc"),
            }
            return Ok(());
        }
        if model.seeks() && !line.starts_with('/') {
            return self.seek(line.trim());
        }
        if model.seeks() {
            self.press("esc");
            if line.trim() == "/back" {
                return print(&["the search is over".to_owned()]);
            }
        }
        if !line.trim().is_empty() {
            self.press("ctrl-end");
            self.press("ctrl-c");
            self.program.tell(AppEvent::Pasted(line.to_owned()));
        }
        self.press("enter");
        // What could not be obeyed has been told, and is not to be mixed with the next line.
        if self
            .program
            .model()
            .composer()
            .is_some_and(|c| !c.editor.is_empty())
            && self.program.model().confirming.is_none()
            && !self.program.model().seeks()
        {
            self.press("ctrl-c");
        }
        Ok(())
    }

    /// A line while the search is open.
    fn seek(&mut self, line: &str) -> io::Result<()> {
        let count = self
            .program
            .model()
            .layers
            .get::<Seek>()
            .map_or(0, |seek| seek.found.len());
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
                return print(&[format!("error: there is no {number}, only 1 to {count}")]);
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

    fn press(&mut self, name: &str) {
        let key: Key = name.parse().expect("a key's name");
        self.program.tell(AppEvent::Key(key));
    }

    fn ended(&mut self) -> Option<Ended> {
        let model = self.program.model();
        if self.program.is_over() {
            return Some(if self.told.refused && !self.is_terminal {
                Ended::Refused
            } else {
                Ended::Well
            });
        }
        if model.layers.get::<SignIn>().is_some() {
            return Some(Ended::NotSignedIn);
        }
        let lost = match &model.link {
            Link::Lost { why, .. } => Some(why.clone()),
            Link::Off | Link::Connecting { .. } | Link::Greeting | Link::Ready => None,
        };
        if let Some(why) = lost {
            // Whoever writes into a pipe is not there to wait for a server that is not.
            if !self.is_terminal && !self.was_ready {
                return Some(Ended::Unreachable(why));
            }
            let since = *self.waits_since.get_or_insert_with(Instant::now);
            if self.lines.is_none() && since.elapsed() >= OFFLINE_MAX {
                return Some(Ended::Unreachable(why));
            }
        } else if model.link == Link::Ready {
            self.waits_since = None;
        }
        let is_done = self.lines.is_none() && model.link == Link::Ready && is_settled(model);
        if is_done {
            // As when a terminal is closed: whoever does not come back within the grace has left.
            self.program.tell(AppEvent::Terminated);
            return self.ended();
        }
        None
    }
}

/// Whether everything that was asked is answered, and what was said is there or refused.
fn is_settled(model: &Model) -> bool {
    let on_the_way = model.outbox.entries().any(|line| {
        matches!(
            line.state,
            crate::model::outbox::Delivery::Writing
                | crate::model::outbox::Delivery::Waiting { .. }
                | crate::model::outbox::Delivery::Sent { .. }
        )
    });
    model.asks.is_empty() && model.jump.is_none() && model.exports == 0 && !on_the_way
}

async fn next(lines: Option<&mut mpsc::Receiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => None,
    }
}

/// Standard input, line by line. Its thread ends with the process: nothing wakes it from reading.
fn lines() -> mpsc::Receiver<String> {
    let (send, lines) = mpsc::channel(LINES_MAX);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            if send.blocking_send(line).is_err() {
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
    let mut out = lines.join("\n");
    out.push('\n');
    // In one write, so that two programs that share a pipe do not mix theirs.
    let mut stdout = io::stdout();
    stdout.write_all(out.as_bytes())?;
    stdout.flush()
}
