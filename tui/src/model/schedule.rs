//! The schedule that admins plan: every meeting with its audience and its instances.

mod form;

use std::collections::BTreeMap;

use plenary_shared::domain::InstanceState;
use plenary_shared::ids::{InstanceId, MeetingId};
use plenary_shared::protocol::{PlanOk, Planned, PlannedInstance};

pub use form::{Form, FormField, FormKind, FormResult};

use crate::model::Model;
use crate::model::dashboard::{Dashboard, filter_matches};
use crate::model::editor::{Editor, KillRing};
use crate::text;

/// The most meetings that are loaded. The command line reaches the others.
pub const MEETINGS_MAX: usize = 5_000;

/// The schedule.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// The meetings that were loaded.
    pub meetings: BTreeMap<MeetingId, Planned>,
    /// Whether all pages were loaded.
    pub complete: bool,
    /// The selected row.
    pub selected: Option<RowId>,
    /// The words that select meetings.
    pub filter: Editor,
    /// Text cut from the inputs of the schedule.
    pub ring: KillRing,
    /// Whether the filter has the focus.
    pub filtering: bool,
    /// Whether ended instances are shown.
    pub past: bool,
    /// The open form.
    pub form: Option<Form>,
}

/// Identifies a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowId {
    /// The row of a meeting.
    Meeting(MeetingId),
    /// The row of one of its instances.
    Instance(InstanceId),
}

/// A row with its content.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// A meeting.
    Meeting(&'a Planned),
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
    /// The id of the row.
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
            if !filter_matches(self.filter.text(), &searchable(planned)) {
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

    /// The selected row.
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

    /// Whether a text input has the focus.
    pub fn is_editing(&self) -> bool {
        self.filtering || self.form.is_some()
    }

    /// The text input that has the focus.
    pub fn editor(&mut self) -> Option<(&mut Editor, &mut KillRing)> {
        match &mut self.form {
            Some(form) => Some((form.editor(), &mut self.ring)),
            None if self.filtering => Some((&mut self.filter, &mut self.ring)),
            None => None,
        }
    }
}

/// The text of a meeting that filters search, in lower case.
fn searchable(planned: &Planned) -> String {
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
    .to_lowercase()
}

impl Model {
    /// Whether the schedule is on the screen.
    pub fn shows_schedule(&self) -> bool {
        self.shows_dashboard() && self.schedule().is_some()
    }

    /// The schedule, if it is open.
    pub fn schedule(&self) -> Option<&Schedule> {
        self.layers.get::<Dashboard>()?.schedule.as_ref()
    }

    /// The schedule, if it is open, for changes.
    pub fn schedule_mut(&mut self) -> Option<&mut Schedule> {
        let dashboard = self.layers.get_mut::<Dashboard>()?;
        dashboard.schedule.as_mut()
    }
}
