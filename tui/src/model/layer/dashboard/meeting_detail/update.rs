//! The detail of a meeting: navigation, its subscription, and the messages of a participant.

use plenary_shared::ids::{Seq, UserId};
use plenary_shared::protocol::{DetailUpdate, TimelineKind, UserMessages, Verb, Watch};

use super::{DetailView, MeetingDetail, Pane, ParticipantSort};
use crate::command::{DetailCommand, Nav};
use crate::model::Asked;
use crate::model::layer::dashboard::{Dashboard, PAGE};
use crate::model::step::Step;

/// The most messages of a participant that are shown.
const MESSAGES_MAX: usize = 200;

impl Step<'_> {
    /// Clears the filter, or closes the detail.
    pub(crate) fn back_in_detail(&mut self) {
        let view = self.model.layers.get_mut::<DetailView>();
        if view.is_some_and(|view| !view.filter.clear()) {
            self.model.layers.pop();
        }
    }

    /// Moves in the pane that has the focus. Enter opens the messages of the selected participant, or
    /// leaves the filter, which stays in effect.
    pub(crate) fn detail_nav(&mut self, nav: Nav) {
        let Some(view) = self.model.layers.get_mut::<DetailView>() else {
            return;
        };
        if view.filter.has_focus {
            view.filter.has_focus = nav != Nav::Enter;
        } else if nav == Nav::Enter {
            self.open_messages();
        } else {
            self.move_in_detail(|at, last| nav.moved(at, last, PAGE).unwrap_or(at));
        }
    }

    /// Runs a command of the detail.
    pub(crate) fn detail_command(&mut self, command: DetailCommand, nth: usize) {
        let Some(view) = self.model.layers.get_mut::<DetailView>() else {
            return;
        };
        match command {
            DetailCommand::Filter => view.filter.has_focus = true,
            DetailCommand::Pane => {
                view.pane = match view.pane {
                    Pane::Participants => Pane::Timeline,
                    Pane::Timeline => Pane::Participants,
                };
            }
            DetailCommand::Sort => {
                let sort = ParticipantSort::ALL.get(nth).copied().unwrap_or_default();
                view.reversed = view.sort == sort && !view.reversed;
                view.sort = sort;
            }
        }
    }

    fn move_in_detail(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let now = self.model.now;
        let Some((view, detail)) = self.model.detail() else {
            return;
        };
        let mut view = view.clone();
        match view.pane {
            Pane::Participants => {
                let rows = view.participants(detail, now);
                let at = to(view.participant_index(&rows), rows.len().saturating_sub(1));
                view.participant = rows.get(at).map(|one| one.user);
            }
            Pane::Timeline => {
                let rows = view.timeline(detail);
                let at = to(view.entry_index(&rows), rows.len().saturating_sub(1));
                // On the newest entry, the selection follows new ones.
                view.entry = rows.get(at).map(|one| one.number).filter(|_| at > 0);
            }
        }
        if let Some(open) = self.model.layers.get_mut::<DetailView>() {
            *open = view;
        }
    }

    /// Opens the messages of the selected participant; from a timeline entry, those up to it.
    fn open_messages(&mut self) {
        let Some((user, name, last)) = self.selected_author() else {
            return;
        };
        let Some(instance) = self.model.current_instance() else {
            return;
        };
        let request = UserMessages {
            instance,
            user,
            after: None,
            before: last.map(Seq::next),
            limit: MESSAGES_MAX,
        };
        if self.ask_or_tell(Verb::UserMessages(request), Asked::UserMessages) {
            self.open_user_messages(instance, name);
        }
    }

    /// The user and name of the selected row, and the seq of the message that it is about, if any.
    fn selected_author(&self) -> Option<(UserId, String, Option<Seq>)> {
        let (view, detail) = self.model.detail()?;
        match view.pane {
            Pane::Participants => {
                let (user, name) = view.selected_participant(detail, self.model.now)?;
                Some((user, name, None))
            }
            Pane::Timeline => {
                let timeline = view.timeline(detail);
                let entry = timeline.get(view.entry_index(&timeline))?;
                let seq = match &entry.kind {
                    TimelineKind::Message { .. } => entry.seq,
                    TimelineKind::Edited { target, .. } | TimelineKind::Deleted { target } => {
                        Some(*target)
                    }
                    TimelineKind::Opened
                    | TimelineKind::Join
                    | TimelineKind::Leave { .. }
                    | TimelineKind::Moderated { .. }
                    | TimelineKind::Closed { .. }
                    | TimelineKind::Denied { .. }
                    | TimelineKind::ConnectionLost
                    | TimelineKind::Reconnected => None,
                };
                Some((entry.user?, entry.name.clone(), seq))
            }
        }
    }

    /// Applies an update of the detail that is shown.
    pub(crate) fn detail_updated(&mut self, update: DetailUpdate) {
        let dashboard = self.model.layers.get_mut::<Dashboard>();
        if let Some(detail) = dashboard.and_then(|dashboard| dashboard.live.detail.as_mut()) {
            detail.apply(update);
        }
    }

    /// Requests the detail that the screen needs now, once the request before is answered.
    pub(crate) fn request_detail(&mut self) {
        let needed = self.model.detail_needed();
        let is_requested = |one: &Dashboard| one.detail_requested == needed;
        let dashboard = self.model.layers.get::<Dashboard>();
        if dashboard.is_none_or(is_requested) || !self.is_ready() || self.is_asked(&Asked::Watch) {
            return;
        }
        let watch = Watch {
            stop: false,
            instance: needed,
        };
        self.ask(Verb::Watch(watch), Asked::Watch);
        if let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() {
            dashboard.detail_requested = needed;
            dashboard.live.detail = needed.map(MeetingDetail::new);
        }
    }
}
