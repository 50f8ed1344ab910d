//! The dialog before a moderation action: asks for its details one by one, then builds the request.

mod update;
pub mod view;

use plenary_shared::domain::{ModerationKind, Participant};
use plenary_shared::ids::InstanceId;
use plenary_shared::limits::{INSTANCE_DAYS_MAX, REASON_BYTES_MAX};
use plenary_shared::protocol::{Extension, RequestedAction, Target};
use plenary_shared::text::{MessageBody, parse_reason};
use plenary_shared::unicode::fold;

use crate::model::answer::is_yes;
use crate::model::editor::{Editor, KillRing};
use crate::text;

/// The minutes that the field holds when an extension is asked for.
const EXTEND_MINUTES: &str = "30";

/// What a dialog is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogKind {
    Moderate(ModerationKind),
    /// Shows why a user can or cannot join. Changes nothing.
    Explain,
}

/// The effect of Enter in a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The next field has the focus.
    Next,
    /// The question was answered with no: nothing is done.
    Declined,
    /// All fields are complete, with the optional reason.
    Complete(Option<String>),
}

/// A field of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogField {
    /// The name or email of a participant or user.
    Participant,
    /// `y`, before an action that cannot be undone.
    Confirmation,
    /// How many minutes to extend by.
    Minutes,
    Text,
    Reason,
}

/// An open dialog.
#[derive(Clone, Debug)]
pub struct Dialog {
    pub kind: DialogKind,
    /// The instances that the action applies to.
    pub targets: Vec<InstanceId>,
    /// The title of the only target, or how many targets there are.
    pub place: String,
    pub field: DialogField,
    pub editor: Editor,
    /// The participants of the first target, once the server has sent them.
    pub participants: Vec<Participant>,
    /// The highlighted row among [`Self::matches`].
    pub highlighted: usize,
    /// Who the action applies to, with their name or email, once chosen.
    pub chosen: Option<(Target, String)>,
    /// The action, once a field other than the reason has given its details.
    pub action: Option<RequestedAction>,
    ring: KillRing,
}

impl DialogKind {
    /// Whether it applies to one user.
    pub const fn needs_user(self) -> bool {
        use ModerationKind as Kind;
        match self {
            Self::Explain
            | Self::Moderate(Kind::Mute | Kind::Unmute | Kind::Remove | Kind::Ban | Kind::Unban) => {
                true
            }
            Self::Moderate(
                Kind::End
                | Kind::Extend
                | Kind::Lock
                | Kind::Unlock
                | Kind::ReadOnly
                | Kind::Writable
                | Kind::Announce,
            ) => false,
        }
    }

    /// Whether it takes away something that participants have: it asks first, and the default is no.
    pub const fn is_destructive(self) -> bool {
        use ModerationKind as Kind;
        match self {
            Self::Moderate(Kind::End | Kind::Remove | Kind::Ban) => true,
            Self::Explain
            | Self::Moderate(
                Kind::Mute
                | Kind::Unmute
                | Kind::Unban
                | Kind::Extend
                | Kind::Lock
                | Kind::Unlock
                | Kind::ReadOnly
                | Kind::Writable
                | Kind::Announce,
            ) => false,
        }
    }

    fn first_field(self) -> DialogField {
        match self {
            Self::Moderate(ModerationKind::Extend) => DialogField::Minutes,
            Self::Moderate(ModerationKind::Announce) => DialogField::Text,
            _ if self.needs_user() => DialogField::Participant,
            _ if self.is_destructive() => DialogField::Confirmation,
            _ => DialogField::Reason,
        }
    }
}

impl DialogField {
    /// The label above the input.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Participant => "Name or email",
            Self::Confirmation => "Type y to confirm. Enter cancels",
            Self::Minutes => "Minutes to add",
            Self::Text => "Message to all participants",
            Self::Reason => "Reason (optional, visible to all)",
        }
    }
}

impl Dialog {
    /// Opens a dialog at its first field.
    pub fn new(kind: DialogKind, targets: Vec<InstanceId>, place: String) -> Self {
        let field = kind.first_field();
        let initial = if field == DialogField::Minutes {
            EXTEND_MINUTES
        } else {
            ""
        };
        Self {
            kind,
            targets,
            place,
            field,
            editor: Editor::with_default(initial),
            participants: Vec::new(),
            highlighted: 0,
            chosen: None,
            action: None,
            ring: KillRing::default(),
        }
    }

