//! What an admin plans, field by field, until it can be asked for.

use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{Plan, Planned, PlannedInstance};
use plenary_shared::text::{parse_description, parse_reason, parse_title};
use plenary_shared::time::{Timestamp, parse_length};

use crate::clock::Zone;
use crate::model::editor::Editor;

/// How a field says that everybody may join.
const EVERYBODY: &str = "everybody";
/// How long a meeting lasts where nothing else is written.
const LENGTH: &str = "45m";

/// What is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A new meeting.
    Add,
    /// Another title, description, or kind.
    Edit(MeetingId),
    /// More people may join.
    Invite(MeetingId),
    /// Some may not any more.
    Uninvite(MeetingId),
    /// The people of a file may join.
    Import(MeetingId),
    /// One more instance.
    Schedule(MeetingId),
    /// Another time.
    Move(InstanceId),
    /// It does not take place.
    Cancel(InstanceId),
}

/// What a field is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// One line.
    Title,
    /// What it is about.
    About,
    /// Everybody, or who.
    Who,
    /// Addresses.
    Addresses,
    /// Where a list of addresses is.
    File,
    /// Whether others are taken out.
    Replace,
    /// When it begins.
    Begins,
    /// How long it lasts, or until when.
    Lasts,
    /// Why.
    Reason,
}

/// What is being written.
#[derive(Clone, Debug)]
pub struct Form {
    /// What for.
    pub deed: Deed,
    /// What the meeting is called.
    pub place: String,
    /// Its fields, each with what is written there.
    pub fields: Vec<(Field, Editor)>,
    /// Where keys go.
    pub at: usize,
    /// What is wrong, with the field of that place.
    pub wrong: Option<String>,
    /// Whether it was asked for and is not answered yet.
    pub asked: bool,
}

/// What a form that is filled in asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// This, of the server.
    Plan(Plan),
    /// What stands in a file, first.
    File {
        /// Where it is, as the person wrote it.
        path: String,
        /// For which meeting.
        meeting: MeetingId,
        /// Whether others are taken out.
        replace: bool,
    },
}

impl Deed {
    /// What it does, before the meeting's title.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Add => "add a meeting",
            Self::Edit(_) => "edit",
            Self::Invite(_) => "invite people to",
            Self::Uninvite(_) => "take people out of the audience of",
            Self::Import(_) => "import the audience of",
            Self::Schedule(_) => "schedule",
            Self::Move(_) => "move",
            Self::Cancel(_) => "cancel",
        }
    }

    const fn fields(self) -> &'static [Field] {
        match self {
            Self::Add | Self::Edit(_) => &[Field::Title, Field::About, Field::Who],
            Self::Invite(_) | Self::Uninvite(_) => &[Field::Addresses],
            Self::Import(_) => &[Field::File, Field::Replace],
            Self::Schedule(_) | Self::Move(_) => &[Field::Begins, Field::Lasts],
            Self::Cancel(_) => &[Field::Reason],
        }
    }
}

impl Field {
    /// What the form calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Title => "Title",
            Self::About => "About",
            Self::Who => "Who joins",
            Self::Addresses => "Addresses",
            Self::File => "File",
            Self::Replace => "Only those",
            Self::Begins => "Begins",
            Self::Lasts => "Lasts",
            Self::Reason => "Why",
        }
    }

    /// What may stand in it.
    pub const fn hint(self, deed: Deed) -> &'static str {
        match (self, deed) {
            (Self::Title, _) => "one line",
            (Self::About, _) => "what it is about; may be empty",
            (Self::Who, Deed::Edit(_)) => "'everybody', or 'audience': those who are invited",
            (Self::Who, _) => "'everybody', or addresses with blanks or commas between",
            (Self::Addresses, _) => "with blanks or commas between; a list can be pasted",
            (Self::File, _) => "CSV, or an address a line",
            (Self::Replace, _) => "yes: who is not in the file is taken out; or no",
            (Self::Begins, _) => "2026-05-06 13:00, now, or in 5m",
            (Self::Lasts, _) => "45m, 1h30m, or until when: 2026-05-06 14:00",
            (Self::Reason, _) => "may be empty",
        }
    }
}

