//! The schedule as admins plan it: every meeting, who may join it, and when it takes place.

mod form;

use std::collections::BTreeMap;

use plenary_shared::domain::InstanceState;
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{PlanOk, Planned, PlannedInstance};

pub use form::{Deed, Field, Form, Wanted};

use crate::model::Model;
use crate::model::board::lets_through;
use crate::model::editor::{Editor, Ring};
use crate::text;

/// Meetings that are read at most: who has more finds the others by the command line.
pub const MEETINGS_MAX: usize = 5_000;

/// The schedule.
#[derive(Clone, Debug, Default)]
pub struct Planning {
    /// Every meeting that was read.
    pub meetings: BTreeMap<MeetingId, Planned>,
    /// Whether all of them were read.
    pub complete: bool,
    /// The selected row.
    pub selected: Option<Place>,
    /// Which meetings are shown.
    pub filter: Editor,
    /// What was cut from what is written here.
    pub ring: Ring,
    /// Whether the filter is being written.
    pub filtering: bool,
    /// Whether what is over is shown too.
    pub past: bool,
    /// What is being written, until it is done.
    pub form: Option<Form>,
}

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A meeting's own.
    Meeting(MeetingId),
    /// One of its instances.
    Instance(InstanceId),
}

/// A row, with what it shows.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// A meeting.
    Meeting(&'a Planned),
    /// One of its instances, below it.
    Instance(&'a PlannedInstance),
}

impl Place {
    /// Which meeting it is of.
    pub const fn meeting(self) -> MeetingId {
        match self {
            Self::Meeting(id) => id,
            Self::Instance(id) => id.meeting,
        }
    }
}

impl Row<'_> {
    /// Which it is.
    pub const fn place(&self) -> Place {
        match self {
            Self::Meeting(planned) => Place::Meeting(planned.meeting.id),
            Self::Instance(instance) => Place::Instance(instance.id),
        }
    }
}

impl Planning {
    /// Takes meetings as they are now. Where the next page begins, if there is one.
    pub fn take(&mut self, ok: &PlanOk) -> Option<MeetingId> {
        for planned in &ok.meetings {
            self.meetings.insert(planned.meeting.id, planned.clone());
        }
        let last = ok.meetings.last().map(|planned| planned.meeting.id);
        let more = ok.more && self.meetings.len() < MEETINGS_MAX;
        last.filter(|_| more)
    }

    /// The rows that are shown: each meeting, the newest first, and below it when it takes place.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        for planned in self.meetings.values().rev() {
            if !self.is_wanted(planned) {
                continue;
            }
            rows.push(Row::Meeting(planned));
            let shown = planned
                .instances
                .iter()
                .filter(|one| self.past || one.state != InstanceState::Ended);
            rows.extend(shown.map(Row::Instance));
        }
        rows
    }

    /// Whether the filter lets a meeting through.
    fn is_wanted(&self, planned: &Planned) -> bool {
        let meeting = &planned.meeting;
        let kind = if meeting.is_public {
            "public"
        } else {
            "private"
        };
        let said = format!(
            "{} {} {} {kind} {}",
            meeting.id,
            meeting.title,
            meeting.description,
            planned.audience.join(" ")
        )
        .to_lowercase();
        lets_through(self.filter.text(), &said)
    }

    /// The place of the selected row; where it is not shown any more, of its meeting, or the first.
    pub fn at(&self, rows: &[Row<'_>]) -> usize {
        let find = |place: Place| rows.iter().position(|row| row.place() == place);
        self.selected
            .and_then(|place| find(place).or_else(|| find(Place::Meeting(place.meeting()))))
            .unwrap_or(0)
    }

    /// What is selected.
    pub fn place(&self) -> Option<Place> {
        let rows = self.rows();
        rows.get(self.at(&rows)).map(Row::place)
    }

    /// One instance, as it was read.
    pub fn instance(&self, id: InstanceId) -> Option<&PlannedInstance> {
        let planned = self.meetings.get(&id.meeting)?;
        planned.instances.iter().find(|one| one.id == id)
    }

    /// What a row is called in a sentence.
    pub fn name(&self, place: Place) -> String {
        let planned = self.meetings.get(&place.meeting());
        let title = planned.map(|planned| text::one_line(&planned.meeting.title));
        let title = title.unwrap_or_default();
        match place {
            Place::Meeting(id) => format!("{title} {id}"),
            Place::Instance(id) => format!("{title} {id}"),
        }
    }

    /// Whether what is typed is a text.
    pub fn writes(&self) -> bool {
        self.filtering || self.form.is_some()
    }

    /// The text that keys go to, while one is written.
    pub fn editor(&mut self) -> Option<(&mut Editor, &mut Ring)> {
        match &mut self.form {
            Some(form) => Some((form.editor(), &mut self.ring)),
            None if self.filtering => Some((&mut self.filter, &mut self.ring)),
            None => None,
        }
    }
}

impl Model {
    /// Whether the schedule is what the screen shows.
    pub fn plans(&self) -> bool {
        self.boards() && self.planning().is_some()
    }

    /// The schedule, while an admin plans on the dashboard.
    pub fn planning(&self) -> Option<&Planning> {
        self.board.as_ref()?.planning.as_ref()
    }

    /// The same, to be changed.
    pub fn planning_mut(&mut self) -> Option<&mut Planning> {
        self.board.as_mut()?.planning.as_mut()
    }
}