    /// The title: the question with its object and action.
    pub fn title(&self) -> String {
        let mut phrase = match self.kind {
            DialogKind::Moderate(ModerationKind::Announce) => {
                return format!("Announcement for {}:", self.place);
            }
            DialogKind::Moderate(kind) => phrase(kind, &self.place, self.name()),
            DialogKind::Explain => format!("check whether a user can join {}", self.place),
        };
        if let Some(RequestedAction::Extend(Extension {
            minutes: Some(minutes),
            ..
        })) = self.action
        {
            phrase = format!("{phrase} by {minutes} minutes");
        }
        format!("{}?", text::capitalize(&phrase))
    }

    /// The name of the chosen user, or what stands for it until one is chosen.
    pub fn name(&self) -> &str {
        match (&self.chosen, self.kind) {
            (Some((_, name)), _) => name,
            (None, DialogKind::Moderate(ModerationKind::Unban) | DialogKind::Explain) => "a user",
            (None, _) => "a participant",
        }
    }

    pub fn input(&mut self) -> (&mut Editor, &mut KillRing) {
        (&mut self.editor, &mut self.ring)
    }

    /// The participants whose name or email matches the input.
    pub fn matches(&self) -> Vec<&Participant> {
        let query = fold(self.editor.text().trim());
        let is_match = |one: &&Participant| {
            let email = fold(one.email.as_deref().unwrap_or_default());
            // Participants often share a domain: it matches only after an @ is typed.
            let local = email.split('@').next().unwrap_or_default();
            let searched = if query.contains('@') { &*email } else { local };
            fold(&one.name).contains(&query) || searched.contains(&query)
        };
        self.participants.iter().filter(is_match).collect()
    }

    /// Takes the current field and moves to the next. Returns an error message for invalid input.
    pub fn confirm(&mut self) -> Result<Confirmed, String> {
        let input = self.editor.text().trim().to_owned();
        match self.field {
            DialogField::Participant => {
                let (target, name) = self.resolve_target(&input)?;
                self.choose(target, name);
                Ok(Confirmed::Next)
            }
            DialogField::Confirmation if input.is_empty() => Ok(Confirmed::Declined),
            DialogField::Confirmation if is_yes(&input) => {
                self.ask_reason();
                Ok(Confirmed::Next)
            }
            DialogField::Confirmation => Err(format!(
                "Not an answer: '{}'. Type y, or press Esc to cancel",
                text::one_line(&input)
            )),
            DialogField::Minutes => {
                self.action = Some(parse_extension(&input)?);
                self.ask_reason();
                Ok(Confirmed::Next)
            }
            DialogField::Text => {
                let body = MessageBody::parse(&input)
                    .map_err(|error| text::capitalize(&error.to_string()))?;
                self.action = Some(RequestedAction::Announce { body });
                Ok(Confirmed::Complete(None))
            }
            DialogField::Reason if input.is_empty() => Ok(Confirmed::Complete(None)),
            DialogField::Reason => match parse_reason(&input) {
                Ok(reason) => Ok(Confirmed::Complete(Some(reason))),
                Err(_) if input.len() > REASON_BYTES_MAX => Err(format!(
                    "Reason is {} bytes; the limit is {REASON_BYTES_MAX}",
                    input.len()
                )),
                Err(error) => Err(text::capitalize(&error.to_string())),
            },
        }
    }

    /// Sets who the action applies to, and asks for the confirmation or the reason.
    pub fn choose(&mut self, target: Target, name: String) {
        self.chosen = Some((target, name));
        if self.kind.is_destructive() {
            self.field = DialogField::Confirmation;
            self.editor = Editor::new("");
        } else {
            self.ask_reason();
        }
    }

    /// The email of the highlighted participant, or the one that was typed.
    pub fn email(&self) -> Result<String, String> {
        let input = self.editor.text().trim();
        let email = self.highlighted_match().and_then(|one| one.email.as_ref());
        match email {
            Some(email) if !input.contains('@') || email.contains(input) => Ok(email.clone()),
            _ if input.contains('@') => Ok(input.to_owned()),
            _ => Err("No match. Type the full email".to_owned()),
        }
    }

