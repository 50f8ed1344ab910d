//! The form for a change of the schedule: its fields, and the request they make.

mod update;
pub mod view;

use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{Plan, PlannedInstance, PlannedMeeting};
use plenary_shared::text::{
    parse_description, parse_email, parse_reason, parse_title, split_emails,
};
use plenary_shared::time::{Timestamp, WhenError, parse_end};

use crate::clock::Zone;
use crate::model::answer::is_yes;
use crate::model::editor::{Editor, KillRing};
use crate::text;

/// The values of [`FormField::Access`] other than a list of emails.
const PUBLIC: &str = "public";
const PRIVATE: &str = "private";
/// The length of a new instance.
const LENGTH: &str = "45m";

/// What a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    Add,
    /// Changes the title, description or access of a meeting.
    Edit(MeetingId),
    Invite(MeetingId),
    Uninvite(MeetingId),
    /// Adds the users listed in a file to its audience.
    Import(MeetingId),
    Schedule(MeetingId),
    /// Changes the time of an instance.
    Move(InstanceId),
    Cancel(InstanceId),
}

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormField {
    Title,
    Description,
    /// `public`, or who can join.
    Access,
    Emails,
    /// The path of a file with emails.
    File,
    /// Whether the file replaces the audience.
    Replace,
    Starts,
    /// Its length or end.
    Length,
    /// `y`, before an instance is cancelled.
    Confirmation,
    Reason,
}

/// An open form.
#[derive(Clone, Debug)]
pub struct Form {
    pub kind: FormKind,
    /// The title of the meeting and the number of what is changed.
    pub place: String,
    pub fields: Vec<(FormField, Editor)>,
    /// The index of the field that has the focus.
    pub at: usize,
    pub error: Option<String>,
    /// Whether the request was sent and not yet answered.
    pub sent: bool,
    ring: KillRing,
}

/// What a completed form asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum FormResult {
    /// Nothing: the question was answered with no.
    Declined,
    Request(Plan),
    /// The content of a file, for an import.
    ReadFile {
        /// The path as it was typed.
        path: String,
        meeting: MeetingId,
        /// Whether the file replaces the audience.
        replace: bool,
    },
}

/// A field with the error message for it.
type FieldError = (FormField, String);

impl FormKind {
    /// The action as an infinitive: `move Retro 3/1`.
    pub fn phrase(self, place: &str) -> String {
        match self {
            Self::Add if place.is_empty() => "add a meeting".to_owned(),
            Self::Add => format!("add {place}"),
            Self::Edit(_) => format!("edit {place}"),
            Self::Invite(_) => format!("invite users to {place}"),
            Self::Uninvite(_) => format!("remove users from the audience of {place}"),
            Self::Import(_) => format!("import the audience of {place}"),
            Self::Schedule(_) => format!("schedule {place}"),
            Self::Move(_) => format!("move {place}"),
            Self::Cancel(_) => format!("cancel {place}"),
        }
    }

    /// The same in the past, as a sentence: `Moved Retro 3/1`.
    pub fn done(self, place: &str) -> String {
        match self {
            Self::Add => format!("Added {place}"),
            Self::Edit(_) => format!("Edited {place}"),
            Self::Invite(_) => format!("Invited users to {place}"),
            Self::Uninvite(_) => format!("Removed users from the audience of {place}"),
            Self::Import(_) => format!("Imported the audience of {place}"),
            Self::Schedule(_) => format!("Scheduled {place}"),
            Self::Move(_) => format!("Moved {place}"),
            Self::Cancel(_) => format!("Cancelled {place}"),
        }
    }

    const fn fields(self) -> &'static [FormField] {
        match self {
            Self::Add | Self::Edit(_) => {
                &[FormField::Title, FormField::Description, FormField::Access]
            }
            Self::Invite(_) | Self::Uninvite(_) => &[FormField::Emails],
            Self::Import(_) => &[FormField::File, FormField::Replace],
            Self::Schedule(_) | Self::Move(_) => &[FormField::Starts, FormField::Length],
            Self::Cancel(_) => &[FormField::Confirmation, FormField::Reason],
        }
    }
}

impl FormField {
    /// The label before the input.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Title => "Title",
            Self::Description => "Description",
            Self::Access => "Access",
            Self::Emails => "Emails",
            Self::File => "File",
            Self::Replace => "Replace",
            Self::Starts => "Starts",
            Self::Length => "Length",
            Self::Confirmation => "Confirm",
            Self::Reason => "Reason",
        }
    }

    /// What can be typed.
    pub const fn hint(self, kind: FormKind) -> &'static str {
        match (self, kind) {
            (Self::Title, _) => "One line",
            (Self::Description, _) => "What the meeting is about (optional)",
            (Self::Access, FormKind::Edit(_)) => "'public', or 'private': invited users only",
            (Self::Access, _) => "'public', or emails separated by spaces or commas",
            (Self::Emails, _) => "Emails separated by spaces or commas; lists can be pasted",
            (Self::File, _) => "CSV file, or one email per line",
            (Self::Replace, _) => "'yes' removes users not in the file; 'no' keeps them",
            (Self::Starts, _) => "2026-05-06 13:00, now, or in 5m",
            (Self::Length, _) => "45m, 1h30m, or the end: 2026-05-06 14:00",
            (Self::Confirmation, _) => "'y' cancels the instance. Enter alone changes nothing",
            (Self::Reason, _) => "Optional",
        }
    }
}

