//! What an admin is about to do: asked for piece by piece, and done once the last is confirmed.

use plenary_shared::domain::Participant;
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::{INSTANCE_DAYS_MAX, REASON_BYTES_MAX};
use plenary_shared::protocol::{Longer, Measure, Target};
use plenary_shared::text::{MessageBody, parse_reason};

use crate::model::editor::Editor;

/// By how much a meeting is extended where nothing else is written, in minutes.
const EXTEND_MINUTES: &str = "30";

/// What can be done to a running meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the measure of its name")]
pub enum Action {
    End,
    Extend,
    Lock,
    Unlock,
    ReadOnly,
    Writable,
    Announce,
    Mute,
    Unmute,
    Remove,
    Ban,
    Unban,
    /// Nothing: only why somebody may join is told.
    Explain,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Whom it is about.
    Person,
    /// By how many minutes.
    Minutes,
    /// What is said to everybody.
    Text,
    /// Why.
    Reason,
}

/// What is wrong with what was written: a sentence.
pub type FieldError = String;

/// What is about to be done.
#[derive(Clone, Debug)]
pub struct Asking {
    /// What.
    pub action: Action,
    /// Where.
    pub targets: Vec<InstanceId>,
    /// What the meeting is called, or how many there are.
    pub place: String,
    /// What is being asked for.
    pub field: Field,
    /// What is written.
    pub editor: Editor,
    /// Who is in, once that is known.
    pub people: Vec<Participant>,
    /// Which of those that match is selected.
    pub picked: usize,
    /// Whom it is about, once that is said, and what they are called.
    pub person: Option<(Target, String)>,
    /// What is done, once its particulars are said.
    pub measure: Option<Measure>,
}

impl Action {
    /// What it does, before the meeting's title.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::End => "end",
            Self::Extend => "extend",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::ReadOnly => "make read-only",
            Self::Writable => "let everybody write again in",
            Self::Announce => "announce to",
            Self::Mute => "mute somebody in",
            Self::Unmute => "unmute somebody in",
            Self::Remove => "remove somebody from",
            Self::Ban => "remove somebody for good from",
            Self::Unban => "let somebody come back to",
            Self::Explain => "why may somebody join, or not:",
        }
    }

    /// Whether it is about one person.
    pub const fn is_about_somebody(self) -> bool {
        match self {
            Self::Mute | Self::Unmute | Self::Remove | Self::Ban | Self::Unban | Self::Explain => {
                true
            }
            Self::End
            | Self::Extend
            | Self::Lock
            | Self::Unlock
            | Self::ReadOnly
            | Self::Writable
            | Self::Announce => false,
        }
    }

    fn first_field(self) -> Field {
        match self {
            Self::Extend => Field::Minutes,
            Self::Announce => Field::Text,
            _ if self.is_about_somebody() => Field::Person,
            _ => Field::Reason,
        }
    }
}

impl Field {
    /// What is asked.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Person => "who? a part of the name, or the address",
            Self::Minutes => "by how many minutes?",
            Self::Text => "what is everybody told?",
            Self::Reason => "why? everybody is told; may be empty",
        }
    }
}

impl Asking {
    /// Begins to ask.
    pub fn new(action: Action, targets: Vec<InstanceId>, place: String) -> Self {
        let field = action.first_field();
        let begun = if field == Field::Minutes {
            EXTEND_MINUTES
        } else {
            ""
        };
        Self {
            action,
            targets,
            place,
            field,
            editor: Editor::new(begun),
            people: Vec::new(),
            picked: 0,
            person: None,
            measure: None,
        }
    }

    /// What is about to be done, as a sentence.
    pub fn sentence(&self) -> String {
        let Self { action, place, .. } = self;
        match (&self.person, &self.measure) {
            (Some((_, name)), _) => {
                let verb = action.verb().replace("somebody", name);
                format!("{verb} {place}")
            }
            (None, Some(Measure::Extend(longer))) => {
                let minutes = longer.minutes.unwrap_or_default();
                format!("{} {place} by {minutes} minutes", action.verb())
            }
            (None, _) => format!("{} {place}", action.verb()),
        }
    }

