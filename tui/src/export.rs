//! An instance as a document: what it was, who was there and when, what was said. No IO.
//!
//! Times are RFC 3339 in UTC, so that a document says the same to everybody. Text from people is
//! disarmed for whoever opens it: a terminal, a spreadsheet, a reader of Markdown.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use plenary_shared::domain::{EndChange, Event, Instance, ModerationAction, Reason, What};
use plenary_shared::ids::{Seq, UserId};
use plenary_shared::time::Timestamp;
use serde::Serialize;

mod csv;
mod markdown;
mod plain;

/// How a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Markdown.
    Md,
    /// One JSON object.
    Json,
    /// Comma-separated values, for a spreadsheet.
    Csv,
    /// Plain text.
    Txt,
}

impl Format {
    /// What the name of such a file ends with.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Md => "md",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Txt => "txt",
        }
    }

    /// By its extension.
    pub fn named(extension: &str) -> Option<Self> {
        let all = [Self::Md, Self::Json, Self::Csv, Self::Txt];
        let extension = extension.to_lowercase();
        all.into_iter()
            .find(|format| format.extension() == extension)
    }

    /// By the name of a file.
    pub fn of(path: &Path) -> Option<Self> {
        Self::named(path.extension()?.to_str()?)
    }
}

/// What a document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// What it was, and where it is in its life.
    #[serde(flatten)]
    pub instance: Instance,
    /// Why it ended, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When this was read: whoever is in still is counted up to then.
    pub read_at: Timestamp,
    /// Everybody who was there, in the order of their first coming.
    pub attendance: Vec<Attendance>,
    /// Everything that was said, in its order.
    pub messages: Vec<Said>,
}

/// How one person attended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attendance {
    /// Who.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// Each time that they were in, in their order.
    pub stays: Vec<Stay>,
    /// For how long together, in milliseconds.
    pub total_ms: i64,
}

/// Once in, from joining to leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stay {
    /// When they joined.
    pub from: Timestamp,
    /// When they left, if they have.
    pub to: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// One message as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Its number.
    pub seq: Seq,
    /// When it was said.
    pub timestamp: Timestamp,
    /// By whom.
    #[serde(rename = "userID")]
    pub user: UserId,
    /// What they are called.
    pub name: String,
    /// What it says; empty where it was deleted.
    pub body: String,
    /// The message that it answers.
    #[serde(rename = "replyTo", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// When it was changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<Timestamp>,
    /// When it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Timestamp>,
}

impl Record {
    /// Of a whole log, ascending.
    pub fn new<'a>(
        instance: Instance,
        events: impl IntoIterator<Item = &'a Event>,
        names: &HashMap<UserId, String>,
        read_at: Timestamp,
    ) -> Self {
        let name = |user: UserId| {
            names
                .get(&user)
                .cloned()
                .unwrap_or_else(|| format!("#{user}"))
        };
        let mut record = Self {
            instance,
            reason: None,
            read_at,
            attendance: Vec::new(),
            messages: Vec::new(),
        };
        let mut places: BTreeMap<UserId, usize> = BTreeMap::new();
        for event in events {
            match &event.what {
                What::Opened => {}
                What::Join { user, .. } => {
                    let at = *places.entry(*user).or_insert_with(|| {
                        record.attendance.push(Attendance {
                            user: *user,
                            name: name(*user),
                            stays: Vec::new(),
                            total_ms: 0,
                        });
                        record.attendance.len() - 1
                    });
                    record.attendance[at].stays.push(Stay {
                        from: event.timestamp,
                        to: None,
                        reason: None,
                    });
                }
                What::Leave { user, reason } => {
                    let attendance = places.get(user).map(|at| &mut record.attendance[*at]);
                    if let Some(stay) = attendance.and_then(|one| one.stays.last_mut()) {
                        stay.to = Some(event.timestamp);
                        stay.reason = Some(*reason);
                    }
                }
                What::Message {
                    user,
                    body,
                    reply_to,
                    edited,
                    deleted,
                    ..
                } => record.messages.push(Said {
                    seq: event.seq,
                    timestamp: event.timestamp,
                    user: *user,
                    name: name(*user),
                    body: body.to_string(),
                    reply_to: *reply_to,
                    edited: *edited,
                    deleted: *deleted,
                }),
                What::Edited { target, body, .. } => {
                    if let Some(said) = record.said(*target).filter(|said| said.deleted.is_none()) {
                        said.body = body.to_string();
                        said.edited = Some(event.timestamp);
                    }
                }
                What::Deleted { target, .. } => {
                    if let Some(said) = record.said(*target) {
                        said.body.clear();
                        said.deleted = Some(event.timestamp);
                    }
                }
                What::Moderated(done) => {
                    if let ModerationAction::Extend(EndChange { todatetime, .. }) = done.action {
                        record.instance.todatetime = todatetime;
                    }
                }
                What::Closed { reason } => record.reason = Some(*reason),
            }
        }
        for one in &mut record.attendance {
            let lengths = one.stays.iter();
            one.total_ms = lengths.map(|stay| stay.length_ms(read_at)).sum();
        }
        record
    }

    /// The document.
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Md => markdown::write(self),
            Format::Json => self.json(),
            Format::Csv => csv::write(self),
            Format::Txt => plain::write(self),
        }
    }

    /// What is said when it has been written into this file.
    pub fn said_of(&self, path: &Path) -> String {
        let (messages, people) = (self.messages.len(), self.attendance.len());
        let path = path.display();
        format!("{messages} messages of {people} people are in {path}")
    }

    /// In JSON no character of a text moves a terminal.
    fn json(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("only strings and numbers");
        crate::api::json_for_terminal(&json) + "\n"
    }

    fn said(&mut self, seq: Seq) -> Option<&mut Said> {
        let at = self.messages.binary_search_by_key(&seq, |said| said.seq);
        at.ok().map(|at| &mut self.messages[at])
    }

    /// What stands above everything else: a name and a value each.
    fn head(&self) -> Vec<(&'static str, String)> {
        let instance = &self.instance;
        let mut head = vec![
            ("meeting", instance.id.to_string()),
            ("from", instance.fromdatetime.to_string()),
            ("to", instance.todatetime.to_string()),
            ("state", instance.state.to_string()),
        ];
        if let Some(reason) = self.reason {
            head.push(("ended", ended_because(reason).to_owned()));
        }
        head.push(("exported", self.read_at.to_string()));
        head
    }
}

impl Stay {
    /// How long it was; up to `now` if it goes on.
    fn length_ms(&self, now: Timestamp) -> i64 {
        self.to.unwrap_or(now).ms_since(self.from).max(0)
    }
}

impl Said {
    /// What stands where its text would: nothing of a deleted one is left.
    fn text(&self) -> &str {
        if self.deleted.is_some() {
            "(deleted)"
        } else {
            &self.body
        }
    }
}

/// Why an instance ended, in words.
fn ended_because(reason: Reason) -> &'static str {
    match reason {
        Reason::Scheduled | Reason::Left | Reason::ConnectionLost => "its time was over",
        Reason::Ended | Reason::Removed => "an admin ended it",
        Reason::Missed => "nothing was running at its time",
        Reason::Cancelled => "it was cancelled",
    }
}

/// `1:02:03`
fn length(ms: i64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

/// The text without what a terminal might obey; line ends stay.
fn harmless(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(plenary_shared::text::for_terminal)
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
