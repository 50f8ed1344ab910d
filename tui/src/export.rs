//! Transcripts: an instance with its attendance and messages, as a document.
//!
//! Times are RFC 3339 in UTC. User text is made safe for terminals, spreadsheets and Markdown viewers.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use plenary_shared::domain::{EndChange, Event, EventKind, Instance, ModerationAction, Reason};
use plenary_shared::ids::{Seq, UserId};
use plenary_shared::time::Timestamp;
use plenary_shared::unicode::reveal;
use serde::Serialize;

use crate::event_text::end_reason;

mod csv;
pub mod file;
mod markdown;
mod text;

/// The format of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Markdown.
    Md,
    /// A JSON object.
    Json,
    /// Comma-separated values for spreadsheets.
    Csv,
    /// Plain text.
    Txt,
}

impl Format {
    /// Returns the file name extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Md => "md",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Txt => "txt",
        }
    }

    /// Returns the format of a file name extension.
    pub fn of_extension(extension: &str) -> Option<Self> {
        <Self as clap::ValueEnum>::from_str(extension, true).ok()
    }

    /// Returns the format of a file by its extension, Markdown without one. The error is a message for the
    /// user.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let Some(extension) = path.extension() else {
            return Ok(Self::Md);
        };
        let known = extension.to_str().and_then(Self::of_extension);
        known.ok_or_else(|| {
            let extension = extension.to_string_lossy();
            format!("Unknown format: '{extension}'. Use md, json, csv or txt")
        })
    }
}

/// The content of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transcript {
    #[serde(flatten)]
    pub instance: Instance,
    /// Why the instance ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When the log was read, by the server's clock. Open stays are counted up to this time or the end,
    /// whichever is earlier.
    pub read_at: Timestamp,
    /// The attendance of each participant, sorted by first join.
    pub attendance: Vec<Attendance>,
    /// The messages in order.
    pub messages: Vec<TranscriptMessage>,
}

/// The attendance of one participant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attendance {
    #[serde(rename = "userID")]
    pub user: UserId,
    /// The name of the user.
    pub name: String,
    /// The stays in order.
    pub stays: Vec<Stay>,
    /// The total length of the stays in milliseconds.
    pub total_ms: i64,
}

/// One stay in an instance, from join to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stay {
    /// The time of the join.
    pub from: Timestamp,
    /// The time of the leave.
    pub to: Option<Timestamp>,
    /// The reason for the leave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The latest version of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TranscriptMessage {
    pub seq: Seq,
    pub timestamp: Timestamp,
    /// The author.
    #[serde(rename = "userID")]
    pub user: UserId,
    pub name: String,
    /// The text. Empty if the message was deleted.
    pub body: String,
    /// The message that it replies to.
    #[serde(rename = "replyTo", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// The time of the last edit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
}

