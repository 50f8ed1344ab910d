//! The schedule that admins plan: every meeting with its audience and its instances.

pub mod form;
mod update;
pub mod view;

use std::collections::BTreeMap;

use plenary_shared::domain::InstanceState;
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{PlanOk, PlannedInstance, PlannedMeeting};

use crate::command::Context;
use crate::model::filter::Filter;
use crate::text;

/// The most meetings that are loaded. The command line reaches the others.
pub const MEETINGS_MAX: usize = 5_000;

/// The schedule.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    pub meetings: BTreeMap<MeetingId, PlannedMeeting>,
    /// Whether all pages were loaded.
    pub complete: bool,
    pub selected: Option<RowId>,
    pub filter: Filter,
    /// Whether ended instances are shown.
    pub past: bool,
}

/// Identifies a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowId {
    Meeting(MeetingId),
    /// The row of one of its instances.
    Instance(InstanceId),
}

/// A row with its content.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    Meeting(&'a PlannedMeeting),
    /// One of its instances, below it.
    Instance(&'a PlannedInstance),
}

impl RowId {
    /// The meeting that the row belongs to.
    pub const fn meeting(self) -> MeetingId {
        match self {
            Self::Meeting(id) => id,
            Self::Instance(id) => id.meeting,
        }
    }
}

impl Row<'_> {
    pub const fn id(&self) -> RowId {
        match self {
            Self::Meeting(planned) => RowId::Meeting(planned.meeting.id),
            Self::Instance(instance) => RowId::Instance(instance.id),
        }
    }
}

impl Schedule {
    /// Adds or replaces meetings. Returns where the next page starts, if there is one.
    pub fn apply(&mut self, ok: &PlanOk) -> Option<MeetingId> {
        for planned in &ok.meetings {
            self.meetings.insert(planned.meeting.id, planned.clone());
        }
        let last = ok.meetings.last().map(|planned| planned.meeting.id);
        let more = ok.more && self.meetings.len() < MEETINGS_MAX;
        last.filter(|_| more)
    }

    /// The filtered rows: the newest meeting first, each followed by its instances.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        for planned in self.meetings.values().rev() {
            if !self.filter.is_match(&searchable(planned)) {
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

    /// The index of the selected row; if it is not shown, of its meeting, or 0.
    pub fn selected_index(&self, rows: &[Row<'_>]) -> usize {
        let find = |id: RowId| rows.iter().position(|row| row.id() == id);
        self.selected
            .and_then(|id| find(id).or_else(|| find(RowId::Meeting(id.meeting()))))
            .unwrap_or(0)
    }

    /// Selects another row. `to` maps the index of the selected row and of the last one.
    pub fn move_selection(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let rows = self.rows();
        let at = to(self.selected_index(&rows), rows.len().saturating_sub(1));
        self.selected = rows.get(at).map(Row::id);
    }

    pub fn selected_row(&self) -> Option<RowId> {
        let rows = self.rows();
        rows.get(self.selected_index(&rows)).map(Row::id)
    }

    /// The instance with this id, if it was loaded.
    pub fn instance(&self, id: InstanceId) -> Option<&PlannedInstance> {
        let planned = self.meetings.get(&id.meeting)?;
        planned.instances.iter().find(|one| one.id == id)
    }

    /// The title and number of a row, for messages: `Retro 3/1`.
    pub fn name(&self, row: RowId) -> String {
        let planned = self.meetings.get(&row.meeting());
        let title = planned.map(|planned| text::one_line(&planned.meeting.title));
        let title = title.unwrap_or_default();
        match row {
            RowId::Meeting(id) => format!("{title} {id}"),
            RowId::Instance(id) => format!("{title} {id}"),
        }
    }

    /// The parts of the key table that apply.
    pub const fn contexts(&self) -> &'static [Context] {
        use Context::{Anywhere, Edit, Filter, Lists, Schedule};
        if self.filter.has_focus {
            &[Filter, Edit, Anywhere]
        } else {
            &[Schedule, Lists, Anywhere]
        }
    }
}

/// The text of a meeting that filters search.
fn searchable(planned: &PlannedMeeting) -> String {
    let meeting = &planned.meeting;
    let kind = if meeting.is_public {
        "public"
    } else {
        "private"
    };
    format!(
        "{} {} {} {kind} {}",
        meeting.id,
        meeting.title,
        meeting.description,
        planned.audience.join(" ")
    )
}