impl Form {
    /// An empty one, or with what is known already.
    pub fn new(deed: Deed, place: String, of: Option<&Planned>, zone: Zone) -> Self {
        let instance = match deed {
            Deed::Move(id) | Deed::Cancel(id) => {
                of.and_then(|planned| planned.instances.iter().find(|one| one.id == id))
            }
            _ => None,
        };
        let fields = deed.fields().iter().map(|field| {
            let known = known(*field, deed, of, instance, zone);
            (*field, Editor::new(known))
        });
        Self {
            deed,
            place,
            fields: fields.collect(),
            at: 0,
            wrong: None,
            asked: false,
        }
    }

    /// What stands in its frame.
    pub fn title(&self) -> String {
        match self.deed {
            Deed::Add => self.deed.verb().to_owned(),
            _ => format!("{} {}", self.deed.verb(), self.place),
        }
    }

    /// The text that keys go to.
    pub fn editor(&mut self) -> &mut Editor {
        let at = self.at.min(self.fields.len() - 1);
        &mut self.fields[at].1
    }

    /// Another field, around the ends.
    pub fn step(&mut self, forward: bool) {
        let count = self.fields.len();
        let by = if forward { 1 } else { count - 1 };
        self.at = (self.at + by) % count;
    }

    /// Goes on to the next field; from the last, what all of them ask for. What is wrong is said, and
    /// the cursor stands there.
    pub fn confirm(&mut self, now: Timestamp, zone: Zone) -> Option<Wanted> {
        self.wrong = None;
        if self.at + 1 < self.fields.len() {
            self.at += 1;
            return None;
        }
        match self.wanted(now, zone) {
            Ok(wanted) => Some(wanted),
            Err((field, why)) => {
                let at = self.fields.iter().position(|(other, _)| *other == field);
                self.at = at.unwrap_or(self.at);
                self.wrong = Some(why);
                None
            }
        }
    }

    fn text(&self, field: Field) -> &str {
        let found = self.fields.iter().find(|(other, _)| *other == field);
        found.map_or("", |(_, editor)| editor.text().trim())
    }

    fn wanted(&self, now: Timestamp, zone: Zone) -> Result<Wanted, (Field, String)> {
        let plan = match self.deed {
            Deed::Add => {
                let (is_public, audience) = self.who();
                if !is_public && audience.is_empty() {
                    let why = "nobody could join: write 'everybody', or addresses";
                    return Err((Field::Who, why.to_owned()));
                }
                Plan::Add {
                    title: self.title_written()?,
                    description: self.about_written()?,
                    is_public,
                    audience,
                }
            }
            Deed::Edit(meeting) => {
                let is_public = match self.text(Field::Who) {
                    EVERYBODY => true,
                    "audience" => false,
                    _ => {
                        let why = "write 'everybody' or 'audience'";
                        return Err((Field::Who, why.to_owned()));
                    }
                };
                Plan::Edit {
                    meeting,
                    title: Some(self.title_written()?),
                    description: Some(self.about_written()?),
                    is_public: Some(is_public),
                }
            }
            Deed::Invite(meeting) => Plan::Audience {
                meeting,
                add: self.addresses_written()?,
                remove: Vec::new(),
            },
            Deed::Uninvite(meeting) => Plan::Audience {
                meeting,
                add: Vec::new(),
                remove: self.addresses_written()?,
            },
            Deed::Import(meeting) => return self.import(meeting),
            Deed::Schedule(meeting) => {
                let (fromdatetime, todatetime) = self.times(now, zone)?;
                Plan::Schedule {
                    meeting,
                    fromdatetime,
                    todatetime,
                }
            }
            Deed::Move(instance) => {
                let (fromdatetime, todatetime) = self.times(now, zone)?;
                Plan::Move {
                    instance,
                    fromdatetime,
                    todatetime,
                }
            }
            Deed::Cancel(instance) => {
                let written = Some(self.text(Field::Reason)).filter(|text| !text.is_empty());
                let reason = written.map(parse_reason).transpose();
                let reason = reason.map_err(|error| (Field::Reason, error.to_string()))?;
                Plan::Cancel { instance, reason }
            }
        };
        Ok(Wanted::Plan(plan))
    }

