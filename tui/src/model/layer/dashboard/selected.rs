//! What the model knows across the admin screens: which of them is open, and what is selected.

use plenary_shared::domain::Role;
use plenary_shared::ids::{InstanceId, UserId};

use super::Dashboard;
use super::meeting_detail::{DetailView, MeetingDetail};
use crate::model::Model;
use crate::model::layer::Chat;

/// From this size on, the detail of the selected meeting is shown below the table.
const LARGE_COLUMNS: u16 = 60;
const LARGE_ROWS: u16 = 22;

impl Model {
    /// Whether the user is an admin.
    pub fn is_admin(&self) -> bool {
        self.session
            .me
            .as_ref()
            .is_some_and(|me| me.role == Role::Admin)
    }

    /// Whether the dashboard, or a screen opened from it other than a chat, is visible.
    pub fn shows_dashboard(&self) -> bool {
        self.layers.get::<Dashboard>().is_some() && !self.layers.shows::<Chat>()
    }

    /// The instance that actions apply to: the one in the detail, or the selected row.
    pub fn current_instance(&self) -> Option<InstanceId> {
        if let Some(view) = self.layers.get::<DetailView>() {
            return Some(view.instance);
        }
        let dashboard = self.layers.get::<Dashboard>()?;
        dashboard.row(self.now).map(|row| row.instance)
    }

    /// The open view of a meeting, with the detail that it shows.
    pub fn detail(&self) -> Option<(&DetailView, &MeetingDetail)> {
        let view = self.layers.get::<DetailView>()?;
        let dashboard = self.layers.get::<Dashboard>()?;
        Some((view, dashboard.detail_of(view.instance)?))
    }

    /// The participant who is selected in the detail of a meeting.
    pub fn selected_participant(&self) -> Option<(UserId, String)> {
        let (view, detail) = self.detail()?;
        view.selected_participant(detail, self.now)
    }

    /// The instance whose detail is needed: the one in the detail, or the selected row on a large
    /// screen. It stays the same while a chat is on top.
    pub fn detail_needed(&self) -> Option<InstanceId> {
        let dashboard = self.layers.get::<Dashboard>()?;
        if !self.shows_dashboard() {
            return dashboard.detail_requested;
        }
        let (columns, rows) = self.terminal.size;
        let is_large = columns >= LARGE_COLUMNS && rows >= LARGE_ROWS;
        let in_detail = self.layers.get::<DetailView>().is_some();
        (in_detail || is_large).then(|| self.current_instance())?
    }
}
