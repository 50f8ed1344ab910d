//! `plenary tail`: prints the events of an instance as they happen, until it ends.

mod follow;

use std::pin::pin;

use plenary_shared::domain::{Code, Event, Reject};
use plenary_shared::time::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::style::Entry;
use super::{Exit, Failure, Shell, output};
use crate::api::{ApiError, json_for_terminal};
use crate::command_line::Tail;
use crate::event_text;
use crate::net::{CloseReason, Link, LinkCommand, LinkEvent, link};
use crate::pipe;
use crate::server_url::ServerUrl;
use follow::{Follow, Step};

/// Prints events. Resumes after a lost connection, but fails if the first connection cannot be made.
pub async fn run(shell: &mut Shell, args: Tail) -> Result<(), Failure> {
    let Some(token) = shell.account.token.clone() else {
        return Err(shell.not_signed_in());
    };
    let mut link = link(shell.account.server.clone(), shell.wall_clock);
    let mut session = TailSession {
        server: shell.account.server.clone(),
        follow: Follow::new(args.at.instance, token, args.since),
        retry_at: None,
        was_open: false,
        is_lost: false,
    };
    let outcome = session.run(shell, &mut link).await;
    link.close().await;
    outcome
}

struct TailSession {
    server: ServerUrl,
    follow: Follow,
    /// When to repeat a request that the server rejected temporarily.
    retry_at: Option<Instant>,
    was_open: bool,
    is_lost: bool,
}

impl TailSession {
    async fn run(&mut self, shell: &mut Shell, link: &mut Link) -> Result<(), Failure> {
        let mut reader_gone = pin!(pipe::reader_gone());
        loop {
            let retry_at = self.retry_at.unwrap_or_else(Instant::now);
            let steps = tokio::select! {
                event = link.events.recv() => match event {
                    Some(event) => self.link_event(event)?,
                    None => return Err(Failure::other("The connection task ended.")),
                },
                () = &mut reader_gone => return Err(Failure::PipeClosed),
                () = sleep_until(retry_at), if self.retry_at.is_some() => {
                    self.retry_at = None;
                    self.follow.retry()
                }
            };
            for step in steps {
                match step {
                    Step::Send(request) => {
                        // If the link is closed, the next event says so.
                        let _ = link.commands.send(LinkCommand::Send(request)).await;
                    }
                    Step::Print(event) => self.print(shell, &event)?,
                    Step::Note(text) => output::note(&text),
                    Step::RetryAfter(wait) => self.retry_at = Some(Instant::now() + wait),
                    Step::End => return Ok(()),
                    Step::Fail(failure) => return Err(failure),
                }
            }
        }
    }

    fn link_event(&mut self, event: LinkEvent) -> Result<Vec<Step>, Failure> {
        match event {
            LinkEvent::Connecting { .. } => Ok(vec![]),
            LinkEvent::Open => {
                if std::mem::take(&mut self.is_lost) {
                    output::note("reconnected");
                }
                self.was_open = true;
                self.retry_at = None;
                Ok(self.follow.connected())
            }
            LinkEvent::Line(line) => Ok(self.follow.line(*line)),
            LinkEvent::Garbled => {
                output::note("ignored an unknown line from the server");
                Ok(vec![])
            }
            LinkEvent::Unsent { .. } => Err(Failure::other(
                "A request exceeds the size limit of frames.",
            )),
            LinkEvent::Closed { reason, .. } if reason.is_signed_out() => {
                Err(Reject::from(Code::NotSignedIn).into())
            }
            LinkEvent::Closed {
                reason,
                retry_in: None,
            } => Err(Failure::other(sentence(&reason))),
            LinkEvent::Closed { reason, .. } if !self.was_open => Err(self.unreachable(reason)),
            LinkEvent::Closed { reason, .. } => {
                if !std::mem::replace(&mut self.is_lost, true) {
                    output::note(&format!("{reason}, reconnecting"));
                }
                Ok(vec![])
            }
        }
    }

    fn unreachable(&self, reason: CloseReason) -> Failure {
        match reason {
            CloseReason::Unreachable { why } => ApiError::Unreachable {
                server: self.server.to_string(),
                why,
            }
            .into(),
            CloseReason::NotPlenary { .. }
            | CloseReason::ByServer { .. }
            | CloseReason::Lost { .. }
            | CloseReason::TimedOut
            | CloseReason::Suspended
            | CloseReason::ProcessSuspended
            | CloseReason::Reconnect => {
                Failure::new(Exit::Unreachable, "unreachable", sentence(&reason))
            }
        }
    }

    fn print(&self, shell: &mut Shell, event: &Event) -> Result<(), Failure> {
        if shell.json {
            let json = serde_json::to_string(event)
                .map_err(|error| Failure::other(format!("Cannot encode an event: {error}.")))?;
            return shell.out.line(&json_for_terminal(&json));
        }
        let name = |user| self.follow.name(user);
        let (author, text) = event_text::describe(event, name, |at: Timestamp| at.to_string());
        let entry = Entry {
            seq: event.seq.get(),
            at: event.timestamp,
            is_message: author.is_some(),
            who: author.unwrap_or_else(|| "*".to_owned()),
            text,
        };
        for line in shell.style.entries(&[entry]) {
            shell.out.line(&line)?;
        }
        Ok(())
    }
}

fn sentence(reason: &CloseReason) -> String {
    let text = reason.to_string();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => text,
    }
}
