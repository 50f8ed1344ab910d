//! Planning: going through the schedule, writing what is to be, and what became of it.

use plenary_shared::domain::{InstanceState, Reject};
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{Plan, PlanOk, Verb};

use super::Step;
use crate::command::Command;
use crate::effect::Effect;
use crate::model::Asked;
use crate::model::overlay::{Overlay, Page};
use crate::model::planning::{Deed, Form, Place, Planning, Row, Wanted};
use crate::theme::Tone;

/// Rows that a page up or down moves: less than a small screen shows.
const PAGE: usize = 10;

impl Step<'_> {
    /// From the dashboard to the schedule; again, back.
    pub(super) fn toggle_planning(&mut self) {
        let Some(board) = &mut self.model.board else {
            return;
        };
        if board.planning.take().is_none() {
            board.planning = Some(Planning::default());
            self.read_schedule();
        }
    }

    /// Asks for the first page of the schedule, if it is looked at.
    pub(super) fn read_schedule(&mut self) {
        if self.model.planning().is_some() && !self.is_asked(&Asked::Schedule) {
            self.ask(Verb::Plan(Plan::Meetings { after: None }), Asked::Schedule);
        }
    }

    /// A page of the schedule came.
    pub(super) fn schedule_read(&mut self, ok: &PlanOk) {
        let Some(planning) = self.model.planning_mut() else {
            return;
        };
        let next = planning.take(ok);
        planning.complete = next.is_none();
        if next.is_some() {
            let page = Plan::Meetings { after: next };
            self.ask(Verb::Plan(page), Asked::Schedule);
        }
    }

    /// One step back on the schedule.
    pub(super) fn back_in_planning(&mut self) {
        let Some(board) = &mut self.model.board else {
            return;
        };
        let Some(planning) = &mut board.planning else {
            return;
        };
        if planning.form.take().is_some() {
            self.model.tell(Tone::Plain, "nothing was changed");
        } else if planning.filtering || !planning.filter.is_empty() {
            planning.filtering = false;
            planning.filter.set("");
        } else {
            board.planning = None;
        }
    }

    /// What a key does on the schedule.
    pub(super) fn plan(&mut self, command: Command) {
        match command {
            Command::PlanUp => self.step_plan(|at, _| at.saturating_sub(1)),
            Command::PlanDown => self.step_plan(|at, last| (at + 1).min(last)),
            Command::PlanFirst => self.step_plan(|_, _| 0),
            Command::PlanLast => self.step_plan(|_, last| last),
            Command::PlanPageUp => self.step_plan(|at, _| at.saturating_sub(PAGE)),
            Command::PlanPageDown => self.step_plan(|at, last| (at + PAGE).min(last)),
            Command::PlanEnter => self.show_planned(),
            Command::PlanFilter => self.with_planning(|planning| planning.filtering = true),
            Command::PlanPast => self.with_planning(|planning| planning.past = !planning.past),
            Command::PlanRead => {
                self.with_planning(|planning| planning.meetings.clear());
                self.read_schedule();
            }
            Command::PlanAdd => self.begin_form(Deed::Add),
            Command::PlanEdit => self.about_meeting(Deed::Edit),
            Command::PlanInvite => self.about_audience(Deed::Invite),
            Command::PlanUninvite => self.about_audience(Deed::Uninvite),
            Command::PlanImport => self.about_audience(Deed::Import),
            Command::PlanSchedule => self.about_meeting(Deed::Schedule),
            Command::PlanMove => self.about_instance(Deed::Move),
            Command::PlanCancel => self.about_instance(Deed::Cancel),
            Command::PlanConfirm => self.confirm_plan(),
            Command::PlanNext => self.step_form(true),
            Command::PlanPrevious => self.step_form(false),
            _ => {}
        }
    }

    fn with_planning(&mut self, change: impl FnOnce(&mut Planning)) {
        if let Some(planning) = self.model.planning_mut() {
            change(planning);
        }
    }

    fn step_plan(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        self.with_planning(|planning| {
            let rows = planning.rows();
            let last = rows.len().saturating_sub(1);
            let at = to(planning.at(&rows), last);
            planning.selected = rows.get(at).map(Row::place);
        });
    }

    fn step_form(&mut self, forward: bool) {
        self.with_planning(|planning| {
            if let Some(form) = &mut planning.form {
                form.step(forward);
            }
        });
    }

    fn place_planned(&self) -> Option<Place> {
        self.model.planning().and_then(Planning::place)
    }

    /// All that is known of the selected meeting.
    fn show_planned(&mut self) {
        if let Some(place) = self.place_planned() {
            self.model.overlay = Some(Overlay::new(Page::Planned(place.meeting())));
        }
    }

    fn about_meeting(&mut self, deed: impl FnOnce(MeetingId) -> Deed) {
        if let Some(place) = self.place_planned() {
            self.begin_form(deed(place.meeting()));
        }
    }

    fn about_audience(&mut self, deed: impl FnOnce(MeetingId) -> Deed) {
        let planning = self.model.planning();
        let planned = self
            .place_planned()
            .and_then(|place| planning?.meetings.get(&place.meeting()));
        let Some(planned) = planned else {
            return;
        };
        if planned.meeting.is_public {
            let key = self.model.key(Command::PlanEdit);
            let why = format!("everybody may join it: {key} makes it private first");
            return self.model.tell(Tone::Bad, why);
        }
        let deed = deed(planned.meeting.id);
        self.begin_form(deed);
    }

    fn about_instance(&mut self, deed: impl FnOnce(InstanceId) -> Deed) {
        let planning = self.model.planning();
        let found = match (self.place_planned(), planning) {
            (Some(Place::Instance(id)), Some(planning)) => planning.instance(id),
            _ => None,
        };
        let why = match found.map(|one| (one.id, one.state)) {
            Some((id, InstanceState::Scheduled)) => return self.begin_form(deed(id)),
            Some((_, InstanceState::Active | InstanceState::Ending)) => {
                "it goes on already: the dashboard extends it, or ends it"
            }
            Some((_, InstanceState::Ended)) => "it is over",
            None => "select one of the times below a meeting",
        };
        self.model.tell(Tone::Bad, why);
    }

    fn begin_form(&mut self, deed: Deed) {
        let zone = self.model.zone;
        self.with_planning(|planning| {
            let place = match deed {
                Deed::Add => None,
                Deed::Edit(id)
                | Deed::Invite(id)
                | Deed::Uninvite(id)
                | Deed::Import(id)
                | Deed::Schedule(id) => Some(Place::Meeting(id)),
                Deed::Move(id) | Deed::Cancel(id) => Some(Place::Instance(id)),
            };
            let name = place.map(|place| planning.name(place)).unwrap_or_default();
            let of = place.and_then(|place| planning.meetings.get(&place.meeting()));
            let form = Form::new(deed, name, of, zone);
            planning.filtering = false;
            planning.form = Some(form);
        });
        self.model.notice = None;
    }

    /// On to the next field; from the last one, asks for it.
    fn confirm_plan(&mut self) {
        let (now, zone) = (self.model.now, self.model.zone);
        let Some(planning) = self.model.planning_mut() else {
            return;
        };
        let Some(form) = &mut planning.form else {
            // The filter stands.
            planning.filtering = false;
            return;
        };
        if form.asked {
            return;
        }
        let deed = form.deed;
        match form.confirm(now, zone) {
            Some(Wanted::Plan(plan)) => self.ask_plan(plan, deed),
            Some(Wanted::File {
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

    fn ask_plan(&mut self, plan: Plan, deed: Deed) {
        let sent = self.ask_or_tell(Verb::Plan(plan), Asked::Plan(deed));
        self.with_planning(|planning| {
            if let Some(form) = &mut planning.form {
                form.asked = sent;
            }
        });
    }

    /// A list was read from its file, or not.
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
                self.ask_plan(plan, Deed::Import(meeting));
            }
            Err(why) => self.form_wrong(Deed::Import(meeting), why),
        }
    }

    /// It was done.
    pub(super) fn planned(&mut self, deed: Deed, ok: PlanOk) {
        let Some(planning) = self.model.planning_mut() else {
            return self.model.tell(Tone::Good, "done");
        };
        let _ = planning.take(&ok);
        if planning.form.as_ref().is_some_and(|form| form.deed == deed) {
            planning.form = None;
        }
        let changed = ok.meetings.first().map(|planned| planned.meeting.id);
        let place = match deed {
            Deed::Add => changed.map(Place::Meeting),
            Deed::Schedule(_) => ok.instance.map(Place::Instance),
            Deed::Edit(_) | Deed::Invite(_) | Deed::Uninvite(_) | Deed::Import(_) => {
                planning.selected
            }
            Deed::Move(id) => Some(Place::Instance(id)),
            Deed::Cancel(id) => Some(Place::Meeting(id.meeting)),
        };
        planning.selected = place;
        let name = place.map(|place| planning.name(place)).unwrap_or_default();
        self.model
            .tell(Tone::Good, format!("done: {} {name}", deed.verb()));
        if !ok.overlaps.is_empty() || ok.report.is_some() {
            self.model.overlay = Some(Overlay::new(Page::PlanNews(Box::new(ok))));
        }
    }

    /// It was not done: what is written stays.
    pub(super) fn plan_refused(&mut self, deed: Deed, reject: &Reject) {
        self.form_wrong(deed, reject.detail.clone());
    }

    /// The connection is gone before it was known whether it was done.
    pub(super) fn plan_unknown(&mut self, deed: Deed) {
        let why = "not known whether it was done: look again when the connection is back";
        self.form_wrong(deed, why.to_owned());
    }

    fn form_wrong(&mut self, deed: Deed, why: String) {
        let planning = self.model.planning_mut();
        let form = planning.and_then(|planning| planning.form.as_mut());
        if let Some(form) = form.filter(|form| form.deed == deed) {
            form.asked = false;
            form.wrong = Some(why);
        } else {
            let why = format!("not done: {}: {why}", deed.verb());
            self.model.tell(Tone::Bad, why);
        }
    }
}
