//! The dialog before a moderation action, the requests it sends, and their answers.

use plenary_shared::domain::{InstanceState, ModerationKind, Participant, Reject};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::protocol::{Explain, Moderate, Target, Verb};

use super::{Confirmed, Dialog, DialogField, DialogKind, done, phrase};
use crate::command::Nav;
use crate::model::Asked;
use crate::model::layer::dashboard::meeting_detail::DetailView;
use crate::model::layer::dashboard::{Dashboard, PAGE};
use crate::model::step::Step;
use crate::text;
use crate::theme::Tone;

impl Step<'_> {
    /// Opens a dialog for the marked meetings, or for the current one.
    pub(crate) fn open_dialog(&mut self, kind: DialogKind) {
        let current = self.model.current_instance();
        let selected = self.model.selected_participant();
        let in_detail = self.model.layers.is_top::<DetailView>();
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        let mut targets: Vec<InstanceId> =
            if kind.needs_user() || in_detail || dashboard.marked.is_empty() {
                current.into_iter().collect()
            } else {
                dashboard.marked.iter().copied().collect()
            };
        let rows = &dashboard.live.rows;
        let is_running = |id: &InstanceId| {
            rows.get(id).is_some_and(|row| {
                matches!(row.state, InstanceState::Active | InstanceState::Ending)
            })
        };
        targets.retain(|id| kind == DialogKind::Explain || is_running(id));
        let place = match targets.as_slice() {
            [] => {
                let error = "Only running meetings can be changed";
                return self.model.tell(Tone::Bad, error);
            }
            [id] => {
                let title = rows.get(id).map(|row| text::one_line(&row.title));
                format!("{} {id}", title.unwrap_or_default())
            }
            many => format!("{} meetings", many.len()),
        };
        let first = targets[0];
        let has_participants = is_running(&first);
        let mut dialog = Dialog::new(kind, targets, place);
        let selected = selected.filter(|_| kind.needs_user() && kind != DialogKind::Explain);
        let is_chosen = selected.is_some();
        if let Some((user, name)) = selected {
            let target = Target {
                user: Some(user),
                email: None,
            };
            dialog.choose(target, text::one_line(&name));
        }
        self.model.layers.push(dialog);
        if kind.needs_user() && !is_chosen && has_participants {
            self.ask(Verb::Participants(first), Asked::DialogParticipants(first));
        }
    }

    /// The participants that the dialog offers have arrived.
    pub(crate) fn dialog_participants(&mut self, id: InstanceId, participants: Vec<Participant>) {
        let dialog = self.model.layers.get_mut::<Dialog>();
        if let Some(dialog) = dialog.filter(|dialog| dialog.targets.first() == Some(&id)) {
            dialog.participants = participants;
        }
    }

    /// Closes the dialog without doing anything.
    pub(crate) fn cancel_dialog(&mut self) {
        self.model.layers.pop();
        self.model.tell(Tone::Plain, "Nothing changed");
    }

    /// Moves among the offered participants. Enter moves to the next field; after the last, it sends
    /// the request.
    pub(crate) fn dialog_nav(&mut self, nav: Nav) {
        let Some(dialog) = self.model.layers.get_mut::<Dialog>() else {
            return;
        };
        if nav != Nav::Enter {
            if dialog.field == DialogField::Participant {
                let last = dialog.matches().len().saturating_sub(1);
                let at = dialog.highlighted.min(last);
                dialog.highlighted = nav.moved(at, last, PAGE).unwrap_or(at);
            }
            return;
        }
        if dialog.kind == DialogKind::Explain {
            return match dialog.email() {
                Ok(email) => self.explain(&email),
                Err(error) => self.model.tell(Tone::Bad, error),
            };
        }
        match dialog.confirm() {
            Ok(Confirmed::Next) => {}
            Ok(Confirmed::Declined) => self.cancel_dialog(),
            Ok(Confirmed::Complete(reason)) => {
                if let Some(dialog) = self.model.layers.remove::<Dialog>() {
                    self.moderate(&dialog, reason.as_deref());
                }
            }
            Err(error) => self.model.tell(Tone::Bad, error),
        }
    }

    /// Asks the server why a user can or cannot join.
    fn explain(&mut self, email: &str) {
        let dialog = self.model.layers.remove::<Dialog>();
        let Some(id) = dialog.and_then(|dialog| dialog.targets.first().copied()) else {
            return;
        };
        let verb = Verb::Explain(Explain {
            instance: id,
            email: email.to_owned(),
        });
        if self.ask_or_tell(verb, Asked::Explain(id)) {
            // Clears an error about the input.
            self.model.notice = None;
            self.open_access(id, email.to_owned());
        }
    }

    fn moderate(&mut self, dialog: &Dialog, reason: Option<&str>) {
        let (DialogKind::Moderate(kind), Some(action)) = (dialog.kind, dialog.finished_action())
        else {
            return;
        };
        let mut sent = false;
        for (nth, instance) in (0_u128..).zip(&dialog.targets) {
            // Each key press brings one spare id. Its last, random bits vary for each meeting.
            let cmid = Cmid(uuid::Uuid::from_u128(self.spare.0.as_u128() ^ nth));
            let verb = Verb::Moderate(Moderate {
                instance: *instance,
                cmid,
                action: action.clone(),
                reason: reason.map(str::to_owned),
            });
            let name = dialog.name().to_owned();
            sent = self.ask_or_tell(verb, Asked::Moderate(*instance, kind, name));
        }
        if sent {
            self.with_dashboard(|dashboard| dashboard.marked.clear());
        }
    }

    /// A moderation action was done.
    pub(crate) fn moderation_done(&mut self, id: InstanceId, kind: ModerationKind, name: &str) {
        let text = done(kind, &self.place(id), &text::one_line(name));
        self.model.tell(Tone::Good, text);
    }

    /// A moderation action was refused.
    pub(crate) fn moderation_refused(
        &mut self,
        id: InstanceId,
        kind: ModerationKind,
        name: &str,
        reject: &Reject,
    ) {
        let phrase = phrase(kind, &self.place(id), &text::one_line(name));
        let text = format!("Could not {phrase}: {}", reject.detail);
        self.model.tell(Tone::Bad, text);
    }

    /// The connection was lost before a moderation action was answered.
    pub(crate) fn moderation_unknown(&mut self, id: InstanceId, kind: ModerationKind, name: &str) {
        let phrase = phrase(kind, &self.place(id), &text::one_line(name));
        let text = format!("Connection lost, result unknown: {phrase}. Check after reconnecting");
        self.model.tell(Tone::Bad, text);
    }
}
