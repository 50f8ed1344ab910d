//! The dashboard: subscription, navigation, and moderation of meetings.

use plenary_shared::domain::{Code, InstanceState, Participant, Reject};
use plenary_shared::ids::{Cmid, InstanceId};
use plenary_shared::protocol::{Board, BoardRow, Explain, Moderate, Target, Verb, Watch};

use super::Step;
use crate::command::{Command, DashboardCommand, MeetingsCommand, Nav};
use crate::model::Asked;
use crate::model::dashboard::{Dashboard, Dialog, DialogField, DialogKind, Sort};
use crate::model::layer::Chat;
use crate::model::overlay::Page;
use crate::model::sign_in::SignIn;
use crate::text;
use crate::theme::Tone;

/// Rows that a page key moves by; fits a small screen.
const PAGE: usize = 10;

impl Step<'_> {
    /// Opens the dashboard, returns to it from a chat, or closes it.
    pub(super) fn toggle_dashboard(&mut self) {
        if self.model.shows_dashboard() {
            return self.close_dashboard();
        }
        if self.model.layers.get::<SignIn>().is_some() {
            return;
        }
        if self.model.me.is_some() && !self.model.is_admin() {
            return self.model.tell(Tone::Bad, Code::AdminsOnly.sentence());
        }
        self.end_select();
        self.model.people_open = false;
        if !self.model.layers.return_to::<Dashboard>() {
            self.model.layers.clear();
            self.model.layers.push(Dashboard::default());
            self.watch();
        }
    }

    /// Subscribes to updates, if the dashboard is open.
    pub(super) fn watch(&mut self) {
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
    pub(super) fn watch_refused(&mut self, reject: &Reject) {
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
    pub(super) fn dashboard_updated(&mut self, update: Board) {
        if let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() {
            dashboard.apply(update);
        }
    }

    /// Closes the dialog, the detail, the filter, the marks, the pause or the dashboard: whichever
    /// is first.
    pub(super) fn back_on_dashboard(&mut self) {
        if self.model.shows_schedule() {
            return self.back_in_schedule();
        }
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        if dashboard.dialog.take().is_some() {
            self.model.tell(Tone::Plain, "Cancelled");
        } else if Self::back_in_detail(dashboard) {
            // The detail or its filter was closed.
        } else if dashboard.filtering || !dashboard.filter.is_empty() {
            dashboard.filtering = false;
            dashboard.filter.set("");
        } else if !dashboard.marked.is_empty() {
            dashboard.marked.clear();
        } else if dashboard.paused.take().is_none() {
            self.close_dashboard();
        }
    }

    /// Moves in the table, the detail, the schedule or the dialog that is open.
    pub(super) fn dashboard_nav(&mut self, nav: Nav) {
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        if dashboard.schedule.is_some() {
            self.schedule_nav(nav);
        } else if dashboard.dialog.is_some() {
            match nav {
                Nav::Enter => self.confirm_dialog(),
                nav => self.move_highlight(nav),
            }
        } else if dashboard.detail.is_some() {
            self.detail_nav(nav);
        } else if dashboard.filtering {
            // Enter leaves the filter, which stays in effect.
            dashboard.filtering &= nav != Nav::Enter;
        } else if nav == Nav::Enter {
            self.open_detail();
        } else {
            self.move_selection(|at, last| nav.moved(at, last, PAGE).unwrap_or(at));
        }
    }

    /// Runs a command of the dashboard.
    pub(super) fn dashboard_command(&mut self, command: DashboardCommand, nth: usize) {
        let has_detail = |dashboard: &Dashboard| dashboard.detail.is_some();
        let in_detail = self.model.layers.get::<Dashboard>().is_some_and(has_detail);
        match command {
            DashboardCommand::Filter if in_detail => self.filter_detail(),
            DashboardCommand::Sort | DashboardCommand::Mark if in_detail => {}
            DashboardCommand::Read => self.open_chat(),
            DashboardCommand::Explain => self.open_dialog(DialogKind::Explain),
            DashboardCommand::Filter => {
                self.with_dashboard(|dashboard| dashboard.filtering = true);
            }
            DashboardCommand::Sort => self.with_dashboard(|dashboard| {
                let sort = Sort::ALL.get(nth).copied().unwrap_or_default();
                dashboard.reversed = dashboard.sort == sort && !dashboard.reversed;
                dashboard.sort = sort;
            }),
            DashboardCommand::Pause => self.with_dashboard(|dashboard| {
                dashboard.paused = match dashboard.paused.take() {
                    Some(_) => None,
                    None => Some(dashboard.live.clone()),
                };
            }),
            DashboardCommand::Mark => self.toggle_mark(),
            DashboardCommand::Extend => self.open_dialog(DialogKind::Extend),
            DashboardCommand::End => self.open_dialog(DialogKind::End),
            DashboardCommand::Lock => {
                let locked = self.is_selected_row(|row| row.locked);
                self.open_dialog(if locked {
                    DialogKind::Unlock
                } else {
                    DialogKind::Lock
                });
            }
            DashboardCommand::ReadOnly => {
                let read_only = self.is_selected_row(|row| row.read_only);
                self.open_dialog(if read_only {
                    DialogKind::Writable
                } else {
                    DialogKind::ReadOnly
                });
            }
            DashboardCommand::Announce => self.open_dialog(DialogKind::Announce),
            DashboardCommand::Mute => self.open_dialog(DialogKind::Mute),
            DashboardCommand::Unmute => self.open_dialog(DialogKind::Unmute),
            DashboardCommand::Remove => self.open_dialog(DialogKind::Remove),
            DashboardCommand::Ban => self.open_dialog(DialogKind::Ban),
            DashboardCommand::Unban => self.open_dialog(DialogKind::Unban),
            DashboardCommand::Servers => self.open_page(Page::Servers),
            DashboardCommand::Schedule => self.toggle_schedule(),
        }
    }

    fn with_dashboard(&mut self, change: impl FnOnce(&mut Dashboard)) {
        if let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() {
            change(dashboard);
        }
    }

    fn is_selected_row(&self, predicate: impl Fn(&BoardRow) -> bool) -> bool {
        let dashboard = self.model.layers.get::<Dashboard>();
        dashboard
            .and_then(|dashboard| dashboard.row(self.model.now))
            .is_some_and(predicate)
    }

    fn move_selection(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let now = self.model.now;
        self.with_dashboard(|dashboard| {
            let rows = dashboard.rows(now);
            let last = rows.len().saturating_sub(1);
            let at = to(dashboard.selected_index(&rows), last);
            dashboard.selected = rows.get(at).map(|row| row.instance);
        });
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
        });
        self.move_selection(|at, last| (at + 1).min(last));
    }

    /// Opens the chat of the selected meeting.
    fn open_chat(&mut self) {
        let now = self.model.now;
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        let Some(id) = dashboard.current(now) else {
            return;
        };
        dashboard.selected = Some(id);
        self.model.layers.push(Chat);
        self.show(id);
        self.open(id);
        let back = self.model.back_key();
        let participants = self
            .model
            .key(Command::Meetings(MeetingsCommand::Participants));
        let text =
            format!("Opened {id} from the dashboard. {back} back · {participants} participants");
        self.model.tell(Tone::Plain, text);
    }

    /// Opens a dialog for the marked meetings, or for the selected one.
    fn open_dialog(&mut self, kind: DialogKind) {
        let now = self.model.now;
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        let single = kind.needs_user() || dashboard.detail.is_some();
        let mut targets: Vec<InstanceId> = if single || dashboard.marked.is_empty() {
            dashboard.current(now).into_iter().collect()
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
        dashboard.filtering = false;
        let mut dialog = Dialog::new(kind, targets, place);
        let selected = dashboard.selected_participant(now);
        let selected = selected.filter(|_| kind.needs_user() && kind != DialogKind::Explain);
        let is_chosen = selected.is_some();
        if let Some((user, name)) = selected {
            let target = Target {
                user: Some(user),
                email: None,
            };
            dialog.choose(target, text::one_line(&name));
        }
        dashboard.dialog = Some(dialog);
        if kind.needs_user() && !is_chosen && has_participants {
            self.ask(Verb::People(first), Asked::DialogParticipants(first));
        }
    }

    /// The participants that the dialog offers have arrived.
    pub(super) fn dialog_participants(&mut self, id: InstanceId, participants: Vec<Participant>) {
        let dashboard = self.model.layers.get_mut::<Dashboard>();
        let dialog = dashboard.and_then(|dashboard| dashboard.dialog.as_mut());
        if let Some(dialog) = dialog.filter(|dialog| dialog.targets.first() == Some(&id)) {
            dialog.participants = participants;
        }
    }

    fn move_highlight(&mut self, nav: Nav) {
        self.with_dashboard(|dashboard| {
            let dialog = dashboard.dialog.as_mut();
            if let Some(dialog) = dialog.filter(|one| one.field == DialogField::Participant) {
                let last = dialog.matches().len().saturating_sub(1);
                let at = dialog.highlighted.min(last);
                dialog.highlighted = nav.moved(at, last, PAGE).unwrap_or(at);
            }
        });
    }

    /// Moves the dialog to its next field; after the last, sends the request.
    fn confirm_dialog(&mut self) {
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        let Some(dialog) = &mut dashboard.dialog else {
            return;
        };
        if dialog.kind == DialogKind::Explain {
            return match dialog.email() {
                Ok(email) => self.explain(&email),
                Err(error) => self.model.tell(Tone::Bad, error),
            };
        }
        match dialog.confirm() {
            Ok(None) => {}
            Ok(Some(reason)) => {
                if let Some(dialog) = dashboard.dialog.take() {
                    self.moderate(&dialog, reason.as_deref());
                }
            }
            Err(error) => self.model.tell(Tone::Bad, error),
        }
    }

    /// Asks the server why a user can or cannot join.
    fn explain(&mut self, email: &str) {
        let dashboard = self.model.layers.get_mut::<Dashboard>();
        let dialog = dashboard.and_then(|dashboard| dashboard.dialog.take());
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
            self.open_page(Page::Access {
                instance: id,
                email: email.to_owned(),
                verdict: None,
            });
        }
    }

    fn moderate(&mut self, dialog: &Dialog, reason: Option<&str>) {
        let Some(action) = dialog.finished_action() else {
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
            sent = self.ask_or_tell(verb, Asked::Moderate(*instance, dialog.kind, name));
        }
        if sent {
            self.with_dashboard(|dashboard| dashboard.marked.clear());
        }
    }

    /// A moderation action was done.
    pub(super) fn moderation_done(&mut self, id: InstanceId, kind: DialogKind, name: &str) {
        let text = kind.done(&self.place(id), &text::one_line(name));
        self.model.tell(Tone::Good, text);
    }

    /// A moderation action was refused.
    pub(super) fn moderation_refused(
        &mut self,
        id: InstanceId,
        kind: DialogKind,
        name: &str,
        reject: &Reject,
    ) {
        let phrase = kind.phrase(&self.place(id), &text::one_line(name));
        let text = format!("Could not {phrase}: {}", reject.detail);
        self.model.tell(Tone::Bad, text);
    }

    /// The connection was lost before a moderation action was answered.
    pub(super) fn moderation_unknown(&mut self, id: InstanceId, kind: DialogKind, name: &str) {
        let phrase = kind.phrase(&self.place(id), &text::one_line(name));
        let text = format!("Connection lost, result unknown: {phrase}. Check after reconnecting");
        self.model.tell(Tone::Bad, text);
    }

    fn place(&self, id: InstanceId) -> String {
        let dashboard = self.model.layers.get::<Dashboard>();
        let row = dashboard.and_then(|dashboard| dashboard.live.rows.get(&id));
        match row {
            Some(row) => format!("{} {id}", text::one_line(&row.title)),
            None => self.title_of(id),
        }
    }
}
