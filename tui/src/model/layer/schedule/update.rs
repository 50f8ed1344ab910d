//! The schedule: loading, navigation, and the commands for its rows.

use plenary_shared::protocol::{Plan, PlanOk, Verb};

use super::form::FormKind;
use super::{RowId, Schedule};
use crate::command::{Nav, ScheduleCommand};
use crate::model::Asked;
use crate::model::step::Step;

/// Rows that a page key moves by; fits a small screen.
const PAGE: usize = 10;

impl Step<'_> {
    pub(crate) fn open_schedule(&mut self) {
        self.model.layers.push(Schedule::default());
        self.load_schedule();
    }

    /// Requests the first page of the schedule, if it is open.
    pub(crate) fn load_schedule(&mut self) {
        let is_open = self.model.layers.get::<Schedule>().is_some();
        if is_open && !self.is_asked(&Asked::Schedule) {
            self.ask(Verb::Plan(Plan::Meetings { after: None }), Asked::Schedule);
        }
    }

    /// Adds a page of the schedule, and requests the next.
    pub(crate) fn schedule_loaded(&mut self, ok: &PlanOk) {
        let Some(schedule) = self.model.layers.get_mut::<Schedule>() else {
            return;
        };
        let next = schedule.apply(ok);
        schedule.complete = next.is_none();
        if next.is_some() {
            let page = Plan::Meetings { after: next };
            self.ask(Verb::Plan(page), Asked::Schedule);
        }
    }

    /// Clears the filter, or closes the schedule.
    pub(crate) fn back_in_schedule(&mut self) {
        let schedule = self.model.layers.get_mut::<Schedule>();
        if schedule.is_some_and(|schedule| !schedule.filter.clear()) {
            self.model.layers.pop();
        }
    }

    /// Moves in the table. Enter opens the details, or leaves the filter, which stays in effect.
    pub(crate) fn schedule_nav(&mut self, nav: Nav) {
        let Some(schedule) = self.model.layers.get_mut::<Schedule>() else {
            return;
        };
        if schedule.filter.has_focus {
            schedule.filter.has_focus = nav != Nav::Enter;
        } else if nav != Nav::Enter {
            schedule.move_selection(|at, last| nav.moved(at, last, PAGE).unwrap_or(at));
        } else if let Some(row) = schedule.selected_row() {
            self.open_planned(row.meeting());
        }
    }

    /// Runs a command of the schedule.
    pub(crate) fn schedule_command(&mut self, command: ScheduleCommand) {
        match command {
            ScheduleCommand::Filter => self.with_schedule(|one| one.filter.has_focus = true),
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
        if let Some(schedule) = self.model.layers.get_mut::<Schedule>() {
            change(schedule);
        }
    }

    pub(super) fn selected_row(&self) -> Option<RowId> {
        let schedule = self.model.layers.get::<Schedule>();
        schedule.and_then(Schedule::selected_row)
    }
}
