//! The schedule: loading, navigation, forms, and the answers to their requests.

use plenary_shared::domain::{InstanceState, Reject};
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{Plan, PlanOk, Verb};

use super::Step;
use crate::command::{Command, Nav, ScheduleCommand};
use crate::effect::Effect;
use crate::model::Asked;
use crate::model::dashboard::Dashboard;
use crate::model::overlay::Page;
use crate::model::schedule::{Form, FormKind, FormResult, Row, RowId, Schedule};
use crate::theme::Tone;

/// Rows that a page key moves by; fits a small screen.
const PAGE: usize = 10;

impl Step<'_> {
    /// Opens the schedule from the dashboard, or closes it.
    pub(super) fn toggle_schedule(&mut self) {
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        if dashboard.schedule.take().is_none() {
            dashboard.schedule = Some(Schedule::default());
            self.load_schedule();
        }
    }

    /// Requests the first page of the schedule, if it is open.
    pub(super) fn load_schedule(&mut self) {
        if self.model.schedule().is_some() && !self.is_asked(&Asked::Schedule) {
            self.ask(Verb::Plan(Plan::Meetings { after: None }), Asked::Schedule);
        }
    }

    /// Adds a page of the schedule, and requests the next.
    pub(super) fn schedule_loaded(&mut self, ok: &PlanOk) {
        let Some(schedule) = self.model.schedule_mut() else {
            return;
        };
        let next = schedule.apply(ok);
        schedule.complete = next.is_none();
        if next.is_some() {
            let page = Plan::Meetings { after: next };
            self.ask(Verb::Plan(page), Asked::Schedule);
        }
    }

    /// Closes the form, the filter or the schedule, whichever is first.
    pub(super) fn back_in_schedule(&mut self) {
        let Some(dashboard) = self.model.layers.get_mut::<Dashboard>() else {
            return;
        };
        let Some(schedule) = &mut dashboard.schedule else {
            return;
        };
        if schedule.form.take().is_some() {
            self.model.tell(Tone::Plain, "Cancelled");
        } else if schedule.filtering || !schedule.filter.is_empty() {
            schedule.filtering = false;
            schedule.filter.set("");
        } else {
            dashboard.schedule = None;
        }
    }

    /// Moves in the schedule or in its form; Enter opens the details, or confirms.
    pub(super) fn schedule_nav(&mut self, nav: Nav) {
        let Some(schedule) = self.model.schedule_mut() else {
            return;
        };
        if let Some(form) = &mut schedule.form {
            match nav {
                Nav::Down | Nav::NextField => form.step(true),
                Nav::Up | Nav::PreviousField => form.step(false),
                Nav::Enter => self.confirm_form(),
                Nav::PageUp | Nav::PageDown | Nav::First | Nav::Last => {}
            }
        } else if schedule.filtering {
            // Enter leaves the filter, which stays in effect.
            schedule.filtering &= nav != Nav::Enter;
        } else if nav == Nav::Enter {
            self.open_planned_meeting();
        } else {
            self.move_in_schedule(|at, last| nav.moved(at, last, PAGE).unwrap_or(at));
        }
    }

    /// Runs a command of the schedule.
    pub(super) fn schedule_command(&mut self, command: ScheduleCommand) {
        match command {
            ScheduleCommand::Filter => self.with_schedule(|schedule| schedule.filtering = true),
            ScheduleCommand::Past => self.with_schedule(|schedule| schedule.past = !schedule.past),
            ScheduleCommand::Reload => {
                self.with_schedule(|schedule| schedule.meetings.clear());
                self.load_schedule();
            }
            ScheduleCommand::Add => self.open_form(FormKind::Add),
            ScheduleCommand::Edit => self.open_meeting_form(FormKind::Edit),
            ScheduleCommand::Invite => self.open_audience_form(FormKind::Invite),
            ScheduleCommand::Uninvite => self.open_audience_form(FormKind::Uninvite),
            ScheduleCommand::Import => self.open_audience_form(FormKind::Import),
            ScheduleCommand::Schedule => self.open_meeting_form(FormKind::Schedule),
            ScheduleCommand::Move => self.open_instance_form(FormKind::Move),
            ScheduleCommand::Cancel => self.open_instance_form(FormKind::Cancel),
        }
    }

    fn with_schedule(&mut self, change: impl FnOnce(&mut Schedule)) {
        if let Some(schedule) = self.model.schedule_mut() {
            change(schedule);
        }
    }

    fn move_in_schedule(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        self.with_schedule(|schedule| {
            let rows = schedule.rows();
            let last = rows.len().saturating_sub(1);
            let at = to(schedule.selected_index(&rows), last);
            schedule.selected = rows.get(at).map(Row::id);
        });
    }

    fn selected_row(&self) -> Option<RowId> {
        self.model.schedule().and_then(Schedule::selected_row)
    }

    /// Opens a page with everything about the selected meeting.
    fn open_planned_meeting(&mut self) {
        if let Some(row) = self.selected_row() {
            self.open_page(Page::Planned(row.meeting()));
        }
    }

    fn open_meeting_form(&mut self, kind: impl FnOnce(MeetingId) -> FormKind) {
        if let Some(row) = self.selected_row() {
            self.open_form(kind(row.meeting()));
        }
    }

    fn open_audience_form(&mut self, kind: impl FnOnce(MeetingId) -> FormKind) {
        let schedule = self.model.schedule();
        let planned = self
            .selected_row()
            .and_then(|row| schedule?.meetings.get(&row.meeting()));
        let Some(planned) = planned else {
            return;
        };
        if planned.meeting.is_public {
            let key = self.model.key(Command::Schedule(ScheduleCommand::Edit));
            let error = format!("The meeting is public. Make it private first ({key})");
            return self.model.tell(Tone::Bad, error);
        }
        let kind = kind(planned.meeting.id);
        self.open_form(kind);
    }

    fn open_instance_form(&mut self, kind: impl FnOnce(InstanceId) -> FormKind) {
        let schedule = self.model.schedule();
        let instance = match (self.selected_row(), schedule) {
            (Some(RowId::Instance(id)), Some(schedule)) => schedule.instance(id),
            _ => None,
        };
        let error = match instance.map(|one| (one.id, one.state)) {
            Some((id, InstanceState::Scheduled)) => return self.open_form(kind(id)),
            Some((_, InstanceState::Active | InstanceState::Ending)) => {
                "Already running. Extend or end it on the dashboard"
            }
            Some((_, InstanceState::Ended)) => "Already ended",
            None => "Select an instance below the meeting",
        };
        self.model.tell(Tone::Bad, error);
    }

    fn open_form(&mut self, kind: FormKind) {
        let zone = self.model.zone;
        self.with_schedule(|schedule| {
            let row = match kind {
                FormKind::Add => None,
                FormKind::Edit(id)
                | FormKind::Invite(id)
                | FormKind::Uninvite(id)
                | FormKind::Import(id)
                | FormKind::Schedule(id) => Some(RowId::Meeting(id)),
                FormKind::Move(id) | FormKind::Cancel(id) => Some(RowId::Instance(id)),
            };
            let name = row.map(|row| schedule.name(row)).unwrap_or_default();
            let meeting = row.and_then(|row| schedule.meetings.get(&row.meeting()));
            let form = Form::new(kind, name, meeting, zone);
            schedule.filtering = false;
            schedule.form = Some(form);
        });
        self.model.notice = None;
    }

    /// Moves to the next field of the form; from the last one, sends the request.
    fn confirm_form(&mut self) {
        let (now, zone) = (self.model.now, self.model.zone);
        let Some(schedule) = self.model.schedule_mut() else {
            return;
        };
        let Some(form) = &mut schedule.form else {
            return;
        };
        if form.sent {
            return;
        }
        let kind = form.kind;
        match form.confirm(now, zone) {
            Some(FormResult::Request(plan)) => self.send_form(plan, kind),
            Some(FormResult::ReadFile {
                path,
                meeting,
                replace,
            }) => self.out.push(Effect::ReadList {
                path,
                meeting,
                replace,
            }),
            None => {}
        }
    }

    fn send_form(&mut self, plan: Plan, kind: FormKind) {
        let sent = self.ask_or_tell(Verb::Plan(plan), Asked::Plan(kind));
        self.with_schedule(|schedule| {
            if let Some(form) = &mut schedule.form {
                form.sent = sent;
            }
        });
    }

    /// The file of an import was read, or could not be.
    pub(super) fn list_read(
        &mut self,
        meeting: MeetingId,
        replace: bool,
        read: Result<String, String>,
    ) {
        match read {
            Ok(text) => {
                let plan = Plan::Import {
                    meeting,
                    text,
                    replace,
                };
                self.send_form(plan, FormKind::Import(meeting));
            }
            Err(error) => self.form_failed(FormKind::Import(meeting), error),
        }
    }

    /// A change of the schedule was done.
    pub(super) fn planned(&mut self, kind: FormKind, ok: PlanOk) {
        let Some(schedule) = self.model.schedule_mut() else {
            return self.model.tell(Tone::Good, "Schedule changed");
        };
        let _ = schedule.apply(&ok);
        if schedule.form.as_ref().is_some_and(|form| form.kind == kind) {
            schedule.form = None;
        }
        let changed = ok.meetings.first().map(|planned| planned.meeting.id);
        let named = match kind {
            FormKind::Add => changed.map(RowId::Meeting),
            FormKind::Schedule(id) => {
                let instance = ok.instance.map(RowId::Instance);
                instance.or(Some(RowId::Meeting(id)))
            }
            FormKind::Edit(id)
            | FormKind::Invite(id)
            | FormKind::Uninvite(id)
            | FormKind::Import(id) => Some(RowId::Meeting(id)),
            FormKind::Move(id) | FormKind::Cancel(id) => Some(RowId::Instance(id)),
        };
        match kind {
            FormKind::Add | FormKind::Schedule(_) | FormKind::Move(_) => schedule.selected = named,
            FormKind::Cancel(id) => schedule.selected = Some(RowId::Meeting(id.meeting)),
            FormKind::Edit(_)
            | FormKind::Invite(_)
            | FormKind::Uninvite(_)
            | FormKind::Import(_) => {}
        }
        let name = named.map(|row| schedule.name(row)).unwrap_or_default();
        self.model.tell(Tone::Good, kind.done(&name));
        if !ok.overlaps.is_empty() || ok.report.is_some() {
            self.open_page(Page::PlanReport(Box::new(ok)));
        }
    }

    /// A change of the schedule was refused. The form stays open.
    pub(super) fn plan_refused(&mut self, kind: FormKind, reject: &Reject) {
        self.form_failed(kind, reject.detail.clone());
    }

    /// The connection was lost before a change of the schedule was answered.
    pub(super) fn plan_unknown(&mut self, kind: FormKind) {
        let error = "Connection lost, result unknown. Check after reconnecting";
        self.form_failed(kind, error.to_owned());
    }

    fn form_failed(&mut self, kind: FormKind, error: String) {
        let schedule = self.model.schedule_mut();
        let form = schedule.and_then(|schedule| schedule.form.as_mut());
        if let Some(form) = form.filter(|form| form.kind == kind) {
            form.sent = false;
            form.error = Some(error);
        } else {
            let phrase = kind.phrase("the meeting");
            self.model
                .tell(Tone::Bad, format!("Could not {phrase}: {error}"));
        }
    }
}