    /// Who is in and matches what is written.
    pub fn matches(&self) -> Vec<&Participant> {
        let sought = self.editor.text().trim().to_lowercase();
        let is_meant = |one: &&Participant| {
            let email = one.email.to_lowercase();
            // Of addresses that all end alike, the first part says who is meant.
            let local = email.split('@').next().unwrap_or_default();
            let address = if sought.contains('@') { &*email } else { local };
            one.name.to_lowercase().contains(&sought) || address.contains(&sought)
        };
        self.people.iter().filter(is_meant).collect()
    }

    /// Takes what is written; whether that was the last that is asked for, and then why it is done.
    pub fn confirm(&mut self) -> Result<Option<Option<String>>, FieldError> {
        let written = self.editor.text().trim().to_owned();
        match self.field {
            Field::Person => {
                self.person = Some(self.meant(&written)?);
                self.ask_why();
                Ok(None)
            }
            Field::Minutes => {
                let most = INSTANCE_DAYS_MAX * 24 * 60;
                let minutes = written
                    .trim_start_matches('+')
                    .trim_end_matches('m')
                    .parse();
                let minutes = minutes
                    .ok()
                    .filter(|minutes| (1..=most).contains(&i64::from(*minutes)))
                    .ok_or_else(|| format!("write a number of minutes, from 1 to {most}"))?;
                self.measure = Some(Measure::Extend(Longer {
                    minutes: Some(minutes),
                    todatetime: None,
                }));
                self.ask_why();
                Ok(None)
            }
            Field::Text => {
                let body = MessageBody::parse(&written).map_err(|error| format!("the {error}"))?;
                self.measure = Some(Measure::Announce { body });
                Ok(Some(None))
            }
            Field::Reason if written.is_empty() => Ok(Some(None)),
            Field::Reason => match parse_reason(&written) {
                Ok(reason) => Ok(Some(Some(reason))),
                Err(_) if written.len() > REASON_BYTES_MAX => {
                    Err(format!("the reason has more than {REASON_BYTES_MAX} bytes"))
                }
                Err(error) => Err(format!("the {error}")),
            },
        }
    }

    /// It is about this person: what is left to be asked is why.
    pub fn begin_with(&mut self, target: Target, name: String) {
        self.person = Some((target, name));
        self.ask_why();
    }

    /// The address that is meant.
    pub fn address(&self) -> Result<String, FieldError> {
        let written = self.editor.text().trim();
        let matches = self.matches();
        let picked = self.picked.min(matches.len().saturating_sub(1));
        match matches.get(picked) {
            Some(one) if !written.contains('@') || one.email.contains(written) => {
                Ok(one.email.clone())
            }
            _ if written.contains('@') => Ok(written.to_owned()),
            _ => Err("write the whole address of somebody who is not here".to_owned()),
        }
    }

    fn ask_why(&mut self) {
        self.field = Field::Reason;
        self.editor = Editor::new("");
    }

    /// Who is meant: the selected match, or whoever has the address.
    fn meant(&self, written: &str) -> Result<(Target, String), FieldError> {
        let matches = self.matches();
        let picked = self.picked.min(matches.len().saturating_sub(1));
        if let Some(one) = matches.get(picked) {
            let target = Target {
                user: Some(one.id),
                email: None,
            };
            return Ok((target, one.name.clone()));
        }
        if written.contains('@') {
            let target = Target {
                user: None,
                email: Some(written.to_owned()),
            };
            return Ok((target, written.to_owned()));
        }
        Err("nobody here is called so: write the whole address of somebody else".to_owned())
    }

    /// What is done, once everything is said.
    pub fn measure(&self) -> Option<Measure> {
        let target = || self.person.as_ref().map(|(target, _)| target.clone());
        Some(match self.action {
            Action::End => Measure::End {},
            Action::Lock => Measure::Lock {},
            Action::Unlock => Measure::Unlock {},
            Action::ReadOnly => Measure::ReadOnly {},
            Action::Writable => Measure::Writable {},
            Action::Extend | Action::Announce => return self.measure.clone(),
            Action::Mute => Measure::Mute(target()?),
            Action::Unmute => Measure::Unmute(target()?),
            Action::Remove => Measure::Remove {
                target: target()?,
                ban: false,
            },
            Action::Ban => Measure::Remove {
                target: target()?,
                ban: true,
            },
            Action::Unban => Measure::Unban(target()?),
            Action::Explain => return None,
        })
    }
}
