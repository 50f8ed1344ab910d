//! `plenary tail`: what happens in an instance, as it happens, until it ends.

mod follow;

use plenary_shared::domain::{Event, Reason, What};
use plenary_shared::protocol::Close;
use tokio::time::{Instant, sleep_until};

use super::print::Entry;
use super::{Exit, Failure, Shell, out};
use crate::command_line::Tail;
use crate::net::{CloseReason, Link, LinkCommand, LinkEvent, link};
use crate::server_url::ServerUrl;
use follow::{Follow, Step};

/// Goes on where it was after every lost connection; a first one that cannot be made is an error.
pub async fn run(shell: &mut Shell, tail: Tail) -> Result<(), Failure> {
    let Some(token) = shell.account.token.clone() else {
        return Err(shell.not_signed_in());
    };
    let mut link = link(shell.account.server.clone(), shell.wall_clock);
    let mut watch = Watch {
        server: shell.account.server.clone(),
        follow: Follow::new(tail.at.instance, token, tail.since),
        again_at: None,
        was_open: false,
        is_lost: false,
    };
    let outcome = watch.run(shell, &mut link).await;
    link.close().await;
    outcome
}

struct Watch {
    server: ServerUrl,
    follow: Follow,
    /// When the request that was refused for now is to be made again.
    again_at: Option<Instant>,
    was_open: bool,
    is_lost: bool,
}

impl Watch {
    async fn run(&mut self, shell: &mut Shell, link: &mut Link) -> Result<(), Failure> {
        loop {
            let again_at = self.again_at.unwrap_or_else(Instant::now);
            let steps = tokio::select! {
                told = link.events.recv() => match told {
                    Some(told) => self.hear(told)?,
                    None => return Err(Failure::other("The connection's task ended.")),
                },
                () = sleep_until(again_at), if self.again_at.is_some() => {
                    self.again_at = None;
                    self.follow.again()
                }
            };
            for step in steps {
                match step {
                    Step::Ask(request) => {
                        // A link that is gone tells so in the next turn.
                        let _ = link.commands.send(LinkCommand::Send(request)).await;
                    }
                    Step::Show(event) => self.show(shell, &event)?,
                    Step::Note(text) => out::note(&text),
                    Step::WaitThenAgain(wait) => self.again_at = Some(Instant::now() + wait),
                    Step::End => return Ok(()),
                    Step::Fail(failure) => return Err(failure),
                }
            }
        }
    }

    fn hear(&mut self, told: LinkEvent) -> Result<Vec<Step>, Failure> {
        match told {
            LinkEvent::Connecting { .. } => Ok(vec![]),
            LinkEvent::Open => {
                if std::mem::take(&mut self.is_lost) {
                    out::note("connected again");
                }
                self.was_open = true;
                self.again_at = None;
                Ok(self.follow.connected())
            }
            LinkEvent::Line(line) => Ok(self.follow.heard(*line)),
            LinkEvent::Garbled => {
                out::note("the server said something that this program does not understand");
                Ok(vec![])
            }
            LinkEvent::Unsent { .. } => Err(Failure::other("A request was too large to be sent.")),
            LinkEvent::Closed {
                reason: why,
                retry_in: None,
            } => Err(refused(&why)),
            LinkEvent::Closed {
                reason: why,
                retry_in: Some(_),
            } => {
                if !self.was_open {
                    let sentence = match &why {
                        CloseReason::Unreachable { why } => {
                            format!("The server {} cannot be reached: {why}.", self.server)
                        }
                        CloseReason::NotPlenary { .. }
                        | CloseReason::ByServer { .. }
                        | CloseReason::Lost { .. }
                        | CloseReason::TimedOut
                        | CloseReason::Suspended
                        | CloseReason::Reconnect => sentence_of(&why),
                    };
                    return Err(Failure::told(Exit::Unreachable, "unreachable", sentence));
                }
                if !std::mem::replace(&mut self.is_lost, true) {
                    out::note(&format!("{why}; trying again"));
                }
                Ok(vec![])
            }
        }
    }

    fn show(&self, shell: &mut Shell, event: &Event) -> Result<(), Failure> {
        if shell.json {
            let json = serde_json::to_string(event)
                .map_err(|error| Failure::other(format!("An event is no JSON: {error}.")))?;
            return shell.out.line(&crate::api::json_for_terminal(&json));
        }
        let entry = entry(event, |user| self.follow.name(user));
        for line in shell.style.entries(&[entry]) {
            shell.out.line(&line)?;
        }
        Ok(())
    }
}

fn refused(why: &CloseReason) -> Failure {
    let is_sign_in =
        matches!(why, CloseReason::ByServer { code, .. } if *code == Close::NotSignedIn.code());
    if is_sign_in {
        plenary_shared::domain::Reject::from(plenary_shared::domain::Code::NotSignedIn).into()
    } else {
        Failure::other(sentence_of(why))
    }
}

fn sentence_of(why: &CloseReason) -> String {
    let text = why.to_string();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => text,
    }
}

fn entry(event: &Event, name: impl Fn(plenary_shared::ids::UserId) -> String) -> Entry {
    let (who, text) = match &event.what {
        What::Opened => ("*".to_owned(), "the meeting is open".to_owned()),
        What::Join { user, .. } => ("*".to_owned(), format!("{} joined", name(*user))),
        What::Leave { user, reason } => {
            let why = match reason {
                Reason::Left => "",
                Reason::ConnectionLost => " (connection lost)",
                Reason::Scheduled => " (the time was over)",
                Reason::Ended => " (ended by an admin)",
                Reason::Missed => " (missed)",
                Reason::Cancelled => " (cancelled)",
                Reason::Removed => " (removed by an admin)",
            };
            ("*".to_owned(), format!("{} left{why}", name(*user)))
        }
        What::Message {
            user,
            deleted: Some(_),
            ..
        } => (name(*user), "(deleted)".to_owned()),
        What::Message { user, body, .. } => (name(*user), body.as_str().to_owned()),
        What::Edited {
            user, target, body, ..
        } => {
            let what = if body.is_gone() {
                "(deleted)"
            } else {
                body.as_str()
            };
            (
                "*".to_owned(),
                format!("{} changed {target}: {what}", name(*user)),
            )
        }
        What::Deleted { user, target, .. } => {
            ("*".to_owned(), format!("{} deleted {target}", name(*user)))
        }
        What::Moderated(done) => {
            let when = |at: plenary_shared::time::Timestamp| at.to_string();
            let what = done.sentence(&name, when);
            ("*".to_owned(), format!("{} {what}", name(done.user)))
        }
        What::Closed { reason } => {
            let why = match reason {
                Reason::Scheduled | Reason::Left | Reason::ConnectionLost => "its time was over",
                Reason::Ended | Reason::Removed => "an admin ended it",
                Reason::Missed => "nothing was running at its time",
                Reason::Cancelled => "it was cancelled",
            };
            ("*".to_owned(), format!("the meeting has ended: {why}"))
        }
    };
    Entry {
        seq: event.seq.get(),
        at: event.timestamp,
        who,
        text,
        is_said: matches!(event.what, What::Message { .. }),
    }
}