impl Transcript {
    /// Builds the transcript of a complete event log, ascending.
    pub fn new<'a>(
        instance: Instance,
        events: impl IntoIterator<Item = &'a Event>,
        names: &HashMap<UserId, String>,
        read_at: Timestamp,
    ) -> Self {
        let mut transcript = Self {
            instance,
            reason: None,
            read_at,
            attendance: Vec::new(),
            messages: Vec::new(),
        };
        let name = |user: UserId| {
            let name = names.get(&user).cloned();
            name.unwrap_or_else(|| format!("#{user}"))
        };
        let mut positions = BTreeMap::new();
        for event in events {
            transcript.add(event, name, &mut positions);
        }
        let counted_to = transcript.counted_to();
        for attendance in &mut transcript.attendance {
            let stays = attendance.stays.iter();
            attendance.total_ms = stays.map(|stay| stay.length_ms(counted_to)).sum();
        }
        transcript
    }

    /// Returns the time up to which open stays are counted.
    fn counted_to(&self) -> Timestamp {
        self.read_at.min(self.instance.todatetime)
    }

    /// Adds an event. `positions` are the indexes of users in `attendance`.
    fn add(
        &mut self,
        event: &Event,
        name: impl Fn(UserId) -> String,
        positions: &mut BTreeMap<UserId, usize>,
    ) {
        match &event.kind {
            EventKind::Opened => {}
            EventKind::Join { user, .. } => {
                let at = *positions.entry(*user).or_insert_with(|| {
                    self.attendance.push(Attendance {
                        user: *user,
                        name: name(*user),
                        stays: Vec::new(),
                        total_ms: 0,
                    });
                    self.attendance.len() - 1
                });
                self.attendance[at].stays.push(Stay {
                    from: event.timestamp,
                    to: None,
                    reason: None,
                });
            }
            EventKind::Leave { user, reason } => {
                let attendance = positions.get(user).map(|at| &mut self.attendance[*at]);
                if let Some(stay) = attendance.and_then(|one| one.stays.last_mut()) {
                    stay.to = Some(event.timestamp);
                    stay.reason = Some(*reason);
                }
            }
            EventKind::Message {
                user,
                body,
                reply_to,
                edited,
                deleted,
                ..
            } => self.messages.push(TranscriptMessage {
                seq: event.seq,
                timestamp: event.timestamp,
                user: *user,
                name: name(*user),
                body: body.to_string(),
                reply_to: *reply_to,
                edited: *edited,
                deleted: *deleted,
            }),
            EventKind::Edited { target, body, .. } => {
                let message = self.message(*target);
                if let Some(message) = message.filter(|message| message.deleted.is_none()) {
                    message.body = body.to_string();
                    message.edited = Some(event.timestamp);
                }
            }
            EventKind::Deleted { target, .. } => {
                if let Some(message) = self.message(*target) {
                    message.body.clear();
                    message.deleted = Some(event.timestamp);
                }
            }
            EventKind::Moderated(done) => {
                if let ModerationAction::Extend(EndChange { todatetime, .. }) = done.action {
                    self.instance.todatetime = todatetime;
                }
            }
            EventKind::Closed { reason } => self.reason = Some(*reason),
        }
    }

    /// Returns the document.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Md => markdown::write(self),
            Format::Json => self.json(),
            Format::Csv => csv::write(self),
            Format::Txt => text::write(self),
        }
    }

    /// Returns the message for the user after writing the document to `path`.
    pub fn exported_to(&self, path: &Path) -> String {
        format!(
            "Exported {} messages to {}",
            self.messages.len(),
            path.display()
        )
    }

    fn json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("only strings and numbers");
        crate::api::json_for_terminal(&json) + "\n"
    }

    fn message(&mut self, seq: Seq) -> Option<&mut TranscriptMessage> {
        let at = self
            .messages
            .binary_search_by_key(&seq, |message| message.seq);
        at.ok().map(|at| &mut self.messages[at])
    }

    /// Returns the names and values at the top of the document.
    fn head(&self) -> Vec<(&'static str, String)> {
        let instance = &self.instance;
        let mut head = vec![
            ("meeting", instance.id.to_string()),
            ("from", instance.fromdatetime.to_string()),
            ("to", instance.todatetime.to_string()),
            ("state", instance.state.to_string()),
        ];
        if let Some(reason) = self.reason {
            head.push(("ended", end_reason(reason).to_owned()));
        }
        head.push(("exported", self.read_at.to_string()));
        head
    }
}

impl Stay {
    /// Returns the length in milliseconds, up to `counted_to` for an open stay.
    fn length_ms(&self, counted_to: Timestamp) -> i64 {
        self.to.unwrap_or(counted_to).ms_since(self.from).max(0)
    }
}

impl TranscriptMessage {
    /// Returns the text to display.
    fn text(&self) -> &str {
        if self.deleted.is_some() {
            "(deleted)"
        } else {
            &self.body
        }
    }
}

/// Formats a duration as `1:02:03`.
fn duration(ms: i64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

/// Returns text that is safe for terminals. Keeps line ends and tabs.
fn sanitize_lines(text: &str) -> String {
    reveal(text, |c| matches!(c, '\n' | '\t').then_some(c))
}

#[cfg(test)]
mod tests;
