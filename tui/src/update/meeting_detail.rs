//! The detail of one meeting on the dashboard: navigation, and the messages of a participant.

use plenary_shared::ids::{InstanceId, Seq, UserId};
use plenary_shared::protocol::{Detail, TraceWhat, UserMessages, Verb, Watch};
use plenary_shared::time::Timestamp;

use super::Step;
use crate::command::{DetailCommand, Nav};
use crate::model::Asked;
use crate::model::dashboard::{Dashboard, DetailView, MeetingDetail, Pane, ParticipantSort};
use crate::model::overlay::Page;

/// Rows that a page key moves by; fits a small screen.
const PAGE: usize = 10;

/// The most messages of a participant that are shown.
const MESSAGES_MAX: usize = 200;

impl Step<'_> {
    /// Opens the detail of the selected meeting.
    pub(super) fn open_detail(&mut self) {
        let now = self.model.now;
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        if let Some(id) = dashboard.row(now).map(|row| row.instance) {
            dashboard.selected = Some(id);
            dashboard.detail = Some(DetailView::new(id));
        }
    }

    /// Closes the filter or the detail. False if no detail is open.
    pub(super) fn back_in_detail(dashboard: &mut Dashboard) -> bool {
        let Some(view) = &mut dashboard.detail else {
            return false;
        };
        if view.filtering || !view.filter.is_empty() {
            view.filtering = false;
            view.filter.set("");
        } else {
            dashboard.detail = None;
        }
        true
    }

    /// Moves in the open pane; Enter leaves the filter, or opens messages.
    pub(super) fn detail_nav(&mut self, nav: Nav) {
        let dashboard = self.model.layers.get::<Dashboard>();
        let view = dashboard.and_then(|dashboard| dashboard.detail.as_ref());
        if view.is_some_and(|view| view.filtering) {
            // The filter stays in effect.
            self.with_detail(|view| view.filtering &= nav != Nav::Enter);
        } else if nav == Nav::Enter {
            self.open_messages();
        } else {
            self.move_in_detail(|at, last| nav.moved(at, last, PAGE).unwrap_or(at));
        }
    }

    /// Opens the filter of the detail.
    pub(super) fn filter_detail(&mut self) {
        self.with_detail(|view| view.filtering = true);
    }

    /// Runs a command of the detail.
    pub(super) fn detail_command(&mut self, command: DetailCommand, nth: usize) {
        match command {
            DetailCommand::Pane => self.with_detail(|view| {
                view.pane = match view.pane {
                    Pane::Participants => Pane::Timeline,
                    Pane::Timeline => Pane::Participants,
                };
            }),
            DetailCommand::Sort => self.with_detail(|view| {
                let sort = ParticipantSort::ALL.get(nth).copied().unwrap_or_default();
                view.reversed = view.sort == sort && !view.reversed;
                view.sort = sort;
            }),
        }
    }

    fn with_detail(&mut self, change: impl FnOnce(&mut DetailView)) {
        let dashboard = self.model.layers.get_mut::<Dashboard>();
        if let Some(view) = dashboard.and_then(|dashboard| dashboard.detail.as_mut()) {
            change(view);
        }
    }

    fn move_in_detail(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let now = self.model.now;
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        let Some(mut view) = dashboard.detail.take() else {
            return;
        };
        if let Some(detail) = dashboard.detail_of(view.instance) {
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
        }
        dashboard.detail = Some(view);
    }

    /// Opens the messages of the selected participant; from a timeline entry, those up to it.
    fn open_messages(&mut self) {
        let now = self.model.now;
        let dashboard = self.model.layers.get::<Dashboard>();
        let selected = dashboard.and_then(|dashboard| selected_author(dashboard, now));
        let Some((instance, user, name, last)) = selected else {
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
            self.open_page(Page::Messages {
                instance,
                name,
                said: None,
            });
        }
    }

    /// Applies an update of the detail that is shown.
    pub(super) fn detail_updated(&mut self, update: Detail) {
        let dashboard = self.model.layers.get_mut::<Dashboard>();
        if let Some(detail) = dashboard.and_then(|dashboard| dashboard.live.detail.as_mut()) {
            detail.apply(update);
        }
    }

    /// Requests the detail that the screen needs now, once the request before is answered.
    pub(super) fn request_detail(&mut self) {
        let needed = self.model.detail_needed();
        let is_requested = |one: &Dashboard| one.detail_requested == needed;
        let is_requested = self
            .model
            .layers
            .get::<Dashboard>()
            .is_none_or(is_requested);
        if is_requested || !self.is_ready() || self.is_asked(&Asked::Watch) {
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

/// The user and name of the selected row, and the seq of the message that it is about, if any.
fn selected_author(
    dashboard: &Dashboard,
    now: Timestamp,
) -> Option<(InstanceId, UserId, String, Option<Seq>)> {
    let view = dashboard.detail.as_ref()?;
    let detail = dashboard.detail_of(view.instance)?;
    match view.pane {
        Pane::Participants => {
            let (user, name) = dashboard.selected_participant(now)?;
            Some((view.instance, user, name, None))
        }
        Pane::Timeline => {
            let timeline = view.timeline(detail);
            let entry = timeline.get(view.entry_index(&timeline))?;
            let seq = match &entry.what {
                TraceWhat::Message { .. } => entry.seq,
                TraceWhat::Edited { target, .. } | TraceWhat::Deleted { target } => Some(*target),
                TraceWhat::Opened
                | TraceWhat::Join
                | TraceWhat::Leave { .. }
                | TraceWhat::Moderated { .. }
                | TraceWhat::Closed { .. }
                | TraceWhat::Denied { .. }
                | TraceWhat::Lost
                | TraceWhat::Back => None,
            };
            Some((view.instance, entry.user?, entry.name.clone(), seq))
        }
    }
}