    /// The action, once all of its details are known. `None` for [`DialogKind::Explain`].
    pub fn finished_action(&self) -> Option<RequestedAction> {
        use ModerationKind as Kind;
        let DialogKind::Moderate(kind) = self.kind else {
            return None;
        };
        let target = || self.chosen.as_ref().map(|(target, _)| target.clone());
        Some(match kind {
            Kind::End => RequestedAction::End,
            Kind::Lock => RequestedAction::Lock,
            Kind::Unlock => RequestedAction::Unlock,
            Kind::ReadOnly => RequestedAction::ReadOnly,
            Kind::Writable => RequestedAction::Writable,
            Kind::Extend | Kind::Announce => return self.action.clone(),
            Kind::Mute => RequestedAction::Mute(target()?),
            Kind::Unmute => RequestedAction::Unmute(target()?),
            Kind::Remove => RequestedAction::Remove(target()?),
            Kind::Ban => RequestedAction::Ban(target()?),
            Kind::Unban => RequestedAction::Unban(target()?),
        })
    }

    fn ask_reason(&mut self) {
        self.field = DialogField::Reason;
        self.editor = Editor::new("");
    }

    fn highlighted_match(&self) -> Option<&Participant> {
        let matches = self.matches();
        let at = self.highlighted.min(matches.len().saturating_sub(1));
        matches.get(at).copied()
    }

    /// The highlighted participant, or the user with the email that was typed.
    fn resolve_target(&self, input: &str) -> Result<(Target, String), String> {
        if let Some(one) = self.highlighted_match() {
            let target = Target {
                user: Some(one.id),
                email: None,
            };
            return Ok((target, one.name.clone()));
        }
        if input.contains('@') {
            let target = Target {
                user: None,
                email: Some(input.to_owned()),
            };
            return Ok((target, input.to_owned()));
        }
        Err("No match. Type the full email".to_owned())
    }
}

/// An action as an infinitive: `mute grace in Retro 3/1`. `name`: the user it applies to.
pub fn phrase(kind: ModerationKind, place: &str, name: &str) -> String {
    match kind {
        ModerationKind::End => format!("end {place} now"),
        ModerationKind::Extend => format!("extend {place}"),
        ModerationKind::Lock => format!("lock {place}"),
        ModerationKind::Unlock => format!("unlock {place}"),
        ModerationKind::ReadOnly => format!("make {place} read-only"),
        ModerationKind::Writable => format!("turn read-only off in {place}"),
        ModerationKind::Announce => format!("make an announcement in {place}"),
        ModerationKind::Mute => format!("mute {name} in {place}"),
        ModerationKind::Unmute => format!("unmute {name} in {place}"),
        ModerationKind::Remove => format!("remove {name} from {place}"),
        ModerationKind::Ban => format!("ban {name} from {place}"),
        ModerationKind::Unban => format!("unban {name} in {place}"),
    }
}

/// The same in the past, as a sentence: `Muted grace in Retro 3/1`.
pub fn done(kind: ModerationKind, place: &str, name: &str) -> String {
    match kind {
        ModerationKind::End => format!("Ended {place}"),
        ModerationKind::Extend => format!("Extended {place}"),
        ModerationKind::Lock => format!("Locked {place}"),
        ModerationKind::Unlock => format!("Unlocked {place}"),
        ModerationKind::ReadOnly => format!("Made {place} read-only"),
        ModerationKind::Writable => format!("Turned read-only off in {place}"),
        ModerationKind::Announce => format!("Announcement sent to {place}"),
        ModerationKind::Mute => format!("Muted {name} in {place}"),
        ModerationKind::Unmute => format!("Unmuted {name} in {place}"),
        ModerationKind::Remove => format!("Removed {name} from {place}"),
        ModerationKind::Ban => format!("Banned {name} from {place}"),
        ModerationKind::Unban => format!("Unbanned {name} in {place}"),
    }
}

fn parse_extension(input: &str) -> Result<RequestedAction, String> {
    let most = INSTANCE_DAYS_MAX * 24 * 60;
    let minutes = input.trim_start_matches('+').trim_end_matches('m').parse();
    let minutes = minutes
        .ok()
        .filter(|minutes| (1..=most).contains(&i64::from(*minutes)))
        .ok_or_else(|| format!("Invalid minutes: '{input}'. Type a number from 1 to {most}"))?;
    Ok(RequestedAction::Extend(Extension {
        minutes: Some(minutes),
        todatetime: None,
    }))
}