impl Form {
    /// A form with the current values of `meeting`, if the kind has one.
    pub fn new(
        kind: FormKind,
        place: String,
        meeting: Option<&PlannedMeeting>,
        zone: Zone,
    ) -> Self {
        let instance = match kind {
            FormKind::Move(id) | FormKind::Cancel(id) => {
                meeting.and_then(|planned| planned.instances.iter().find(|one| one.id == id))
            }
            _ => None,
        };
        let fields = kind.fields().iter().map(|field| {
            let value = initial_value(*field, kind, meeting, instance, zone);
            let is_default = match kind {
                FormKind::Add | FormKind::Schedule(_) | FormKind::Import(_) => true,
                FormKind::Edit(_)
                | FormKind::Invite(_)
                | FormKind::Uninvite(_)
                | FormKind::Move(_)
                | FormKind::Cancel(_) => false,
            };
            let editor = if is_default {
                Editor::with_default(value)
            } else {
                Editor::new(value)
            };
            (*field, editor)
        });
        Self {
            kind,
            place,
            fields: fields.collect(),
            at: 0,
            error: None,
            sent: false,
            ring: KillRing::default(),
        }
    }

    /// The title, which names the object: `Move Retro 3/1`.
    pub fn title(&self) -> String {
        text::capitalize(&self.kind.phrase(&self.place))
    }

    /// The input that has the focus.
    pub fn input(&mut self) -> Option<(&mut Editor, &mut KillRing)> {
        let (_, editor) = self.fields.get_mut(self.at)?;
        Some((editor, &mut self.ring))
    }

    /// Moves the focus to the next or previous field, around the ends.
    pub fn step(&mut self, forward: bool) {
        let count = self.fields.len();
        let by = if forward { 1 } else { count - 1 };
        self.at = (self.at + by) % count;
    }

    /// Moves to the next field; from the last one, returns what the form asks for. An invalid field
    /// gets the focus, with an error message.
    pub fn confirm(&mut self, now: Timestamp, zone: Zone) -> Option<FormResult> {
        self.error = None;
        if let Some((FormField::Confirmation, answer)) = self.fields.get(self.at)
            && !is_yes(answer.text().trim())
        {
            return Some(FormResult::Declined);
        }
        if self.at + 1 < self.fields.len() {
            self.at += 1;
            return None;
        }
        match self.result(now, zone) {
            Ok(result) => Some(result),
            Err((field, error)) => {
                let at = self.fields.iter().position(|(other, _)| *other == field);
                self.at = at.unwrap_or(self.at);
                self.error = Some(error);
                None
            }
        }
    }

    fn text(&self, field: FormField) -> &str {
        let found = self.fields.iter().find(|(other, _)| *other == field);
        found.map_or("", |(_, editor)| editor.text().trim())
    }

    fn result(&self, now: Timestamp, zone: Zone) -> Result<FormResult, FieldError> {
        let plan = match self.kind {
            FormKind::Add => self.add()?,
            FormKind::Edit(meeting) => self.edit(meeting)?,
            FormKind::Invite(meeting) => Plan::Audience {
                meeting,
                add: self.emails()?,
                remove: Vec::new(),
            },
            FormKind::Uninvite(meeting) => Plan::Audience {
                meeting,
                add: Vec::new(),
                remove: self.emails()?,
            },
            FormKind::Import(meeting) => return self.import(meeting),
            FormKind::Schedule(meeting) => {
                let (fromdatetime, todatetime) = self.times(now, zone)?;
                Plan::Schedule {
                    meeting,
                    fromdatetime,
                    todatetime,
                }
            }
            FormKind::Move(instance) => {
                let (fromdatetime, todatetime) = self.times(now, zone)?;
                Plan::Move {
                    instance,
                    fromdatetime,
                    todatetime,
                }
            }
            FormKind::Cancel(instance) => {
                let input = Some(self.text(FormField::Reason)).filter(|text| !text.is_empty());
                let reason = input.map(parse_reason).transpose();
                let reason = reason.map_err(|error| (FormField::Reason, error.to_string()))?;
                if !is_yes(self.text(FormField::Confirmation)) {
                    let error = "Type y to cancel the instance".to_owned();
                    return Err((FormField::Confirmation, error));
                }
                Plan::Cancel { instance, reason }
            }
        };
        Ok(FormResult::Request(plan))
    }