    fn title_written(&self) -> Result<String, (Field, String)> {
        parse_title(self.text(Field::Title)).map_err(|error| (Field::Title, error.to_string()))
    }

    fn about_written(&self) -> Result<String, (Field, String)> {
        parse_description(self.text(Field::About))
            .map_err(|error| (Field::About, error.to_string()))
    }

    /// Whether everybody may join, and otherwise who.
    fn who(&self) -> (bool, Vec<String>) {
        match self.text(Field::Who) {
            EVERYBODY => (true, Vec::new()),
            written => (false, addresses(written)),
        }
    }

    fn addresses_written(&self) -> Result<Vec<String>, (Field, String)> {
        let found = addresses(self.text(Field::Addresses));
        if found.is_empty() {
            let why = "write an address, or several".to_owned();
            return Err((Field::Addresses, why));
        }
        Ok(found)
    }

    fn import(&self, meeting: MeetingId) -> Result<Wanted, (Field, String)> {
        let path = self.text(Field::File);
        if path.is_empty() {
            return Err((Field::File, "name a file".to_owned()));
        }
        let replace = match self.text(Field::Replace).to_lowercase().as_str() {
            "yes" | "y" => true,
            "no" | "n" | "" => false,
            _ => return Err((Field::Replace, "write yes or no".to_owned())),
        };
        Ok(Wanted::File {
            path: path.to_owned(),
            meeting,
            replace,
        })
    }

    fn times(&self, now: Timestamp, zone: Zone) -> Result<(Timestamp, Timestamp), (Field, String)> {
        let from = zone
            .parse_when(self.text(Field::Begins), now)
            .map_err(|error| (Field::Begins, error.to_string()))?;
        let lasts = self.text(Field::Lasts);
        let to = match parse_length(lasts) {
            Ok(length) => from.plus_ms(length.num_milliseconds()),
            Err(no_length) => zone
                .parse_when(lasts, now)
                .map_err(|_| (Field::Lasts, no_length.to_string()))?,
        };
        if to <= from {
            let why = "it ends before it begins".to_owned();
            return Err((Field::Lasts, why));
        }
        Ok((from, to))
    }
}

/// The addresses in a text, each once, in their order.
fn addresses(written: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '"');
    for one in written.split(between).filter(|one| one.contains('@')) {
        if found.iter().all(|other| !other.eq_ignore_ascii_case(one)) {
            found.push(one.to_owned());
        }
    }
    found
}

/// What a field holds before anything is written.
fn known(
    field: Field,
    deed: Deed,
    of: Option<&Planned>,
    instance: Option<&PlannedInstance>,
    zone: Zone,
) -> String {
    let meeting = of.map(|planned| &planned.meeting);
    let of_edit = meeting.filter(|_| matches!(deed, Deed::Edit(_)));
    match (field, of_edit, instance) {
        (Field::Title, Some(meeting), _) => meeting.title.clone(),
        (Field::About, Some(meeting), _) => meeting.description.clone(),
        (Field::Who, Some(meeting), _) if !meeting.is_public => "audience".to_owned(),
        (Field::Who, _, _) => EVERYBODY.to_owned(),
        (Field::Begins, _, Some(instance)) => zone.ymd_hm(instance.fromdatetime),
        (Field::Lasts, _, Some(instance)) => length(instance),
        (Field::Lasts, _, None) => LENGTH.to_owned(),
        (Field::Replace, _, _) => "no".to_owned(),
        _ => String::new(),
    }
}

/// How long an instance lasts, as one writes it.
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
