//! The form of a schedule change, the request it sends, and its answer.

use plenary_shared::domain::{InstanceState, Reject};
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{Plan, PlanOk, Verb};

use super::{Form, FormKind, FormResult};
use crate::command::{Command, Nav, ScheduleCommand};
use crate::effect::Effect;
use crate::model::Asked;
use crate::model::layer::schedule::{RowId, Schedule};
use crate::model::step::Step;
use crate::theme::Tone;

impl Step<'_> {
    pub(crate) fn open_meeting_form(&mut self, kind: impl FnOnce(MeetingId) -> FormKind) {
        if let Some(row) = self.selected_row() {
            self.open_form(kind(row.meeting()));
        }
    }

    pub(crate) fn open_audience_form(&mut self, kind: impl FnOnce(MeetingId) -> FormKind) {
        let schedule = self.model.layers.get::<Schedule>();
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

    pub(crate) fn open_instance_form(&mut self, kind: impl FnOnce(InstanceId) -> FormKind) {
        let schedule = self.model.layers.get::<Schedule>();
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

    pub(crate) fn open_form(&mut self, kind: FormKind) {
        let zone = self.model.zone;
        let Some(schedule) = self.model.layers.get_mut::<Schedule>() else {
            return;
        };
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
        self.model.notice = None;
        self.model.layers.push(form);
    }

    /// Closes the form without changing anything.
    pub(crate) fn cancel_form(&mut self) {
        self.model.layers.pop();
        self.model.tell(Tone::Plain, "Nothing changed");
    }

    /// Moves between the fields. Enter moves to the next field; after the last, it sends the request.
    pub(crate) fn form_nav(&mut self, nav: Nav) {
        let Some(form) = self.model.layers.get_mut::<Form>() else {
            return;
        };
        match nav {
            Nav::Down | Nav::NextField => form.step(true),
            Nav::Up | Nav::PreviousField => form.step(false),
            Nav::Enter => self.confirm_form(),
            Nav::PageUp | Nav::PageDown | Nav::First | Nav::Last => {}
        }
    }

    fn confirm_form(&mut self) {
        let (now, zone) = (self.model.now, self.model.zone);
        let form = self.model.layers.get_mut::<Form>();
        let Some(form) = form.filter(|form| !form.sent) else {
            return;
        };
        let kind = form.kind;
        match form.confirm(now, zone) {
            Some(FormResult::Declined) => self.cancel_form(),
            Some(FormResult::Request(plan)) => self.send_form(plan, kind),
            Some(FormResult::ReadFile {
                path,
                meeting,
                replace,
            }) => {
                form.sent = true;
                self.out.push(Effect::ReadList {
                    path,
                    meeting,
                    replace,
                });
            }
            None => {}
        }
    }

    fn send_form(&mut self, plan: Plan, kind: FormKind) {
        let sent = self.ask_or_tell(Verb::Plan(plan), Asked::Plan(kind));
        if let Some(form) = self.model.layers.get_mut::<Form>() {
            form.sent = sent;
        }
    }

    /// The file of an import was read, or could not be.
    pub(crate) fn list_read(
        &mut self,
        meeting: MeetingId,
        replace: bool,
        read: Result<String, String>,
    ) {
        let form = self.model.layers.get::<Form>();
        if form.is_none_or(|form| form.kind != FormKind::Import(meeting)) {
            // The import was cancelled while its file was read.
            return;
        }
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
    pub(crate) fn planned(&mut self, kind: FormKind, ok: PlanOk) {
        let form = self.model.layers.get::<Form>();
        if form.is_some_and(|form| form.kind == kind) {
            self.model.layers.remove::<Form>();
        }
        let Some(schedule) = self.model.layers.get_mut::<Schedule>() else {
            return self.model.tell(Tone::Good, "Schedule changed");
        };
        let _ = schedule.apply(&ok);
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
            self.open_plan_report(ok);
        }
    }

    /// A change of the schedule was refused. The form stays open.
    pub(crate) fn plan_refused(&mut self, kind: FormKind, reject: &Reject) {
        self.form_failed(kind, reject.detail.clone());
    }

    /// The connection was lost before a change of the schedule was answered.
    pub(crate) fn plan_unknown(&mut self, kind: FormKind) {
        let error = "Connection lost, result unknown. Check after reconnecting";
        self.form_failed(kind, error.to_owned());
    }

    fn form_failed(&mut self, kind: FormKind, error: String) {
        let form = self.model.layers.get_mut::<Form>();
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