    fn add(&self) -> Result<Plan, FieldError> {
        let is_public = self.text(FormField::Access) == PUBLIC;
        let audience = if is_public {
            Vec::new()
        } else {
            parse_emails(FormField::Access, self.text(FormField::Access))?
        };
        if !is_public && audience.is_empty() {
            let error = "No one could join. Type 'public', or emails".to_owned();
            return Err((FormField::Access, error));
        }
        Ok(Plan::Add {
            title: self.meeting_title()?,
            description: self.description()?,
            is_public,
            audience,
        })
    }

    fn edit(&self, meeting: MeetingId) -> Result<Plan, FieldError> {
        let is_public = match self.text(FormField::Access) {
            PUBLIC => true,
            PRIVATE => false,
            other => {
                let error = format!("Invalid access: '{other}'. Type 'public' or 'private'");
                return Err((FormField::Access, error));
            }
        };
        Ok(Plan::Edit {
            meeting,
            title: Some(self.meeting_title()?),
            description: Some(self.description()?),
            is_public: Some(is_public),
        })
    }

    fn meeting_title(&self) -> Result<String, FieldError> {
        parse_title(self.text(FormField::Title))
            .map_err(|error| (FormField::Title, error.to_string()))
    }

    fn description(&self) -> Result<String, FieldError> {
        parse_description(self.text(FormField::Description))
            .map_err(|error| (FormField::Description, error.to_string()))
    }

    fn emails(&self) -> Result<Vec<String>, FieldError> {
        let emails = parse_emails(FormField::Emails, self.text(FormField::Emails))?;
        if emails.is_empty() {
            let error = "No email found. Type one or more".to_owned();
            return Err((FormField::Emails, error));
        }
        Ok(emails)
    }

    fn import(&self, meeting: MeetingId) -> Result<FormResult, FieldError> {
        let path = self.text(FormField::File);
        if path.is_empty() {
            return Err((FormField::File, "Type the path of a file".to_owned()));
        }
        let replace = match self.text(FormField::Replace).to_lowercase().as_str() {
            "yes" | "y" => true,
            "no" | "n" | "" => false,
            _ => return Err((FormField::Replace, "Type 'yes' or 'no'".to_owned())),
        };
        Ok(FormResult::ReadFile {
            path: path.to_owned(),
            meeting,
            replace,
        })
    }

    fn times(&self, now: Timestamp, zone: Zone) -> Result<(Timestamp, Timestamp), FieldError> {
        let from = zone
            .parse_when(self.text(FormField::Starts), now)
            .map_err(|error| (FormField::Starts, error.to_string()))?;
        let input = self.text(FormField::Length);
        let to = match parse_end(from, input) {
            Ok(to) => to,
            Err(error @ WhenError::Length(_)) => zone
                .parse_when(input, now)
                .map_err(|_| (FormField::Length, error.to_string()))?,
            Err(error) => return Err((FormField::Length, error.to_string())),
        };
        if to <= from {
            let error = "The end is before the start".to_owned();
            return Err((FormField::Length, error));
        }
        Ok((from, to))
    }
}

/// The emails in a text, in their order, without duplicates.
fn parse_emails(field: FormField, input: &str) -> Result<Vec<String>, FieldError> {
    let mut emails: Vec<String> = Vec::new();
    for text in split_emails(input) {
        let email = parse_email(text).map_err(|error| (field, format!("'{text}': {error}")))?;
        if !emails.contains(&email) {
            emails.push(email);
        }
    }
    Ok(emails)
}

fn initial_value(
    field: FormField,
    kind: FormKind,
    planned: Option<&PlannedMeeting>,
    instance: Option<&PlannedInstance>,
    zone: Zone,
) -> String {
    let meeting = planned.map(|planned| &planned.meeting);
    let edited = meeting.filter(|_| matches!(kind, FormKind::Edit(_)));
    match (field, edited, instance) {
        (FormField::Title, Some(meeting), _) => meeting.title.clone(),
        (FormField::Description, Some(meeting), _) => meeting.description.clone(),
        (FormField::Access, Some(meeting), _) if !meeting.is_public => PRIVATE.to_owned(),
        (FormField::Access, _, _) => PUBLIC.to_owned(),
        (FormField::Starts, _, Some(instance)) => zone.ymd_hm(instance.fromdatetime),
        (FormField::Length, _, Some(instance)) => length(instance),
        (FormField::Length, _, None) => LENGTH.to_owned(),
        (FormField::Replace, _, _) => "no".to_owned(),
        _ => String::new(),
    }
}

/// The length of an instance as it is typed: `1h30m`.
fn length(instance: &PlannedInstance) -> String {
    let seconds = instance.todatetime.ms_since(instance.fromdatetime) / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, 'h'), (minutes, 'm'), (seconds, 's')];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    parts.concat()
}
