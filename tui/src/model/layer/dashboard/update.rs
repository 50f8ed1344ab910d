//! The dashboard: its subscription, its table, and the commands for meetings.

use plenary_shared::domain::{Code, ModerationKind, Reject};
use plenary_shared::ids::InstanceId;
use plenary_shared::protocol::{DashboardRow, DashboardUpdate, Verb, Watch};

use super::meeting_detail::DetailView;
use super::moderation_dialog::DialogKind;
use super::{Dashboard, PAGE, Sort};
use crate::command::{AppCommand, Command, DashboardCommand, MeetingAction, MeetingsCommand, Nav};
use crate::model::Asked;
use crate::model::layer::Chat;
use crate::model::layer::sign_in::SignIn;
use crate::model::step::Step;
use crate::text;
use crate::theme::Tone;

impl Step<'_> {
    /// Opens the dashboard, returns to it from a chat, or closes it.
    pub(crate) fn toggle_dashboard(&mut self) {
        if self.model.shows_dashboard() {
            return self.close_dashboard();
        }
        if self.model.layers.get::<SignIn>().is_some() {
            return;
        }
        if self.model.session.me.is_some() && !self.model.is_admin() {
            return self.model.tell(Tone::Bad, Code::AdminsOnly.sentence());
        }
        self.close_selection();
        self.model.people_open = false;
        if self.model.layers.get::<Dashboard>().is_some() {
            self.model.layers.close::<Chat>();
        } else {
            self.model.layers.clear();
            self.model.layers.push(Dashboard::default());
            self.watch();
        }
    }

    /// Subscribes to updates, if the dashboard is open.
    pub(crate) fn watch(&mut self) {
        if let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() {
            // The detail of a meeting is requested once this is answered.
            dashboard.detail_requested = None;
            dashboard.live.detail = None;
            self.ask(Verb::Watch(Watch::default()), Asked::Watch);
            self.load_schedule();
        }
    }

    fn close_dashboard(&mut self) {
        self.model.layers.close::<Dashboard>();
        let stop = Watch {
            stop: true,
            instance: None,
        };
        self.ask(Verb::Watch(stop), Asked::Watch);
    }

    /// The subscription, or the one to a meeting's detail, was refused.
    pub(crate) fn watch_refused(&mut self, reject: &Reject) {
        if reject.code == Code::AdminsOnly {
            self.model.layers.close::<Dashboard>();
        }
        let dashboard = self.model.layers.get_mut::<Dashboard>();
        if let Some(detail) = dashboard.and_then(|dashboard| dashboard.live.detail.as_mut()) {
            detail.refused = Some(reject.detail.clone());
        }
        self.show_rejection(reject);
    }

    /// Applies an update. Updates that arrive after the dashboard was closed are dropped.
    pub(crate) fn dashboard_updated(&mut self, update: DashboardUpdate) {
        self.with_dashboard(|dashboard| dashboard.apply(update));
    }

    /// Clears the filter, the marks or the pause, or closes the dashboard: whichever is first.
    pub(crate) fn back_on_dashboard(&mut self) {
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        if dashboard.filter.clear() {
            // The filter is gone.
        } else if !dashboard.marked.is_empty() {
            dashboard.marked.clear();
        } else if dashboard.paused.take().is_none() {
            self.close_dashboard();
        }
    }

    /// Moves in the table. Enter opens the detail, or leaves the filter, which stays in effect.
    pub(crate) fn dashboard_nav(&mut self, nav: Nav) {
        let now = self.model.now;
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        if dashboard.filter.has_focus {
            dashboard.filter.has_focus = nav != Nav::Enter;
        } else if nav != Nav::Enter {
            dashboard.move_selection(now, |at, last| nav.moved(at, last, PAGE).unwrap_or(at));
        } else if let Some(id) = dashboard.row(now).map(|row| row.instance) {
            dashboard.selected = Some(id);
            self.model.layers.push(DetailView::new(id));
        }
    }

    /// Runs a command of the dashboard.
    pub(crate) fn dashboard_command(&mut self, command: DashboardCommand, nth: usize) {
        match command {
            DashboardCommand::Filter => self.with_dashboard(|one| one.filter.has_focus = true),
            DashboardCommand::Sort => self.with_dashboard(|dashboard| {
                let sort = Sort::ALL.get(nth).copied().unwrap_or_default();
                dashboard.reversed = dashboard.sort == sort && !dashboard.reversed;
                dashboard.sort = sort;
            }),
            DashboardCommand::Mark => self.toggle_mark(),
            DashboardCommand::Servers => self.open_servers(),
            DashboardCommand::Schedule => self.open_schedule(),
        }
    }

    /// Acts on the selected or marked meetings.
    pub(crate) fn meeting_action(&mut self, action: MeetingAction) {
        let kind = match action {
            MeetingAction::Pause => return self.with_dashboard(Dashboard::toggle_pause),
            MeetingAction::Chat => return self.open_chat(),
            MeetingAction::Explain => return self.open_dialog(DialogKind::Explain),
            MeetingAction::Extend => ModerationKind::Extend,
            MeetingAction::End => ModerationKind::End,
            MeetingAction::Lock if self.is_current_row(|row| row.locked) => ModerationKind::Unlock,
            MeetingAction::Lock => ModerationKind::Lock,
            MeetingAction::ReadOnly if self.is_current_row(|row| row.read_only) => {
                ModerationKind::Writable
            }
            MeetingAction::ReadOnly => ModerationKind::ReadOnly,
            MeetingAction::Announce => ModerationKind::Announce,
            MeetingAction::Mute => ModerationKind::Mute,
            MeetingAction::Unmute => ModerationKind::Unmute,
            MeetingAction::Remove => ModerationKind::Remove,
            MeetingAction::Ban => ModerationKind::Ban,
            MeetingAction::Unban => ModerationKind::Unban,
        };
        self.open_dialog(DialogKind::Moderate(kind));
    }

    pub(super) fn with_dashboard(&mut self, change: impl FnOnce(&mut Dashboard)) {
        if let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() {
            change(dashboard);
        }
    }

    fn is_current_row(&self, predicate: impl Fn(&DashboardRow) -> bool) -> bool {
        let dashboard = self.model.layers.get::<Dashboard>();
        dashboard
            .and_then(|dashboard| dashboard.live.rows.get(&self.model.current_instance()?))
            .is_some_and(predicate)
    }

    fn toggle_mark(&mut self) {
        let now = self.model.now;
        self.with_dashboard(|dashboard| {
            let Some(id) = dashboard.row(now).map(|row| row.instance) else {
                return;
            };
            if !dashboard.marked.remove(&id) {
                dashboard.marked.insert(id);
            }
            dashboard.move_selection(now, |at, last| (at + 1).min(last));
        });
    }

    /// Opens the chat of the selected meeting.
    fn open_chat(&mut self) {
        let Some(id) = self.model.current_instance() else {
            return;
        };
        self.with_dashboard(|dashboard| dashboard.selected = Some(id));
        self.model.layers.push(Chat);
        self.show(id);
        self.open(id);
        let back = self.model.key(Command::App(AppCommand::Back));
        let list = self
            .model
            .key(Command::Meetings(MeetingsCommand::Participants));
        let text = format!("Opened {id} from the dashboard. {back} back · {list} participants");
        self.model.tell(Tone::Plain, text);
    }

    /// The title and number of an instance, for messages: `Retro 3/1`.
    pub(super) fn place(&self, id: InstanceId) -> String {
        let dashboard = self.model.layers.get::<Dashboard>();
        let row = dashboard.and_then(|dashboard| dashboard.live.rows.get(&id));
        match row {
            Some(row) => format!("{} {id}", text::one_line(&row.title)),
            None => self.title_of(id),
        }
    }
}
